"""Events of samples, by which replicas are compared."""

from bpmnd.bpmn.events.struct import EventStruct


class StateSampled(EventStruct, frozen=True, gc=False, tag=210):
    """Here every replica looks at these rows of its state, to compare them with the others'.

    It changes nothing, and is the last event of its frame.
    """

    rows: tuple[bytes, ...]
