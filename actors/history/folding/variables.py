"""Variables."""

from typing import Final

import msgspec

from bpmnd.actors.history.folding.registry import folds
from bpmnd.actors.history.rows import VariableRow
from bpmnd.actors.history.tables import Tables
from bpmnd.bpmn import events

_SHORT_MAX: Final = 1000
"""Characters of a value that may stay in memory."""
_format: Final = msgspec.json.format


@folds(events.VariablesCreated)
def variables_created(tables: Tables, event: events.VariablesCreated, time: int) -> None:
    scope_key = event.scope_key
    for key, (name, value) in enumerate(event.variables.items(), event.first_key):
        text = _format(value, indent=-1).decode()
        tables.variables.add(VariableRow(key, event.instance_key, scope_key, name, text))
        tables.variable_keys[scope_key, name] = key
        if len(text) > _SHORT_MAX:
            tables.long_variables.append(key)


@folds(events.VariablesUpdated)
def variables_updated(tables: Tables, event: events.VariablesUpdated, time: int) -> None:
    instance_key, scope_key = event.instance_key, event.scope_key
    for name, value in event.variables.items():
        key = tables.variable_keys.get((scope_key, name), 0)
        if not key:
            for found in tables.source.find(
                "variables", instance_key=instance_key, scope_key=scope_key, name=name
            ):
                key = tables.variable_keys[scope_key, name] = int(found[0] or 0)
        row = tables.variables.change(key)
        if row is not None:
            row.value = _format(value, indent=-1).decode()
            if len(row.value) > _SHORT_MAX:
                tables.long_variables.append(key)
