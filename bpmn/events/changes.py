"""Changes by hand: modification and migration."""

from bpmnd.bpmn.events.struct import EventStruct


class ProcessInstanceModified(EventStruct, frozen=True, gc=False, tag=160):
    """What was asked for: element instances to be activated (key, element), and to be terminated (key)."""

    instance_key: int
    activated: tuple[tuple[int, int], ...]
    terminated: tuple[int, ...]


class ProcessInstanceMigrated(EventStruct, frozen=True, gc=False, tag=161):
    """From here on the instance goes by another definition.

    `elements` are pairs of indexes, the old and the new, of everything that the instance still refers to.
    `steps` are pairs of key and encoded steps: what waits behind that incident, or for the listener of that
    job, as it is now. `interrupting` are pairs of subscription and whether its message interrupts. Of both
    only what has changed.
    """

    instance_key: int
    definition_key: int
    elements: tuple[tuple[int, int], ...]
    steps: tuple[tuple[int, bytes], ...]
    interrupting: tuple[tuple[int, bool], ...]


class ScopeReopened(EventStruct, frozen=True, gc=False, tag=163):
    """Something begins by hand in a scope that an event sub-process had interrupted, or in a transaction that
    is cancelled handlers do."""

    scope_key: int
    instance_key: int


class MessageSubscriptionMigrated(EventStruct, frozen=True, gc=False, tag=162):
    """Who waits is an instance of another process now, or is interrupted otherwise than before."""

    key: int
    instance_key: int
    element_instance_key: int
    process_id: str
    new_process_id: str
    tenant_id: str
    name: str
    correlation_key: str
    interrupting: bool
