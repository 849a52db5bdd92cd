"""Commands with an id on a partition: over restarts, and for several who wait for one answer."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bpmnd.actors.errors import OutcomeUnknown, Refused
from bpmnd.actors.messages import PartitionLimits, size_of
from bpmnd.actors.peer_messages import CommandRequest, decode_peer_message, encode_peer_message
from bpmnd.actors.runtime import LaneLimits
from bpmnd.bpmn.commands import (
    ActivateJobs,
    CommandId,
    CompleteJob,
    CreateProcessInstance,
    DoOnce,
    RepeatableCommand,
)
from bpmnd.bpmn.outcomes import Accepted, JobsActivated, ProcessInstanceCreated
from tests.actors.stage import ALL_THE_TIME, Stage
from tests.bpmn.playground import ONE_TASK

CREATE = CreateProcessInstance("process")
AWAIT = CreateProcessInstance("process", await_result=True)


def once(command: RepeatableCommand, key: str = "k") -> DoOnce:
    return DoOnce(CommandId("scope", key, b"hash"), command)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path, limits=PartitionLimits(idempotency_ms=3_600_000))
    stage.deploy(ONE_TASK)
    yield stage
    stage.node.stop()


async def test_after_a_restart_a_repeat_is_answered_as_the_first_one(stage: Stage) -> None:
    first = stage.do(once(CREATE))
    stage.restart()
    assert stage.do(once(CREATE)) == first
    assert stage.live() == 1


async def test_what_only_the_checkpoint_has_is_known(tmp_path: Path) -> None:
    stage = Stage(tmp_path, checkpoints=ALL_THE_TIME)
    stage.deploy(ONE_TASK)
    outcomes = [stage.do(once(CREATE, str(number))) for number in range(20)]
    stage.scheduler.pass_time(1)
    assert stage.state().noted.records.count_in_memory() == 0
    stage.restart()
    assert [stage.do(once(CREATE, str(number))) for number in range(20)] == outcomes
    stage.node.stop()


async def test_a_repeat_is_answered_only_when_the_first_is_on_disk(stage: Stage) -> None:
    stage.writer.held = True
    first = stage.submit(once(CREATE))
    again = stage.submit(once(CREATE))
    assert not first.done()
    assert not again.done()

    stage.writer.held = False
    stage.writer.run()
    stage.run()

    assert first.result() == again.result()
    assert isinstance(first.result(), ProcessInstanceCreated)


async def test_all_who_repeat_a_command_hear_its_answer_when_it_comes(stage: Stage) -> None:
    answers = [stage.submit(once(AWAIT)) for _ in range(4)]
    answers[0].give_up()
    answers[2].give_up()
    assert not any(answer.done() for answer in (answers[1], answers[3]))

    stage.complete_all()

    assert isinstance(answers[1].result(), ProcessInstanceCreated)
    assert answers[1].result() == answers[3].result()
    assert stage.do(once(AWAIT)) == answers[1].result()


async def test_who_waits_for_a_repeat_hears_that_the_node_stops(stage: Stage) -> None:
    answers = [stage.submit(once(AWAIT)) for _ in range(3)]
    stage.node.stop()
    for answer in answers:
        with pytest.raises(OutcomeUnknown):
            answer.result()
    stage.start()


async def test_after_a_restart_a_repeat_waits_for_the_answer_of_the_first_one(stage: Stage) -> None:
    stage.submit(once(AWAIT))
    stage.restart()
    again = stage.submit(once(AWAIT))
    assert not again.done()

    stage.complete_all()

    assert isinstance(again.result(), ProcessInstanceCreated)
    stage.restart()
    assert stage.do(once(AWAIT)) == again.result()
    assert stage.live() == 0


async def test_jobs_are_lent_again_after_a_restart(stage: Stage) -> None:
    stage.create()
    activate = once(ActivateJobs("work", "worker", 60_000, 10))
    first = stage.do(activate)
    assert isinstance(first, JobsActivated)
    assert len(first.jobs) == 1

    stage.restart()

    assert stage.do(activate) == first
    assert stage.do(once(CompleteJob(first.jobs[0].key), "other")) == Accepted()


async def test_a_command_is_forgotten_by_the_clock_of_the_log(stage: Stage) -> None:
    stage.do(once(CREATE))
    stage.scheduler.pass_time(3599)
    stage.do(once(CREATE))
    assert stage.live() == 1

    stage.scheduler.pass_time(2)

    assert stage.state().noted.find(once(CREATE).id) is None
    stage.do(once(CREATE))
    assert stage.live() == 2


async def test_an_id_does_not_make_new_work_go_first(tmp_path: Path) -> None:
    stage = Stage(tmp_path, limits=PartitionLimits(new_work=LaneLimits(1, 1 << 20)))
    stage.deploy(ONE_TASK)
    stage.offer(once(CREATE, "1"))
    with pytest.raises(Refused):
        stage.offer(once(CREATE, "2"))
    stage.offer(once(CompleteJob(1), "3"))
    stage.node.stop()


def test_a_command_with_an_id_counts_with_its_variables() -> None:
    command = CreateProcessInstance("process", variables={"a": bytes(1000)})
    assert size_of(once(command)) > size_of(command) > 1000


def test_an_id_travels_to_other_nodes() -> None:
    request = CommandRequest(1, 2, once(CompleteJob(3, {"a": b"1"})))
    assert decode_peer_message(encode_peer_message(request)) == request
