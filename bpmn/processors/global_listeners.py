"""Listeners to all user tasks: set up on the partition of deployments, and known by every other."""

from collections.abc import Sequence
from typing import Final

from bpmnd.bpmn.channel import DistributeGlobalListener
from bpmnd.bpmn.commands import (
    CreateGlobalListener,
    DeleteGlobalListener,
    ReadGlobalListener,
    ReadGlobalListeners,
    UpdateGlobalListener,
)
from bpmnd.bpmn.events import (
    DeploymentDistributing,
    GlobalListenerCreated,
    GlobalListenerDeleted,
    GlobalListenerUpdated,
)
from bpmnd.bpmn.outcomes import (
    Accepted,
    GlobalListenerRead,
    GlobalListenersRead,
    Outcome,
    Rejected,
    RejectionType,
)
from bpmnd.bpmn.state import State
from bpmnd.bpmn.turn import Turn

LISTENERS_MAX: Final = 100
"""Each may hold up every change of every user task."""


def create(turn: Turn, command: CreateGlobalListener, partitions: Sequence[int]) -> Outcome | None:
    """Answers at once if this partition is the only one, else when all others have acknowledged. So do the
    others."""
    listener = command.listener
    if _key_of(turn.state, listener.id):
        return Rejected(
            RejectionType.ALREADY_EXISTS,
            f"Expected to create global listener with id '{listener.id}', but there is one with this id",
        )
    if len(turn.state.global_listeners.items) >= LISTENERS_MAX:
        return Rejected(
            RejectionType.INVALID_STATE,
            f"Expected to have at most {LISTENERS_MAX} global listeners, but there would be more",
        )
    key = turn.new_key()
    turn.emit(GlobalListenerCreated(key, listener, command.origin.user))
    return _distribute(turn, key, command.origin.user, partitions)


def update(turn: Turn, command: UpdateGlobalListener, partitions: Sequence[int]) -> Outcome | None:
    key = _key_of(turn.state, command.listener.id)
    if not key:
        return _not_found("update", command.listener.id)
    turn.emit(GlobalListenerUpdated(key, command.listener, command.origin.user))
    return _distribute(turn, key, command.origin.user, partitions)


def delete(turn: Turn, command: DeleteGlobalListener, partitions: Sequence[int]) -> Outcome | None:
    key = _key_of(turn.state, command.id)
    if not key:
        return _not_found("delete", command.id)
    turn.emit(GlobalListenerDeleted(key, command.id, command.origin.user))
    return _distribute(turn, key, command.origin.user, partitions)


def read(turn: Turn, command: ReadGlobalListener) -> Outcome:
    key = _key_of(turn.state, command.id)
    if not key:
        return _not_found("find", command.id)
    return GlobalListenerRead(turn.state.global_listeners.items[key])


def read_all(turn: Turn, command: ReadGlobalListeners) -> Outcome:
    return GlobalListenersRead(tuple(sorted(turn.state.global_listeners.items.items())))


def supply(turn: Turn, partition: int) -> None:
    """Let a new partition know them all."""
    for key, listener in sorted(turn.state.global_listeners.items.items()):
        turn.send(partition, DistributeGlobalListener(0, key, listener, ""))


def take_over(turn: Turn, message: DistributeGlobalListener) -> None:
    """As it is on the partition of deployments, so it is here."""
    known = turn.state.global_listeners.get(message.listener_key)
    if message.listener is None:
        if known is not None:
            turn.emit(GlobalListenerDeleted(message.listener_key, known.id, message.user))
    elif known is None:
        turn.emit(GlobalListenerCreated(message.listener_key, message.listener, message.user))
    elif known != message.listener:
        turn.emit(GlobalListenerUpdated(message.listener_key, message.listener, message.user))


def _distribute(turn: Turn, key: int, user: str, partitions: Sequence[int]) -> Outcome | None:
    others = tuple(partition for partition in partitions if partition != turn.state.partition_id)
    if not others:
        return Accepted()
    change_key = turn.new_key()
    turn.emit(DeploymentDistributing(change_key, turn.request, "", (), others))
    listener = turn.state.global_listeners.get(key)
    for partition in others:
        turn.send(partition, DistributeGlobalListener(change_key, key, listener, user))
    return None


def _key_of(state: State, id: str) -> int:
    """0 if there is none of that id."""
    return next((key for key, listener in state.global_listeners.items.items() if listener.id == id), 0)


def _not_found(verb: str, id: str) -> Rejected:
    return Rejected(
        RejectionType.NOT_FOUND,
        f"Expected to {verb} global listener with id '{id}', but no such listener was found",
    )
