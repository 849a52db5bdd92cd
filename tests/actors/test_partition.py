"""The partition actor: what leaves it, and when."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bpmnd.actors.carrying import ChannelCarrier
from bpmnd.actors.errors import Refused, Unavailable
from bpmnd.actors.messages import PartitionLimits
from bpmnd.actors.runtime import LaneLimits
from bpmnd.bpmn.appliers import APPLIERS
from bpmnd.bpmn.commands import (
    ActivateJobs,
    CompleteJob,
    CreateProcessInstance,
    Deploy,
    Resource,
    UpdateJob,
    YieldJobs,
)
from bpmnd.bpmn.events import JobCreated
from bpmnd.bpmn.outcomes import (
    Accepted,
    DeploymentCreated,
    JobsActivated,
    ProcessInstanceCreated,
    Rejected,
)
from bpmnd.storage.entry import Position
from bpmnd.storage.errors import DamageError
from tests.actors.stage import ALL_THE_TIME, Stage
from tests.bpmn.playground import END, ONE_TASK, START, flow, path, process, task
from tests.bpmn.test_flow import CATCH

OLD_DATE = b"<timeDate>1969-07-20T20:17:40Z</timeDate>"


def boundary(event_id: str, kind: str, value: str) -> str:
    """An interrupting timer on the task `work`."""
    timer = f"<timerEventDefinition><{kind}>{value}</{kind}></timerEventDefinition>"
    return f'<boundaryEvent id="{event_id}" attachedToRef="work">{timer}</boundaryEvent>'


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path)
    stage.deploy(ONE_TASK)
    yield stage
    stage.node.stop()


async def test_a_command_is_answered_only_after_its_events_are_on_disk(stage: Stage) -> None:
    stage.writer.held = True
    answer = stage.submit(CreateProcessInstance("process"))
    assert not answer.done()

    stage.writer.held = False
    stage.writer.run()
    stage.run()

    assert isinstance(answer.result(), ProcessInstanceCreated)


async def test_a_rejection_waits_for_what_it_has_seen(stage: Stage) -> None:
    stage.create()
    (job,) = stage.jobs()
    stage.writer.held = True
    completed = stage.submit(CompleteJob(job.key))
    repeated = stage.submit(CompleteJob(job.key))
    assert not completed.done()
    assert not repeated.done()

    stage.writer.run()
    stage.run()

    assert completed.result() == Accepted()
    assert isinstance(repeated.result(), Rejected)


async def test_an_empty_activation_waits_for_what_it_has_seen(stage: Stage) -> None:
    stage.create()
    stage.writer.held = True
    first = stage.submit(ActivateJobs("work", "a", 1000, 1))
    second = stage.submit(ActivateJobs("work", "b", 1000, 1))
    assert not second.done()

    stage.writer.run()
    stage.run()

    answer = first.result()
    assert isinstance(answer, JobsActivated)
    assert len(answer.jobs) == 1
    assert second.result() == JobsActivated(())


def _lose(carrier: ChannelCarrier, sender: int, receiver: int, number: int, payload: bytes) -> None:
    """A message between partitions that never arrives."""


class Watcher:
    def __init__(self) -> None:
        self.told: list[tuple[int, str]] = []

    def jobs_available(self, partition_id: int, job_type: str) -> None:
        self.told.append((partition_id, job_type))


async def test_watchers_hear_of_jobs_after_the_commit(stage: Stage) -> None:
    watcher = Watcher()
    stage.actor().watching.subscribe(watcher, "work")
    stage.writer.held = True
    stage.submit(CreateProcessInstance("process"))
    assert watcher.told == []

    stage.writer.run()
    stage.run()

    assert watcher.told == [(1, "work")]


async def test_watchers_hear_once_until_somebody_claims(stage: Stage) -> None:
    watcher = Watcher()
    stage.actor().watching.subscribe(watcher, "work")
    for _ in range(3):
        stage.create()
    assert len(watcher.told) == 1

    jobs = stage.jobs()
    stage.do(YieldJobs(((jobs[0].key, jobs[0].deadline),)))

    assert len(watcher.told) == 2


async def test_watchers_do_not_hear_of_jobs_that_a_claim_has_before_their_commit(stage: Stage) -> None:
    watcher = Watcher()
    stage.actor().watching.subscribe(watcher, "work")
    stage.writer.held = True
    stage.submit(CreateProcessInstance("process"))
    claim = stage.submit(ActivateJobs("work", "worker", 60_000, 10))

    stage.writer.run()
    stage.run()
    stage.writer.run()
    stage.run()

    assert claim.done()
    assert watcher.told == []


async def test_a_command_given_up_before_its_turn_does_nothing(stage: Stage) -> None:
    answer = stage.offer(CreateProcessInstance("process"))
    answer.give_up()
    stage.run()
    assert stage.live() == 0


async def test_everything_answered_is_there_after_a_restart(stage: Stage) -> None:
    keys = [stage.create() for _ in range(5)]
    stage.restart()
    assert [job.process_instance_key for job in stage.jobs()] == keys


async def test_new_work_is_refused_when_its_lane_is_full(tmp_path: Path) -> None:
    stage = Stage(tmp_path, limits=PartitionLimits(new_work=LaneLimits(2, 1 << 20)))
    stage.deploy(ONE_TASK)
    for _ in range(2):
        stage.offer(CreateProcessInstance("process"))

    with pytest.raises(Refused):
        stage.offer(CreateProcessInstance("process"))
    stage.offer(ActivateJobs("work", "w", 1000, 1))

    stage.run()
    stage.node.stop()


async def test_new_work_is_refused_by_its_bytes_too(tmp_path: Path) -> None:
    stage = Stage(tmp_path, limits=PartitionLimits(new_work=LaneLimits(100, 1000)))
    with pytest.raises(Refused):
        stage.offer(CreateProcessInstance("process", variables={"x": b'"' + b"x" * 1000 + b'"'}))
    stage.node.stop()


async def test_new_work_is_refused_while_commits_take_long(stage: Stage) -> None:
    let_commits_take_long(stage)
    stage.writer.held = True
    under_way = stage.submit(CreateProcessInstance("process"))

    with pytest.raises(Refused):
        stage.offer(CreateProcessInstance("process"))

    stage.writer.held = False
    stage.writer.run()
    stage.run()
    assert under_way.done()
    assert stage.jobs()


async def test_a_partition_with_nothing_to_do_takes_new_work_however_long_commits_once_took(
    stage: Stage,
) -> None:
    """Otherwise it would never learn that they are fast again."""
    let_commits_take_long(stage)
    for _ in range(50):
        stage.create()
    stage.offer(CreateProcessInstance("process"))
    stage.offer(CreateProcessInstance("process"))
    stage.run()


def let_commits_take_long(stage: Stage) -> None:
    stage.writer.held = True
    slow = stage.submit(CreateProcessInstance("process"))
    stage.scheduler.pass_time(100)
    stage.writer.held = False
    stage.writer.run()
    stage.run()
    assert slow.done()


async def test_what_is_not_committed_yet_is_bounded(tmp_path: Path) -> None:
    stage = Stage(tmp_path, limits=PartitionLimits(uncommitted_bytes_max=100))
    stage.deploy(ONE_TASK)
    stage.writer.held = True
    stage.submit(CreateProcessInstance("process"))
    started = stage.state().started

    stage.submit(CreateProcessInstance("process"))
    assert stage.state().started == started

    stage.writer.run()
    stage.run()
    stage.writer.run()
    stage.run()
    assert stage.state().started == started + 1
    stage.node.stop()


async def test_an_applier_that_raises_makes_the_partition_begin_from_its_log(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(state: object, event: object) -> None:
        raise ValueError("planted")

    key = stage.create()
    with monkeypatch.context() as patch:
        patch.setitem(APPLIERS, JobCreated, broken)  # type: ignore[misc]  # stub has no invariant keys
        answer = stage.submit(CreateProcessInstance("process"))
        with pytest.raises(Unavailable):
            answer.result()
    stage.scheduler.pass_time(1)

    assert stage.gave_up == []
    assert [job.process_instance_key for job in stage.jobs()] == [key]


async def test_a_partition_that_dies_again_and_again_is_given_up(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(state: object, event: object) -> None:
        raise ValueError("planted")

    monkeypatch.setitem(APPLIERS, JobCreated, broken)  # type: ignore[misc]  # stub has no invariant keys
    for _ in range(6):
        stage.submit(CreateProcessInstance("process"))
        stage.scheduler.pass_time(5)
    assert len(stage.gave_up) == 1


async def test_a_timer_fires_without_any_command(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.deploy(CATCH)
    stage.create()

    stage.scheduler.pass_time(9.9)
    assert stage.jobs("after") == ()
    stage.scheduler.pass_time(0.2)

    assert len(stage.jobs("after")) == 1
    stage.node.stop()


async def test_a_timer_that_came_due_while_the_node_was_down_fires_after_the_restart(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.deploy(CATCH)
    stage.create()
    stage.node.stop()
    stage.scheduler.pass_time(3600)
    stage.start()
    stage.scheduler.pass_time(1)
    assert len(stage.jobs("after")) == 1
    stage.node.stop()


async def test_a_deployment_is_answered_when_every_partition_has_it(tmp_path: Path) -> None:
    stage = Stage(tmp_path, partitions=3)

    outcome = stage.deploy(ONE_TASK)

    assert isinstance(outcome, DeploymentCreated)
    for partition_id in (1, 2, 3):
        created = stage.do(CreateProcessInstance("process"), partition_id)
        assert isinstance(created, ProcessInstanceCreated)
        assert created.definition_key == outcome.processes[0].key
    stage.node.stop()


async def test_a_channel_message_that_got_lost_is_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(tmp_path, partitions=2)
    with monkeypatch.context() as patch:
        patch.setattr(ChannelCarrier, "deliver", _lose)
        answer = stage.submit(Deploy((Resource("process.bpmn", ONE_TASK),)))
        assert not answer.done()

    stage.scheduler.pass_time(3)

    assert isinstance(answer.result(), DeploymentCreated)
    stage.node.stop()


async def test_a_channel_message_that_is_unacknowledged_at_a_crash_is_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(tmp_path, partitions=2)
    with monkeypatch.context() as patch:
        patch.setattr(ChannelCarrier, "deliver", _lose)
        answer = stage.submit(Deploy((Resource("process.bpmn", ONE_TASK),)))
        stage.node.stop()
        with pytest.raises(Unavailable):
            answer.result()

    stage.start()
    stage.scheduler.pass_time(3)

    assert isinstance(stage.do(CreateProcessInstance("process"), 2), ProcessInstanceCreated)
    assert stage.state().pending_deployments.items == {}
    stage.node.stop()


async def test_checkpoints_all_the_time_change_nothing(tmp_path: Path) -> None:
    stage = Stage(tmp_path, checkpoints=ALL_THE_TIME)
    stage.deploy(ONE_TASK)
    keys = [stage.create(variables={"n": str(number).encode()}) for number in range(20)]
    stage.scheduler.pass_time(2)
    assert stage.actor().checkpoints.count > 5
    assert stage.state().instances.count_in_memory() == 0

    stage.restart()
    assert stage.actor().replica.machine.replayed < 5
    jobs = stage.jobs()

    assert [job.process_instance_key for job in jobs] == keys
    assert [job.variables["n"] for job in jobs] == [str(number).encode() for number in range(20)]
    for job in jobs:
        assert stage.do(CompleteJob(job.key)) == Accepted()
    assert stage.live() == 0
    stage.node.stop()


async def test_a_checkpoint_waits_for_the_commit_of_what_it_holds(tmp_path: Path) -> None:
    stage = Stage(tmp_path, checkpoints=ALL_THE_TIME)
    stage.deploy(ONE_TASK)
    stage.scheduler.pass_time(1)
    before = stage.actor().checkpoints.position
    stage.writer.held = True

    stage.submit(CreateProcessInstance("process"))
    stage.scheduler.pass_time(1)

    assert stage.actor().checkpoints.position == before
    stage.writer.held = False
    stage.writer.run()
    stage.scheduler.pass_time(1)
    assert stage.actor().checkpoints.position != before
    stage.node.stop()


async def test_a_checkpoint_ahead_of_the_log_is_seen_at_the_next_start(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.deploy(ONE_TASK)
    replica = stage.actor().replica
    replica.store.write([(b"m", b"")])
    replica.store.commit(Position(replica.log.last_index + 1, 1, bytes(32)))
    stage.node.stop()

    stage.start()

    assert [type(error) for error in stage.gave_up] == [DamageError]


TWO_TIMERS = process(
    START
    + task("work")
    + boundary("first", "timeDuration", "PT1S")
    + boundary("second", "timeDuration", "PT1S")
    + END
    + path("start", "work", "end")
    + flow("first", "end")
    + flow("second", "end")
)


async def test_of_two_timers_due_at_once_one_may_take_the_other_away(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.deploy(TWO_TIMERS)
    stage.create()

    stage.scheduler.pass_time(5)

    assert stage.node.hosted[1].supervisor.restarts == 0
    assert stage.live() == 0
    stage.node.stop()


async def test_a_date_before_all_time_is_due_at_once_and_only_once(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.deploy(CATCH.replace(b"<timeDuration>PT10S</timeDuration>", OLD_DATE))
    stage.create()

    stage.scheduler.pass_time(5)

    assert stage.node.hosted[1].supervisor.restarts == 0
    assert len(stage.jobs("after")) == 1
    stage.node.stop()


@pytest.mark.parametrize("timeout_ms", [-(10**18), -2_000_000_000, -1, 0, 2**63 - 1])
async def test_any_time_out_is_one_that_a_partition_lives_with(tmp_path: Path, timeout_ms: int) -> None:
    stage = Stage(tmp_path, checkpoints=ALL_THE_TIME)
    stage.deploy(ONE_TASK)
    stage.create()
    (job,) = stage.jobs()

    assert stage.do(UpdateJob(job.key, timeout_ms=timeout_ms)) == Accepted()
    stage.scheduler.pass_time(5)

    assert stage.node.hosted[1].supervisor.restarts == 0
    assert len(stage.jobs()) == (1 if timeout_ms <= 0 else 0)
    stage.node.stop()


async def test_requests_given_up_while_they_waited_are_let_go_of(stage: Stage) -> None:
    for _ in range(3000):
        stage.submit(CreateProcessInstance("process", await_result=True)).give_up()

    leading = stage.actor()._leading  # pyright: ignore[reportPrivateUsage]  # what must not grow is in there
    assert leading is not None
    assert leading.waiting_count < 2500
