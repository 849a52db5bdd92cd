"""The records that make up a process instance. Each is replaced, never changed in place (see journal.py),
except `ProcessInstance` itself, which holds the dictionaries."""

from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Final

import msgspec

from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.user_tasks import TaskAttributes


class Lifecycle(IntEnum):
    """Where an element instance stands. What has ended is gone."""

    ACTIVATING = 1
    ACTIVATED = 2
    COMPLETING = 3
    TERMINATING = 4


def size_of(variables: Variables) -> int:
    """What variables count towards the size of their instance, in bytes (names by their characters)."""
    return sum(map(len, variables)) + sum(map(len, variables.values()))


class JobState(IntEnum):
    ACTIVATABLE = 1
    ACTIVATED = 2
    FAILED = 3
    """Waits for the end of its back-off, or (without retries) behind an incident."""
    ERROR_THROWN = 4
    """Nobody caught its error: it waits behind an incident."""


ACTIVATING: Final = Lifecycle.ACTIVATING
ACTIVATED: Final = Lifecycle.ACTIVATED
COMPLETING: Final = Lifecycle.COMPLETING
TERMINATING: Final = Lifecycle.TERMINATING
JOB_ACTIVATABLE: Final = JobState.ACTIVATABLE
JOB_ACTIVATED: Final = JobState.ACTIVATED
# Where every command passes they go by these names: to read a member of an enum through its class takes nine
# times as long (Python 3.11).


class ListenerCall(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What the job of a listener is about. `then` are the encoded steps that it holds up."""

    event: str
    then: bytes


class ElementInstance(msgspec.Struct, frozen=True, gc=False, array_like=True):
    key: int
    element: int
    scope_key: int
    state: Lifecycle
    job_key: int = 0


class Job(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """`due` is the deadline of an activated job, or the end of the back-off of a failed one; 0 if neither."""

    key: int
    element_instance_key: int
    type: str
    retries: int
    state: JobState
    due: int = 0
    worker: str = ""
    listener: ListenerCall | None = None
    """What it listens to; None if it is the work of its element."""
    headers: tuple[tuple[str, str], ...] = ()
    """Those that are not in the model but were worked out when it was created."""


class Timer(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """`element` is what the timer triggers: the element of `element_instance_key`, or a boundary event on it.

    `repetitions` counts the firings still to come, this one included; -1 stands for no end.
    """

    key: int
    element_instance_key: int
    element: int
    due: int
    repetitions: int = 1
    cycle: str = ""


class MessageSubscription(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What an element instance waits for. `element` is what the message triggers: the element of
    `element_instance_key`, a boundary event on it, or an event behind it."""

    key: int
    element_instance_key: int
    element: int
    name: str
    correlation_key: str
    interrupting: bool
    opened_at: int = 0
    """The partition that was told, and is told all about it; 0: the first that had the slot."""


class SignalSubscription(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The same for a signal."""

    key: int
    element_instance_key: int
    element: int
    name: str


class IncidentRecord(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """`steps` is the encoded work to do again when the incident is resolved."""

    key: int
    element_instance_key: int
    job_key: int
    timer_key: int
    type: str
    message: str
    steps: bytes


class Trigger(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The boundary event that interrupts an element instance, once that has been terminated."""

    boundary_event: int
    variables: Variables


class Interruption(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What has interrupted a scope: everything else in it is to be terminated, and nothing else begins there.

    `element` is an event sub-process, which begins with `variables` when the rest has ended, or the end event
    that ended the scope.
    """

    element: int
    variables: Variables


class Parent(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The call activity that started a process instance, the root of them all, and how deep below it: that of
    a root is 1."""

    instance_key: int
    element_instance_key: int
    root_key: int
    depth: int


class Loop(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """How far a multi-instance body is. The items are JSON texts; `begun` of them have or had an instance."""

    items: tuple[bytes, ...]
    output_collection: str
    begun: int = 0
    completed: int = 0
    terminated: int = 0
    ended: bool = False
    """No other item begins."""


class TaskTransition(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A change of a user task that is under way: what it would be then. `event` is what listeners hear of it,
    such as COMPLETING; `request` waits for its end, or is 0."""

    event: str
    attributes: TaskAttributes
    action: str
    user: str
    request: int
    variables: Variables


class UserTask(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A user task of an element instance; without a `transition` it is there to be worked on."""

    key: int
    element_instance_key: int
    created_at: int
    attributes: TaskAttributes
    form_key: int
    external_form_reference: str
    transition: TaskTransition | None = None


class CompensationSubscription(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """An activity instance that has completed in a scope, and what undoes it: the handler of a boundary event
    (-1 if there is none). `throw_key` is the event that has it undone by `handler_key`, or 0."""

    key: int
    activity: int
    activity_key: int
    scope_key: int
    boundary_event: int
    throw_key: int = 0
    handler_key: int = 0
    variables: Variables = {}
    """Those it had, for the event sub-process in it that undoes it."""


class ConditionalSubscription(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What an element instance waits for: `element` happens to it when its condition holds."""

    key: int
    element_instance_key: int
    element: int


class Occurred(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Of an event with several definitions one that has occurred while others are still waited for, with its
    variables; or one that has been thrown."""

    element: int
    part: int
    variables: Variables


class AwaitedResult(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The request that waits for the end of the instance."""

    request: int
    fetch_variables: tuple[str, ...]


class ProcessInstance(msgspec.Struct, gc=False):
    """One running process instance with all that is active in it.

    `tokens` counts, for each scope, the sequence flows taken whose target is not activated yet: tokens that
    wait at a join, and those on their way. `children` counts the active element instances in each scope.
    """

    key: int
    definition_key: int
    tenant_id: str
    tags: tuple[str, ...]
    business_id: str | None
    started_at: int
    """Log time, epoch milliseconds."""
    size: int = 0
    """Bytes of all variables, names and values."""
    terminate_after: tuple[int, ...] = ()
    awaited: AwaitedResult | None = None
    elements: dict[int, ElementInstance] = {}
    children: dict[int, int] = {}
    tokens: dict[int, dict[int, int]] = {}
    variables: dict[int, Variables] = {}
    jobs: dict[int, Job] = {}
    timers: dict[int, Timer] = {}
    incidents: dict[int, IncidentRecord] = {}
    triggers: dict[int, Trigger] = {}
    correlation_key: str | None = None
    """That of the message which started it, if it has one: as long as it lives no other starts one."""
    subscriptions: dict[int, MessageSubscription] = {}
    signals: dict[int, SignalSubscription] = {}
    interruptions: dict[int, Interruption] = {}
    """By the scopes that were interrupted."""
    parent: Parent | None = None
    called: dict[int, int] = {}
    """Active call activity -> the process instance that it has started."""
    loops: dict[int, Loop] = {}
    """By the multi-instance bodies."""
    loop_indexes: dict[int, int] = {}
    """Element instance in a multi-instance body -> the index of its item."""
    loop_outputs: dict[int, dict[int, bytes]] = {}
    """Multi-instance body -> what came of its items so far, by their indexes."""
    user_tasks: dict[int, UserTask] = {}
    compensations: dict[int, CompensationSubscription] = {}
    conditions: dict[int, ConditionalSubscription] = {}
    occurred: dict[int, tuple[Occurred, ...]] = {}
    """By the element instances that wait for, or throw, the rest."""
    awaited_parts: dict[int, int] = {}
    """Of a timer or subscription the number of the event definition that it is for, if that is not the first
    of its event."""
    started_gateways: dict[int, tuple[int, ...]] = {}
    """Complex gateway that waits for its reset -> the flows whose tokens it has started with."""
    user_task_keys: dict[int, int] = {}
    """Element instance -> its user task. It stands in no row: the tasks tell."""

    @property
    def root_key(self) -> int:
        """The process instance that nobody called, at the top."""
        return self.key if self.parent is None else self.parent.root_key

    def collected(self, body_key: int) -> bytes:
        """What came of all items of a multi-instance body, as a list in JSON; null for what is to come. Of
        an ad-hoc sub-process what came so far."""
        outputs = self.loop_outputs.get(body_key, {})
        count = len(self.loops[body_key].items) or len(outputs)
        return b"[%b]" % b",".join([outputs.get(index, b"null") for index in range(count)])

    def owned_keys(self) -> Iterator[int]:
        """All keys under which this instance can be asked for, its own excepted."""
        for key in self.elements:
            if key != self.key:
                yield key
        yield from self.jobs
        yield from self.timers
        yield from self.incidents
        yield from self.user_tasks

    def children_in(self, scope_key: int) -> Iterator[ElementInstance]:
        return (child for child in self.elements.values() if child.scope_key == scope_key != child.key)

    def children_of(self, scope_key: int) -> list[ElementInstance]:
        return list(self.children_in(scope_key))

    def part_of(self, key: int) -> int:
        """Which definition of its event a timer or subscription is for."""
        return self.awaited_parts.get(key, 0)

    def thrown(self, element_instance_key: int) -> int:
        """How much of what it throws a multiple event has thrown."""
        element = self.elements[element_instance_key].element
        return sum(each.element == element for each in self.occurred.get(element_instance_key, ()))

    def incident_of(self, element_instance_key: int) -> IncidentRecord | None:
        for incident in self.incidents.values():
            if incident.element_instance_key == element_instance_key:
                return incident
        return None

    def user_task_of(self, element_instance_key: int) -> UserTask | None:
        key = self.user_task_keys.get(element_instance_key)
        return None if key is None else self.user_tasks[key]

    def timers_of(self, element_instance_key: int) -> list[Timer]:
        return [timer for timer in self.timers.values() if timer.element_instance_key == element_instance_key]


def occurred_size(occurred: Iterable[Occurred]) -> int:
    """What the variables of that which has occurred count towards the size of the instance, in bytes."""
    return sum(size_of(each.variables) for each in occurred)


def loop_size(instance: ProcessInstance, body_key: int) -> int:
    """What items and outputs of a multi-instance body count towards the size of the instance, in bytes."""
    outputs = instance.loop_outputs.get(body_key, {})
    return sum(map(len, instance.loops[body_key].items)) + sum(map(len, outputs.values()))


class _Row(msgspec.Struct, frozen=True, array_like=True):
    """What came later stands at the end and may be missing."""

    key: int
    definition_key: int
    tenant_id: str
    tags: tuple[str, ...]
    business_id: str | None
    started_at: int
    size: int
    terminate_after: tuple[int, ...]
    awaited: AwaitedResult | None
    elements: list[ElementInstance]
    children: list[tuple[int, int]]
    tokens: list[tuple[int, list[tuple[int, int]]]]
    variables: list[tuple[int, list[tuple[str, bytes]]]]
    jobs: list[Job]
    timers: list[Timer]
    incidents: list[IncidentRecord]
    triggers: list[tuple[int, Trigger]]
    correlation_key: str | None = None
    subscriptions: list[MessageSubscription] = []
    signals: list[SignalSubscription] = []
    interruptions: list[tuple[int, Interruption]] = []
    parent: Parent | None = None
    called: list[tuple[int, int]] = []
    loops: list[tuple[int, Loop]] = []
    loop_indexes: list[tuple[int, int]] = []
    loop_outputs: list[tuple[int, list[tuple[int, bytes]]]] = []
    user_tasks: list[UserTask] = []
    compensations: list[CompensationSubscription] = []
    conditions: list[ConditionalSubscription] = []
    occurred: list[tuple[int, list[tuple[int, int, list[tuple[str, bytes]]]]]] = []
    awaited_parts: list[tuple[int, int]] = []
    started_gateways: list[tuple[int, tuple[int, ...]]] = []


_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_decode = msgspec.msgpack.Decoder(_Row).decode


def encode_instance(instance: ProcessInstance) -> bytes:
    """Canonical bytes: equal instances encode equally, in whatever order their parts came about."""
    fields = (
        instance.key,
        instance.definition_key,
        instance.tenant_id,
        instance.tags,
        instance.business_id,
        instance.started_at,
        instance.size,
        instance.terminate_after,
        instance.awaited,
        [instance.elements[key] for key in sorted(instance.elements)],
        sorted(instance.children.items()),
        [(scope, sorted(flows.items())) for scope, flows in sorted(instance.tokens.items())],
        [(scope, sorted(values.items())) for scope, values in sorted(instance.variables.items())],
        [instance.jobs[key] for key in sorted(instance.jobs)],
        [instance.timers[key] for key in sorted(instance.timers)],
        [instance.incidents[key] for key in sorted(instance.incidents)],
        sorted(instance.triggers.items()),
    )
    later: tuple[object, ...] = (
        instance.correlation_key,
        [instance.subscriptions[key] for key in sorted(instance.subscriptions)],
        [instance.signals[key] for key in sorted(instance.signals)],
        sorted(instance.interruptions.items()),
        instance.parent,
        sorted(instance.called.items()),
        sorted(instance.loops.items()),
        sorted(instance.loop_indexes.items()),
        [(key, sorted(outputs.items())) for key, outputs in sorted(instance.loop_outputs.items())],
        [instance.user_tasks[key] for key in sorted(instance.user_tasks)],
        [instance.compensations[key] for key in sorted(instance.compensations)],
        [instance.conditions[key] for key in sorted(instance.conditions)],
        [
            (key, [(each.element, each.part, sorted(each.variables.items())) for each in occurred])
            for key, occurred in sorted(instance.occurred.items())
        ],
        sorted(instance.awaited_parts.items()),
        sorted(instance.started_gateways.items()),
    )
    while later and later[-1] in (None, []):
        later = later[:-1]
    return _encode(fields + later)


def decode_instance(row: bytes) -> ProcessInstance:
    fields = _decode(row)
    return ProcessInstance(
        fields.key,
        fields.definition_key,
        fields.tenant_id,
        fields.tags,
        fields.business_id,
        fields.started_at,
        fields.size,
        fields.terminate_after,
        fields.awaited,
        {element.key: element for element in fields.elements},
        dict(fields.children),
        {scope: dict(flows) for scope, flows in fields.tokens},
        {scope: dict(values) for scope, values in fields.variables},
        {job.key: job for job in fields.jobs},
        {timer.key: timer for timer in fields.timers},
        {incident.key: incident for incident in fields.incidents},
        dict(fields.triggers),
        fields.correlation_key,
        {subscription.key: subscription for subscription in fields.subscriptions},
        {subscription.key: subscription for subscription in fields.signals},
        dict(fields.interruptions),
        fields.parent,
        dict(fields.called),
        dict(fields.loops),
        dict(fields.loop_indexes),
        {key: dict(outputs) for key, outputs in fields.loop_outputs},
        {task.key: task for task in fields.user_tasks},
        {subscription.key: subscription for subscription in fields.compensations},
        {subscription.key: subscription for subscription in fields.conditions},
        {
            key: tuple(Occurred(element, part, dict(values)) for element, part, values in occurred)
            for key, occurred in fields.occurred
        },
        dict(fields.awaited_parts),
        dict(fields.started_gateways),
        {task.element_instance_key: task.key for task in fields.user_tasks},
    )
