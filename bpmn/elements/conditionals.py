"""What waits for a condition (BPMN 2.0, §10.5.5.2): it happens when it holds at first, or once it does after
variables that it reads have changed."""

from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.triggers import can_happen, occur
from bpmnd.bpmn.evaluation import lookup_in, wrong_type
from bpmnd.bpmn.events import ConditionalSubscriptionCreated, ConditionalSubscriptionTriggered
from bpmnd.bpmn.feel import EvaluationFailure, Lookup, NotBoolean
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.model.graph import (
    BoundaryEvent,
    BrokenExpression,
    CatchEvent,
    ConditionalDefinition,
    ExecutableProcess,
    StartEvent,
)
from bpmnd.bpmn.model.multiple import part
from bpmnd.bpmn.state.records import ConditionalSubscription, ProcessInstance
from bpmnd.bpmn.steps import Change, CheckConditions, TriggerCondition
from bpmnd.bpmn.turn import Turn

_Subscribed: TypeAlias = tuple[int, ConditionalSubscription, ConditionalDefinition]
"""How deep it stands, and what it is."""


class ConditionPlan(msgspec.Struct, frozen=True, gc=False):
    """A condition to wait for; one that holds already happens as soon as the element is active."""

    element: int
    holds: bool

    def begin(self, activation: Activation) -> int:
        turn, instance = activation.turn, activation.instance
        key = turn.new_key()
        turn.emit(ConditionalSubscriptionCreated(key, instance.key, activation.key, self.element))
        if self.holds:
            turn.schedule(TriggerCondition(instance.key, key))
        return key


def plan_condition(
    activation: Activation, element: int, definition: ConditionalDefinition
) -> ConditionPlan | Incident:
    held = holds(activation.turn, definition, lookup_in(activation.instance, activation.inner_key))
    return held if isinstance(held, Incident) else ConditionPlan(element, held)


def holds(turn: Turn, definition: ConditionalDefinition, lookup: Lookup) -> bool | Incident:
    """Whether a condition holds. One that is null, as for variables that are not there yet, does not."""
    condition = definition.condition
    if isinstance(condition, BrokenExpression):
        reason = f"Failed to parse expression '{condition.text}': {condition.problem}"
        return Incident(IncidentType.CONDITION_ERROR, reason)
    match condition.test(lookup, now_ms=turn.now, spent=turn.spend):
        case bool() as held:
            return held
        case NotBoolean(None, _):
            return False
        case NotBoolean(value, warnings):
            message = wrong_type(condition.text, "BOOLEAN", value, warnings)
            return Incident(IncidentType.EXTRACT_VALUE_ERROR, message)
        case EvaluationFailure(message):
            reason = f"Failed to evaluate expression '{condition.text}'. {message}"
            return Incident(IncidentType.EXTRACT_VALUE_ERROR, reason)


def trigger_condition(turn: Turn, step: TriggerCondition) -> None:
    instance = turn.state.instances.get(step.instance_key)
    subscription = instance.conditions.get(step.key) if instance is not None else None
    if instance is not None and subscription is not None:
        _happen(turn, instance, subscription)


def _happen(turn: Turn, instance: ProcessInstance, subscription: ConditionalSubscription) -> None:
    key, element = subscription.element_instance_key, subscription.element
    if can_happen(instance, key):
        turn.emit(ConditionalSubscriptionTriggered(subscription.key, instance.key))
        occur(turn, instance, key, element, instance.part_of(subscription.key), {})


def check_conditions(turn: Turn, step: CheckConditions) -> None:
    """Variables have changed: look at the conditions that read them, from the outermost scope inwards.

    What was to be done when they changed, such as to complete the element that changed them, is done first.
    """
    instance = turn.state.instances.get(step.instance_key)
    if instance is None or not instance.conditions:
        return
    if not step.is_put_off:
        turn.schedule(replace(step, is_put_off=True))
        return
    process = turn.executable_of(instance)
    for _, subscription, definition in _subscribed(process, instance):
        if subscription.key not in instance.conditions:
            continue  # What happened before has ended it.
        if any(_concerns(instance, subscription, definition, change) for change in step.changes):
            lookup = lookup_in(instance, subscription.element_instance_key)
            if holds(turn, definition, lookup) is True:
                _happen(turn, instance, subscription)


def _subscribed(process: ExecutableProcess, instance: ProcessInstance) -> list[_Subscribed]:
    found: list[_Subscribed] = []
    for key in sorted(instance.conditions):
        subscription = instance.conditions[key]
        event = process.elements[subscription.element]
        assert isinstance(event, BoundaryEvent | CatchEvent | StartEvent), f"{subscription} of {event}"
        definition = part(event.trigger, instance.part_of(key))
        assert isinstance(definition, ConditionalDefinition), f"{subscription} of {event}"
        found.append((_depth(instance, subscription.element_instance_key), subscription, definition))
    found.sort(key=lambda each: each[0])
    return found


def _depth(instance: ProcessInstance, key: int) -> int:
    depth = 0
    while key != instance.key:
        key = instance.elements[key].scope_key
        depth += 1
    return depth


def _concerns(
    instance: ProcessInstance,
    subscription: ConditionalSubscription,
    definition: ConditionalDefinition,
    change: Change,
) -> bool:
    """Whether a change is one of variables that the condition reads, and was made since it is waited for."""
    if subscription.key > change.last_key:
        return False
    names = {
        *(change.created if definition.on_create else ()),
        *(change.updated if definition.on_update else ()),
    }
    return any(
        _sees(instance, subscription.element_instance_key, change.scope_key, name)
        for name in names & definition.names
    )


def _sees(instance: ProcessInstance, key: int, scope_key: int, name: str) -> bool:
    """Whether what is seen under the name from an element instance is the variable of the scope."""
    while key != scope_key:
        if key == instance.key or name in instance.variables.get(key, {}):
            return False
        key = instance.elements[key].scope_key
    return True
