"""Incidents."""

from typing import Final

from bpmnd.actors.history.folding.registry import folds
from bpmnd.actors.history.names import ACTIVE, ERROR_TYPE, INCIDENT_STATE
from bpmnd.actors.history.rows import ElementInstanceRow, IncidentRow, InstanceRow
from bpmnd.actors.history.tables import Tables
from bpmnd.bpmn import events

_OPEN: Final = INCIDENT_STATE["ACTIVE"]
_RESOLVED: Final = INCIDENT_STATE["RESOLVED"]
_UNKNOWN: Final = ERROR_TYPE["UNKNOWN"]


@folds(events.IncidentCreated)
def incident_created(tables: Tables, event: events.IncidentCreated, time: int) -> None:
    instance = tables.instances.get(event.instance_key)
    if instance is None:
        return
    incident = IncidentRow(
        event.key,
        event.instance_key,
        instance.definition_key,
        event.element,
        event.element_instance_key,
        event.job_key or None,
        ERROR_TYPE.get(event.type, _UNKNOWN),
        event.message,
        hash_of(event.message),
        time,
        _OPEN,
    )
    tables.incidents.add(incident)
    element = tables.element_instances.change(event.element_instance_key)
    if element is not None:
        element.incident_key = event.key
    _count(tables, incident, 1)
    for at in (0, event.element) if event.element else (0,):
        row = tables.element_of.get((instance.definition_key, at))
        if row is not None:
            tables.figures.activity(row.key).incidents += 1
    _count_incident(tables, event.instance_key, event.element_instance_key, 1)


@folds(events.IncidentResolved)
def incident_resolved(tables: Tables, event: events.IncidentResolved, time: int) -> None:
    incident = tables.incidents.change(event.key)
    if incident is None or incident.state != _OPEN:
        return
    incident.state = _RESOLVED
    _count(tables, incident, -1)
    element = tables.element_instances.change(incident.element_key)
    if element is not None and element.incident_key == event.key:
        element.incident_key = None
    _count_incident(tables, incident.instance_key, incident.element_key, -1)


def _count_incident(tables: Tables, instance_key: int, element_key: int, by: int) -> None:
    """For the element instance and all around it, up to the instance that nobody has called."""
    while instance_key:
        while element_key and element_key != instance_key:
            element = tables.element_instances.change(element_key)
            if element is None:
                break
            count_failing(tables, element, element.element, by)
            element_key = element.scope_key
        instance = tables.instances.change(instance_key)
        if instance is None:
            return
        count_failing(tables, instance, 0, by)
        instance_key, element_key = instance.parent_key or 0, instance.parent_element_key or 0


def count_failing(tables: Tables, row: InstanceRow | ElementInstanceRow, element: int, by: int) -> None:
    """So many more open incidents; the first and the last make a difference to its element."""
    failed = row.incidents > 0
    row.incidents += by
    fails = row.incidents > 0
    counts = tables.element(row.definition_key, element) if fails != failed else None
    if counts is not None and row.state == ACTIVE:
        counts.failing += fails - failed


def _count(tables: Tables, incident: IncidentRow, by: int) -> None:
    tables.count_open_incidents(incident.definition_key, incident.type, by)


def hash_of(text: str) -> int:
    """The hash code that Java has for a string: what the API knows the messages of incidents by."""
    value = 0
    units = text.encode("utf-16-be", "surrogatepass")
    for start in range(0, len(units), 2):
        value = (31 * value + (units[start] << 8 | units[start + 1])) & 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value
