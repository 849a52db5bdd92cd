from pathlib import Path

import pytest

from bpmnd.actors.machine import Machine
from bpmnd.actors.rebuild import rebuild_checkpoint
from bpmnd.storage.archive import ArchiveRetention
from bpmnd.storage.disk import RealDisk
from bpmnd.storage.errors import DamageError, MissingError
from tests.actors.stage import ALL_THE_TIME, Stage
from tests.actors.test_disk import fill
from tests.bpmn.playground import ONE_TASK


def rebuild(directory: Path) -> None:
    rebuild_checkpoint(RealDisk(), directory / "partitions" / "1", 1, directory / "kept")


async def test_a_damaged_checkpoint_is_made_anew_from_archive_and_log(tmp_path: Path) -> None:
    stage = Stage(tmp_path, segment_size=1 << 16, checkpoints=ALL_THE_TIME)
    stage.deploy(ONE_TASK)
    fill(stage, 10)
    keys = [stage.create() for _ in range(5)]
    stage.scheduler.pass_time(1)
    stage.node.stop()
    for file in (tmp_path / "partitions" / "1" / "checkpoint").glob("*.sst"):
        file.write_bytes(b"\xff" * file.stat().st_size)
    stage.start()
    assert [type(error) for error in stage.gave_up] == [DamageError]
    stage.node.stop()

    rebuild(tmp_path)

    stage.start()
    assert [job.process_instance_key for job in stage.jobs()] == keys
    assert stage.live() == 5
    stage.node.stop()


async def test_a_rebuild_holds_no_more_frames_in_memory_than_are_replayed_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(tmp_path)
    stage.deploy(ONE_TASK)
    fill(stage, 10)
    stage.node.stop()
    waiting: list[int] = []
    take = Machine.take

    def take_and_count(machine: Machine, index: int, kind: int, payload: bytes) -> None:
        waiting.append(machine.taken - machine.applied)
        take(machine, index, kind, payload)

    monkeypatch.setattr(Machine, "take", take_and_count)
    monkeypatch.setattr("bpmnd.bpmn.appliers.window.BYTES_MAX", 1)

    rebuild(tmp_path)

    assert len(waiting) > 10
    assert max(waiting) <= 2, "raft's own entries and one frame"


async def test_without_its_oldest_entries_nothing_is_rebuilt(tmp_path: Path) -> None:
    stage = Stage(
        tmp_path,
        segment_size=1 << 16,
        checkpoints=ALL_THE_TIME,
        retention=ArchiveRetention(size_max=2000),
    )
    stage.deploy(ONE_TASK)
    fill(stage, 30)
    stage.scheduler.pass_time(1)
    stage.node.stop()

    with pytest.raises(MissingError):
        rebuild(tmp_path)

    stage.start()
    assert stage.gave_up == []
    stage.node.stop()
