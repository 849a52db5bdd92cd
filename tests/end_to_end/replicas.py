"""The logs of all replicas of a stopped cluster: what they agree on is what happened."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bpmnd.actors.exporters.reading import PartitionFiles
from bpmnd.bpmn.codec import decode_frame
from bpmnd.bpmn.events import Event
from bpmnd.cluster.raft import EntryKind
from bpmnd.storage.disk import RealDisk
from bpmnd.storage.entry import Entry
from bpmnd.storage.verify import verify


def agreed_events(directories: Sequence[Path], partitions: Iterable[int]) -> Iterator[Event]:
    """The events of every partition, from the replica that reaches farthest: it has all that is committed.

    Asserts that every log is whole, and that no two have different entries of one term at one index.
    """
    for partition in partitions:
        for entry in _agreed(directories, partition):
            if entry.kind == EntryKind.COMMAND:
                yield from decode_frame(entry.payload).events


def _agreed(directories: Sequence[Path], partition: int) -> list[Entry]:
    logs: dict[Path, list[Entry]] = {}
    for directory in directories:
        files = directory / "partitions" / str(partition)
        if files.exists():
            report = verify(files)
            assert report.damage is None, f"{files}: {report}"
            logs[files] = list(PartitionFiles(RealDisk(), files, running=False).entries())
    assert logs, f"nobody has partition {partition}"
    seen: dict[tuple[int, int], bytes] = {}
    for files, entries in logs.items():
        for entry in entries:
            other = seen.setdefault((entry.index, entry.term), entry.hash)
            assert other == entry.hash, f"{files} differs at {entry.index} of term {entry.term}"
    best = max(
        logs.values(), key=lambda entries: (entries[-1].term, entries[-1].index) if entries else (0, 0)
    )
    assert [entry.index for entry in best] == list(range(1, len(best) + 1)), "the best log has gaps"
    return best
