"""What a node keeps of what others say, and how what is asked of others is answered in any case."""

import asyncio
from dataclasses import dataclass, field

import pytest

from bpmnd.actors.errors import NoLeader, OutcomeUnknown, Refused
from bpmnd.actors.peer_messages import (
    CommandFailed,
    CommandGivenUp,
    CommandReply,
    CommandRequest,
    Failure,
    ForGroup,
    NodeStatus,
    PeerMessage,
    ReplicaStatus,
    decode_peer_message,
)
from bpmnd.actors.peers import Peers
from bpmnd.actors.requests import Requested, Requests
from bpmnd.bpmn.commands import ActivateJobs, CompleteJob, CreateProcessInstance
from bpmnd.bpmn.outcomes import Accepted, JobsActivated
from bpmnd.cluster.raft.messages import AppendReply
from tests.actors.cluster_stage import ClusterStage
from tests.actors.stage import StageScheduler
from tests.bpmn.playground import ONE_TASK


@dataclass
class Noted:
    """A network that notes what is sent."""

    takes: bool = True
    sent: list[tuple[int, PeerMessage]] = field(default_factory=list[tuple[int, PeerMessage]])

    def send(self, node: int, item: bytes, control: bool = False) -> bool:
        if self.takes:
            self.sent.append((node, decode_peer_message(item)))
        return self.takes

    def learn(self, node: int, address: str) -> None: ...

    def forget(self, node: int) -> None: ...

    def introduce(self, cluster: str) -> None: ...


def status(*replicas: ReplicaStatus, wall_ms: int = 0) -> NodeStatus:
    return NodeStatus(wall_ms, 1, "127.0.0.1", 8080, "1", replicas)


def replica(partition: int, term: int, *, leads: bool) -> ReplicaStatus:
    return ReplicaStatus(partition, term, leads, True)


@pytest.fixture
def network() -> Noted:
    return Noted()


@pytest.fixture
def scheduler() -> StageScheduler:
    return StageScheduler()


@pytest.fixture
def peers(network: Noted, scheduler: StageScheduler) -> Peers:
    known = Peers(network, status, scheduler, scheduler)
    for node in (2, 3):
        known.arrived(node, 7)
    return known


def test_who_says_that_it_leads_is_the_leader(peers: Peers) -> None:
    peers.told(2, status(replica(1, 4, leads=True)))

    assert peers.leader_of(1) == (4, 2)


@pytest.mark.parametrize("order", [(2, 3), (3, 2)])
def test_of_two_who_say_so_the_one_of_the_later_term_is(peers: Peers, order: tuple[int, int]) -> None:
    for node in order:
        peers.told(node, status(replica(1, 10 + node, leads=True)))

    assert peers.leader_of(1) == (13, 3)


def test_who_leads_no_more_is_forgotten(peers: Peers) -> None:
    peers.told(2, status(replica(1, 4, leads=True)))

    peers.told(2, status(replica(1, 4, leads=False)))

    assert peers.leader_of(1) is None


def test_who_has_no_such_replica_any_more_leads_no_more(peers: Peers) -> None:
    peers.told(2, status(replica(1, 4, leads=True)))

    peers.told(2, status())

    assert peers.leader_of(1) is None


def test_what_a_follower_says_does_not_depose_another(peers: Peers) -> None:
    peers.told(2, status(replica(1, 4, leads=True)))

    peers.told(3, status(replica(1, 4, leads=False)))

    assert peers.leader_of(1) == (4, 2)


def test_what_a_node_said_goes_with_its_connection(peers: Peers) -> None:
    peers.told(2, status(replica(1, 4, leads=True)))

    peers.left(2)

    assert peers.leader_of(1) is None
    assert peers.statuses == {}


def test_the_clock_that_counts_is_the_median(peers: Peers, scheduler: StageScheduler) -> None:
    now = scheduler.wall_ms()
    peers.told(2, status(wall_ms=now + 500))
    peers.told(3, status(wall_ms=now + 1_000_000))

    assert peers.median_offset_ms() == 500


def test_all_who_are_connected_are_told_how_it_stands_twice_a_second(
    peers: Peers, network: Noted, scheduler: StageScheduler
) -> None:
    network.sent.clear()
    peers.start()

    scheduler.pass_time(1.6)

    assert [node for node, _ in network.sent] == [2, 3] * 4


# Requests


async def requests(network: Noted) -> Requests:
    return Requests(network, asyncio.get_running_loop().create_future)


async def test_a_request_is_answered_by_the_reply_of_its_number(network: Noted) -> None:
    asked = await requests(network)
    first = asked.submit(2, 1, CompleteJob(1))
    second = asked.submit(2, 1, CompleteJob(2))
    (_, message) = network.sent[1]
    assert isinstance(message, CommandRequest)

    asked.replied(2, CommandReply(message.number, Accepted()))

    assert not first.done()
    assert second.result() == Accepted()


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (Failure.NO_LEADER, NoLeader),
        (Failure.REFUSED, Refused),
        (Failure.OUTCOME_UNKNOWN, OutcomeUnknown),
    ],
)
async def test_a_failure_comes_back_as_what_it_was(
    network: Noted, failure: Failure, error: type[Exception]
) -> None:
    asked = await requests(network)
    answer = asked.submit(2, 1, CompleteJob(1))

    asked.failed(2, CommandFailed(1, failure, "why"))

    with pytest.raises(error, match="why"):
        answer.result()


async def test_when_the_connection_breaks_the_outcome_is_unknown(network: Noted) -> None:
    asked = await requests(network)
    lost, other = asked.submit(2, 1, CompleteJob(1)), asked.submit(3, 1, CompleteJob(1))

    asked.disconnected(2)

    with pytest.raises(OutcomeUnknown):
        lost.result()
    assert not other.done()
    other.cancel()


async def test_what_cannot_be_sent_is_refused_at_once(network: Noted) -> None:
    network.takes = False

    asked = await requests(network)
    with pytest.raises(NoLeader):
        _ = asked.submit(2, 1, CompleteJob(1))


async def test_a_late_or_strange_reply_is_no_harm(network: Noted) -> None:
    asked = await requests(network)
    answer = asked.submit(2, 1, CompleteJob(1))

    asked.replied(3, CommandReply(1, Accepted()))
    asked.replied(2, CommandReply(9, Accepted()))
    assert not answer.done()
    asked.replied(2, CommandReply(1, Accepted()))
    asked.replied(2, CommandReply(1, Accepted()))

    assert answer.result() == Accepted()


async def test_who_gives_up_waiting_for_a_result_is_told_of(network: Noted) -> None:
    asked = await requests(network)
    answer = asked.submit(2, 1, CreateProcessInstance("process", await_result=True))

    answer.cancel()
    await asyncio.sleep(0)

    assert network.sent[-1] == (2, CommandGivenUp(1))


# What others have asked


async def test_jobs_whose_receiver_is_gone_are_given_back() -> None:
    stage = ClusterStage()
    stage.deploy(ONE_TASK)
    stage.create()
    leader = stage.leader()
    network = Noted()
    requested = Requested(network)
    stage.hub.loses = lambda source, target, message: (
        isinstance(message, ForGroup) and isinstance(message.message, AppendReply)
    )
    requested.take(9, CommandRequest(1, 1, ActivateJobs("work", "gone", 600_000, 10)), stage.actor(leader))
    stage.pass_time(0.2)

    requested.disconnected(9)
    stage.hub.loses = lambda source, target, message: False
    stage.pass_time(1)

    assert network.sent == []
    again = stage.do(ActivateJobs("work", "here", 600_000, 10))
    assert isinstance(again, JobsActivated)
    assert len(again.jobs) == 1
    stage.stop()


async def test_jobs_that_cannot_be_sent_are_given_back() -> None:
    stage = ClusterStage()
    stage.deploy(ONE_TASK)
    stage.create()
    requested = Requested(Noted(takes=False))
    request = CommandRequest(1, 1, ActivateJobs("work", "far", 600_000, 10))

    requested.take(9, request, stage.actor(stage.leader()))
    stage.pass_time(1)

    again = stage.do(ActivateJobs("work", "here", 600_000, 10))
    assert isinstance(again, JobsActivated)
    assert len(again.jobs) == 1
    stage.stop()


async def test_what_was_given_up_before_it_was_decided_is_not_done() -> None:
    stage = ClusterStage()
    stage.deploy(ONE_TASK)
    leader = stage.leader()
    requested = Requested(Noted())
    requested.take(9, CommandRequest(1, 1, CreateProcessInstance("process")), stage.actor(leader))

    requested.given_up(9, 1)
    stage.pass_time(1)

    assert stage.state(leader).started == 0
    stage.stop()


async def test_who_asks_a_node_that_does_not_lead_hears_so() -> None:
    stage = ClusterStage()
    network = Noted()
    requested = Requested(network)

    requested.take(9, CommandRequest(1, 1, CompleteJob(1)), stage.actor(stage.followers()[0]))
    requested.take(9, CommandRequest(2, 5, CompleteJob(1)), None)

    failures = [message for _, message in network.sent if isinstance(message, CommandFailed)]
    assert [(one.number, one.failure) for one in failures] == [(1, Failure.NO_LEADER), (2, Failure.NO_LEADER)]
    stage.stop()
