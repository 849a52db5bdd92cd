"""Subscriptions that wait for a compensation."""

from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.events.struct import EventStruct


class CompensationSubscriptionCreated(EventStruct, frozen=True, gc=False, tag=85):
    """The activity instance `activity_key` has completed in `scope_key` and can be undone: by the handler of
    its `boundary_event`, if that is not -1, and by those of what was inside."""

    key: int
    instance_key: int
    activity: int
    activity_key: int
    scope_key: int
    boundary_event: int


class CompensationVariablesKept(EventStruct, frozen=True, gc=False, tag=173):
    """What an event sub-process of its own undoes leaves its variables for that, in the subscription."""

    key: int
    instance_key: int
    variables: Variables


class CompensationSubscriptionTriggered(EventStruct, frozen=True, gc=False, tag=86):
    """It is undone, as the throw event `throw_key` wants it, by the handler `handler_key` (0: there is no
    such)."""

    key: int
    instance_key: int
    throw_key: int
    handler_key: int


class CompensationSubscriptionCompleted(EventStruct, frozen=True, gc=False, tag=87):
    key: int
    instance_key: int


class CompensationSubscriptionDeleted(EventStruct, frozen=True, gc=False, tag=88):
    """It will not be undone any more."""

    key: int
    instance_key: int
