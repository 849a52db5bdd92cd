"""Where a command comes from, as far as its frame is to tell."""

from bpmnd.bpmn.commands import NO_ORIGIN, Origin


def origin_of(operation_reference: int | None) -> Origin:
    """`operation_reference` was checked before."""
    return NO_ORIGIN if operation_reference is None else Origin(operation_reference)
