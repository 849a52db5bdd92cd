"""Commands with an id, when the leader changes between the first time and the next."""

import pytest

from bpmnd.actors.errors import OutcomeUnknown
from bpmnd.actors.peer_messages import CommandRequest
from bpmnd.actors.requests import Requested
from bpmnd.bpmn.commands import ActivateJobs, CompleteJob, CreateProcessInstance
from bpmnd.bpmn.outcomes import JobsActivated, ProcessInstanceCreated
from tests.actors.cluster_stage import ClusterStage
from tests.actors.test_once import AWAIT, CREATE, once
from tests.actors.test_peers import Noted
from tests.bpmn.playground import ONE_TASK


@pytest.fixture
async def stage() -> ClusterStage:
    stage = ClusterStage()
    stage.deploy(ONE_TASK)
    return stage


async def test_the_next_leader_answers_a_repeat_as_the_first_one(stage: ClusterStage) -> None:
    first = stage.do(once(CREATE))
    stage.kill(leader := stage.leader())
    stage.until(lambda: any(stage.leads(number) for number in stage.nodes))

    assert stage.leader() != leader
    assert stage.do(once(CREATE)) == first
    assert stage.state(stage.leader()).started == 1
    stage.stop()


async def test_at_the_next_leader_a_repeat_waits_for_what_the_first_one_awaited(stage: ClusterStage) -> None:
    leader = stage.leader()
    first = stage.submit(once(AWAIT), at=leader)
    stage.pass_time(0.5)
    stage.kill(leader)
    stage.until(lambda: any(stage.leads(number) for number in stage.nodes))
    with pytest.raises(OutcomeUnknown):
        first.result()

    again = stage.submit(once(AWAIT), at=stage.leader())
    other = stage.submit(once(AWAIT), at=stage.leader())
    stage.pass_time(0.5)
    assert not again.done()
    lent = stage.do(ActivateJobs("work", "worker", 60_000, 10))
    assert isinstance(lent, JobsActivated)
    (job,) = lent.jobs
    stage.do(CompleteJob(job.key))

    assert isinstance(again.result(), ProcessInstanceCreated)
    assert other.result() == again.result() == stage.do(once(AWAIT))
    stage.restart(leader)
    stage.same_everywhere()
    stage.stop()


async def test_what_a_deposed_leader_had_decided_alone_is_done_by_the_next_one(stage: ClusterStage) -> None:
    """It may even hear of it twice: from the client, and from who thought that it was the leader."""
    leader = stage.leader()
    stage.hub.isolate(leader)
    alone = stage.submit(once(CREATE), at=leader)
    others = stage.followers()
    stage.until(lambda: any(stage.leads(number) for number in others))
    elected = stage.leader(among=others)
    first = stage.submit(once(CREATE), at=elected)
    stage.pass_time(0.5)
    stage.hub.heal()
    stage.pass_time(5)

    assert isinstance(first.result(), ProcessInstanceCreated)
    with pytest.raises(OutcomeUnknown):
        alone.result()
    assert stage.do(once(CREATE)) == first.result()
    assert stage.state(leader).started == 1
    stage.same_everywhere()
    stage.stop()


@pytest.mark.parametrize("takes", [True, False])
async def test_jobs_that_may_be_asked_for_again_are_not_given_back(stage: ClusterStage, takes: bool) -> None:
    stage.do(CreateProcessInstance("process"))
    activate = once(ActivateJobs("work", "far", 600_000, 10))
    requested = Requested(Noted(takes=takes))

    requested.take(9, CommandRequest(1, 1, activate), stage.actor(stage.leader()))
    stage.pass_time(1)
    requested.disconnected(9)
    stage.pass_time(1)

    other = stage.do(ActivateJobs("work", "here", 600_000, 10))
    assert other == JobsActivated(())
    again = stage.do(activate)
    assert isinstance(again, JobsActivated)
    assert len(again.jobs) == 1
    stage.stop()
