"""Locks of message start events: of each process one instance for a correlation key at a time.

They stand where the key's slot is. An instance that is of another partition, since the slot has moved after
it was started, tells there what becomes of it.
"""

from bpmnd.bpmn.channel import ReleaseLock, TakeLock
from bpmnd.bpmn.events import MessageStartLockReleased, MessageStartLockTaken
from bpmnd.bpmn.forwarding import pass_on
from bpmnd.bpmn.state.messages import lock_of
from bpmnd.bpmn.steps import StartNext
from bpmnd.bpmn.turn import Turn


def release_lock(turn: Turn, released: ReleaseLock) -> None:
    """An instance has ended whose slot has moved since it was started."""
    slot = turn.state.slots.given(released.correlation_key)
    if slot is not None:
        pass_on(turn, slot, released)
        return
    lock = lock_of(released.tenant_id, released.process_id, released.correlation_key)
    if turn.state.messages.locks.get(lock) == released.instance_key:
        turn.emit(
            MessageStartLockReleased(
                released.tenant_id, released.process_id, released.correlation_key, released.instance_key
            )
        )
    turn.schedule(StartNext(released.tenant_id, released.process_id, released.correlation_key))


def take_lock(turn: Turn, taken: TakeLock) -> None:
    """Such an instance has migrated to another process."""
    slot = turn.state.slots.given(taken.correlation_key)
    if slot is not None:
        pass_on(turn, slot, taken)
        return
    lock = lock_of(taken.tenant_id, taken.process_id, taken.correlation_key)
    if turn.state.messages.locks.get(lock) is None:
        turn.emit(
            MessageStartLockTaken(
                taken.tenant_id, taken.process_id, taken.correlation_key, taken.instance_key
            )
        )
