"""Appliers of what is changed in a process instance by hand."""

from msgspec.structs import replace

from bpmnd.bpmn.appliers.multiple import keep_occurred
from bpmnd.bpmn.appliers.registry import applies
from bpmnd.bpmn.events import ProcessInstanceMigrated, ProcessInstanceModified, ScopeReopened
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.messages import lock_of
from bpmnd.bpmn.state.records import ProcessInstance


@applies(ProcessInstanceModified)
def process_instance_modified(state: State, event: ProcessInstanceModified) -> None:
    """What comes of it has events of its own; this one is for the audit."""


@applies(ScopeReopened)
def scope_reopened(state: State, event: ScopeReopened) -> None:
    state.journal.drop(state.touch(event.instance_key).interruptions, event.scope_key)


@applies(ProcessInstanceMigrated)
def process_instance_migrated(state: State, event: ProcessInstanceMigrated) -> None:
    """Everything in the instance that is an index is one of the new definition now."""
    instance, journal = state.touch(event.instance_key), state.journal
    new, interrupting = dict(event.elements), dict(event.interrupting)
    _move_lock(state, instance, event.definition_key)
    journal.assign(instance, "definition_key", event.definition_key)
    kept = tuple(new[index] for index in instance.terminate_after if index in new)
    journal.assign(instance, "terminate_after", kept)
    for key, record in list(instance.elements.items()):
        journal.put(instance.elements, key, replace(record, element=new[record.element]))
    for scope_key, tokens in list(instance.tokens.items()):
        moved: dict[int, int] = {}
        for flow, count in tokens.items():
            moved[new[flow]] = moved.get(new[flow], 0) + count
        journal.put(instance.tokens, scope_key, moved)
    for key, timer in list(instance.timers.items()):
        journal.put(instance.timers, key, replace(timer, element=new[timer.element]))
    for key, message in list(instance.subscriptions.items()):
        interrupts = interrupting.get(key, message.interrupting)
        moved_message = replace(message, element=new[message.element], interrupting=interrupts)
        journal.put(instance.subscriptions, key, moved_message)
    for key, signal in list(instance.signals.items()):
        journal.put(instance.signals, key, replace(signal, element=new[signal.element]))
    for scope_key, interruption in list(instance.interruptions.items()):
        if interruption.element in new:
            moved_interruption = replace(interruption, element=new[interruption.element])
            journal.put(instance.interruptions, scope_key, moved_interruption)
        else:
            journal.drop(instance.interruptions, scope_key)
    for key, condition in list(instance.conditions.items()):
        journal.put(instance.conditions, key, replace(condition, element=new[condition.element]))
    for key, compensation in list(instance.compensations.items()):
        boundary = compensation.boundary_event
        moved_compensation = replace(
            compensation,
            activity=new[compensation.activity],
            boundary_event=new[boundary] if boundary >= 0 else boundary,
        )
        journal.put(instance.compensations, key, moved_compensation)
    for key, occurred in list(instance.occurred.items()):
        kept_parts = [replace(each, element=new[each.element]) for each in occurred if each.element in new]
        keep_occurred(journal, instance, key, tuple(kept_parts))
    for key, flows in list(instance.started_gateways.items()):
        kept_flows = tuple(new[flow] for flow in flows if flow in new)
        journal.put(instance.started_gateways, key, kept_flows)
    for key, steps in event.steps:
        if key in instance.incidents:
            journal.put(instance.incidents, key, replace(instance.incidents[key], steps=steps))
        else:
            job = instance.jobs[key]
            assert job.listener is not None, f"{event}, but nothing waits for {job}"
            journal.put(instance.jobs, key, replace(job, listener=replace(job.listener, then=steps)))


def _move_lock(state: State, instance: ProcessInstance, definition_key: int) -> None:
    """An instance that a message has started keeps others of its new process from being started by the same
    one, unless there is such an instance already."""
    definitions, locks, journal = state.definitions.items, state.messages.locks, state.journal
    old = definitions[instance.definition_key].process_id
    new = definitions[definition_key].process_id
    if instance.correlation_key is None or old == new:
        return
    old_lock = lock_of(instance.tenant_id, old, instance.correlation_key)
    if locks.get(old_lock) != instance.key:
        return  # It has gone to another partition with its slot, which is told.
    locks.remove(old_lock, journal)
    lock = lock_of(instance.tenant_id, new, instance.correlation_key)
    if locks.get(lock) is None:
        locks.put(lock, instance.key, journal, is_new=True)
    else:
        journal.assign(instance, "correlation_key", None)
