"""Files of records: on disk before it is acknowledged, whole after a crash, and nothing twice."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bpmnd.actors.exporters.json_lines import JsonLinesExporter
from bpmnd.actors.exporters.records import Record


class Partition:
    """Where the records come from."""

    exporter = "files"
    partition_id = 3
    mark = 0

    def __init__(self, directory: Path, position: int = 0) -> None:
        self.directory = directory
        self.position = position
        self.acknowledged: list[int] = []

    def acknowledge(self, position: int, mark: int = 0) -> None:
        self.acknowledged.append(position)

    def failed(self, error: Exception) -> None:
        raise error


def record(index: int, number: int = 1, time: str = "2026-11-26T10:00:00.000Z", note: str = "") -> Record:
    return Record((index, number), time, 3, "JOB", "CREATED", "7", {"note": note})


async def export(directory: Path, *batches: Sequence[Record], **settings: Any) -> Partition:
    exporter = JsonLinesExporter(settings)
    partition = Partition(directory)
    await exporter.open(partition)
    for records in batches:
        await exporter.export(records)
    await exporter.close()
    return partition


def files_in(directory: Path) -> dict[str, list[Mapping[str, Any]]]:
    return {
        path.name: [json.loads(line) for line in path.read_text().splitlines()]
        for path in sorted(directory.glob("*.jsonl"))
    }


def sizes_in(directory: Path) -> list[int]:
    return [path.stat().st_size for path in directory.glob("*.jsonl")]


def tear(directory: Path, lost: int) -> None:
    """Take the end away from the only file."""
    (path,) = directory.glob("*.jsonl")
    path.write_bytes(path.read_bytes()[:-lost])


def positions_in(directory: Path) -> list[tuple[int, int]]:
    return [tuple(line["position"]) for lines in files_in(directory).values() for line in lines]


async def test_a_line_is_a_record_and_a_batch_is_acknowledged_when_it_is_written(tmp_path: Path) -> None:
    partition = await export(tmp_path, [record(4), record(4, 2)], [record(6)])
    assert partition.acknowledged == [4, 6]
    (lines,) = files_in(tmp_path).values()
    assert [line["position"] for line in lines] == [[4, 1], [4, 2], [6, 1]]
    assert lines[0]["valueType"] == "JOB"


async def test_what_comes_again_is_not_written_again(tmp_path: Path) -> None:
    await export(tmp_path, [record(4), record(5), record(6)])
    partition = await export(tmp_path, [record(5), record(6), record(7)])
    assert partition.acknowledged == [7]
    assert positions_in(tmp_path) == [(4, 1), (5, 1), (6, 1), (7, 1)]


@pytest.mark.parametrize("lost", range(1, 60, 7))
async def test_a_torn_line_is_cut_off_and_written_again(tmp_path: Path, lost: int) -> None:
    batch = [record(4), record(5), record(5, 2)]
    await export(tmp_path, batch)
    tear(tmp_path, lost)

    await export(tmp_path, batch, [record(6)])
    assert positions_in(tmp_path) == [(4, 1), (5, 1), (5, 2), (6, 1)]


async def test_a_file_with_nothing_but_a_torn_line_is_not_the_last_one(tmp_path: Path) -> None:
    await export(tmp_path, [record(4)])
    (tmp_path / "3-00000000000000000005-000001.jsonl").write_bytes(b'{"position":[5')
    await export(tmp_path, [record(4), record(5)])
    assert positions_in(tmp_path) == [(4, 1), (5, 1)]


async def test_a_line_longer_than_what_is_read_at_once_is_found_again(tmp_path: Path) -> None:
    await export(tmp_path, [record(4, note="x" * 200_000), record(5, note="y" * 200_000)])
    await export(tmp_path, [record(5, note="y" * 200_000), record(6)])
    assert positions_in(tmp_path) == [(4, 1), (5, 1), (6, 1)]


async def test_a_file_that_is_full_is_left(tmp_path: Path) -> None:
    batches = [[record(index), record(index, 2)] for index in range(1, 20)]
    await export(tmp_path, *batches, file_mib=500 / (1 << 20))
    files = files_in(tmp_path)
    assert len(files) > 3
    assert max(sizes_in(tmp_path)) <= 500
    assert positions_in(tmp_path) == [(i, n) for i in range(1, 20) for n in (1, 2)]
    first = next(iter(files))
    assert first == "3-00000000000000000001-000001.jsonl", "named after what it begins with"


async def test_a_file_is_left_after_its_time_by_the_time_of_the_log(tmp_path: Path) -> None:
    await export(tmp_path, [record(1, time="2026-11-26T10:00:00.000Z")], file_hours=2)
    await export(
        tmp_path,
        [record(2, time="2026-11-26T11:59:59.999Z"), record(3, time="2026-11-26T12:00:00.000Z")],
        file_hours=2,
    )
    assert [len(lines) for lines in files_in(tmp_path).values()] == [2, 1]


async def test_partitions_do_not_share_files(tmp_path: Path) -> None:
    (tmp_path / "33-00000000000000000009-000001.jsonl").write_text('{"position":[9,1],"time":""}\n')
    await export(tmp_path, [record(4)])
    assert positions_in(tmp_path) == [(4, 1), (9, 1)]


async def test_two_processes_never_write_to_the_same_files(tmp_path: Path) -> None:
    """That of a node that was killed may be at its last batch when the node is there again."""
    first, second = JsonLinesExporter({}), JsonLinesExporter({})
    await first.open(Partition(tmp_path))
    with pytest.raises(OSError, match="another process writes"):
        await second.open(Partition(tmp_path))
    await second.close()
    await first.export([record(4)])
    await first.close()
    await export(tmp_path, [record(4), record(5)])
    assert positions_in(tmp_path) == [(4, 1), (5, 1)]
