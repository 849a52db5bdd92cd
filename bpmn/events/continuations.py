"""Work left over."""

from bpmnd.bpmn.events.struct import EventStruct


class ContinuationCreated(EventStruct, frozen=True, gc=False, tag=36):
    """The turn's budget ended before its work, or it is for a turn of its own; `steps` is what is left.

    With `instance_key` 0 it is work of the partition, not of a process instance.
    """

    key: int
    instance_key: int
    steps: bytes
    passes: int


class ContinuationRemoved(EventStruct, frozen=True, gc=False, tag=37):
    key: int
