"""What holds of a partition with several replicas: what is applied, answered, handed over, given up."""

from collections.abc import AsyncIterator

import pytest

from bpmnd.actors.errors import NoLeader, OutcomeUnknown
from bpmnd.actors.messages import HandOver
from bpmnd.actors.pacing import GATHER_SECONDS_MAX, SMALL_FRAME
from bpmnd.actors.peer_messages import ForGroup, PeerMessage
from bpmnd.bpmn.commands import ActivateJobs, CompleteJob, CreateProcessInstance
from bpmnd.bpmn.outcomes import JobsActivated, ProcessInstanceCreated, Rejected
from bpmnd.cluster.raft.messages import AppendEntries, AppendReply
from tests.actors.cluster_stage import ClusterStage
from tests.bpmn.playground import ONE_TASK

CREATE = CreateProcessInstance("process")


@pytest.fixture
async def stage() -> AsyncIterator[ClusterStage]:
    """Three nodes, each with a replica of the one partition, which has a process with one task."""
    made = ClusterStage()
    made.deploy(ONE_TASK)
    yield made
    made.stop()


def is_raft(message: PeerMessage, kind: type) -> bool:
    return isinstance(message, ForGroup) and message.group == 1 and isinstance(message.message, kind)


async def test_the_nodes_that_are_named_found_one_cluster(stage: ClusterStage) -> None:
    assert len({stage.cluster(number).cluster_id for number in stage.nodes}) == 1
    assert stage.where() == {1, 2, 3}


async def test_every_replica_applies_what_is_committed(stage: ClusterStage) -> None:
    for _ in range(5):
        stage.create()

    assert stage.same_everywhere() == 5


async def test_a_follower_has_an_entry_but_applies_it_only_when_it_is_committed(stage: ClusterStage) -> None:
    leader = stage.leader()
    follower = stage.followers()[0]
    stage.hub.loses = lambda source, target, message: is_raft(message, AppendReply)

    answer = stage.submit(CREATE, at=leader)
    stage.pass_time(0.3)

    actor = stage.actor(follower)
    assert actor.replica.log.last_index > actor.committed
    assert stage.state(follower).started == 0
    assert not answer.done()
    stage.hub.loses = lambda source, target, message: False
    stage.until(answer.done)
    assert stage.same_everywhere() == 1


async def test_what_a_deposed_leader_decided_without_a_majority_is_dropped(stage: ClusterStage) -> None:
    old = stage.leader()
    stage.create()
    stage.hub.isolate(old)
    answer = stage.submit(CREATE, at=old)
    stage.run()
    assert stage.state(old).started == 2

    new = stage.leader(among=[number for number in stage.nodes if number != old])
    stage.hub.heal()
    stage.until(answer.done)

    with pytest.raises(OutcomeUnknown):
        answer.result()
    assert new != old
    assert stage.same_everywhere() == 1


async def test_a_leader_that_is_cut_off_answers_nothing_not_even_a_rejection(stage: ClusterStage) -> None:
    old = stage.leader()
    stage.hub.isolate(old)

    rejection = stage.submit(CompleteJob(12345), at=old)
    stage.pass_time(0.5)
    assert stage.leads(old)
    assert not rejection.done()
    stage.pass_time(3)

    with pytest.raises(OutcomeUnknown):
        rejection.result()


async def test_a_rejection_leaves_once_the_leadership_is_confirmed(stage: ClusterStage) -> None:
    assert isinstance(stage.do(CompleteJob(12345)), Rejected)


async def test_a_leader_is_sure_that_it_leads_when_a_majority_has_said_so(stage: ClusterStage) -> None:
    leader = stage.leader()
    said: list[bool] = []

    stage.actor(leader).confirm(said.append)
    assert said == []
    stage.run()

    assert said == [True]
    stage.actor(stage.followers()[0]).confirm(said.append)
    assert said == [True, False]


async def test_a_leader_that_is_cut_off_is_never_sure_that_it_leads(stage: ClusterStage) -> None:
    old = stage.leader()
    others = stage.followers()
    said: list[bool] = []
    stage.hub.isolate(old)
    stage.until(lambda: any(stage.leads(number) for number in others))

    assert stage.leads(old)
    stage.actor(old).confirm(said.append)
    stage.run()
    assert said == []
    stage.pass_time(3)

    assert said == [False]


async def test_who_asks_whether_it_leads_is_told_when_the_replica_stops(stage: ClusterStage) -> None:
    leader = stage.actor(stage.leader())
    said: list[bool] = []

    leader.confirm(said.append)
    leader.stop()

    assert said == [False]


async def test_a_new_leader_decides_on_top_of_what_is_not_committed_yet(stage: ClusterStage) -> None:
    old = stage.leader()
    heir, other = stage.followers()
    stage.hub.loses = lambda source, target, message: (
        is_raft(message, AppendReply) or (target == other and is_raft(message, AppendEntries))
    )
    stage.submit(CREATE, at=old)
    stage.pass_time(0.3)
    assert stage.actor(heir).replica.log.last_index > stage.actor(other).replica.log.last_index
    stage.kill(old)
    stage.hub.loses = lambda source, target, message: False

    assert stage.leader() == heir
    key = stage.create()

    assert stage.same_everywhere() == 2
    jobs = stage.do(ActivateJobs("work", "worker", 60_000, 10))
    assert isinstance(jobs, JobsActivated)
    assert len({job.key for job in jobs.jobs}) == 2
    assert key in {job.process_instance_key for job in jobs.jobs}


async def test_followers_take_no_commands(stage: ClusterStage) -> None:
    with pytest.raises(NoLeader):
        stage.submit(CREATE, at=stage.followers()[0])


async def test_a_node_that_is_about_to_stop_hands_over_without_an_election_timeout(
    stage: ClusterStage,
) -> None:
    leader = stage.leader()

    stage.nodes[leader].hand_over()
    stage.pass_time(0.3)

    assert not stage.leads(leader)
    assert stage.leader() != leader


async def test_who_lags_behind_is_not_handed_over_to(stage: ClusterStage) -> None:
    leader = stage.leader()
    behind = stage.followers()[0]
    stage.hub.loses = lambda source, target, message: target == behind and is_raft(message, AppendEntries)
    for _ in range(150):
        stage.submit(CREATE, at=leader)
        stage.pass_time(0.01)

    stage.actor(leader).tell(HandOver((stage.nodes[behind].identity.member,)))
    answer = stage.submit(CREATE, at=leader)
    stage.pass_time(0.2)

    assert stage.leads(leader)
    assert isinstance(answer.result(), ProcessInstanceCreated)


async def test_leaders_go_to_the_nodes_that_the_plan_prefers() -> None:
    stage = ClusterStage(partitions=3)

    stage.pass_time(20)

    preferred = {plan.group: plan.replicas[0] for plan in stage.cluster().partitions}
    assert {partition: stage.leader(partition) for partition in (1, 2, 3)} == preferred
    stage.stop()


async def test_all_nodes_may_lose_power_at_once(stage: ClusterStage) -> None:
    for _ in range(3):
        stage.create()

    stage.kill(1, 2, 3)
    stage.restart(1, 2, 3)

    stage.create()
    assert stage.same_everywhere() == 4


@pytest.mark.parametrize("victim", [1, 2, 3])
async def test_whoever_loses_power_is_caught_up_when_it_is_back(stage: ClusterStage, victim: int) -> None:
    stage.create()
    stage.kill(victim)
    stage.create()

    stage.restart(victim)
    stage.pass_time(3)

    assert stage.same_everywhere() == 2


async def test_behind_a_larger_frame_commands_wait_for_its_commit_and_share_the_next(
    stage: ClusterStage,
) -> None:
    leader = stage.leader()
    stage.pass_time(1)
    stage.hub.loses = lambda source, target, message: is_raft(message, AppendReply)
    log = stage.actor(leader).replica.log
    before = log.last_index
    for _ in range(SMALL_FRAME + 1):
        stage.submit(CREATE, at=leader)
    stage.run()
    answers = [stage.submit(CREATE, at=leader)]
    stage.run()
    answers.append(stage.submit(CREATE, at=leader))
    stage.run()
    assert log.last_index == before + 1

    stage.hub.loses = lambda source, target, message: False
    stage.until(lambda: all(answer.done() for answer in answers))

    assert log.last_index == before + 2


async def test_behind_a_small_frame_another_is_under_way_at_once(stage: ClusterStage) -> None:
    leader = stage.leader()
    stage.pass_time(1)
    stage.hub.loses = lambda source, target, message: is_raft(message, AppendReply)
    log = stage.actor(leader).replica.log
    before = log.last_index
    for _ in range(2):
        stage.submit(CREATE, at=leader)
        stage.run()
    assert log.last_index == before + 2


async def test_after_a_larger_frame_a_leader_gathers_what_comes_in_the_next_moments(
    stage: ClusterStage,
) -> None:
    leader = stage.leader()
    log = stage.actor(leader).replica.log
    answers = [stage.submit(CREATE, at=leader) for _ in range(SMALL_FRAME + 1)]
    stage.run()
    assert all(answer.done() for answer in answers)
    before = log.last_index

    stage.submit(CREATE, at=leader)
    stage.run()
    assert log.last_index == before

    stage.submit(CREATE, at=leader)
    stage.pass_time(GATHER_SECONDS_MAX)
    assert log.last_index == before + 1


def gathering_leader(stage: ClusterStage) -> int:
    """The leader, which has just committed a larger frame of instances that wait for their jobs."""
    leader = stage.leader()
    for _ in range(SMALL_FRAME + 1):
        stage.submit(CREATE, at=leader)
    stage.run()
    return leader


async def test_a_leader_that_gathers_does_not_let_an_activation_wait_for_which_many_wait(
    stage: ClusterStage,
) -> None:
    leader = gathering_leader(stage)
    lent = stage.submit(ActivateJobs("work", "worker", 60_000, 64), at=leader)
    stage.run()

    assert lent.done()


async def test_an_activation_of_jobs_that_are_not_there_is_gathered_with_what_comes(
    stage: ClusterStage,
) -> None:
    leader = gathering_leader(stage)
    lent = stage.submit(ActivateJobs("other", "worker", 60_000, 10), at=leader)
    stage.run()

    assert not lent.done()


async def test_a_follower_applies_what_is_committed_within_two_seconds(stage: ClusterStage) -> None:
    follower = stage.followers()[0]
    stage.create()
    stage.pass_time(2.5)
    assert stage.state(follower).started == 1
