"""The executable graph: what a deployed BPMN process looks like to the engine.

Here stand the elements that others must know of; the rest are defined where they are read and run, in
`bpmn/elements/`.

A process is a flat tuple of elements; everything refers to everything else by its index in that
tuple. The index of an element is given once, at deployment, and stays: events and state carry it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from bpmnd.bpmn.feel import Expression


class ElementType(StrEnum):
    """BPMN element types by the names of the REST API and of Zeebe's records."""

    PROCESS = "PROCESS"
    MULTI_INSTANCE_BODY = "MULTI_INSTANCE_BODY"
    AD_HOC_SUB_PROCESS = "AD_HOC_SUB_PROCESS"
    AD_HOC_SUB_PROCESS_INNER_INSTANCE = "AD_HOC_SUB_PROCESS_INNER_INSTANCE"
    SUB_PROCESS = "SUB_PROCESS"
    EVENT_SUB_PROCESS = "EVENT_SUB_PROCESS"
    START_EVENT = "START_EVENT"
    END_EVENT = "END_EVENT"
    INTERMEDIATE_CATCH_EVENT = "INTERMEDIATE_CATCH_EVENT"
    INTERMEDIATE_THROW_EVENT = "INTERMEDIATE_THROW_EVENT"
    BOUNDARY_EVENT = "BOUNDARY_EVENT"
    USER_TASK = "USER_TASK"
    SERVICE_TASK = "SERVICE_TASK"
    SEND_TASK = "SEND_TASK"
    RECEIVE_TASK = "RECEIVE_TASK"
    SCRIPT_TASK = "SCRIPT_TASK"
    BUSINESS_RULE_TASK = "BUSINESS_RULE_TASK"
    TASK = "TASK"
    MANUAL_TASK = "MANUAL_TASK"
    EXCLUSIVE_GATEWAY = "EXCLUSIVE_GATEWAY"
    PARALLEL_GATEWAY = "PARALLEL_GATEWAY"
    INCLUSIVE_GATEWAY = "INCLUSIVE_GATEWAY"
    EVENT_BASED_GATEWAY = "EVENT_BASED_GATEWAY"
    COMPLEX_GATEWAY = "UNKNOWN"
    """There is none in the API."""
    CALL_ACTIVITY = "CALL_ACTIVITY"
    SEQUENCE_FLOW = "SEQUENCE_FLOW"


@dataclass(frozen=True, slots=True)
class BrokenExpression:
    """A stored expression that this build cannot compile: an incident when it is evaluated."""

    text: str
    problem: str


Evaluable: TypeAlias = Expression | BrokenExpression
"""A FEEL expression of the model (written with a leading '=')."""

Text: TypeAlias = str | Evaluable
"""An attribute that is either meant literally or computed when it is needed."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """One input or output of an `ioMapping`: the value of `source` goes to the variable path `target`."""

    source: Text
    target: tuple[str, ...]


Names: TypeAlias = tuple[str, ...] | Evaluable
"""A list of names, written down or computed."""


class BindingType(StrEnum):
    """Which version of something else an element means."""

    LATEST = "latest"
    DEPLOYMENT = "deployment"
    VERSION_TAG = "versionTag"


@dataclass(frozen=True, slots=True)
class FormReference:
    """A form that is deployed, by its id and the version that the binding says."""

    form_id: Text
    binding: BindingType
    version_tag: str


@dataclass(frozen=True, slots=True)
class LinkedResource:
    """A plain file that a job worker is told of, in the version that the binding says."""

    resource_id: Text
    binding: BindingType
    version_tag: str
    resource_type: str
    link_name: str


@dataclass(frozen=True, slots=True)
class JobDefinition:
    """What becomes of a task that is worked by job workers."""

    type: Text
    retries: Text
    headers: tuple[tuple[str, str], ...]
    linked: tuple[LinkedResource, ...] = ()


class ListenerEvent(StrEnum):
    """What a listener listens for, by the names of the REST API: the first two are of the execution of an
    element, the others of the life of a user task."""

    START = "START"
    END = "END"
    CREATING = "CREATING"
    ASSIGNING = "ASSIGNING"
    UPDATING = "UPDATING"
    COMPLETING = "COMPLETING"
    CANCELING = "CANCELING"


@dataclass(frozen=True, slots=True)
class Listener:
    """A job that is worked before an element, or a user task, goes on."""

    event: ListenerEvent
    type: Text
    retries: Text


class TimerKind(StrEnum):
    """The three timer definitions of BPMN 2.0, §10.5.5.1."""

    DATE = "timeDate"
    DURATION = "timeDuration"
    CYCLE = "timeCycle"


@dataclass(frozen=True, slots=True)
class EventDefinition:
    """What an event waits for, or throws (BPMN 2.0, §10.5.5). Each kind of it has a class of its own."""


@dataclass(frozen=True, slots=True)
class TimerDefinition(EventDefinition):
    kind: TimerKind
    value: Text


@dataclass(frozen=True, slots=True)
class ErrorDefinition(EventDefinition):
    """An error to catch or to throw. A catching event without a code catches every error."""

    code: Text | None


@dataclass(frozen=True, slots=True)
class EscalationDefinition(EventDefinition):
    """An escalation to catch or to throw. A catching event without a code catches every escalation."""

    code: Text | None


@dataclass(frozen=True, slots=True)
class TerminateDefinition(EventDefinition):
    """Ends the scope of an end event."""


@dataclass(frozen=True, slots=True)
class CancelDefinition(EventDefinition):
    """Cancels a transaction, or catches that it was."""


@dataclass(frozen=True, slots=True)
class LinkDefinition(EventDefinition):
    """A link to the catch event `target` of the same scope; at that event itself there is none."""

    name: str
    target: int


@dataclass(frozen=True, slots=True)
class CompensationDefinition(EventDefinition):
    """At a boundary event its handler; at an event that throws the activity to compensate, or -1 for all that
    is in the scope, and whether the event waits for the handlers."""

    target_id: str
    target: int
    waits: bool = True


@dataclass(frozen=True, slots=True)
class ConditionalDefinition(EventDefinition):
    """A condition to wait for: the variables that it reads, and whether it is looked at again when they are
    created, and when they are updated."""

    condition: Evaluable
    names: frozenset[str] = frozenset()
    on_create: bool = True
    on_update: bool = True


@dataclass(frozen=True, slots=True)
class MessageDefinition(EventDefinition):
    """A message to catch. That of a start event has no correlation key: whatever comes, starts."""

    name: Text
    correlation_key: Evaluable | None = None


@dataclass(frozen=True, slots=True)
class SignalDefinition(EventDefinition):
    """A signal to catch or to throw."""

    name: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """What all elements have: identity, place in the tree, flows and variable mappings."""

    index: int
    id: str
    name: str | None
    element_type: ElementType
    scope: int
    """Index of the enclosing sub-process or process; the process is its own scope."""
    incoming: tuple[int, ...] = ()
    outgoing: tuple[int, ...] = ()
    """In the order in which they are tried and taken: Zeebe's, from the last in the document to the first."""
    inputs: tuple[Mapping, ...] = ()
    outputs: tuple[Mapping, ...] = ()
    """Inputs and outputs are left out where they have no effect, as at gateways."""
    chooses: bool = False
    """Whether it is an activity with conditions on its outgoing flows: it takes those that hold."""
    default_flow: int | None = None
    """What such an activity takes if none of them does."""
    boundary_events: tuple[int, ...] = ()
    """Also from the last in the document to the first."""
    event_starts: tuple[int, ...] = ()
    """The start events of the event sub-processes in it, likewise."""
    start_listeners: tuple[Listener, ...] = ()
    end_listeners: tuple[Listener, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceFlow:
    """A flow is no element that lives, but it has an index and an id like one."""

    index: int
    id: str
    scope: int
    source: int
    target: int
    condition: Evaluable | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Process(Element):
    """The root: element 0 of its own tuple."""

    start_event: int | None
    """The none start event; a process without one cannot be created by a command."""
    triggered_starts: tuple[int, ...] = ()
    """The start events that something triggers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubProcess(Element):
    """An embedded sub-process: activated through its none start event."""

    start_event: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallActivity(Element):
    """Calls the process `process_id`, in the version that the binding says."""

    process_id: Text
    binding: BindingType
    version_tag: str
    """Empty unless the binding is that to a version tag."""
    propagates_all_parent: bool
    """Whether the called process starts with all variables seen here, or with those of the inputs only."""
    propagates_all_child: bool
    """Whether all variables of the called process come back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSubProcess(Element):
    """A sub-process that what triggers its start event activates, in the scope that it stands in."""

    start_event: int


@dataclass(frozen=True, slots=True)
class MultiInstance:
    """How often an activity runs, and what goes into and out of it each time (BPMN 2.0, §10.3.8): once for
    each item of a collection, or so many times as the cardinality says."""

    sequential: bool
    input_collection: Evaluable | None
    cardinality: Text | None
    """Only without a collection."""
    input_element: str
    """The variable that has the item; empty if there is none."""
    output_collection: str
    output_element: Evaluable | None
    output_variable: str
    """The variable that the output element is, or an entry of, if it is. Each instance has its own, so that
    they do not overwrite each other's."""
    completion_condition: Text | None


@dataclass(frozen=True, slots=True)
class StandardLoop:
    """An activity that runs again and again, as long as a condition holds (BPMN 2.0, §13.3.6)."""

    test_before: bool
    """Whether the condition is asked before each time, not after it."""
    maximum: int | None
    """How often it runs at most."""
    condition: Evaluable | None
    """At least one of `maximum` and `condition` is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopBody(Element):
    """What stands for an activity among others when it runs more than once: its instances are in it, as in a
    scope.

    It has the id of the activity, its flows and its boundary events; `inner` is the activity itself, which
    has its mappings and what is in it.
    """

    inner: int
    loop: MultiInstance | StandardLoop

    @property
    def one_by_one(self) -> bool:
        return isinstance(self.loop, StandardLoop) or self.loop.sequential


@dataclass(frozen=True, slots=True, kw_only=True)
class AdHocSubProcess(Element):
    """A sub-process whose elements are begun one by one, in any order, each in an instance of `inner`."""

    inner: int = -1
    active_elements: Evaluable | None
    """The ids of those that begin at once."""
    output_collection: str
    output_element: Evaluable | None
    completion_condition: Text | None
    cancels_remaining: bool
    """Whether what is active is terminated when the completion condition holds."""
    job: JobDefinition | None = None
    """With a job its worker decides what begins, and when it is done."""
    described: bytes = b"[]"
    """What can begin, for that worker: a list in JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdHocInner(Element):
    """The scope of one element begun in an ad-hoc sub-process, and of those behind it. It has an id that no
    element of a model can have."""


INNER_INSTANCE: Final = "#innerInstance"
"""Behind the id of an ad-hoc sub-process: the id of what is around each element begun in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartEvent(Element):
    """A none start event, or one that `trigger` starts a process or an event sub-process at. The latter may
    interrupt what else is in its scope."""

    trigger: EventDefinition | None = None
    interrupting: bool = True
    form: FormReference | None = None
    """The form that whoever starts the process may be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatchEvent(Element):
    """An intermediate catch event."""

    trigger: EventDefinition


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveTask(CatchEvent):
    """A catch event of a message that is an activity: it can have boundary events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundaryEvent(Element):
    attached_to: int
    interrupting: bool
    trigger: EventDefinition


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrowEvent(Element):
    """An intermediate throw event or an end event; one that `throws` nothing is a none event."""

    throws: EventDefinition | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTask(Element):
    """Everything whose work is done by job workers: service, send, script and business rule tasks with a job
    type, and the throw and end events of messages. Which of them it is changes nothing else."""

    job: JobDefinition


@dataclass(frozen=True, slots=True)
class TaskDefinition:
    """Who is to do a user task, when and with which form; what is not said is None."""

    assignee: Text | None = None
    candidate_groups: Names | None = None
    candidate_users: Names | None = None
    due_date: Text | None = None
    follow_up_date: Text | None = None
    priority: int | Evaluable | None = None
    form: FormReference | None = None
    other_form: Text | None = None
    """A reference to a form of somebody else's."""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UserTask(Element):
    """Work for people that the engine manages."""

    definition: TaskDefinition
    listeners: tuple[Listener, ...] = ()
    """Those of the life of the task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkedUserTask(ServiceTask):
    """Work for people as a job for whoever manages it."""

    definition: TaskDefinition


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBasedGateway(Element):
    """Waits for whichever of the catch events behind it happens first."""


@dataclass(frozen=True, slots=True)
class ExecutableProcess:
    """One executable process of a resource. `elements[i].index == i`; `elements[0]` is the `Process`."""

    id: str
    version_tag: str | None
    elements: tuple[Element | SequenceFlow, ...]
    joins: tuple[int, ...] = ()
    """Gateways that wait for the tokens which can still come to them."""

    @property
    def root(self) -> Process:
        root = self.elements[0]
        assert isinstance(root, Process), f"element 0 of {self.id} is {root}"
        return root

    def element(self, index: int) -> Element:
        """The element of the index, which is not that of a flow."""
        element = self.elements[index]
        assert not isinstance(element, SequenceFlow), f"{element} is no element"
        return element

    def by_id(self) -> dict[str, "Element | SequenceFlow"]:
        """Element id -> element; of those with many instances the body, which stands for them."""
        return {element.id: element for element in reversed(self.elements)}

    def element_ids(self) -> tuple[str, ...]:
        """The table index -> element id that the deployment's event carries."""
        return tuple(element.id for element in self.elements)


def bodies_in(element_ids: Sequence[str]) -> frozenset[int]:
    """By the table of a deployment, the indexes of what stands for an activity that runs more than once: its
    id is there again for the activity itself."""
    first: dict[str, int] = {}
    return frozenset(
        first[element_id]
        for index, element_id in enumerate(element_ids)
        if first.setdefault(element_id, index) != index
    )


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a resource: where (element id, if any; line of the file) and why."""

    element_id: str | None
    line: int | None
    reason: str

    def __str__(self) -> str:
        place = f"element '{self.element_id}'" if self.element_id else "document"
        line = f" (line {self.line})" if self.line else ""
        return f"{place}{line}: {self.reason}"
