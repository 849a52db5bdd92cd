"""How variables are merged into scopes, and how mappings make them."""

from collections.abc import Callable, Iterable

from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.evaluation import evaluate, lookup_in
from bpmnd.bpmn.events import VariablesCreated, VariablesUpdated
from bpmnd.bpmn.feel import Value, to_json
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.model.graph import Mapping
from bpmnd.bpmn.state.records import ProcessInstance
from bpmnd.bpmn.turn import Turn


def merge_local(turn: Turn, instance: ProcessInstance, scope_key: int, variables: Variables) -> None:
    """Create or overwrite the variables in this scope itself."""
    if not variables:
        return
    values = instance.variables.get(scope_key)
    if not values:
        _create(turn, instance, scope_key, variables)
        return
    created = {name: value for name, value in variables.items() if name not in values}
    updated = {name: value for name, value in variables.items() if name in values and values[name] != value}
    if created:
        _create(turn, instance, scope_key, created)
    if updated:
        turn.emit(VariablesUpdated(instance.key, scope_key, updated))


def merge_upwards(turn: Turn, instance: ProcessInstance, scope_key: int, variables: Variables) -> None:
    """Overwrite each variable in the nearest scope that has it; what no scope has is new at the root."""
    scope = scope_key
    while variables and scope != instance.key:
        values = instance.variables.get(scope)
        if values:
            here = {name: value for name, value in variables.items() if name in values}
            if here:
                merge_local(turn, instance, scope, here)
                variables = {name: value for name, value in variables.items() if name not in here}
        scope = instance.elements[scope].scope_key
    merge_local(turn, instance, instance.key, variables)


def _create(turn: Turn, instance: ProcessInstance, scope_key: int, variables: Variables) -> None:
    first_key = turn.new_keys(len(variables))
    turn.emit(VariablesCreated(first_key, instance.key, scope_key, variables))


def visible_from(instance: ProcessInstance, scope_key: int, names: tuple[str, ...]) -> Variables:
    """All variables seen from a scope, or those of the given names."""
    scope = scope_key
    visible: Variables = {}
    while True:
        values = instance.variables.get(scope)
        if values:
            visible = {**values, **visible} if visible else values
        if scope == instance.key:
            break
        scope = instance.elements[scope].scope_key
    if names:
        return {name: visible[name] for name in names if name in visible}
    return visible


def map_inputs(
    turn: Turn, instance: ProcessInstance, scope_key: int, mappings: tuple[Mapping, ...]
) -> Variables | Incident:
    """What the input mappings of an element make of the variables around it."""
    return _map(turn, lookup_in(instance, scope_key), mappings, lambda _: None)


def map_outputs(
    turn: Turn,
    instance: ProcessInstance,
    key: int,
    target_scope: int,
    mappings: tuple[Mapping, ...],
) -> Variables | Incident:
    """What the output mappings make of an element's variables. A target below a name (`a.b`) keeps the
    other entries of the context that the target scope has under the name."""
    around = lookup_in(instance, target_scope)

    def existing(name: str) -> Value:
        value = around(name)
        return value if isinstance(value, dict) else None

    return _map(turn, lookup_in(instance, key), mappings, existing)


def _map(
    turn: Turn,
    lookup: Callable[[str], Value],
    mappings: Iterable[Mapping],
    existing: Callable[[str], Value],
) -> Variables | Incident:
    """The mappings one after the other; a later one sees what the earlier ones made."""
    made: dict[str, Value] = {}

    def lookup_made_first(name: str) -> Value:
        return made[name] if name in made else lookup(name)

    for mapping in mappings:
        evaluated = evaluate(turn, mapping.source, lookup_made_first, IncidentType.IO_MAPPING_ERROR)
        if isinstance(evaluated, Incident):
            return evaluated
        value = evaluated.value
        name, *path = mapping.target
        if path:
            made[name] = _with_entry(made[name] if name in made else existing(name), path, value)
        else:
            made[name] = value
    return {name: to_json(value) for name, value in made.items()}


def _with_entry(context: Value, path: list[str], value: Value) -> Value:
    """A copy of the context with the value at the path; what is no context on the way becomes one."""
    entries = dict(context) if isinstance(context, dict) else {}
    name, *rest = path
    entries[name] = _with_entry(entries.get(name), rest, value) if rest else value
    return entries
