"""Appliers of variables."""

from bpmnd.bpmn.appliers.registry import applies
from bpmnd.bpmn.events import VariablesCreated, VariablesUpdated
from bpmnd.bpmn.state import State


@applies(VariablesCreated)
def variables_created(state: State, event: VariablesCreated) -> None:
    instance = state.touch(event.instance_key)
    values = instance.variables.get(event.scope_key)
    if values is None:
        state.journal.put(instance.variables, event.scope_key, dict(event.variables))
        return
    for name, value in event.variables.items():
        assert name not in values, f"{name} is in the scope {event.scope_key} already"
        state.journal.put(values, name, value)


@applies(VariablesUpdated)
def variables_updated(state: State, event: VariablesUpdated) -> None:
    values = state.touch(event.instance_key).variables[event.scope_key]
    for name, value in event.variables.items():
        assert name in values, f"{name} is not in the scope {event.scope_key}"
        state.journal.put(values, name, value)
