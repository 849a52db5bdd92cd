"""Commands with an id: decided once, however often they come.

What is kept is whatever the engine decided, a rejection as well: a client that was told "not found" may have
acted on it, so that a copy of its request that comes late must not succeed. What raised is not kept: nothing
was done, and the same request may well succeed after the fault is mended.
"""

from collections.abc import Callable
from typing import Final

from bpmnd.bpmn.commands import (
    ActivateJobs,
    BroadcastSignal,
    CommandId,
    CorrelateMessage,
    CreateProcessInstance,
    DoOnce,
    EvaluateConditionals,
    EvaluateDecision,
    PublishMessage,
    RepeatableCommand,
)
from bpmnd.bpmn.events import CommandForgotten, CommandNoted
from bpmnd.bpmn.outcomes import (
    JobsActivated,
    KeptOutcome,
    LentJobs,
    Outcome,
    Rejected,
    RejectionType,
    SlotMoved,
    decode_outcome,
    encode_outcome,
)
from bpmnd.bpmn.processors.jobs import lent_still
from bpmnd.bpmn.slots import slot_of
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
    if known is not None and known[1].deadline > turn.now:
        _, noted = known
        if noted.hash != id.hash:
            return _used_already(id)
        if not noted.outcome:
            turn.request = noted.request
            return None
        outcome = _again(turn, command.asked, noted)
        if outcome is not None:
            return outcome
    moved = _moved(turn, command, keep_ms)
    if moved is not None:
        return moved
    if known is not None:
        turn.emit(CommandForgotten(known[0]))

    turn.request = request = -turn.request
    outcome = decide(turn, command.asked)
    assert not isinstance(outcome, SlotMoved), f"{command}, although its slot is here"
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


def _moved(turn: Turn, command: DoOnce, keep_ms: int) -> SlotMoved | None:
    """Not to be decided here, or not before somebody else was asked: ids stay where they were noted when
    their slot moves, and are known there as long as they would be."""
    slots = turn.state.slots.records.items
    text = _slot_text(command) if slots else None
    slot = None if text is None else slots.get(slot_of(text))
    if slot is None:
        return None
    before = slot.taken_from if turn.now < slot.taken_at + keep_ms else 0
    if slot.given_to:
        return SlotMoved(is_here=False, before=before)
    if before and command.unknown_at != before:
        return SlotMoved(is_here=True, before=before)
    return None


def _slot_text(command: DoOnce) -> str | None:
    """By whose slot the command goes; None if it goes where its key is from, or to one partition."""
    match command.asked:
        case PublishMessage(correlation_key=key) | CorrelateMessage(correlation_key=key):
            return key
        case CreateProcessInstance() | BroadcastSignal() | EvaluateConditionals() | EvaluateDecision():
            return command.id.key
        case _:
            return None


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
