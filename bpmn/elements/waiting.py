"""What an element instance waits for, planned before it is active and begun once it is: timers, messages and
signals of its own, of the boundary events on it, of the event sub-processes in it, or of the events behind
it."""

from collections.abc import Iterable
from typing import TypeAlias

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.beginning import activated, stop
from bpmnd.bpmn.elements.events.registry import EVENT_KINDS, MULTIPLE
from bpmnd.bpmn.elements.kind import Plan
from bpmnd.bpmn.elements.triggers import can_happen
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import (
    BoundaryEvent,
    CatchEvent,
    Element,
    EventBasedGateway,
    EventDefinition,
    ExecutableProcess,
    MessageDefinition,
    SequenceFlow,
    StartEvent,
)
from bpmnd.bpmn.model.multiple import MultipleDefinition, gathers
from bpmnd.bpmn.state.records import Lifecycle
from bpmnd.bpmn.steps import AwaitMessages, OpenScope, decode_steps
from bpmnd.bpmn.turn import Turn

Catcher: TypeAlias = CatchEvent | BoundaryEvent | StartEvent
"""An element that waits for an event, or lets another wait for it."""


def catchers_of(process: ExecutableProcess, element: Element) -> list[Catcher]:
    """What an instance of the element can wait for: itself, the events behind it, those on its boundary, and
    those that start an event sub-process in it."""
    catchers: list[Catcher] = []
    if isinstance(element, CatchEvent):
        catchers.append(element)
    elif isinstance(element, EventBasedGateway):
        for index in element.outgoing:
            flow = process.elements[index]
            assert isinstance(flow, SequenceFlow), f"{index} is no sequence flow"
            event = process.elements[flow.target]
            assert isinstance(event, CatchEvent), f"{event} behind {element}"
            catchers.append(event)
    for index in (*element.boundary_events, *element.event_starts):
        event = process.elements[index]
        assert isinstance(event, BoundaryEvent | StartEvent), f"{event} at {element}"
        catchers.append(event)
    return catchers


def is_interrupting(catcher: Catcher) -> bool:
    return True if isinstance(catcher, CatchEvent) else catcher.interrupting


def takes_one_message(catcher: Catcher) -> bool:
    """Whether a message ends the waiting for others of the same name, at least for a while."""
    return is_interrupting(catcher) or gathers(catcher.trigger)


def plan_event(
    activation: Activation, event: Element, trigger: EventDefinition, *, interrupting: bool, outside: bool
) -> Plan | Incident | None:
    plan: Plan | Incident | None = EVENT_KINDS[type(trigger)].plan(
        trigger, activation, event.index, interrupting=interrupting, outside=outside
    )
    return plan


def plan_events(element: Element, activation: Activation) -> list[Plan | None] | Incident:
    """What the boundary events on the element wait for, and the event sub-processes in it."""
    plans: list[Plan | None] = []
    if not element.boundary_events and not element.event_starts:
        return plans
    process = activation.turn.executable_of(activation.instance)
    for index in (*element.boundary_events, *element.event_starts):
        event = process.elements[index]
        assert isinstance(event, BoundaryEvent | StartEvent), f"{event} at {element}"
        assert event.trigger is not None, f"nothing triggers {event}"
        outside = isinstance(event, BoundaryEvent)
        plan = plan_event(activation, event, event.trigger, interrupting=event.interrupting, outside=outside)
        if isinstance(plan, Incident):
            return plan
        plans.append(plan)
    return plans


def await_messages(turn: Turn, step: AwaitMessages) -> None:
    """A parallel multiple event has happened, and will again: it has taken one of each of its messages."""
    instance = turn.state.instances.get(step.instance_key)
    if instance is None or not can_happen(instance, step.key):
        return
    record = instance.elements[step.key]
    event = turn.executable_of(instance).elements[step.element]
    assert isinstance(event, BoundaryEvent | StartEvent), f"{step} of {event}"
    if not isinstance(event.trigger, MultipleDefinition):
        return  # The instance has migrated.
    outside = isinstance(event, BoundaryEvent)
    if not outside and step.key in instance.interruptions:
        return
    activation = Activation(turn, instance, step.key, record.scope_key, (), True)
    plan = MULTIPLE.plan_those(
        event.trigger, activation, event.index, MessageDefinition, interrupting=False, outside=outside
    )
    if isinstance(plan, Incident):
        turn.raise_incident(instance, step.key, plan, step)
        return
    plan.begin(activation)


def open_scope(turn: Turn, step: OpenScope) -> None:
    """Activate a process without what it would start itself, then do what is to be done in it."""
    instance = turn.state.instances.get(step.instance_key)
    if instance is None or instance.elements[step.key].state is not Lifecycle.ACTIVATING:
        return
    activation = Activation(turn, instance, step.key, step.key, (), True)
    process = turn.executable_of(instance).root
    plans = plan_events(process, activation)
    if isinstance(plans, Incident):
        stop(process, activation, plans, step)
        return
    activated(process, activation)
    begin_waiting(activation, plans)
    for then in decode_steps(step.then):
        turn.schedule(then)


def begin_waiting(activation: Activation, plans: Iterable[Plan | None]) -> None:
    for plan in plans:
        if plan is not None:
            plan.begin(activation)
