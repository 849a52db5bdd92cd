"""What happened, as both sides wrote it down: Zeebe in its record stream, bpmnd in its log."""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, final

import msgspec

from bpmnd.actors.exporters.reading import PartitionFiles
from bpmnd.actors.exporters.records import Record as Exported
from bpmnd.actors.exporters.records import Records as Exporter
from bpmnd.bpmn.codec import decode_frame
from bpmnd.cluster.raft import EntryKind
from bpmnd.storage.disk import RealDisk
from bpmnd.storage.layout import LOG
from bpmnd.storage.mark import Mark, read_mark

_IN_LOG = re.compile(rb'\{"partitionId".*\}\s*$')
KINDS: Final = frozenset(
    {
        "PROCESS_INSTANCE",
        "VARIABLE",
        "JOB",
        "INCIDENT",
        "TIMER",
        "PROCESS_MESSAGE_SUBSCRIPTION",
        "MESSAGE_SUBSCRIPTION",
        "SIGNAL",
        "SIGNAL_SUBSCRIPTION",
        "USER_TASK",
    }
)


class Record(NamedTuple):
    """An event of one process instance: names as in Zeebe, keys as numbers, values of variables parsed."""

    kind: str
    intent: str
    key: int
    value: dict[str, Any]


class Records(Protocol):
    def read(self) -> list[Record]:
        """All that is written so far."""
        ...


@final
class OracleRecords:
    """The debug exporter's lines in the oracle's log, from where it stood when this was made."""

    def __init__(self, log: Path) -> None:
        self._file = log.open("rb")
        self._file.seek(0, 2)
        self._rest = b""
        self._records: list[Record] = []

    def read(self) -> list[Record]:
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        self._records += [record for line in lines if (record := _in_line(line)) is not None]
        return self._records

    def close(self) -> None:
        self._file.close()


def _in_line(line: bytes) -> Record | None:
    found = _IN_LOG.search(line)
    if found is None:
        return None
    record = json.loads(found[0])
    if record["recordType"] != "EVENT" or record["valueType"] not in KINDS:
        return None
    value = record["value"]
    if record["valueType"] == "VARIABLE":
        value["value"] = parsed(value["value"])
    return Record(record["valueType"], record["intent"], record["key"], value)


@final
class PartitionRecords:
    """The log of one partition of a node that runs, as `bpmnd log export` prints it."""

    def __init__(self, directory: Path, partition: int) -> None:
        partition_directory = directory / "partitions" / str(partition)
        self._log = partition_directory / LOG
        self._files = PartitionFiles(RealDisk(), partition_directory, running=True)
        self._exporter = Exporter(partition)
        self._mark: Mark | None = None
        self._last_index = 0
        self.timed: list[tuple[int, Record]] = []
        """(log time, record) of all that was read so far."""

    def read(self) -> bool:
        """Read what is new; whether there was anything. While its mark stands, the log is not looked into."""
        mark = read_mark(RealDisk(), self._log)
        if mark == self._mark:
            return False
        self._mark, known = mark, len(self.timed)
        for entry in self._files.entries(self._last_index + 1):
            self._last_index = entry.index
            if entry.kind == EntryKind.COMMAND:
                frame = decode_frame(entry.payload)
                for record in self._exporter.of(entry.index, frame):
                    if record.value_type in KINDS:
                        self.timed.append((frame.time, record_of(record)))
        return len(self.timed) > known


@final
class NodeRecords:
    """The logs of all partitions, of the replicas on one node, in the order of their log times."""

    def __init__(self, directory: Path, partitions: Sequence[int] = (1,)) -> None:
        self._partitions = [PartitionRecords(directory, partition) for partition in partitions]
        self._records: list[Record] = []

    def read(self) -> list[Record]:
        news = [partition.read() for partition in self._partitions]
        if any(news):
            timed = [one for partition in self._partitions for one in partition.timed]
            timed.sort(key=lambda one: one[0])  # Keeps the order within a partition.
            self._records = [record for _, record in timed]
        return self._records


def record_of(exported: Exported) -> Record:
    value = _with_numbers(exported.value)
    return Record(exported.value_type, exported.intent, int(exported.key or 0), value)


def _with_numbers(value: dict[str, Any]) -> dict[str, Any]:
    found = {name: int(item) if _is_key(name) else item for name, item in value.items()}
    if "value" in found:
        found["value"] = parsed(msgspec.json.encode(found["value"]))
    return found


def _is_key(name: str) -> bool:
    return name.endswith("Key") and name != "correlationKey"


def parsed(text: str | bytes) -> Any:
    """JSON of which numbers compare by value: 1.0 and 1 are one number."""
    return json.loads(text, parse_float=_number)


def _number(text: str) -> int | float:
    number = float(text)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def roots_in(records: Iterable[Record], run: str) -> list[int]:
    """The process instances of a run, in the order of their creation."""
    return [
        record.key
        for record in records
        if record.intent == "ELEMENT_ACTIVATED"
        and record.key == record.value["processInstanceKey"]
        and record.value["bpmnProcessId"].startswith(run)
    ]
