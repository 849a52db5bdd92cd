"""What an element instance waits for, planned before it is active and begun once it is: timers, messages and
signals of its own, of the boundary events on it, of the event sub-processes in it, or of the events behind
it."""

from collections.abc import Iterable

from msgspec.structs import replace

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.events.registry import EVENT_KINDS
from bpmnd.bpmn.elements.kind import Plan
from bpmnd.bpmn.elements.lifecycle import activated, is_shut_to, stop
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import BoundaryEvent, Element, EventDefinition, StartEvent
from bpmnd.bpmn.state.records import Lifecycle
from bpmnd.bpmn.steps import ActivateElement, OpenScope, decode_steps
from bpmnd.bpmn.turn import Turn


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


def open_scope(turn: Turn, step: OpenScope) -> None:
    """Activate a scope without what it would start itself, then do what is to be done in it."""
    instance = turn.state.instances.get(step.instance_key)
    if instance is None:
        return
    if step.key:
        record = instance.elements.get(step.key)
        if record is None or record.state is not Lifecycle.ACTIVATING:
            return
        activation = Activation(turn, instance, step.key, record.scope_key, (), True)
    else:
        scope = instance.elements.get(step.scope_key)
        if scope is None or scope.state is not Lifecycle.ACTIVATED:
            return
        if is_shut_to(instance, step.scope_key, step.element):
            return
        activation = Activation(turn, instance, turn.new_key(), step.scope_key, (), False)
    element = turn.executable_of(instance).element(step.element)
    plans = plan_events(element, activation)
    if isinstance(plans, Incident):
        stop(element, activation, plans, step)
        return
    activated(element, activation)
    begin_waiting(activation, plans)
    for then in decode_steps(step.then):
        assert isinstance(then, ActivateElement | OpenScope), f"{then} begins in no scope"
        turn.schedule(replace(then, scope_key=activation.key))


def begin_waiting(activation: Activation, plans: Iterable[Plan | None]) -> None:
    for plan in plans:
        if plan is not None:
            plan.begin(activation)
