"""What an element instance waits for, planned before it is active and begun once it is: timers, messages and
signals of its own, of the boundary events on it, or of the events behind it."""

from collections.abc import Iterable

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.events.registry import EVENT_KINDS
from bpmnd.bpmn.elements.kind import Plan
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import BoundaryEvent, Element, EventDefinition


def plan_event(
    activation: Activation, event: Element, trigger: EventDefinition, *, interrupting: bool, outside: bool
) -> Plan | Incident | None:
    plan: Plan | Incident | None = EVENT_KINDS[type(trigger)].plan(
        trigger, activation, event.index, interrupting=interrupting, outside=outside
    )
    return plan


def plan_events(element: Element, activation: Activation) -> list[Plan | None] | Incident:
    """What the boundary events on the element wait for."""
    plans: list[Plan | None] = []
    if element.boundary_events:
        process = activation.turn.executable_of(activation.instance)
        for index in element.boundary_events:
            event = process.elements[index]
            assert isinstance(event, BoundaryEvent), f"{event} on {element}"
            plan = plan_event(activation, event, event.trigger, interrupting=event.interrupting, outside=True)
            if isinstance(plan, Incident):
                return plan
            plans.append(plan)
    return plans


def begin_waiting(activation: Activation, plans: Iterable[Plan | None]) -> None:
    for plan in plans:
        if plan is not None:
            plan.begin(activation)
