"""Deletion of what was deployed: nothing new uses it, and what runs by it goes on."""

from collections.abc import Sequence

from bpmnd.bpmn.channel import DistributeDeletion
from bpmnd.bpmn.commands import DeleteResource
from bpmnd.bpmn.events import DeploymentDistributing, ResourceDeleted
from bpmnd.bpmn.outcomes import Accepted, Outcome, Rejected, RejectionType
from bpmnd.bpmn.start_timers import cancel_start_timers, set_start_timers
from bpmnd.bpmn.starts import subscribe_starts, unsubscribe_starts
from bpmnd.bpmn.state import State
from bpmnd.bpmn.turn import Turn


def delete(turn: Turn, command: DeleteResource, partitions: Sequence[int]) -> Outcome | None:
    """Answers at once if this partition is the only one, else when all others have acknowledged."""
    key = command.key
    if not _is_there(turn.state, key):
        return Rejected(
            RejectionType.NOT_FOUND, f"Expected to delete resource but no resource found with key `{key}`"
        )
    _delete(turn, key, command.origin.user)
    definition = turn.state.definitions.get(key)
    if definition is not None:
        cancel_start_timers(turn, {key})
        fallback = _latest(turn.state, definition.tenant_id, definition.process_id)
        if fallback and turn.state.definitions.items[fallback].version < definition.version:
            set_start_timers(turn, fallback, turn.definitions.executable(fallback))
    others = tuple(partition for partition in partitions if partition != turn.state.partition_id)
    if not others:
        return Accepted()
    deletion_key = turn.new_key()
    turn.emit(DeploymentDistributing(deletion_key, turn.request, "", (key,), others))
    for partition in others:
        turn.send(partition, DistributeDeletion(deletion_key, key, command.origin.user))
    return None


def take_over(turn: Turn, message: DistributeDeletion) -> None:
    """On another partition than that of the deployment. One that is new may never have had it."""
    if _is_there(turn.state, message.resource_key):
        _delete(turn, message.resource_key, message.user)


def _is_there(state: State, key: int) -> bool:
    if state.deleted.get(key):
        return False
    tables = (state.definitions, state.decisions.requirements, state.forms.table, state.plain_files.table)
    return any(key in table.items for table in tables)


def _delete(turn: Turn, key: int, user: str) -> None:
    definition = turn.state.definitions.get(key)
    if definition is None:
        turn.emit(ResourceDeleted(key, user))
        return
    tenant_id, process_id = definition.tenant_id, definition.process_id
    was_latest = _latest(turn.state, tenant_id, process_id) == key
    turn.emit(ResourceDeleted(key, user))
    if not was_latest:
        return
    fallback = _latest(turn.state, tenant_id, process_id)
    if fallback:
        subscribe_starts(turn, fallback, turn.definitions.executable(fallback))
    else:
        unsubscribe_starts(turn, tenant_id, process_id)


def _latest(state: State, tenant_id: str, process_id: str) -> int:
    """The key of the latest version; 0 if there is none."""
    versions = state.latest.get((tenant_id, process_id))
    return versions[max(versions)] if versions else 0
