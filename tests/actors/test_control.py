"""How a wish reaches the leader of group 0, and what comes of it when somebody goes away."""

from collections.abc import AsyncIterator

import pytest

from bpmnd.actors.peer_messages import ControlReply, ControlRequest
from bpmnd.cluster.membership import ClusterState
from bpmnd.cluster.operations import AddPartitions, Refused, RemoveNode
from tests.actors.cluster_stage import ClusterStage


@pytest.fixture
async def stage() -> AsyncIterator[ClusterStage]:
    made = ClusterStage()
    made.pass_time(1)
    yield made
    made.stop()


def others(stage: ClusterStage) -> list[int]:
    leader = stage.controller()
    return [number for number in stage.nodes if number != leader]


@pytest.mark.parametrize("which", ["leader", "other"])
async def test_any_node_can_be_asked(stage: ClusterStage, which: str) -> None:
    at = stage.controller() if which == "leader" else others(stage)[0]

    decision = stage.ask(AddPartitions(1), at=at)

    assert isinstance(decision, ClusterState)
    assert decision.operation is not None


async def test_the_reason_of_a_refusal_comes_back(stage: ClusterStage) -> None:
    decision = stage.ask(RemoveNode(9), at=others(stage)[0])

    assert decision == Refused("there is no node 9")


async def test_without_a_leader_in_reach_it_is_refused_at_once(stage: ClusterStage) -> None:
    alone = others(stage)[0]
    stage.hub.isolate(alone)
    stage.pass_time(3)
    answers: list[object] = []

    stage.nodes[alone].control.request(AddPartitions(1), answers.append)

    (answer,) = answers
    assert isinstance(answer, Refused)
    assert "no leader that can be reached" in answer.reason


async def test_when_the_leader_goes_away_it_is_unknown_whether_it_has_begun(stage: ClusterStage) -> None:
    at, answers = others(stage)[0], list[object]()
    stage.hub.loses = lambda source, target, message: isinstance(message, ControlReply)
    stage.nodes[at].control.request(AddPartitions(1), answers.append)
    stage.run()

    stage.kill(stage.controller())

    (answer,) = answers
    assert isinstance(answer, Refused)
    assert "unknown" in answer.reason


async def test_a_leader_that_cannot_commit_says_that_it_is_unknown(stage: ClusterStage) -> None:
    leader, answers = stage.controller(), list[object]()
    stage.hub.isolate(leader)
    stage.nodes[leader].control.request(AddPartitions(1), answers.append)
    stage.pass_time(3)

    (answer,) = answers
    assert isinstance(answer, Refused)
    assert "unknown" in answer.reason
    assert len(stage.cluster(leader).partitions) == 1


async def test_who_is_asked_without_leading_says_so(stage: ClusterStage) -> None:
    first, second = others(stage)
    replies: list[ControlReply] = []

    def noting(source: int, target: int, message: object) -> bool:
        if isinstance(message, ControlReply):
            replies.append(message)
        return False

    stage.hub.loses = noting
    stage.nodes[first].control.requested(second, ControlRequest(7, AddPartitions(1)))
    stage.run()

    assert [reply.number for reply in replies] == [7]
    assert isinstance(replies[0].outcome, Refused)


async def test_every_node_comes_to_know_the_newest_state(stage: ClusterStage) -> None:
    stage.finish(AddPartitions(1))
    stage.pass_time(2)

    assert len({stage.cluster(number).version for number in stage.nodes}) == 1


async def test_a_node_that_was_away_hears_what_it_missed(stage: ClusterStage) -> None:
    stage.kill(3)
    stage.begin(AddPartitions(1))

    stage.restart(3)
    stage.until(lambda: stage.cluster(3).version == stage.cluster(stage.controller()).version)

    assert len(stage.cluster(3).partitions) == 2


async def test_a_state_that_others_were_told_never_goes_back(stage: ClusterStage) -> None:
    stage.finish(AddPartitions(1))
    stage.pass_time(2)
    known = stage.cluster().version

    stage.kill(1, 2, 3)
    stage.restart(1, 2, 3)

    assert all(stage.cluster(number).version >= known for number in stage.nodes)
    stage.until(lambda: stage.nodes[stage.controller()].control.controller is not None)
    controller = stage.nodes[stage.controller()].control.controller
    assert controller is not None
    assert controller.state.version == known
