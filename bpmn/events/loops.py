"""Bodies of loops, and what their rounds gave."""

from bpmnd.bpmn.events.struct import EventStruct


class LoopStarted(EventStruct, frozen=True, gc=False, tag=91):
    """The multi-instance body `key` runs its activity once for each of the items (JSON texts), and collects
    what comes of it for the variable `output_collection`, if that is named."""

    key: int
    instance_key: int
    element: int
    output_collection: str
    items: tuple[bytes, ...]


class LoopOutputCollected(EventStruct, frozen=True, gc=False, tag=92):
    """What came of the item at `index`, as JSON text."""

    key: int
    instance_key: int
    index: int
    value: bytes


class LoopEnded(EventStruct, frozen=True, gc=False, tag=93):
    """The completion condition holds: no other item begins, and what is active is to be terminated."""

    key: int
    instance_key: int
