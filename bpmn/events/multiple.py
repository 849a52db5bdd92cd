"""Events of BPMN events with several event definitions."""

from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.events.struct import EventStruct


class EventPartAwaited(EventStruct, frozen=True, gc=False, tag=170):
    """The timer or subscription `key` is for the event definition number `part` of its event, from 0 on;
    without this it is for the first."""

    key: int
    instance_key: int
    part: int


class EventPartOccurred(EventStruct, frozen=True, gc=False, tag=171):
    """Of what `element` waits for, or throws, one has occurred or is thrown: number `part`."""

    element_instance_key: int
    instance_key: int
    element: int
    part: int
    variables: Variables


class StartPartOccurred(EventStruct, frozen=True, gc=False, tag=174):
    """Of all that a start event waits for one has occurred. It takes the place of one that has before."""

    key: int
    definition_key: int
    element: int
    part: int
    variables: Variables


class StartPartsCleared(EventStruct, frozen=True, gc=False, tag=175):
    """What has occurred has started an instance, or the process is not started by it any longer."""

    definition_key: int
    element: int


class MessageStartPartCorrelated(EventStruct, frozen=True, gc=False, tag=176):
    """A message is one of all that the start event of a subscription waits for; they are gathered apart."""

    key: int
    message_key: int
    correlation_key: str
    passed: int


class EventPartsCleared(EventStruct, frozen=True, gc=False, tag=172):
    """What has occurred of an event counts no more: it has happened, or is not waited for any longer."""

    element_instance_key: int
    instance_key: int
    element: int
