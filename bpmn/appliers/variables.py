"""Appliers of variables."""

from bpmnd.bpmn.appliers.registry import applies
from bpmnd.bpmn.events import VariablesCreated, VariablesUpdated
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.records import size_of


@applies(VariablesCreated)
def variables_created(state: State, event: VariablesCreated) -> None:
    instance = state.touch(event.instance_key)
    state.journal.assign(instance, "size", instance.size + size_of(event.variables))
    values = instance.variables.get(event.scope_key)
    if values is None:
        state.journal.put(instance.variables, event.scope_key, dict(event.variables))
        return
    for name, value in event.variables.items():
        assert name not in values, f"{name} is in the scope {event.scope_key} already"
        state.journal.put(values, name, value)


@applies(VariablesUpdated)
def variables_updated(state: State, event: VariablesUpdated) -> None:
    instance = state.touch(event.instance_key)
    values = instance.variables[event.scope_key]
    growth = 0
    for name, value in event.variables.items():
        assert name in values, f"{name} is not in the scope {event.scope_key}"
        growth += len(value) - len(values[name])
        state.journal.put(values, name, value)
    state.journal.assign(instance, "size", instance.size + growth)
