"""Which followers a busy leader lets trail, and what they are sent."""

from collections.abc import AsyncIterator

import pytest

from bpmnd.actors.pacing import BUSY_SECONDS, SMALL_FRAME
from bpmnd.actors.peer_messages import ForGroup, PeerMessage
from bpmnd.actors.trailing import ALL_SECONDS, FRAMES_MAX, LATE_SECONDS_MIN, who_may_trail
from bpmnd.bpmn.commands import CreateProcessInstance
from bpmnd.cluster.membership import node_of
from bpmnd.cluster.raft import ConfigurationChange, Role
from bpmnd.cluster.raft.configuration import Operation
from bpmnd.cluster.raft.messages import AppendEntries, AppendReply
from tests.actors.cluster_stage import ClusterStage
from tests.bpmn.playground import ONE_TASK
from tests.cluster.raft.group import Group

MANY = SMALL_FRAME + 1
_STEP_SECONDS = 0.005
_STEPS_MAX = 100


class Busy:
    """A leader of three to which so many commands come that it lets one follower trail."""

    def __init__(self) -> None:
        self.stage = ClusterStage()
        self.stage.deploy(ONE_TASK)
        self.leader = self.stage.leader()
        self.sent: list[tuple[int, int]] = []
        """Receiver and number of the entries of each append."""
        self.lost: set[int] = set()
        """Nodes that appends do not reach."""
        self.stage.hub.loses = self._loses
        self.frame()
        self.sent.clear()

    def frame(self) -> None:
        """One more frame of many commands is made and committed."""
        log = self.stage.actor(self.leader).replica.log
        before = log.last_index
        answers = [self.stage.submit(CreateProcessInstance("process"), at=self.leader) for _ in range(MANY)]
        for _ in range(_STEPS_MAX):
            self.stage.pass_time(_STEP_SECONDS)
            if all(answer.done() for answer in answers):
                break
        assert log.last_index == before + 1

    def entries_to(self, node: int) -> list[int]:
        return [count for receiver, count in self.sent if receiver == node]

    @property
    def trailing(self) -> int:
        """The follower that was sent to less often; the other one is `prompt`."""
        return min(self.stage.followers(), key=lambda node: len(self.entries_to(node)))

    @property
    def prompt(self) -> int:
        return max(self.stage.followers(), key=lambda node: len(self.entries_to(node)))

    def _loses(self, source: int, target: int, message: PeerMessage) -> bool:
        if (
            isinstance(message, ForGroup)
            and message.group == 1
            and isinstance(message.message, AppendEntries)
        ):
            if message.message.entries:
                self.sent.append((target, len(message.message.entries)))
            return target in self.lost
        return False


def is_answer_of(node: int, message: PeerMessage) -> bool:
    return (
        isinstance(message, ForGroup)
        and isinstance(message.message, AppendReply)
        and node_of(message.message.sender) == node
    )


@pytest.fixture
async def busy() -> AsyncIterator[Busy]:
    made = Busy()
    yield made
    made.stage.stop()


async def test_one_follower_is_sent_each_frame_and_the_other_some_at_a_time(busy: Busy) -> None:
    for _ in range(2 * FRAMES_MAX):
        busy.frame()
    assert busy.entries_to(busy.prompt) == [1] * 2 * FRAMES_MAX
    assert busy.entries_to(busy.trailing) == [FRAMES_MAX] * 2


async def test_when_no_more_frames_come_who_trails_is_sent_the_rest(busy: Busy) -> None:
    busy.frame()
    assert [receiver for receiver, _ in busy.sent] == [busy.prompt]
    busy.stage.pass_time(3 * LATE_SECONDS_MIN)
    assert {receiver for receiver, _ in busy.sent} == set(busy.stage.followers())
    assert busy.stage.same_everywhere() == 2 * MANY


async def test_a_frame_that_comes_when_little_is_to_do_goes_to_everybody(busy: Busy) -> None:
    busy.frame()
    busy.stage.pass_time(BUSY_SECONDS + 3 * LATE_SECONDS_MIN)
    busy.sent.clear()
    busy.stage.create()
    assert {receiver for receiver, _ in busy.sent} == set(busy.stage.followers())


async def test_when_the_one_that_does_not_trail_is_silent_the_other_is_sent_everything(busy: Busy) -> None:
    busy.frame()
    prompt, trailing = busy.prompt, busy.trailing
    busy.lost = {prompt}

    busy.frame()

    assert sum(busy.entries_to(trailing)) == 2
    busy.sent.clear()
    busy.frame()
    assert busy.entries_to(trailing) == [1]


async def test_who_answers_later_is_the_one_that_trails(busy: Busy) -> None:
    """Even if its answers are not late enough to be taken for lost."""
    busy.frame()
    slow, fast = busy.prompt, busy.trailing
    busy.stage.hub.becomes = lambda message: [(0.01 if is_answer_of(slow, message) else 0.0, message)]
    for _ in range(FRAMES_MAX):
        busy.frame()
    busy.sent.clear()

    for _ in range(FRAMES_MAX):
        busy.frame()

    assert busy.entries_to(fast) == [1] * FRAMES_MAX
    assert busy.entries_to(slow) == [FRAMES_MAX]


async def test_after_a_while_the_one_that_was_silent_is_the_one_that_trails(busy: Busy) -> None:
    busy.frame()
    prompt = busy.prompt
    busy.stage.hub.isolate(prompt)
    busy.frame()
    busy.stage.pass_time(ALL_SECONDS)
    busy.frame()
    busy.sent.clear()

    for _ in range(FRAMES_MAX):
        busy.frame()

    assert busy.entries_to(prompt) == []
    assert len(busy.entries_to(next(node for node in busy.stage.followers() if node != prompt))) == FRAMES_MAX


async def test_a_leader_that_is_removed_sends_nothing_any_more_to_who_trailed(busy: Busy) -> None:
    """It does not lead from the commit of its removal on, and maybe nobody tells it anything after that."""
    busy.frame()
    busy.lost = {node for node in busy.stage.followers() if node != busy.prompt}
    actor = busy.stage.actor(busy.leader)
    raft = actor.replica.consensus.raft
    removal = ConfigurationChange(operations=((Operation.REMOVE, raft.member),))
    assert raft.propose_change(removal) == raft.last_index
    actor.wake()

    busy.stage.pass_time(3 * LATE_SECONDS_MIN)

    assert raft.member not in raft.configuration
    assert raft.role is Role.FOLLOWER


def test_a_majority_never_trails() -> None:
    group = Group({member: [] for member in range(1, 6)})
    assert who_may_trail(group.elect(2)) == {5, 1}


def test_leaders_next_to_each_other_wait_for_different_members() -> None:
    chosen = [who_may_trail(Group({1: [], 2: [], 3: []}).elect(leader)) for leader in (1, 2, 3)]
    assert chosen == [{3}, {1}, {2}]


def test_nobody_trails_where_all_are_needed() -> None:
    assert who_may_trail(Group({1: [], 2: []}).elect(1)) == set()
    assert who_may_trail(Group({1: []}).elect(1)) == set()


def test_nobody_trails_in_a_joint_configuration() -> None:
    group = Group({1: [], 2: [], 3: []})
    leader = group.elect(1)
    group.down |= {2, 3}
    swap = ConfigurationChange(operations=((Operation.REMOVE, 3), (Operation.ADD_VOTER, 4)))
    leader.apply_change(swap)
    assert leader.configuration.is_joint
    assert who_may_trail(leader) == set()


def test_who_has_less_than_what_is_committed_trails_first() -> None:
    group = Group({1: [], 2: [], 3: []})
    leader = group.elect(1)
    group.down.add(2)
    leader.propose(b"frame")
    group.run()
    assert who_may_trail(leader) == {2}
