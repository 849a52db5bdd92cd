"""Appliers of the ordered channels between partitions (numbered outbox and inbox)."""

from bpmnd.bpmn.appliers.registry import applies
from bpmnd.bpmn.events import ChannelMessageAcknowledged, ChannelMessageReceived, ChannelMessageSent
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.deployed import Inbox


@applies(ChannelMessageSent)
def channel_message_sent(state: State, event: ChannelMessageSent) -> None:
    channel = state.outbox.get(event.receiver)
    last_number = channel.last_number if channel else 0
    assert event.number == last_number + 1, f"{event} after number {last_number}"
    state.outbox.add(event.receiver, event.payload, state.journal)


@applies(ChannelMessageAcknowledged)
def channel_message_acknowledged(state: State, event: ChannelMessageAcknowledged) -> None:
    state.outbox.acknowledge(event.receiver, event.number, state.journal)


@applies(ChannelMessageReceived)
def channel_message_received(state: State, event: ChannelMessageReceived) -> None:
    before = state.inbox.get(event.sender)
    last_number = before.last_number if before else 0
    assert event.number == last_number + 1, f"{event} after number {last_number}"
    state.inbox.put(event.sender, Inbox(event.number), state.journal)
