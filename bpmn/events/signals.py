"""Signals."""

from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.events.struct import EventStruct


class SignalBroadcasted(EventStruct, frozen=True, gc=False, tag=54):
    """The signal has reached this partition."""

    key: int
    tenant_id: str
    name: str
    variables: Variables


class SignalSubscriptionCreated(EventStruct, frozen=True, gc=False, tag=55):
    key: int
    instance_key: int
    element_instance_key: int
    element: int
    name: str


class SignalSubscriptionDeleted(EventStruct, frozen=True, gc=False, tag=56):
    key: int
    instance_key: int


class SignalStartEventSubscriptionCreated(EventStruct, frozen=True, gc=False, tag=57):
    key: int
    definition_key: int
    element: int
    tenant_id: str
    process_id: str
    name: str


class SignalStartEventSubscriptionDeleted(EventStruct, frozen=True, gc=False, tag=58):
    key: int
