"""What happens to an element instance that waits: it completes, or a boundary event on it goes off
(BPMN 2.0, §13.5.3)."""

from typing import TypeAlias

from bpmnd.bpmn.channel import ConfirmDelivery, DeliverMessage, RefuseDelivery
from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.correlation import confirm, take_back
from bpmnd.bpmn.elements.completing import complete
from bpmnd.bpmn.elements.scopes import begin_event_sub_process, interrupt_scope, is_shut_to
from bpmnd.bpmn.elements.subscriptions import told_at
from bpmnd.bpmn.events import (
    BoundaryEventTriggered,
    EventPartOccurred,
    EventPartsCleared,
    ProcessMessageSubscriptionCorrelated,
)
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.model.graph import (
    BoundaryEvent,
    CatchEvent,
    EventBasedGateway,
    SequenceFlow,
    StartEvent,
)
from bpmnd.bpmn.model.multiple import gathers, parts_of
from bpmnd.bpmn.state.records import ElementInstance, Lifecycle, ProcessInstance, occurred_size
from bpmnd.bpmn.steps import (
    ActivateElement,
    AwaitMessages,
    CompleteElement,
    TerminateElement,
    TriggerEvent,
    TriggerSignal,
)
from bpmnd.bpmn.turn import Turn
from bpmnd.bpmn.variables import merge_local, merge_upwards, oversize, oversize_held

Catching: TypeAlias = CatchEvent | BoundaryEvent | StartEvent
"""An event that something waits for."""


def can_happen(instance: ProcessInstance, element_instance_key: int) -> bool:
    """Whether the element instance still waits, and nothing around it is about to be interrupted."""
    record = instance.elements.get(element_instance_key)
    if record is None or record.state is not Lifecycle.ACTIVATED:
        return False
    while record.key not in instance.triggers:
        if record.key == instance.key:
            return True
        if is_shut_to(instance, record.scope_key, record.element):
            return False
        record = instance.elements[record.scope_key]
        if record.state is Lifecycle.TERMINATING:
            return False
    return False


def take_delivery(
    turn: Turn, message: DeliverMessage, sender: int, *, stopped_by: Incident | None = None
) -> None:
    """A message for an element instance has come from the partition `sender`: it is taken, or goes back.

    If it is `stopped_by` an incident, what should come of it is done when that is resolved.
    """
    instance = turn.state.instances.get(message.instance_key)
    subscription = instance.subscriptions.get(message.subscription_key) if instance is not None else None
    if (
        instance is None
        or subscription is None
        or not can_happen(instance, subscription.element_instance_key)
    ):
        refused = RefuseDelivery(message)
        if sender == turn.state.partition_id:
            take_back(turn, refused)
        else:
            turn.send(sender, refused)
        return
    part = instance.part_of(subscription.key)
    turn.emit(ProcessMessageSubscriptionCorrelated(subscription.key, instance.key, message.message_key))
    confirmed = ConfirmDelivery(
        message.subscription_key,
        message.instance_key,
        message.element_instance_key,
        # Since the message was sent the instance may have migrated, and its subscription with it.
        turn.state.definitions.items[instance.definition_key].process_id,
        message.tenant_id,
        message.name,
        message.correlation_key,
        message.message_key,
    )
    confirmed_at = told_at(turn, subscription)
    if confirmed_at == turn.state.partition_id:
        confirm(turn, confirmed)
    else:
        turn.send(confirmed_at, confirmed)
    key, element = subscription.element_instance_key, subscription.element
    if stopped_by is None:
        occur(turn, instance, key, element, part, message.variables)
    else:
        again = TriggerEvent(instance.key, key, element, message.variables, part)
        turn.raise_incident(instance, key, stopped_by, again)


def trigger_signal(turn: Turn, step: TriggerSignal) -> None:
    instance = turn.state.instances.get(step.instance_key)
    subscription = instance.signals.get(step.subscription_key) if instance is not None else None
    if instance is not None and subscription is not None:
        key = subscription.element_instance_key
        if can_happen(instance, key):
            part = instance.part_of(subscription.key)
            occur(turn, instance, key, subscription.element, part, step.variables)


def trigger_event(turn: Turn, step: TriggerEvent) -> None:
    """Try again what an incident had stopped."""
    instance = turn.state.instances.get(step.instance_key)
    if instance is None or not can_happen(instance, step.key):
        return
    if step.part < 0:
        happen(turn, instance, step.key, step.element, step.variables)
    else:
        occur(turn, instance, step.key, step.element, step.part, step.variables)


def occur(
    turn: Turn, instance: ProcessInstance, key: int, element: int, part: int, variables: Variables
) -> None:
    """What `element` waits for occurs to an element instance: number `part` of its event definitions. It
    happens with that, or with the last of those that it takes together."""
    event = turn.executable_of(instance).elements[element]
    if isinstance(event, Catching) and gathers(event.trigger):
        gathered = _gather(turn, instance, key, event, part, variables)
        if gathered is None:
            return
        variables = gathered
    happen(turn, instance, key, element, variables)


def _gather(
    turn: Turn,
    instance: ProcessInstance,
    key: int,
    event: Catching,
    part: int,
    variables: Variables,
) -> Variables | None:
    """The variables of all that has occurred, if nothing is missing any more. Then it begins anew."""
    known = [each for each in instance.occurred.get(key, ()) if each.element == event.index]
    freed = occurred_size(each for each in known if each.part == part)
    too_large = oversize_held(instance, variables, freed=freed)
    if too_large is not None:
        incident = Incident(IncidentType.MESSAGE_SIZE_EXCEEDED, too_large)
        again = TriggerEvent(instance.key, key, event.index, variables, part)
        turn.raise_incident(instance, key, incident, again)
        return None
    turn.emit(EventPartOccurred(key, instance.key, event.index, part, variables))
    known = [each for each in instance.occurred[key] if each.element == event.index]
    if len(known) < len(parts_of(event.trigger)):
        return None
    turn.emit(EventPartsCleared(key, instance.key, event.index))
    if not isinstance(event, CatchEvent) and not event.interrupting:
        turn.schedule(AwaitMessages(instance.key, key, event.index))
    return {name: value for each in known for name, value in each.variables.items()}


def happen(turn: Turn, instance: ProcessInstance, key: int, element: int, variables: Variables) -> None:
    """`element` happens to an element instance that waits for it: it is at once as if that were done, so that
    what happens next finds it so."""
    record = instance.elements[key]
    process = turn.executable_of(instance)
    waiting, event = process.elements[record.element], process.elements[element]
    if isinstance(event, BoundaryEvent):
        _go_off(turn, instance, record, event, variables)
    elif isinstance(event, StartEvent):
        if _has_room(turn, instance, record, element, variables, key, local=False):
            start_event_sub_process(turn, instance, key, event, variables)
    elif isinstance(waiting, EventBasedGateway):
        _choose(turn, instance, record, element, variables)
    else:
        assert not isinstance(waiting, SequenceFlow), f"{record} is no element"
        local = bool(waiting.outputs)
        if _has_room(turn, instance, record, element, variables, key, local=local):
            merge = merge_local if local else merge_upwards
            merge(turn, instance, key, variables)
            complete(turn, CompleteElement(instance.key, key))


def start_event_sub_process(
    turn: Turn, instance: ProcessInstance, scope_key: int, start: StartEvent, variables: Variables
) -> None:
    """The event sub-process of a start event begins in its scope, beside what is active there or in place of
    it. In a scope that something has interrupted nothing more is triggered."""
    if scope_key in instance.interruptions:
        return
    if start.interrupting:
        interrupt_scope(turn, instance, scope_key, start.scope, variables)
    else:
        begin_event_sub_process(turn, instance, scope_key, start.scope, variables)


def _go_off(
    turn: Turn,
    instance: ProcessInstance,
    record: ElementInstance,
    boundary: BoundaryEvent,
    variables: Variables,
) -> None:
    if not _has_room(turn, instance, record, boundary.index, variables, record.scope_key, local=False):
        return
    if boundary.interrupting:
        turn.emit(BoundaryEventTriggered(record.key, instance.key, boundary.index, variables))
        turn.schedule(TerminateElement(instance.key, record.key))
    else:
        turn.schedule(ActivateElement(instance.key, record.scope_key, boundary.index, variables=variables))


def _choose(
    turn: Turn, instance: ProcessInstance, record: ElementInstance, event: int, variables: Variables
) -> None:
    """The gateway goes on to the event that has happened."""
    if _has_room(turn, instance, record, event, variables, record.scope_key, local=False):
        then = ActivateElement(instance.key, record.scope_key, event, variables=variables, happened=True)
        complete(turn, CompleteElement(instance.key, record.key), then=then)


def _has_room(
    turn: Turn,
    instance: ProcessInstance,
    record: ElementInstance,
    element: int,
    variables: Variables,
    scope_key: int,
    *,
    local: bool,
) -> bool:
    """Variables that an instance cannot take are an incident; what has happened waits behind it."""
    too_large = oversize(instance, scope_key, variables, local=local)
    if too_large is None:
        return True
    incident = Incident(IncidentType.MESSAGE_SIZE_EXCEEDED, too_large)
    again = TriggerEvent(instance.key, record.key, element, variables)
    turn.raise_incident(instance, record.key, incident, again)
    return False
