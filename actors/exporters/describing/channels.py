"""Messages between partitions: of what they carry only the size."""

from bpmnd.actors.exporters.describing.registry import describes
from bpmnd.actors.exporters.places import Places
from bpmnd.actors.exporters.values import Value
from bpmnd.bpmn.events import ChannelMessageAcknowledged, ChannelMessageReceived, ChannelMessageSent


@describes
def channel_message_sent(event: ChannelMessageSent, places: Places) -> Value:
    return {"receiver": event.receiver, "number": event.number, "size": len(event.payload)}


@describes
def channel_message_received(event: ChannelMessageReceived, places: Places) -> Value:
    return {"sender": event.sender, "number": event.number}


@describes
def channel_message_acknowledged(event: ChannelMessageAcknowledged, places: Places) -> Value:
    return {"receiver": event.receiver, "number": event.number}
