"""What a node does for an exporter: tells it what is committed, keeps its position, begins it anew."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec

from bpmnd.actors.exporters.pipe import Alive, Configure, Drop, Exported, Failing, Follow, Gap, Recovered
from bpmnd.actors.exporters.service import KEEP_SECONDS, ExporterOnNode, ExporterSpec
from bpmnd.bpmn.commands import AcknowledgeExport, Command, NoteExportGap
from bpmnd.storage.entry import Position
from tests.actors.stage import StageScheduler
from tests.bpmn.playground import Playground


class Process:
    """The exporter's, as the node has it."""

    restarts = 0

    def __init__(self) -> None:
        self.told: list[msgspec.Struct] = []
        self.kills = 0

    def send(self, message: msgspec.Struct) -> None:
        self.told.append(message)

    def kill(self) -> None:
        self.kills += 1


class Partition:
    """A replica of partition 1 on the node; what is handed in is committed at once."""

    def __init__(self) -> None:
        self.playground = Playground()
        self.leads = True
        self.committed = 5
        self.exported: dict[str, int] = {}
        self.submitted: list[Command] = []
        self.machine = SimpleNamespace(state=self.playground.state)
        self.mending = self

    def position(self) -> Position:
        return Position(self.committed, 1, bytes(32))

    def submit_internal(self, command: Command) -> None:
        self.submitted.append(command)
        self.playground.do(command)

    def is_exported(self, exporter: str, index: int) -> None:
        self.exported[exporter] = index


class Stage:
    def __init__(self, *, begins_now: bool = False) -> None:
        self.partition = Partition()
        self.hosted: dict[int, Any] = {1: SimpleNamespace(actor=self.partition)}
        self.scheduler = StageScheduler()
        self.process = Process()
        spec = ExporterSpec("files", "some:Exporter", {"a": 1}, begins_now=begins_now, seconds_max=20.0)
        self.exporter = ExporterOnNode(
            spec,
            Path("/data"),
            cast(Any, self.hosted),
            cast(Any, self.scheduler),
            self.scheduler,
            self.process,
        )

    def told(self, *, leads: bool = True, index: int = 5, position: int = 0, mark: int = 0) -> Follow:
        return Follow(1, index, 1, bytes(32), leads, position, mark)

    def pass_time(self, seconds: float) -> None:
        self.scheduler.seconds += seconds
        self.exporter.tell()


def test_a_new_process_is_told_who_it_is_and_then_all_anew() -> None:
    stage = Stage()
    stage.exporter.tell()
    stage.exporter.began()
    stage.exporter.tell()
    configure = Configure("/data", "files", "some:Exporter", {"a": 1}, (), 1000, 20.0)
    assert stage.process.told == [stage.told(), configure, stage.told()], "and nothing twice"


def test_what_is_acknowledged_is_kept_by_the_partition_now_and_then() -> None:
    stage = Stage()
    stage.exporter.tell()
    stage.exporter.heard(Exported(1, 3, 3, 0, 10))
    stage.exporter.tell()
    assert stage.partition.submitted == [AcknowledgeExport("files", 3, 0)]

    stage.exporter.heard(Exported(1, 4, 4, 0, 12))
    stage.exporter.heard(Exported(1, 5, 5, 7, 14))
    stage.pass_time(KEEP_SECONDS / 2)
    assert len(stage.partition.submitted) == 1
    stage.pass_time(KEEP_SECONDS)
    assert stage.partition.submitted[1:] == [AcknowledgeExport("files", 5, 7)]
    stage.pass_time(KEEP_SECONDS)
    stage.pass_time(KEEP_SECONDS)
    assert len(stage.partition.submitted) == 2, "known already"
    assert stage.process.told[-1] == stage.told(position=5, mark=7)
    assert stage.partition.exported == {"files": 5}


def test_a_follower_keeps_nothing_but_knows_what_the_leader_kept() -> None:
    stage = Stage()
    stage.partition.leads = False
    stage.partition.playground.do(AcknowledgeExport("files", 4, 0))
    stage.exporter.tell()
    stage.exporter.heard(Exported(1, 5, 5, 0, 0))
    stage.pass_time(KEEP_SECONDS)
    assert stage.partition.submitted == []
    assert stage.process.told == [stage.told(leads=False, position=4)]


def test_one_that_begins_now_is_told_nothing_of_before() -> None:
    stage = Stage(begins_now=True)
    stage.exporter.tell()
    assert stage.process.told == []
    stage.exporter.tell()
    assert stage.partition.submitted == [AcknowledgeExport("files", 5, 0)]
    assert stage.process.told == [stage.told(position=5)]


def test_a_gap_is_noted_in_the_log() -> None:
    stage = Stage()
    stage.exporter.tell()
    stage.exporter.heard(Gap(1, 0, 4))
    assert stage.partition.submitted == [NoteExportGap("files", 4)]
    assert stage.exporter.standings[1].lost == 4


def test_how_far_it_is_and_what_fails_is_known() -> None:
    stage = Stage()
    stage.exporter.tell()
    standing = stage.exporter.standings[1]
    stage.pass_time(3)
    assert (standing.behind, stage.exporter.behind_seconds(1)) == (5, 3)
    stage.exporter.heard(Failing(1, "no route"))
    stage.exporter.heard(Failing(1, "no route"))
    assert (standing.failing, standing.failures) == ("no route", 2)

    stage.exporter.heard(Recovered(1))
    stage.exporter.heard(Exported(1, 5, 5, 0, 1))
    stage.exporter.tell()
    assert (standing.failing, standing.behind, stage.exporter.behind_seconds(1)) == (None, 0, 0)


def test_one_that_is_always_a_little_behind_is_not_long_behind() -> None:
    """Under load something new is committed whenever it is looked at."""
    stage = Stage()
    stage.exporter.tell()
    for _ in range(100):
        stage.exporter.heard(Exported(1, stage.partition.committed, stage.partition.committed, 0, 0))
        stage.partition.committed += 7
        stage.pass_time(1)
    assert stage.exporter.standings[1].behind == 7
    assert stage.exporter.behind_seconds(1) == 0
    stage.pass_time(2)
    assert stage.exporter.behind_seconds(1) == 2


def test_a_process_that_says_nothing_is_ended() -> None:
    stage = Stage()
    stage.exporter.began()
    stage.pass_time(25)
    stage.exporter.heard(Alive())
    stage.pass_time(25)
    assert stage.process.kills == 0
    stage.pass_time(10)
    assert stage.process.kills == 1


def test_a_replica_that_is_gone_is_forgotten() -> None:
    stage = Stage()
    stage.exporter.tell()
    stage.hosted.clear()
    stage.exporter.tell()
    assert stage.process.told[-1] == Drop(1)
    assert stage.exporter.standings == {}
