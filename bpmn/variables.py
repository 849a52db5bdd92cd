"""How variables are merged into scopes, and how mappings make them."""

from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.evaluation import evaluate, lookup_in
from bpmnd.bpmn.events import VariablesCreated, VariablesUpdated
from bpmnd.bpmn.feel import MISSING, Value, to_json
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.model.graph import Mapping, Text
from bpmnd.bpmn.state.records import ProcessInstance, size_of
from bpmnd.bpmn.steps import Change, CheckConditions
from bpmnd.bpmn.turn import CHARACTERS_PER_STEP, Turn

_Tree: TypeAlias = "dict[str, Text | _Tree]"

INSTANCE_SIZE_MAX: Final = 4 * 1024 * 1024
"""Bytes of all variables of one process instance, names and JSON texts together."""


def oversize(
    instance: ProcessInstance, scope_key: int, variables: Variables, *, local: bool = False, freed: int = 0
) -> str | None:
    """Why an instance cannot take these variables into a scope (or, if not local, upwards from it), if it
    cannot, although so many bytes of others will be gone."""
    size = instance.size + size_of(variables) - freed
    if size <= INSTANCE_SIZE_MAX:
        return None
    while True:
        values = instance.variables.get(scope_key, {})
        replaced = {name: values[name] for name in variables if name in values}
        size -= size_of(replaced)
        if size <= INSTANCE_SIZE_MAX:
            return None
        if local or scope_key == instance.key:
            break
        variables = {name: value for name, value in variables.items() if name not in replaced}
        scope_key = instance.elements[scope_key].scope_key
    return _too_large(size)


def oversize_held(instance: ProcessInstance, variables: Variables, *, freed: int) -> str | None:
    """The same for variables that are held back in no scope."""
    size = instance.size + size_of(variables) - freed
    return _too_large(size) if size > INSTANCE_SIZE_MAX else None


def _too_large(size: int) -> str:
    return (
        f"Expected the variables of a process instance to take at most {INSTANCE_SIZE_MAX} bytes,"
        f" but they would take {size}"
    )


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
        _tell_conditions(turn, instance, scope_key, updated=tuple(updated))
        turn.spend(size_of(updated) // CHARACTERS_PER_STEP)


def merge_upwards(turn: Turn, instance: ProcessInstance, scope_key: int, variables: Variables) -> None:
    """Overwrite each variable in the nearest scope that has it; what no scope has is new at the root.

    As in Zeebe, a scope that has it with the very same value does not hold it back: it goes on upwards.
    """
    scope = scope_key
    while variables and scope != instance.key:
        values = instance.variables.get(scope)
        if values:
            here = {
                name: value for name, value in variables.items() if name in values and values[name] != value
            }
            if here:
                merge_local(turn, instance, scope, here)
                variables = {name: value for name, value in variables.items() if name not in here}
        scope = instance.elements[scope].scope_key
    merge_local(turn, instance, instance.key, variables)


def _create(turn: Turn, instance: ProcessInstance, scope_key: int, variables: Variables) -> None:
    first_key = turn.new_keys(len(variables))
    turn.emit(VariablesCreated(first_key, instance.key, scope_key, variables))
    _tell_conditions(turn, instance, scope_key, created=tuple(variables))
    turn.spend(size_of(variables) // CHARACTERS_PER_STEP)


def _tell_conditions(
    turn: Turn,
    instance: ProcessInstance,
    scope_key: int,
    *,
    created: tuple[str, ...] = (),
    updated: tuple[str, ...] = (),
) -> None:
    """Have the conditions looked at that read the variables: once for all that change together."""
    if not instance.conditions:
        return
    changes: tuple[Change, ...] = (Change(scope_key, created, updated, turn.state.last_key),)
    last = turn.steps[-1] if turn.steps else None
    if isinstance(last, CheckConditions) and last.instance_key == instance.key and not last.is_put_off:
        turn.steps.pop()
        changes = last.changes + changes
    turn.schedule(CheckConditions(instance.key, changes))


def visible_from(instance: ProcessInstance, scope_key: int, names: tuple[str, ...]) -> Variables:
    """All variables seen from a scope, or those of the given names."""
    scope = scope_key
    visible: Variables = {}
    while True:
        values = instance.variables.get(scope)
        if values:
            visible = {**values, **visible}
        if scope in instance.loops:
            name = instance.loops[scope].output_collection
            if name and name not in visible:
                visible[name] = instance.collected(scope)
        if scope == instance.key:
            break
        scope = instance.elements[scope].scope_key
    if names:
        return {name: visible[name] for name in names if name in visible}
    return visible


def map_inputs(
    turn: Turn, instance: ProcessInstance, scope_key: int, mappings: tuple[Mapping, ...]
) -> Variables | Incident:
    """What the input mappings of an element make of the variables that a scope sees."""
    return _map(turn, mappings, lookup_in(instance, scope_key), merges=False)


def map_outputs(
    turn: Turn, instance: ProcessInstance, key: int, mappings: tuple[Mapping, ...]
) -> Variables | Incident:
    """What the output mappings make of an element's variables. A target below a name (`a.b`) keeps the
    other entries of the context that is seen under the name."""
    return _map(turn, mappings, lookup_in(instance, key), merges=True)


def _map(
    turn: Turn, mappings: Iterable[Mapping], lookup: Callable[[str], Value], *, merges: bool
) -> Variables | Incident:
    made = _context(turn, _tree(mappings), lookup, (), merges)
    if isinstance(made, Incident):
        return made
    return {name: to_json(value) for name, value in made.items()}


def _tree(mappings: Iterable[Mapping]) -> _Tree:
    """The mappings by the names of their targets. A name keeps its first place, and has its last source."""
    tree: _Tree = {}
    for mapping in mappings:
        *names, last = mapping.target
        entries = tree
        for name in names:
            inner = entries.get(name)
            if not isinstance(inner, dict):
                inner = entries[name] = {}
            entries = inner
        entries[last] = mapping.source
    return tree


def _context(
    turn: Turn, tree: _Tree, lookup: Callable[[str], Value], path: tuple[str, ...], merges: bool
) -> dict[str, Value] | Incident:
    """Mappings are worked out as the entries of a FEEL context: each sees those before it, by their names
    and not by the name of the context, which is only there when all its entries are."""
    made: dict[str, Value] = {}

    def lookup_made_first(name: str) -> Value:
        return made[name] if name in made else lookup(name)

    for name, source in tree.items():
        if isinstance(source, dict):
            target = (*path, name)
            entries = _context(turn, source, lookup_made_first, target, merges)
            if isinstance(entries, Incident):
                return entries
            made[name] = _merged(lookup_made_first, target, entries) if merges else entries
            continue
        evaluated = evaluate(turn, source, lookup_made_first, IncidentType.IO_MAPPING_ERROR)
        if isinstance(evaluated, Incident):
            return evaluated
        made[name] = evaluated.value
    return made


def _merged(lookup: Callable[[str], Value], path: tuple[str, ...], entries: dict[str, Value]) -> Value:
    """The context at the path with the entries put in. What is there and is no context gives null."""
    name, *names = path
    existing = lookup(name)
    for name in names:
        existing = existing.get(name) if isinstance(existing, dict) else None
    if isinstance(existing, dict):
        return {**existing, **entries}
    return entries if existing is None or existing is MISSING else None
