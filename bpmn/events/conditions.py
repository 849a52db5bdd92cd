"""Subscriptions that wait for a condition."""

from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.events.struct import EventStruct


class ConditionalSubscriptionCreated(EventStruct, frozen=True, gc=False, tag=89):
    """`element` happens to the element instance when its condition holds."""

    key: int
    instance_key: int
    element_instance_key: int
    element: int


class ConditionalSubscriptionTriggered(EventStruct, frozen=True, gc=False, tag=140):
    """The condition holds. What does not interrupt goes on to wait."""

    key: int
    instance_key: int


class ConditionalSubscriptionDeleted(EventStruct, frozen=True, gc=False, tag=141):
    key: int
    instance_key: int


class ConditionalStartSubscriptionCreated(EventStruct, frozen=True, gc=False, tag=142):
    """A start event of the latest version of a process waits for its condition; it has no name."""

    key: int
    definition_key: int
    element: int
    tenant_id: str
    process_id: str
    name: str


class ConditionalStartSubscriptionDeleted(EventStruct, frozen=True, gc=False, tag=143):
    key: int


class ConditionalEvaluated(EventStruct, frozen=True, gc=False, tag=144):
    """Conditional start events were evaluated: of a definition, or of all (0)."""

    key: int
    definition_key: int
    tenant_id: str
    variables: Variables
