"""What a partition does when its disk is short, fails, or fills with what is old."""

from pathlib import Path

import pytest

from bpmnd.actors.errors import Refused, Unavailable
from bpmnd.bpmn.commands import ActivateJobs, CompleteJob, CreateProcessInstance, PublishMessage
from bpmnd.bpmn.outcomes import Accepted
from bpmnd.storage.archive import Archive, ArchiveRetention
from bpmnd.storage.checkpoint import CheckpointStore
from bpmnd.storage.disk import RealDisk, RealFile
from bpmnd.storage.errors import StorageError
from bpmnd.storage.verify import verify
from tests.actors.stage import ALL_THE_TIME, Stage
from tests.bpmn.playground import ONE_TASK


def _almost_full(disk: RealDisk, path: Path) -> int:
    return 999


async def test_new_work_is_refused_while_the_disk_is_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(tmp_path, disk_free_min=1000)
    stage.deploy(ONE_TASK)
    stage.create()
    with monkeypatch.context() as patch:
        patch.setattr(RealDisk, "free_bytes", _almost_full)
        stage.scheduler.pass_time(2)
        with pytest.raises(Refused):
            stage.offer(CreateProcessInstance("process"))
        with pytest.raises(Refused):
            stage.offer(PublishMessage("paid", "1", 60_000))
        (job,) = stage.jobs()
        assert stage.do(CompleteJob(job.key)) == Accepted()

    stage.scheduler.pass_time(2)

    stage.create()
    stage.node.stop()


async def test_a_write_that_fails_is_never_tried_again_and_the_node_gives_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    def fail(*_: object, **__: object) -> None:
        raise StorageError("planted")

    stage = Stage(tmp_path)
    stage.deploy(ONE_TASK)
    with monkeypatch.context() as patch:
        patch.setattr(RealFile, "write", fail)
        answer = stage.submit(CreateProcessInstance("process"))
        with pytest.raises(Unavailable):
            answer.result()
        stage.scheduler.pass_time(10)

    assert len(stage.gave_up) == 1
    stage.node.stop()


def fill(stage: Stage, count: int) -> None:
    """So many finished instances of 20 kB."""
    for _ in range(count):
        stage.create(variables={"x": b'"' + b"x" * 20_000 + b'"'})
        stage.complete_all()
        stage.scheduler.pass_time(0.1)


async def test_segments_below_the_checkpoint_go_to_the_archive(tmp_path: Path) -> None:
    stage = Stage(tmp_path, segment_size=1 << 16, checkpoints=ALL_THE_TIME)
    stage.deploy(ONE_TASK)

    fill(stage, 20)
    stage.scheduler.pass_time(1)

    directory = tmp_path / "partitions" / "1"
    assert len(Archive(RealDisk(), directory / "archive").files()) > 3
    assert len(list((directory / "log").glob("*.log"))) < 6
    stage.node.stop()
    report = verify(directory)
    assert report.damage is None
    assert report.head.index == 0


async def test_the_archive_keeps_no_more_than_its_retention(tmp_path: Path) -> None:
    retention = ArchiveRetention(size_max=2000)
    stage = Stage(tmp_path, segment_size=1 << 16, checkpoints=ALL_THE_TIME, retention=retention)
    stage.deploy(ONE_TASK)

    fill(stage, 30)
    stage.scheduler.pass_time(1)

    directory = tmp_path / "partitions" / "1"
    files = Archive(RealDisk(), directory / "archive").files()
    assert sum(file.path.stat().st_size for file in files) <= 2000
    stage.node.stop()
    report = verify(directory)
    assert report.damage is None
    assert report.head.index > 0


async def test_what_an_exporter_has_not_acknowledged_is_kept_up_to_its_limit(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    retention = ArchiveRetention(size_max=2000, held_size=6000)
    stage = Stage(tmp_path, segment_size=1 << 16, checkpoints=ALL_THE_TIME, retention=retention)
    stage.deploy(ONE_TASK)
    archive = Archive(RealDisk(), tmp_path / "partitions" / "1" / "archive")
    stage.actor().is_exported("slow", 0)

    while stage.actor().held.get("slow", 0.0) < 0.5:
        fill(stage, 1)
        stage.scheduler.pass_time(1)
        assert archive.head().index == 0, "nothing is dropped"
    assert "exporter slow holds the archive" in caplog.text

    fill(stage, 30)
    stage.scheduler.pass_time(1)
    assert archive.head().index > 0
    assert "dropped what exporter slow has not acknowledged" in caplog.text
    stage.node.stop()


async def test_a_checkpoint_that_cannot_be_read_ends_the_node_and_no_decision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StorageError("planted")

    stage = Stage(tmp_path, checkpoints=ALL_THE_TIME)
    stage.deploy(ONE_TASK)
    stage.create()
    stage.scheduler.pass_time(1)
    monkeypatch.setattr(CheckpointStore, "get", fail)

    answer = stage.submit(ActivateJobs("work", "worker", 1000, 1))
    stage.scheduler.pass_time(1)

    with pytest.raises(Unavailable):
        answer.result()
    assert len(stage.gave_up) == 1
    stage.node.stop()
