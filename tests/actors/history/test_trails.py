"""The trail of an instance is read out of archive and log, from where it began to its end."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from bpmnd.actors.exporters.reading import records_in
from bpmnd.actors.exporters.trail import Trail
from bpmnd.actors.history.queries import Found, TrailOf
from bpmnd.actors.history.reading import HistoryFile
from bpmnd.actors.history.trails import read_trail
from bpmnd.bpmn.codec import decode_frame
from bpmnd.bpmn.commands import Origin, SetVariables
from bpmnd.storage.archive import Archive
from bpmnd.storage.history import TooSlowError, dump_history
from tests.actors.history.test_projection import DAY_MS, DIRECTORY, Written, project
from tests.bpmn.playground import ONE_TASK, Playground

COUNT = 120


class World:
    """Instances one after another, each with three variables set; all but the last segment is archived, and
    the history of all that has ended was cleaned."""

    def __init__(self, directory: Path) -> None:
        play = Playground()
        play.deploy(ONE_TASK)
        self.keys: list[int] = []
        for number in range(COUNT):
            key = play.create({"n": b"%d" % number, "long": b'"%s"' % (b"x" * 900)})
            self.keys.append(key)
            play.do(SetVariables(key, {"n": b"%d" % -number}, origin=Origin(user=f"user {number}")))
            if number % 10:
                play.work("work")
            play.now += DAY_MS // 10
        self.written = Written(play.frames)
        log = self.written.log
        archive = Archive(self.written.disk, DIRECTORY / "archive")
        sealed = log.sealed(log.last_index)
        for segment in sealed:
            archive.store(DIRECTORY / "log", segment, at=1)
        log.drop(sealed)
        self.archive_files = archive.files()
        path = directory / "1.sqlite"
        with closing(self.written.projection(path, keep_ms=DAY_MS)) as projection:
            project(projection, log.synced)
        self.kept = {row[0] for row in dump_history(path)["instances"]}
        self.file = HistoryFile(path)

    def read(self, key: int, **options: object) -> Found:
        query = msgspec.convert({"instance_key": key, **options}, _Asked)
        asked = TrailOf(query.instance_key, query.with_called, query.after, query.limit)
        index, found = read_trail(self.written.disk, DIRECTORY, self.file, 1, asked)
        assert index == self.written.log.last_index
        return found

    def expected(self, key: int) -> list[str]:
        """By all records from the first on."""
        records = records_in(self.written.disk, DIRECTORY, 1, running=False)
        return [msgspec.json.encode(record).decode() for record in Trail(key).of(records)]


class _Asked(msgspec.Struct):
    instance_key: int
    with_called: bool = False
    after: tuple[int, int] = (0, 0)
    limit: int = 1000


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("trails"))
    yield world
    world.file.close()


def texts(found: Found) -> list[str]:
    return [str(row[2]) for row in found.rows]


def test_the_world_is_archived_and_cleaned(world: World) -> None:
    assert len(world.archive_files) >= 3
    assert world.keys[1] not in world.kept


@pytest.mark.parametrize("number", [0, 1, 59, 60, COUNT - 2, COUNT - 1])
def test_a_trail_is_what_all_records_have_of_the_instance(world: World, number: int) -> None:
    key = world.keys[number]
    found = world.read(key)
    assert texts(found) == world.expected(key)
    assert not found.is_more


def test_a_trail_tells_who_and_what_was_before_also_of_what_was_cleaned(world: World) -> None:
    lines = [str(row[3]) for row in world.read(world.keys[1]).rows]
    (line,) = (line for line in lines if "VARIABLE UPDATED" in line)
    assert line.split()[1:3] == ["user", "1"]
    assert line.endswith("n = -1 (was 1)")


def test_pages_one_after_another_are_the_whole(world: World) -> None:
    key = world.keys[59]
    pages = [world.read(key, limit=4)]
    while pages[-1].is_more:
        *_, last = pages[-1].rows
        pages.append(world.read(key, limit=4, after=(last[0], last[1])))
    assert [text for page in pages for text in texts(page)] == world.expected(key)
    assert len(pages) > 2
    assert all(len(page.rows) == 4 for page in pages[:-1])


def test_only_what_may_concern_it_is_decoded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[bytes] = []

    def decode(payload: bytes) -> object:
        decoded.append(payload)
        return decode_frame(payload)

    monkeypatch.setattr("bpmnd.actors.history.trails.decode_frame", decode)
    world.read(world.keys[101])
    assert len(decoded) < 20 < len(world.written.frames)


def test_of_an_instance_that_never_was_nothing_is_found(world: World) -> None:
    assert world.read(world.keys[-1] + 1_000_000) == Found([])


def test_what_takes_too_long_is_broken_off(world: World) -> None:
    asked = TrailOf(world.keys[0])
    with pytest.raises(TooSlowError, match="bpmnd log export"):
        read_trail(world.written.disk, DIRECTORY, world.file, 1, asked, seconds_max=0)
