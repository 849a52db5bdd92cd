"""Commands that go where a correlation slot is: to whom it belongs now, wherever that has moved."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from bpmnd.actors.errors import NoLeader, OutcomeUnknown, Refused
from bpmnd.bpmn.commands import ClientCommand, DoOnce
from bpmnd.bpmn.keys import first_key
from bpmnd.bpmn.outcomes import Outcome, SlotMoved
from bpmnd.gateway.ports import Cluster, Partition
from bpmnd.gateway.submission import LEADER_WAIT_S, Submissions

_PAUSE_S: Final = 0.02
_PAUSE_S_MAX: Final = 0.2


def outcome_for_message(
    submissions: Submissions, cluster: Cluster, command: ClientCommand, correlation_key: str
) -> Awaitable[Outcome]:
    """Submit what belongs to the partition of a correlation key."""
    return _outcome_of(submissions, cluster, command, lambda: cluster.for_message(correlation_key))


def outcome_by_id(submissions: Submissions, cluster: Cluster, command: DoOnce) -> Awaitable[Outcome]:
    """Submit what could be done anywhere, but has an id."""
    return _outcome_of(submissions, cluster, command, lambda: cluster.for_key(command.id.key))


async def _outcome_of(
    submissions: Submissions, cluster: Cluster, command: ClientCommand, owner: Callable[[], Partition]
) -> Outcome:
    """While the slot is on its way, nothing is done for it, and the command is handed in again; raises
    NoLeader when that takes too long."""
    deadline, pause = 0.0, _PAUSE_S
    while True:
        outcome = await submissions.outcome_of(command, owner(), owner)
        match outcome:
            case SlotMoved(is_here=True, before=before):
                assert isinstance(command, DoOnce), f"{command} has no id that partition {before} could know"
                known = await _known_by(submissions, cluster, command, before)
                if known is not None:
                    return known
                command = DoOnce(command.id, command.asked, before)
                continue
            case SlotMoved():
                pass
            case _:
                return outcome
        now = asyncio.get_running_loop().time()
        deadline = deadline or now + LEADER_WAIT_S
        if now + pause > deadline:
            raise NoLeader("What the request is about is just moving to another partition. Nothing was done")
        await asyncio.sleep(pause)
        pause = min(2 * pause, _PAUSE_S_MAX)


async def _known_by(
    submissions: Submissions, cluster: Cluster, command: DoOnce, before: int
) -> Outcome | None:
    """What came of a command where its slot was before, or before that; None if nobody there knows its id.
    They take no new ones: what they do not know is not known later either."""
    while before:
        partition = cluster.owner_of(first_key(before))
        if partition is None:
            raise OutcomeUnknown(f"partition {before}, which may know of the request, is not known here yet")
        try:
            outcome = await submissions.outcome_of(command, partition)
        except (NoLeader, Refused) as error:
            # Nothing was done just now, but maybe when the same request was sent before.
            raise OutcomeUnknown(f"it is unknown whether the request was done before: {error}") from error
        if not isinstance(outcome, SlotMoved):
            return outcome
        before = outcome.before
    return None
