"""Process instances and their elements."""

from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.events.struct import EventStruct


class ProcessInstanceCreated(EventStruct, frozen=True, gc=False, tag=9):
    """`request` is the request that waits for the result, or 0."""

    key: int
    definition_key: int
    tenant_id: str
    tags: tuple[str, ...]
    business_id: str | None
    terminate_after: tuple[int, ...]
    request: int
    fetch_variables: tuple[str, ...]


class ElementActivating(EventStruct, frozen=True, gc=False, tag=10):
    """Activation has begun and takes more than one step: input mappings, or an incident on the way.

    `flows` are the sequence flows whose tokens the activation takes.
    """

    key: int
    instance_key: int
    scope_key: int
    element: int
    flows: tuple[int, ...]


class ElementActivated(EventStruct, frozen=True, gc=False, tag=11):
    """Active. Without an `ElementActivating` before it, this is where the element instance begins."""

    key: int
    instance_key: int
    scope_key: int
    element: int
    flows: tuple[int, ...]


class ElementCompleting(EventStruct, frozen=True, gc=False, tag=12):
    """Completion has begun and could not be ended in one step."""

    key: int
    instance_key: int
    element: int


class ElementCompleted(EventStruct, frozen=True, gc=False, tag=13):
    key: int
    instance_key: int
    element: int


class ElementTerminating(EventStruct, frozen=True, gc=False, tag=14):
    key: int
    instance_key: int
    element: int


class ElementTerminated(EventStruct, frozen=True, gc=False, tag=15):
    key: int
    instance_key: int
    element: int


class SequenceFlowTaken(EventStruct, frozen=True, gc=False, tag=16):
    instance_key: int
    scope_key: int
    flow: int


class BoundaryEventTriggered(EventStruct, frozen=True, gc=False, tag=17):
    """`element_instance_key` is to be terminated; then `boundary_event` goes on with `variables`."""

    element_instance_key: int
    instance_key: int
    boundary_event: int
    variables: Variables


class ScopeInterrupted(EventStruct, frozen=True, gc=False, tag=80):
    """All that is active in a scope is to be terminated. Then the event sub-process `element` begins, with
    `variables` for its start event; or the scope completes, if `element` is an end event."""

    scope_key: int
    instance_key: int
    element: int
    variables: Variables


class ProcessInstanceCalled(EventStruct, frozen=True, gc=False, tag=90):
    """The call activity `element_instance_key` has started the process instance `key`. `depth` counts the
    instances from the root, which has 1, to that one."""

    key: int
    instance_key: int
    element_instance_key: int
    definition_key: int
    tenant_id: str
    root_key: int
    depth: int


class EscalationThrown(EventStruct, frozen=True, gc=False, tag=81):
    """`catch_event` is the id of the event that catches it, maybe in a calling process; or nothing."""

    element_instance_key: int
    instance_key: int
    element: int
    code: str
    catch_event: str
