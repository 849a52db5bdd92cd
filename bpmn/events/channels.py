"""Channels between partitions."""

from bpmnd.bpmn.events.struct import EventStruct


class ChannelMessageSent(EventStruct, frozen=True, gc=False, tag=6):
    receiver: int
    number: int
    payload: bytes


class ChannelMessageReceived(EventStruct, frozen=True, gc=False, tag=7):
    sender: int
    number: int


class ChannelMessageAcknowledged(EventStruct, frozen=True, gc=False, tag=8):
    """The receiver has applied all messages up to `number`."""

    receiver: int
    number: int
