"""The projection of a partition: from its log to the rows, whatever comes between."""

import os
import random
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bpmnd.actors.beside.pipe import Unpacking, packed
from bpmnd.actors.history.projection import Projection, ProjectionSettings
from bpmnd.actors.history.projector import (
    Drop,
    Follow,
    FromProjector,
    Projected,
    Projector,
    Stuck,
    decode_from_projector,
    history_path,
)
from bpmnd.bpmn.codec import Frame, decode_frame
from bpmnd.bpmn.commands import CreateProcessInstance
from bpmnd.cluster.raft import EntryKind
from bpmnd.storage.batch import PAGE
from bpmnd.storage.disk import RealDisk
from bpmnd.storage.entry import Position
from bpmnd.storage.follow import ChainError
from bpmnd.storage.history import HistoryError, Row, dump_history
from bpmnd.storage.log import Log
from bpmnd.storage.memory_disk import MemoryDisk
from bpmnd.storage.writer import InlineWriter, ThreadWriter
from tests.actors.history.histories import frames_of, write_history
from tests.actors.history.world import MODELS, live
from tests.bpmn.playground import ONE_TASK, Playground
from tests.bpmn.test_partitions import Cluster

DIRECTORY = Path("/partitions/1")
DAY_MS = 24 * 3600 * 1000


class Written:
    """A partition's log, with one frame an entry."""

    def __init__(self, frames: list[bytes]) -> None:
        self.disk = MemoryDisk()
        Log.create(self.disk, DIRECTORY / "log")
        self.log = Log.open(
            self.disk,
            DIRECTORY / "log",
            writer=InlineWriter(),
            post=lambda call: call(),
            then=lambda _: None,
            segment_size=64 * PAGE,
        )
        self.frames = frames
        self.append(len(frames))

    def append(self, count: int) -> Position:
        """So many of the frames that are not there yet."""
        first = self.log.last_index
        for frame in self.frames[first : first + count]:
            self.log.append([(self.log.last_index + 1, 1, EntryKind.COMMAND, frame)])
        return self.log.synced

    def projection(
        self, path: Path, *, keep_ms: int = 0, events_max: int = 50, size_max: int = 1 << 30
    ) -> Projection:
        settings = ProjectionSettings(keep_ms, events_max, size_max)
        return Projection(1, self.disk, DIRECTORY, path, settings)


def project(projection: Projection, position: Position) -> None:
    projection.tell(position)
    while projection.step():
        pass
    assert projection.progress.position == position


@pytest.fixture(scope="module")
def frames() -> list[bytes]:
    cluster = Cluster(1)
    cluster.deploy(*MODELS)
    live(cluster, random.Random(5), 120)
    return cluster[1].frames


@pytest.fixture
def expected(tmp_path: Path, frames: list[bytes]) -> Path:
    """The rows of a fold without interruption."""
    path = tmp_path / "expected.sqlite"
    decoded: list[Frame] = [decode_frame(frame) for frame in frames]
    write_history(path, 1, decoded, per_transaction=1000, known_max=1_000_000)
    return path


def test_a_long_way_is_gone_in_several_transactions(
    tmp_path: Path, frames: list[bytes], expected: Path
) -> None:
    written, path = Written(frames), tmp_path / "h.sqlite"
    with closing(written.projection(path)) as projection:
        project(projection, written.log.synced)
    assert dump_history(path) == dump_history(expected)


def test_a_transaction_ends_after_so_many_bytes(tmp_path: Path, frames: list[bytes], expected: Path) -> None:
    """What is told piece by piece is taken so, too, where the pieces are large."""
    written, path = Written(frames[:1]), tmp_path / "h.sqlite"
    written.frames = frames
    size_max = 3000
    with closing(written.projection(path, events_max=1 << 30, size_max=size_max)) as projection:
        project(projection, written.log.synced)
        while written.log.last_index < len(frames):
            projection.tell(written.append(1))
        steps, before = 0, 1
        while projection.step():
            at = projection.progress.position.index
            assert sum(map(len, frames[before : at - 1])) < size_max
            steps, before = steps + 1, at
    assert steps > 3
    assert dump_history(path) == dump_history(expected)


def test_who_is_told_of_more_than_it_can_note_goes_on_to_the_newest(
    tmp_path: Path, frames: list[bytes], expected: Path
) -> None:
    written, path = Written(frames[:1]), tmp_path / "h.sqlite"
    written.frames = frames
    with closing(written.projection(path)) as projection:
        project(projection, written.log.synced)
        second = written.append(1)
        for _ in range(2000):
            projection.tell(second)
        project(projection, written.append(len(frames)))
        assert projection.rebuilds == 0
    assert dump_history(path) == dump_history(expected)


def test_it_goes_on_where_it_stood_after_every_restart(
    tmp_path: Path, frames: list[bytes], expected: Path
) -> None:
    written, path = Written([]), tmp_path / "h.sqlite"
    written.frames = frames
    chance = random.Random(1)
    while written.log.last_index < len(frames):
        with closing(written.projection(path)) as projection:
            for _ in range(chance.randrange(1, 4)):
                project(projection, written.append(chance.randrange(1, 30)))
            assert projection.rebuilds == 0
    assert dump_history(path) == dump_history(expected)


def test_rows_of_another_log_are_made_anew(tmp_path: Path, frames: list[bytes], expected: Path) -> None:
    path = tmp_path / "h.sqlite"
    other = Written(frames[:10][::-1])
    with closing(other.projection(path)) as projection:
        project(projection, other.log.synced)
    written = Written(frames)
    with closing(written.projection(path)) as projection:
        with pytest.raises(ChainError):
            project(projection, written.log.synced)
        projection.rebuild("the log does not continue it")
        project(projection, written.log.synced)
    assert dump_history(path) == dump_history(expected)


def test_rows_that_know_more_than_the_log_are_made_anew(tmp_path: Path, frames: list[bytes]) -> None:
    path, whole = tmp_path / "h.sqlite", Written(frames)
    with closing(whole.projection(path)) as projection:
        project(projection, whole.log.synced)
    restored = Written(frames[:20])
    with closing(restored.projection(path)) as projection:
        project(projection, restored.log.synced)
        assert projection.rebuilds == 1


@pytest.mark.parametrize("content", [b"no database at all", b""])
def test_a_file_that_is_no_history_is_made_anew(
    tmp_path: Path, frames: list[bytes], expected: Path, content: bytes
) -> None:
    written, path = Written(frames), tmp_path / "h.sqlite"
    path.write_bytes(content)
    with closing(written.projection(path)) as projection:
        project(projection, written.log.synced)
    assert dump_history(path) == dump_history(expected)


def test_a_file_that_was_taken_away_is_made_anew(tmp_path: Path, frames: list[bytes], expected: Path) -> None:
    written, path = Written(frames), tmp_path / "h.sqlite"
    with closing(written.projection(path)) as projection:
        project(projection, written.log.synced)
        path.unlink()
        while projection.step():  # Nothing new is told: it goes where it was.
            pass
        assert projection.rebuilds == 1
    assert dump_history(path) == dump_history(expected)


def test_tables_of_another_version_are_made_anew(tmp_path: Path, frames: list[bytes], expected: Path) -> None:
    written, path = Written(frames), tmp_path / "h.sqlite"
    with closing(written.projection(path)) as projection:
        project(projection, written.log.synced)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE meta SET version = 0")
        connection.execute("DELETE FROM jobs")
    with closing(written.projection(path)) as projection:
        assert projection.progress.position.index == 0
        project(projection, written.log.synced)
    assert dump_history(path) == dump_history(expected)


def test_two_that_write_for_a_moment_do_not_count_anything_twice(
    tmp_path: Path, frames: list[bytes], expected: Path
) -> None:
    written, path = Written([]), tmp_path / "h.sqlite"
    written.frames = frames
    with closing(written.projection(path)) as old, closing(written.projection(path)) as new:
        project(old, written.append(20))
        with pytest.raises(HistoryError, match="another projector"):
            project(new, written.log.synced)
        project(new, written.append(20))
        position = written.append(len(frames))
        with pytest.raises(HistoryError, match="another projector"):
            project(old, position)
        project(new, position)
        assert old.rebuilds == new.rebuilds == 0
    assert dump_history(path) == dump_history(expected)


def test_what_ended_long_ago_is_dropped_with_all_that_is_its_own(tmp_path: Path) -> None:
    playground = Playground()
    playground.deploy(ONE_TASK)
    over, live_on = playground.create({"a": b"1"}), playground.create({"a": b"2"})
    playground.work("work")
    playground.now += DAY_MS + 1
    playground.do(CreateProcessInstance("process"))
    written = Written(playground.frames)
    rows: dict[int, dict[str, list[Row]]] = {}
    for per_step in (1, 1000):
        path = tmp_path / f"{per_step}.sqlite"
        with closing(written.projection(path, keep_ms=DAY_MS, events_max=per_step)) as projection:
            project(projection, written.log.synced)
        rows[per_step] = dump_history(path)

    found = rows[1]
    assert found == rows[1000], "the steps do not matter"
    kept = [row[0] for row in found["instances"]]
    assert over not in kept
    assert kept[0] == live_on
    assert len(kept) == 2
    for table in ("element_instances", "jobs", "variables"):
        assert found[table], table
        assert over not in [row[1] for row in found[table]], table
    counts = {row[3]: row[-9:-6] for row in found["elements"]}
    assert [row[1] for row in found["audit"]] == kept, "nor what was done with it, nor the deployment"
    assert counts["start"] == (0, 2, 0), "that of the dropped one is not counted any more"
    assert counts["work"] == (2, 0, 0)
    assert counts["end"] == (0, 0, 0)


class Running:
    """A projector in a thread, over real files."""

    def __init__(self, directory: Path) -> None:
        self._here, source = os.pipe()[::-1]
        self._from, sink = os.pipe()
        self._incoming = Unpacking()
        projector = Projector(directory, ProjectionSettings(), RealDisk(), source, sink)
        self._thread = threading.Thread(target=projector.run)
        self._thread.start()

    def send(self, message: Follow | Drop) -> None:
        os.write(self._here, packed(message))

    def receive(self) -> Iterator[FromProjector]:
        while True:
            for message in self._incoming.feed(os.read(self._from, 1 << 16)):
                yield decode_from_projector(message)

    def close(self) -> None:
        os.close(self._here)
        self._thread.join(10)
        assert not self._thread.is_alive(), "it ends with its source"


def test_the_projector_follows_what_it_is_told_and_ends_with_its_source(
    tmp_path: Path, frames: list[bytes], expected: Path
) -> None:
    directory = tmp_path / "partitions" / "1" / "log"
    Log.create(RealDisk(), directory)
    writer = ThreadWriter()
    log = Log.open(
        RealDisk(),
        directory,
        writer=writer,
        post=lambda call: call(),
        then=lambda _: None,
        segment_size=1 << 20,
    )
    with closing(Running(tmp_path)) as running:
        half = len(frames) // 2
        for some in (frames[:half], frames[half:]):
            log.append(
                [(log.last_index + 1 + n, 1, EntryKind.COMMAND, frame) for n, frame in enumerate(some)]
            )
            while log.synced.index < log.last_index:
                pass
            position = log.synced
            running.send(Follow(1, position.index, position.term, position.hash))
            for message in running.receive():
                assert isinstance(message, Projected), message
                if message.index == position.index:
                    break
        assert dump_history(history_path(tmp_path, 1)) == dump_history(expected)

        running.send(Follow(2, 5, 1, bytes(32)))
        assert isinstance(next(running.receive()), Stuck), "there is no such partition"
        running.send(Drop(1))
        running.send(Drop(2))
    assert not history_path(tmp_path, 1).exists()
    log.close()
    writer.close()


def test_a_fold_takes_nothing_from_how_it_is_cut(tmp_path: Path) -> None:
    cluster = Cluster(2)
    cluster.deploy(*MODELS)
    live(cluster, random.Random(11), 80)
    for partition, some in frames_of(cluster).items():
        paths = [tmp_path / f"{partition}-{cut}.sqlite" for cut in (1, 50)]
        write_history(paths[0], partition, some, per_transaction=1, known_max=0)
        write_history(paths[1], partition, some, per_transaction=50, known_max=1_000_000)
        assert dump_history(paths[0]) == dump_history(paths[1])
