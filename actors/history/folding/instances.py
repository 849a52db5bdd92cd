"""Process instances, and the instances of their elements."""

from typing import Final

import msgspec

from bpmnd.actors.history.folding.registry import folds
from bpmnd.actors.history.names import ACTIVE, COMPLETED, SUBJECT_KIND, TERMINATED
from bpmnd.actors.history.rows import ElementInstanceRow, InstanceRow
from bpmnd.actors.history.tables import Tables
from bpmnd.bpmn import events

_INSTANCE_CREATED: Final = SUBJECT_KIND["INSTANCE_CREATED"]


@folds(events.ProcessInstanceCreated)
def instance_created(tables: Tables, event: events.ProcessInstanceCreated, time: int) -> None:
    tables.began(event.definition_key, 0)
    tables.figures.tally((_INSTANCE_CREATED, event.tenant_id))
    tags = msgspec.json.encode(event.tags).decode() if event.tags else None
    tables.instances.add(
        InstanceRow(event.key, event.definition_key, ACTIVE, time, tags=tags, business_id=event.business_id)
    )


@folds(events.ProcessInstanceCalled)
def instance_called(tables: Tables, event: events.ProcessInstanceCalled, time: int) -> None:
    tables.began(event.definition_key, 0)
    tables.instances.add(
        InstanceRow(
            event.key,
            event.definition_key,
            ACTIVE,
            time,
            parent_key=event.instance_key,
            parent_element_key=event.element_instance_key,
            root_key=event.root_key,
        )
    )


@folds(events.ElementActivating)
def activating(tables: Tables, event: events.ElementActivating, time: int) -> None:
    _began(tables, event, time)


@folds(events.ElementActivated)
def activated(tables: Tables, event: events.ElementActivated, time: int) -> None:
    _began(tables, event, time)


def _began(tables: Tables, event: events.ElementActivating | events.ElementActivated, time: int) -> None:
    """An activation that takes more than one step begins with its first. The process is no row of its own."""
    key, instance_key = event.key, event.instance_key
    if key == instance_key:
        return
    if key > tables.last_element_instance:
        tables.last_element_instance = key
    elif tables.element_instances.get(key) is not None:
        return
    instance = tables.instances.known.get(instance_key) or tables.instances.get(instance_key)
    if instance is None:
        return
    definition_key = instance.definition_key
    tables.element_instances.add(
        ElementInstanceRow(key, instance_key, definition_key, event.element, event.scope_key, ACTIVE, time)
    )
    tables.began(definition_key, event.element)


@folds(events.ElementCompleted)
def completed(tables: Tables, event: events.ElementCompleted, time: int) -> None:
    _ended(tables, event.key, event.instance_key, COMPLETED, time)


@folds(events.ElementTerminated)
def terminated(tables: Tables, event: events.ElementTerminated, time: int) -> None:
    _ended(tables, event.key, event.instance_key, TERMINATED, time)


def _ended(tables: Tables, key: int, instance_key: int, state: int, time: int) -> None:
    if key == instance_key:
        instance = tables.instances.change(key)
        if instance is not None and instance.state == ACTIVE:
            tables.instance_ended(instance, state, time)
            instance.state, instance.end = state, time
        return
    element = tables.element_instances.change(key)
    if element is None or element.state != ACTIVE:
        return
    tables.element_ended(element, state, time)
    element.state, element.end = state, time


@folds(events.SequenceFlowTaken)
def flow_taken(tables: Tables, event: events.SequenceFlowTaken, time: int) -> None:
    instance = tables.instances.change(event.instance_key)
    if instance is not None:
        taken = int.from_bytes(instance.flows or b"", "little") | 1 << event.flow
        instance.flows = taken.to_bytes((taken.bit_length() + 7) // 8, "little")
