"""Requests whose slot moves while they come: they wait inside, and are done once."""

from collections.abc import AsyncIterator, Callable

import pytest

from bpmnd.actors.errors import NoLeader, OutcomeUnknown
from bpmnd.bpmn.commands import ClientCommand, CommandId, CreateProcessInstance, DoOnce, PublishMessage
from bpmnd.bpmn.outcomes import MessagePublished, Outcome, ProcessInstanceCreated, SlotMoved
from bpmnd.gateway import slots
from bpmnd.gateway.slots import outcome_by_id, outcome_for_message
from bpmnd.gateway.submission import Submissions
from tests.gateway.fakes import FakeCluster, FakePartition
from tests.gateway.test_idempotency import after

PUBLISHED = MessagePublished(7, "<default>")
CREATED = ProcessInstanceCreated(9, 1, "process", 1, "<default>", (), None, {})
CREATE = DoOnce(CommandId("scope", "id", b"hash"), CreateProcessInstance("process"))
ON_ITS_WAY = SlotMoved(is_here=False)


class MovingCluster(FakeCluster):
    """Every slot is the first partition's, and then the second's."""

    def __init__(self) -> None:
        super().__init__(3)
        self.owner = 1

    def for_message(self, correlation_key: str) -> FakePartition:
        return self.all[self.owner - 1]

    def for_key(self, key: str) -> FakePartition:
        return self.all[self.owner - 1]

    def moves(self, outcome: Outcome, *, after_attempts: int) -> Callable[[ClientCommand], Outcome]:
        """This is answered; the table is another one after so many attempts."""
        attempts = 0

        def answer(command: ClientCommand) -> Outcome:
            nonlocal attempts
            attempts += 1
            self.owner = 2 if attempts >= after_attempts else 1
            return outcome

        return answer


@pytest.fixture
def cluster() -> MovingCluster:
    return MovingCluster()


@pytest.fixture
async def submissions() -> AsyncIterator[Submissions]:
    made = Submissions(leader_wait_s=0.05)
    yield made
    made.close()


async def test_a_message_waits_until_its_slot_is_there(
    cluster: MovingCluster, submissions: Submissions
) -> None:
    cluster.all[0].outcome = cluster.moves(ON_ITS_WAY, after_attempts=3)
    cluster.all[1].outcome = PUBLISHED
    assert await outcome_for_message(submissions, cluster, PublishMessage("go", "a"), "a") == PUBLISHED
    assert len(cluster.all[1].commands) == 1


async def test_a_slot_that_stays_on_its_way_ends_the_wait(
    cluster: MovingCluster, submissions: Submissions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slots, "LEADER_WAIT_S", 0.1)
    cluster.all[0].outcome = ON_ITS_WAY
    with pytest.raises(NoLeader, match="moving to another partition"):
        await outcome_for_message(submissions, cluster, PublishMessage("go", "a"), "a")


async def test_who_had_the_slot_before_answers_a_repeat(
    cluster: MovingCluster, submissions: Submissions
) -> None:
    cluster.owner = 2
    cluster.all[1].outcome = SlotMoved(is_here=True, before=1)
    cluster.all[0].outcome = CREATED
    assert await outcome_by_id(submissions, cluster, CREATE) == CREATED
    assert len(cluster.all[1].commands) == 1


async def test_all_who_had_the_slot_are_asked_before_it_is_done(
    cluster: MovingCluster, submissions: Submissions
) -> None:
    cluster.owner = 3
    cluster.all[2].outcome = after(SlotMoved(is_here=True, before=2), CREATED)
    cluster.all[1].outcome = SlotMoved(is_here=False, before=1)
    cluster.all[0].outcome = ON_ITS_WAY
    assert await outcome_by_id(submissions, cluster, CREATE) == CREATED
    assert [len(partition.commands) for partition in cluster.all] == [1, 1, 2]
    assert cluster.all[2].commands[-1] == DoOnce(CREATE.id, CREATE.asked, unknown_at=2)


async def test_while_who_had_the_slot_cannot_be_asked_nothing_is_done(
    cluster: MovingCluster, submissions: Submissions
) -> None:
    cluster.owner = 2
    cluster.all[1].outcome = SlotMoved(is_here=True, before=1)
    cluster.all[0].outcome = after(NoLeader("none"))
    with pytest.raises(OutcomeUnknown, match="whether the request was done before"):
        await outcome_by_id(submissions, cluster, CREATE)
    assert len(cluster.all[1].commands) == 1
