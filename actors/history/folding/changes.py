"""Changes by hand: instances that go on by another definition, and definitions that nothing new uses."""

from collections.abc import Mapping
from typing import Final, Protocol

from bpmnd.actors.history.folding.registry import folds
from bpmnd.actors.history.names import (
    ACTIVE,
    DEFINITION_STATES,
    INCIDENT_STATE,
    SUBSCRIPTION_STATE,
)
from bpmnd.actors.history.rows import ElementInstanceRow, InstanceRow
from bpmnd.actors.history.tables import Tables
from bpmnd.bpmn import events

_DELETED: Final = DEFINITION_STATES.index("DELETED")
_OPEN_INCIDENT: Final = INCIDENT_STATE["ACTIVE"]
_WAITING: Final = SUBSCRIPTION_STATE["CREATED"]


class _AtElement(Protocol):
    definition_key: int
    element: int


@folds(events.ResourceDeleted)
def resource_deleted(tables: Tables, event: events.ResourceDeleted, time: int) -> None:
    """Of a process it is said; its instances are found as before."""
    definition = tables.definitions.change(event.key)
    if definition is not None:
        definition.state = _DELETED


@folds(events.ProcessInstanceMigrated)
def migrated(tables: Tables, event: events.ProcessInstanceMigrated, time: int) -> None:
    """What is still open goes on at the elements of the other definition; what is over stays where it was."""
    instance = tables.instances.change(event.instance_key)
    if instance is None:
        return
    elements, definition_key = dict(event.elements), event.definition_key
    for row in tables.element_instances.of_instance(event.instance_key):
        if row.state == ACTIVE:
            _count(tables, row, row.element, -1)
            _move(row, definition_key, elements)
            _count(tables, row, row.element, 1)
            tables.element_instances.change(row.key)
    for job in tables.jobs.of_instance(event.instance_key):
        if job.ended is None:
            tables.job_counts.change(job.key)
            _move(job, definition_key, elements)
    for incident in tables.incidents.of_instance(event.instance_key):
        if incident.state == _OPEN_INCIDENT:
            tables.count_open_incidents(incident.definition_key, incident.type, -1)
            _move(incident, definition_key, elements)
            tables.count_open_incidents(incident.definition_key, incident.type, 1)
            tables.incidents.change(incident.key)
    for task in tables.user_tasks.of_instance(event.instance_key):
        if task.completed is None:
            _move(task, definition_key, elements)
            tables.user_tasks.change(task.key)
    interrupting = dict(event.interrupting)
    for waiting in tables.subscriptions.of_instance(event.instance_key):
        if waiting.state == _WAITING:
            _move(waiting, definition_key, elements)
            waiting.interrupting = int(interrupting.get(waiting.key, bool(waiting.interrupting)))
            waiting.updated = time
            tables.subscriptions.change(waiting.key)
    _move_flows(tables, instance, definition_key)
    _move_counts(tables, instance, definition_key)


def _move(row: _AtElement, definition_key: int, elements: Mapping[int, int]) -> None:
    row.definition_key, row.element = definition_key, elements.get(row.element, row.element)


def _count(tables: Tables, row: InstanceRow | ElementInstanceRow, element: int, by: int) -> None:
    counts = tables.element(row.definition_key, element)
    if counts is not None:
        counts.active += by
        counts.failing += by if row.incidents > 0 else 0


def _move_counts(tables: Tables, instance: InstanceRow, definition_key: int) -> None:
    """What is over is still in a live instance: it counts where the other definition has the same element."""
    _count(tables, instance, 0, -1)
    there = {
        (row.element_id, row.type): row.key
        for row in tables.element_of.values()
        if row.definition_key == definition_key
    }
    same = {
        row.key: there[row.element_id, row.type]
        for row in tables.element_of.values()
        if (row.element_id, row.type) in there
    }
    tables.passing.move(instance, same)
    instance.definition_key = definition_key
    _count(tables, instance, 0, 1)


def _move_flows(tables: Tables, instance: InstanceRow, definition_key: int) -> None:
    """Flows are known by their place in the definition: those that the other one has, too, are kept."""
    taken = int.from_bytes(instance.flows or b"", "little")
    places = {
        row.element_id: row.element
        for row in tables.element_of.values()
        if row.definition_key == definition_key
    }
    kept = 0
    for (definition, element), row in tables.element_of.items():
        if definition == instance.definition_key and taken >> element & 1 and row.element_id in places:
            kept |= 1 << places[row.element_id]
    instance.flows = kept.to_bytes((kept.bit_length() + 7) // 8, "little") or None
