"""Complex gateways."""

from bpmnd.actors.exporters.describing.registry import describes
from bpmnd.actors.exporters.places import Places
from bpmnd.actors.exporters.values import Value
from bpmnd.bpmn.events import GatewayReset, GatewayStarted


@describes
def gateway_changed(event: GatewayStarted | GatewayReset, places: Places) -> Value:
    return places.at_element(event.instance_key, event.key, event.element)
