"""Commands with an id: decided once, however often they come.

What is kept is whatever the engine decided, a rejection as well: a client that was told "not found" may have
acted on it, so that a copy of its request that comes late must not succeed. What raised is not kept: nothing
was done, and the same request may well succeed after the fault is mended.
"""

from collections.abc import Callable
from typing import Final

from bpmnd.bpmn.commands import ActivateJobs, CommandId, DoOnce, RepeatableCommand
from bpmnd.bpmn.events import CommandForgotten, CommandNoted
from bpmnd.bpmn.outcomes import (
    JobsActivated,
    KeptOutcome,
    LentJobs,
    Outcome,
    Rejected,
    RejectionType,
    decode_outcome,
    encode_outcome,
)
from bpmnd.bpmn.processors.jobs import lent_still
from bpmnd.bpmn.state.messages import entry_of
from bpmnd.bpmn.state.noted import NotedCommand
from bpmnd.bpmn.turn import Turn

KEEP_MS: Final = 24 * 3600 * 1000


def do_once(
    turn: Turn, command: DoOnce, decide: Callable[[Turn, RepeatableCommand], Outcome | None], keep_ms: int
) -> Outcome | None:
    """The outcome of the first time; None if that is still to come, under the request of the first time."""
    id = command.id
    known = turn.state.noted.find(id)
    if known is not None:
        key, noted = known
        if noted.deadline > turn.now:
            if noted.hash != id.hash:
                return _used_already(id)
            if not noted.outcome:
                turn.request = noted.request
                return None
            outcome = _again(turn, command.asked, noted)
            if outcome is not None:
                return outcome
        turn.emit(CommandForgotten(key))

    turn.request = request = -turn.request
    outcome = decide(turn, command.asked)
    deadline = turn.now + keep_ms
    kept: KeptOutcome | None = outcome
    if isinstance(outcome, JobsActivated):
        if not outcome.jobs:
            return outcome  # Nothing was done: a repeat may get what has come meanwhile.
        kept = LentJobs(tuple(job.key for job in outcome.jobs), outcome.jobs[0].deadline)
        deadline = min(deadline, kept.deadline)
    row, waits = (b"", request) if kept is None else (encode_outcome(kept), 0)
    turn.emit(CommandNoted(turn.new_key(), id.scope, id.key, id.hash, waits, deadline, row))
    return outcome


def forget(turn: Turn, key: int) -> None:
    """The time is over for which a command is known again."""
    noted = turn.state.noted.records.get(entry_of(key))
    if noted is not None and noted.deadline <= turn.now:
        turn.emit(CommandForgotten(key))


def _again(turn: Turn, command: RepeatableCommand, noted: NotedCommand) -> Outcome | None:
    """What was kept. Of lent jobs those that are still lent; None when none is, and the id is free again."""
    kept = decode_outcome(noted.outcome)
    if not isinstance(kept, LentJobs):
        return kept
    assert isinstance(command, ActivateJobs), f"{command} had lent jobs"
    jobs = lent_still(turn, command, kept)
    return JobsActivated(jobs) if jobs else None


def _used_already(id: CommandId) -> Rejected:
    return Rejected(
        RejectionType.IDEMPOTENCY_KEY_REUSED,
        f"Expected the request with the idempotency key '{id.key}' to be the one that had this key before,"
        " but it is another one",
    )
