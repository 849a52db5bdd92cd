"""Bugs planted into the production code, from outside, to prove that the simulator would see them."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Final
from unittest.mock import patch

from msgspec.structs import replace

from bpmnd.actors.checkpoints import Checkpoints
from bpmnd.actors.leading import Leadership
from bpmnd.actors.partition import PartitionActor
from bpmnd.actors.replica import ReplicaFiles
from bpmnd.actors.standby import Standby
from bpmnd.bpmn.appliers import APPLIERS
from bpmnd.bpmn.channel import MoveRecords
from bpmnd.bpmn.commands import CommandId, DoOnce, ReceiveChannelMessage
from bpmnd.bpmn.events import JobCreated
from bpmnd.bpmn.outcomes import Outcome, SlotMoved
from bpmnd.bpmn.processors import channels, once, slot_moves
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.deployed import Inbox
from bpmnd.bpmn.state.noted import NotedCommand, NotedCommands
from bpmnd.bpmn.turn import Turn
from bpmnd.cluster.membership import node_of
from bpmnd.cluster.raft import EntryId
from bpmnd.storage.entry import HardState
from bpmnd.storage.errors import DamageError
from bpmnd.storage.mark import VoteFile

_ALWAYS: Final = 1 << 60
_OTHER_NODE: Final = 2


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


def _follower_ahead(standby: Standby) -> None:
    """A follower applies whatever it has on its disk."""
    machine, log = standby.machine, standby.log.log
    while machine is not None and machine.taken < log.synced_index:
        for entry in log.entries(machine.taken + 1):
            machine.take(entry.index, entry.kind, entry.payload)
        machine.apply()


_receive = channels.receive


def _repeat_applied(turn: Turn, command: ReceiveChannelMessage) -> Outcome:
    """A channel message that comes again is taken for a new one."""
    inbox = turn.state.inbox.get(command.sender)
    if inbox is not None and command.number == inbox.last_number:
        turn.state.inbox.items[command.sender] = Inbox(command.number - 1)
    return _receive(turn, command)


def _no_claim(files: ReplicaFiles) -> EntryId | None:
    """A damaged replica does not remember what it told others, and votes as if it were new."""
    return None


_find = NotedCommands.find


def _known_in_memory_only(noted: NotedCommands, id: CommandId) -> tuple[int, NotedCommand] | None:
    """Commands with an id are not known any more once only the store has them."""
    return _find(noted, id) if noted.keys.count_in_memory() else None


_follow = Standby.follow
_created = APPLIERS[JobCreated]


def _created_otherwise(state: State, event: JobCreated) -> None:
    _created(state, replace(event, retries=event.retries + 1))


def _applier_differs_on_one_replica(standby: Standby) -> None:
    """One node has another applier than the others while it follows."""
    if node_of(standby.member) != _OTHER_NODE:
        _follow(standby)
        return
    with patch.dict(APPLIERS, {JobCreated: _created_otherwise}):
        _follow(standby)


def _looks_away(actor: PartitionActor, error: DamageError) -> None:
    """What is found to be damaged stays as it is."""


def _nobody_is_asked(turn: Turn, command: DoOnce, keep_ms: int) -> SlotMoved | None:
    """Who has a slot now does not care who had it before, and may have noted an id of it."""
    return None


def _left_behind(turn: Turn, message: MoveRecords) -> None:
    """What is kept under a slot does not come with it."""


BUGS: Final[dict[str, tuple[Any, str, Callable[..., Any]]]] = {
    "vote-not-persisted": (VoteFile, "write", _vote_not_persisted),
    "answer-before-commit": (Leadership, "release", _answer_before_commit),
    "rejection-before-confirmation": (Leadership, "release", _rejection_before_confirmation),
    "follower-applies-uncommitted": (Standby, "follow", _follower_ahead),
    "checkpoint-ahead-of-commit": (Checkpoints, "advance", _checkpoint_ahead),
    "channel-repeat-applied": (channels, "receive", _repeat_applied),
    "ids-known-in-memory-only": (NotedCommands, "find", _known_in_memory_only),
    "damaged-replica-votes": (ReplicaFiles, "claim", _no_claim),
    "hidden-damage-stays": (PartitionActor, "found_damaged", _looks_away),
    "slots-moved-without-ids": (once, "_moved", _nobody_is_asked),
    "slots-moved-without-records": (slot_moves, "take_records", _left_behind),
    "applier-differs-on-one-replica": (Standby, "follow", _applier_differs_on_one_replica),
}
"""Name -> what is patched, and with what."""


@contextmanager
def planted(bug: str) -> Generator[None]:
    """The production code has this bug."""
    owner, name, replacement = BUGS[bug]
    with patch.object(owner, name, replacement):
        yield
