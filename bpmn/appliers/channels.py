"""Appliers of the ordered channels between partitions (numbered outbox and inbox)."""

from bpmnd.bpmn.appliers.registry import applies
from bpmnd.bpmn.events import ChannelMessageAcknowledged, ChannelMessageReceived, ChannelMessageSent
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.deployed import Inbox, Outgoing

_EMPTY = Outgoing(0, ())


@applies(ChannelMessageSent)
def channel_message_sent(state: State, event: ChannelMessageSent) -> None:
    channel = state.outbox.get(event.receiver) or _EMPTY
    assert event.number == channel.last_number + 1, f"{event} after number {channel.last_number}"
    longer = Outgoing(event.number, (*channel.messages, (event.number, event.payload)))
    state.outbox.put(event.receiver, longer, state.journal)


@applies(ChannelMessageAcknowledged)
def channel_message_acknowledged(state: State, event: ChannelMessageAcknowledged) -> None:
    channel = state.outbox.items[event.receiver]
    rest = tuple(message for message in channel.messages if message[0] > event.number)
    state.outbox.put(event.receiver, Outgoing(channel.last_number, rest), state.journal)


@applies(ChannelMessageReceived)
def channel_message_received(state: State, event: ChannelMessageReceived) -> None:
    before = state.inbox.get(event.sender)
    last_number = before.last_number if before else 0
    assert event.number == last_number + 1, f"{event} after number {last_number}"
    state.inbox.put(event.sender, Inbox(event.number), state.journal)
