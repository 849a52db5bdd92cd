"""Messages, where they are published and buffered, and where the process instance is."""

from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.events.struct import EventStruct


class MessagePublished(EventStruct, frozen=True, gc=False, tag=38):
    """Buffered until `deadline`; with 0 it is over when everybody who waits now has it."""

    key: int
    tenant_id: str
    name: str
    correlation_key: str
    message_id: str
    deadline: int
    variables: Variables


class MessageExpired(EventStruct, frozen=True, gc=False, tag=39):
    key: int
    tenant_id: str
    name: str
    correlation_key: str


class MessageSubscriptionCreated(EventStruct, frozen=True, gc=False, tag=40):
    """An element instance waits for a message here. If it is of another partition, its place among those who
    wait is by `arrival`, else that is 0."""

    key: int
    instance_key: int
    element_instance_key: int
    process_id: str
    tenant_id: str
    name: str
    correlation_key: str
    interrupting: bool
    arrival: int


class MessageSubscriptionCorrelating(EventStruct, frozen=True, gc=False, tag=41):
    """A message is on its way to who waits, and counts as had by its process.

    Of the messages in the buffer those before `passed` are of no more use to the process (0: as before).
    """

    key: int
    instance_key: int
    element_instance_key: int
    process_id: str
    tenant_id: str
    name: str
    correlation_key: str
    message_key: int
    passed: int


class MessageSubscriptionCorrelated(EventStruct, frozen=True, gc=False, tag=42):
    """The message was taken. Who is not interrupted by it waits for the next one."""

    key: int
    instance_key: int
    element_instance_key: int
    process_id: str
    tenant_id: str
    name: str
    correlation_key: str
    message_key: int


class MessageSubscriptionRejected(EventStruct, frozen=True, gc=False, tag=43):
    """Nobody waited there any more: the message is again as if the process never had it."""

    key: int
    instance_key: int
    element_instance_key: int
    process_id: str
    tenant_id: str
    name: str
    correlation_key: str
    message_key: int


class MessageSubscriptionDeleted(EventStruct, frozen=True, gc=False, tag=44):
    key: int
    instance_key: int
    element_instance_key: int
    process_id: str
    tenant_id: str
    name: str
    correlation_key: str


class MessageStartEventSubscriptionCreated(EventStruct, frozen=True, gc=False, tag=45):
    key: int
    definition_key: int
    element: int
    tenant_id: str
    process_id: str
    name: str


class MessageStartEventSubscriptionDeleted(EventStruct, frozen=True, gc=False, tag=46):
    """There is a newer version of the process."""

    key: int


class MessageStartEventSubscriptionCorrelated(EventStruct, frozen=True, gc=False, tag=47):
    """A message has started the process instance `instance_key`. `passed` is as above."""

    key: int
    instance_key: int
    message_key: int
    correlation_key: str
    passed: int


class MessageCorrelating(EventStruct, frozen=True, gc=False, tag=48):
    """`request` waits until one of so many subscriptions has taken the message."""

    key: int
    request: int
    tenant_id: str
    name: str
    correlation_key: str
    waiting: int


class MessageCorrelated(EventStruct, frozen=True, gc=False, tag=49):
    """The request of the message is answered with the process instance that took it."""

    key: int
    instance_key: int


class MessageNotCorrelated(EventStruct, frozen=True, gc=False, tag=50):
    key: int


class ProcessMessageSubscriptionCreated(EventStruct, frozen=True, gc=False, tag=51):
    key: int
    instance_key: int
    element_instance_key: int
    element: int
    name: str
    correlation_key: str
    interrupting: bool


class ProcessMessageSubscriptionCorrelated(EventStruct, frozen=True, gc=False, tag=52):
    """The message is taken; an interrupting subscription is gone with it."""

    key: int
    instance_key: int
    message_key: int


class ProcessMessageSubscriptionDeleted(EventStruct, frozen=True, gc=False, tag=53):
    key: int
    instance_key: int
