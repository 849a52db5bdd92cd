"""What process instances wait for: messages and signals."""

from bpmnd.actors.exporters.describing.registry import describes
from bpmnd.actors.exporters.places import Places
from bpmnd.actors.exporters.values import Value
from bpmnd.bpmn.events import (
    ProcessMessageSubscriptionCorrelated,
    ProcessMessageSubscriptionCreated,
    ProcessMessageSubscriptionDeleted,
    SignalSubscriptionCreated,
    SignalSubscriptionDeleted,
)


@describes
def subscription_changed(
    event: ProcessMessageSubscriptionCreated
    | ProcessMessageSubscriptionCorrelated
    | ProcessMessageSubscriptionDeleted
    | SignalSubscriptionCreated
    | SignalSubscriptionDeleted,
    places: Places,
) -> Value:
    instance = places.instance(event.instance_key)
    known = instance.subscriptions.get(event.key) if instance is not None else None
    if isinstance(event, ProcessMessageSubscriptionCreated | SignalSubscriptionCreated):
        known = event
    if known is None:
        return places.in_instance(event.instance_key)
    value = places.at_element(event.instance_key, known.element_instance_key, known.element)
    if isinstance(known, SignalSubscriptionCreated):
        return {**value, "signalName": known.name}
    value |= {"messageName": known.name, "correlationKey": known.correlation_key}
    if isinstance(event, ProcessMessageSubscriptionCorrelated):
        value["messageKey"] = str(event.message_key)
    return {**value, "interrupting": known.interrupting}
