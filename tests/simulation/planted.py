"""Bugs planted into the production code, from outside, to prove that the simulator would see them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from unittest.mock import patch

from bpmnd.actors.checkpoints import Checkpoints
from bpmnd.actors.leading import Leadership
from bpmnd.actors.partition import PartitionActor
from bpmnd.bpmn import engine
from bpmnd.bpmn.commands import ReceiveChannelMessage
from bpmnd.bpmn.events import ChannelMessageReceived
from bpmnd.bpmn.outcomes import Accepted, Outcome
from bpmnd.bpmn.processors import channels
from bpmnd.bpmn.turn import Turn
from bpmnd.storage.entry import HardState
from bpmnd.storage.mark import VoteFile

_ALWAYS: Final = 1 << 60


def _vote_not_persisted(file: VoteFile, hard_state: HardState) -> None:
    """Term and vote never reach the disk."""


_release = Leadership.release


def _answer_before_commit(leadership: Leadership, committed: int, confirmed: int) -> None:
    """Whatever is decided is answered at once."""
    _release(leadership, _ALWAYS, _ALWAYS)


def _rejection_before_confirmation(leadership: Leadership, committed: int, confirmed: int) -> None:
    """What has no frame of its own does not ask whether this is still the leader."""
    _release(leadership, committed, _ALWAYS)


_advance = Checkpoints.advance


def _checkpoint_ahead(checkpoints: Checkpoints, applied: int, committed: int) -> None:
    """A checkpoint does not wait for the commit."""
    _advance(checkpoints, applied, _ALWAYS)


def _follower_ahead(actor: PartitionActor) -> None:
    """A follower applies whatever it has on its disk."""
    machine, log = actor.machine, actor.replica.log.log
    while machine is not None and machine.applied < log.synced_index:
        for entry in log.entries(machine.applied + 1):
            machine.apply(entry.index, entry.kind, entry.payload)


def _repeat_applied(turn: Turn, command: ReceiveChannelMessage) -> Outcome:
    """A channel message that comes again is taken for a new one."""
    inbox = turn.state.inbox.get(command.sender)
    if command.number != (inbox.last_number if inbox is not None else 0):
        return channels.receive(turn, command)
    turn.emit(ChannelMessageReceived(command.sender, command.number))
    return Accepted()


BUGS: Final[dict[str, tuple[Any, str, Callable[..., Any]]]] = {
    "vote-not-persisted": (VoteFile, "write", _vote_not_persisted),
    "answer-before-commit": (Leadership, "release", _answer_before_commit),
    "rejection-before-confirmation": (Leadership, "release", _rejection_before_confirmation),
    "follower-applies-uncommitted": (PartitionActor, "_follow", _follower_ahead),
    "checkpoint-ahead-of-commit": (Checkpoints, "advance", _checkpoint_ahead),
    "channel-repeat-applied": (engine.channels, "receive", _repeat_applied),
}
"""Name -> what is patched, and with what."""


@contextmanager
def planted(bug: str) -> Iterator[None]:
    """The production code has this bug."""
    owner, name, replacement = BUGS[bug]
    with patch.object(owner, name, replacement):
        yield
