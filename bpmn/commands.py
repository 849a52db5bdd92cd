"""Commands: what clients and the engine's own clock and channels ask of a partition.

Variables travel as `Variables`: a mapping from name to the JSON text of the value. Nobody parses the
text before an expression needs it.
"""

from enum import StrEnum
from typing import TypeAlias

import msgspec

from bpmnd.bpmn.user_tasks import GlobalListener, TaskChanges

Variables: TypeAlias = dict[str, bytes]
"""Variable name -> JSON text of its value (UTF-8, compact or not, but valid)."""

DEFAULT_TENANT = "<default>"


class _Command(msgspec.Struct, frozen=True, gc=False, array_like=True, tag_field="command", tag=True):
    """Between nodes a command travels as an array that begins with its name."""


class Origin(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What the log tells of the request behind a command, beside what came of it."""

    operation_reference: int = 0
    """A number of the client's own making, positive; 0 for none."""
    user: str = ""
    """Who asks, by name; empty if that is not known."""


NO_ORIGIN = Origin()


class Attributed(_Command, frozen=True, gc=False, kw_only=True):
    """A command whose frame tells where it came from. It is for what people and their tools do, not for the
    traffic of workers."""

    origin: Origin = NO_ORIGIN


class Resource(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One file of a deployment; the extension of its name decides the kind."""

    name: str
    content: bytes


class Deploy(Attributed, frozen=True, gc=False):
    """Deploy all resources or none. Answered once every partition has them."""

    resources: tuple[Resource, ...]
    tenant_id: str = DEFAULT_TENANT


class CreateProcessInstance(Attributed, frozen=True, gc=False):
    """Start an instance, by definition key, or by process id and version (-1: the latest)."""

    process_id: str = ""
    version: int = -1
    definition_key: int = 0
    variables: Variables = {}
    tenant_id: str = DEFAULT_TENANT
    tags: tuple[str, ...] = ()
    business_id: str | None = None
    start_elements: tuple[str, ...] = ()
    """Element ids to start at instead of the none start event."""
    terminate_after: tuple[str, ...] = ()
    """Element ids; the instance is terminated once one of them has ended."""
    await_result: bool = False
    fetch_variables: tuple[str, ...] = ()
    """Names to answer with when `await_result`; none means all of the root scope."""


class CancelProcessInstance(Attributed, frozen=True, gc=False):
    """Terminate a root process instance with all that is active in it."""

    key: int


class VariableInstruction(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Variables for the scope of the element with that id; an empty id stands for the process instance."""

    scope_id: str
    variables: Variables


class ActivateInstruction(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Activate an element. `ancestor_key` is the element instance in which that is to be done, or 0: then it
    is the one instance there is of each scope around the element, or a new one."""

    element_id: str
    variables: tuple[VariableInstruction, ...] = ()
    ancestor_key: int = 0


class TerminateInstruction(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Terminate the element instance `key`; with 0 all those of the element."""

    key: int = 0
    element_id: str = ""


class AncestorOf(StrEnum):
    """Where a moved element instance comes to stand."""

    NAMED = "named"
    """In the element instance `ancestor_key`, or as without a move if that is 0."""
    FOUND = "found"
    """In the innermost element instance around the source that is a scope of the target."""
    SOURCE = "source"
    """In the scope of the source."""


class MoveInstruction(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Terminate the element instance `source_key`, or with 0 all those of the element `source_id`, and
    activate the target once for each."""

    target_id: str
    source_key: int = 0
    source_id: str = ""
    ancestor: AncestorOf = AncestorOf.NAMED
    ancestor_key: int = 0
    variables: tuple[VariableInstruction, ...] = ()


class ModifyProcessInstance(Attributed, frozen=True, gc=False):
    """Activate, move and terminate elements by hand: all of it, or nothing."""

    key: int
    activations: tuple[ActivateInstruction, ...] = ()
    moves: tuple[MoveInstruction, ...] = ()
    terminations: tuple[TerminateInstruction, ...] = ()


class MigrateProcessInstance(Attributed, frozen=True, gc=False):
    """Let an instance go on by another definition. `mappings` are pairs of element ids, the old and the new;
    what is active must be among them."""

    key: int
    definition_key: int
    mappings: tuple[tuple[str, str], ...]


class SetVariables(Attributed, frozen=True, gc=False):
    """Merge variables into the scope of an element instance; if not local, into the scopes that have them."""

    scope_key: int
    variables: Variables
    local: bool = False


class ActivateAdHocActivities(Attributed, frozen=True, gc=False):
    """Begin elements in an active ad-hoc sub-process, each with variables of its own; what is active there
    may be cancelled before."""

    key: int
    elements: tuple[tuple[str, Variables], ...]
    cancel_remaining: bool = False


class ActivateJobs(_Command, frozen=True, gc=False):
    """Lend up to `jobs_max` activatable jobs of a type to a worker for `timeout_ms`."""

    type: str
    worker: str
    timeout_ms: int
    jobs_max: int
    fetch_variables: tuple[str, ...] = ()
    """Names to hand out; none means all that are visible to the job."""
    tenant_ids: tuple[str, ...] = (DEFAULT_TENANT,)
    bytes_max: int = 4 * 1024 * 1024
    """Stop adding jobs when their variables together pass this size; at least one is lent."""


class YieldJobs(_Command, frozen=True, gc=False):
    """Give lent jobs back that never reached their worker: (key, deadline) of each.

    Jobs that are no longer lent, or lent to somebody else until another deadline, are left alone.
    """

    jobs: tuple[tuple[int, int], ...]


class TaskResult(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a listener makes of the change of a user task: it may deny it, or want another one."""

    denied: bool = False
    reason: str = ""
    corrections: TaskChanges = TaskChanges()


class AdHocResult(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a worker decides about an ad-hoc sub-process: which of its elements begin next, each with
    variables of its own, or that it is done; and whether what is active in it is cancelled."""

    elements: tuple[tuple[str, Variables], ...] = ()
    is_done: bool = False
    cancel_remaining: bool = False


class CompleteJob(_Command, frozen=True, gc=False):
    """`task_result` is for jobs of task listeners, `ad_hoc_result` for those of ad-hoc sub-processes; others
    ignore them."""

    key: int
    variables: Variables = {}
    task_result: TaskResult = TaskResult()
    ad_hoc_result: AdHocResult = AdHocResult()


class FailJob(_Command, frozen=True, gc=False):
    """Report a failure; with `retries` > 0 the job is activatable again after `back_off_ms`."""

    key: int
    retries: int = 0
    back_off_ms: int = 0
    message: str = ""
    variables: Variables = {}


class ThrowJobError(_Command, frozen=True, gc=False):
    """Throw a BPMN error at the job's element."""

    key: int
    code: str
    message: str = ""
    variables: Variables = {}


class UpdateJob(Attributed, frozen=True, gc=False):
    """Change the retries, the time-out counted from now, or both."""

    key: int
    retries: int | None = None
    timeout_ms: int | None = None


class AssignUserTask(Attributed, frozen=True, gc=False):
    """Give a user task to somebody, or with an empty `assignee` take it away from who has it. If not
    `allow_override`, somebody else must not have it."""

    key: int
    assignee: str
    allow_override: bool = True
    action: str = "assign"


class UpdateUserTask(Attributed, frozen=True, gc=False):
    key: int
    changes: TaskChanges
    action: str = "update"


class CompleteUserTask(Attributed, frozen=True, gc=False):
    key: int
    variables: Variables = {}
    action: str = "complete"


class ResolveIncident(Attributed, frozen=True, gc=False):
    """Try again where the incident stopped."""

    key: int


class PublishMessage(Attributed, frozen=True, gc=False):
    """Hand a message to all who wait for it, and buffer it for `time_to_live_ms` for those to come.

    A message id keeps others with the same id out as long as the message is buffered.
    """

    name: str
    correlation_key: str = ""
    time_to_live_ms: int = 0
    message_id: str = ""
    variables: Variables = {}
    tenant_id: str = DEFAULT_TENANT


class CorrelateMessage(Attributed, frozen=True, gc=False):
    """Hand a message to who waits for it now, and answer with the process instance that took it."""

    name: str
    correlation_key: str = ""
    variables: Variables = {}
    tenant_id: str = DEFAULT_TENANT


class BroadcastSignal(Attributed, frozen=True, gc=False):
    """Reach everybody who waits for the signal, on all partitions."""

    name: str
    variables: Variables = {}
    tenant_id: str = DEFAULT_TENANT


class EvaluateConditionals(Attributed, frozen=True, gc=False):
    """Start instances at the conditional start events whose conditions hold for the variables: of one
    definition, or of the latest versions of all processes (0)."""

    variables: Variables
    definition_key: int = 0
    tenant_id: str = DEFAULT_TENANT


class EvaluateDecision(Attributed, frozen=True, gc=False):
    """Evaluate a decision by its key, or the latest version of it by its id."""

    decision_id: str = ""
    decision_key: int = 0
    variables: Variables = {}
    tenant_id: str = DEFAULT_TENANT


class EvaluateExpression(_Command, frozen=True, gc=False):
    """Evaluate a FEEL expression, written with a leading `=`. It changes nothing."""

    expression: str
    variables: Variables = {}
    tenant_id: str = DEFAULT_TENANT


class FireDue(_Command, frozen=True, gc=False):
    """Do what time has brought for one timer, job or message: trigger it, time it out, end its back-off, or
    let it expire."""

    key: int


class Continue(_Command, frozen=True, gc=False):
    """Go on with the work that a turn left over."""

    key: int


class ReceiveChannelMessage(_Command, frozen=True, gc=False):
    """Take in message `number` of the ordered channel from `sender`; repeats have no effect."""

    sender: int
    number: int
    payload: bytes


class AcknowledgeChannel(_Command, frozen=True, gc=False):
    """`receiver` has applied all messages up to `number`."""

    receiver: int
    number: int


class DeleteResource(Attributed, frozen=True, gc=False):
    """Let nothing new use what was deployed under the key. Answered once every partition knows it."""

    key: int


class CreateGlobalListener(Attributed, frozen=True, gc=False):
    """Let a new listener hear of all user tasks. Answered once every partition knows it."""

    listener: GlobalListener


class UpdateGlobalListener(Attributed, frozen=True, gc=False):
    """Put another listener in the place of that with the same id."""

    listener: GlobalListener


class DeleteGlobalListener(Attributed, frozen=True, gc=False):
    id: str


class ReadGlobalListener(_Command, frozen=True, gc=False):
    id: str


class ReadGlobalListeners(_Command, frozen=True, gc=False):
    """All global listeners, with their keys."""


class ReadUserTaskForm(_Command, frozen=True, gc=False):
    """The form that is linked to a user task."""

    key: int


class ReadStartForm(_Command, frozen=True, gc=False):
    """The form that is linked to the start event of a process, by the key of its definition."""

    key: int


class ReadResource(_Command, frozen=True, gc=False):
    """A plain file, as it was deployed."""

    key: int


class ReadDecision(_Command, frozen=True, gc=False):
    """A deployed decision, with the graph that it is part of."""

    key: int


class ReadDecisionRequirements(_Command, frozen=True, gc=False):
    """A deployed graph, with its file."""

    key: int


class Supply(_Command, frozen=True, gc=False):
    """Send all that was ever deployed to a partition that is new."""

    partition: int


class SampleState(_Command, frozen=True, gc=False):
    """Have these rows of the state compared between the replicas."""

    rows: tuple[bytes, ...]


class GiveSlots(_Command, frozen=True, gc=False):
    """Move number `number` of slots in the cluster: these go to the partition `to`."""

    number: int
    to: int
    slots: tuple[tuple[int, int], ...]


class ConfirmSlots(_Command, frozen=True, gc=False):
    """Say whether move `number` of slots, to here, has ended. It changes nothing."""

    number: int


class AcknowledgeExport(_Command, frozen=True, gc=False):
    """An exporter has all entries up to `position`, and wants to know `mark` again."""

    exporter: str
    position: int
    mark: int


class NoteExportGap(_Command, frozen=True, gc=False):
    """An exporter goes on after the entry `to`: what comes before is not kept any more."""

    exporter: str
    to: int


RepeatableCommand: TypeAlias = (
    Deploy
    | CreateProcessInstance
    | CancelProcessInstance
    | ModifyProcessInstance
    | MigrateProcessInstance
    | SetVariables
    | ActivateAdHocActivities
    | ActivateJobs
    | CompleteJob
    | FailJob
    | ThrowJobError
    | UpdateJob
    | AssignUserTask
    | UpdateUserTask
    | CompleteUserTask
    | ResolveIncident
    | PublishMessage
    | CorrelateMessage
    | BroadcastSignal
    | EvaluateConditionals
    | EvaluateDecision
    | DeleteResource
    | CreateGlobalListener
    | UpdateGlobalListener
    | DeleteGlobalListener
)
"""What a client asks for by a request of its own, and may ask for again."""


class CommandId(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """By what a command is known again. `hash` is that of the whole request, which must be the same."""

    scope: str
    key: str
    hash: bytes


class DoOnce(_Command, frozen=True, gc=False):
    """Decide a command unless it was decided before: then its outcome is that of the first time.

    `unknown_at` is a partition that does not know the id, and had its slot before; 0 if none was asked.
    """

    id: CommandId
    asked: RepeatableCommand
    unknown_at: int = 0


ReadCommand: TypeAlias = (
    ReadUserTaskForm
    | ReadStartForm
    | ReadResource
    | ReadGlobalListener
    | ReadGlobalListeners
    | ReadDecision
    | ReadDecisionRequirements
)
"""They change nothing, and leave nothing in the log."""
ClientCommand: TypeAlias = RepeatableCommand | YieldJobs | EvaluateExpression | ReadCommand | DoOnce
InternalCommand: TypeAlias = (
    FireDue
    | Continue
    | ReceiveChannelMessage
    | AcknowledgeChannel
    | Supply
    | GiveSlots
    | ConfirmSlots
    | AcknowledgeExport
    | NoteExportGap
    | SampleState
)
Command: TypeAlias = ClientCommand | InternalCommand


def asked_for(command: Command) -> Command:
    """The command itself, whether or not it has an id."""
    return command.asked if type(command) is DoOnce else command
