"""What all events are made of."""

import msgspec


class EventStruct(
    msgspec.Struct, frozen=True, gc=False, array_like=True, tag_field="event", forbid_unknown_fields=True
):
    """The tag of an event is its code in the log. A code is never given twice, and the fields of a released
    code never change: a change is a new code with a new struct."""
