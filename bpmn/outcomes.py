"""Outcomes: what a command is answered with once the events it caused are committed."""

from enum import StrEnum
from typing import TypeAlias

import msgspec

from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.dmn.results import DecisionFailure, EvaluatedDecision
from bpmnd.bpmn.user_tasks import GlobalListener, TaskAttributes


class RejectionType(StrEnum):
    """Zeebe's rejection types, which are the `title` of the problem a client sees, and one of our own."""

    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    INVALID_STATE = "INVALID_STATE"
    PROCESSING_ERROR = "PROCESSING_ERROR"
    EXCEEDED_BATCH_RECORD_SIZE = "EXCEEDED_BATCH_RECORD_SIZE"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    """Not one of Zeebe's, which knows no ids of commands: the id is that of another request."""


class _Outcome(msgspec.Struct, frozen=True, gc=False, array_like=True, tag_field="outcome", tag=True):
    """Between nodes an outcome travels as an array that begins with its name."""


class Rejected(_Outcome, frozen=True, gc=False):
    """The command changed nothing. `reason` says what was expected and what was found."""

    type: RejectionType
    reason: str


class Accepted(_Outcome, frozen=True, gc=False):
    """Done, and there is nothing to tell."""


class SlotMoved(_Outcome, frozen=True, gc=False):
    """Nothing was decided, since the slot of the command has moved.

    If it `is_here` by now, the partition `before` may know the id of the command, and is to be asked first.
    Else the command belongs to another partition, or will; who had the slot before is `before` (0: nobody
    who could still know an id).
    """

    is_here: bool
    before: int = 0


class DeployedProcess(msgspec.Struct, frozen=True, gc=False, array_like=True):
    key: int
    process_id: str
    version: int
    resource_name: str
    is_duplicate: bool = False


class DeployedDecision(msgspec.Struct, frozen=True, gc=False, array_like=True):
    key: int
    decision_id: str
    name: str
    version: int
    requirements_key: int
    requirements_id: str
    is_duplicate: bool = False


class DeployedRequirements(msgspec.Struct, frozen=True, gc=False, array_like=True):
    key: int
    requirements_id: str
    name: str
    version: int
    resource_name: str
    is_duplicate: bool = False


class DeployedFile(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A form, or a plain file, in an answer."""

    key: int
    id: str
    version: int
    resource_name: str
    is_duplicate: bool = False


class FileRead(_Outcome, frozen=True, gc=False):
    """A deployed file with its content."""

    key: int
    id: str
    version: int
    version_tag: str
    resource_name: str
    tenant_id: str
    content: bytes


class GlobalListenerRead(_Outcome, frozen=True, gc=False):
    listener: GlobalListener


class GlobalListenersRead(_Outcome, frozen=True, gc=False):
    """Key and listener, the oldest first."""

    listeners: tuple[tuple[int, GlobalListener], ...]


class DeploymentCreated(_Outcome, frozen=True, gc=False):
    key: int
    tenant_id: str
    processes: tuple[DeployedProcess, ...]
    decisions: tuple[DeployedDecision, ...] = ()
    requirements: tuple[DeployedRequirements, ...] = ()
    forms: tuple[DeployedFile, ...] = ()
    plain_files: tuple[DeployedFile, ...] = ()


class RequirementsRead(_Outcome, frozen=True, gc=False):
    """A graph of decisions with its file."""

    requirements: DeployedRequirements
    tenant_id: str
    content: bytes


class DecisionRead(_Outcome, frozen=True, gc=False):
    """A decision, with the graph that it is part of."""

    decision: DeployedDecision
    requirements: RequirementsRead


class DecisionEvaluated(_Outcome, frozen=True, gc=False):
    """Also what failed was evaluated: then `failure` says why, and the output is null."""

    key: int
    decision: DeployedDecision
    tenant_id: str
    output: bytes
    decisions: tuple[EvaluatedDecision, ...]
    failure: DecisionFailure | None


class ExpressionEvaluated(_Outcome, frozen=True, gc=False):
    result: bytes
    warnings: tuple[str, ...]


class ProcessInstanceCreated(_Outcome, frozen=True, gc=False):
    """A created instance, or (with `await_result`) a completed one and its variables."""

    key: int
    definition_key: int
    process_id: str
    version: int
    tenant_id: str
    tags: tuple[str, ...]
    business_id: str | None
    variables: Variables


class TaskProperties(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A user task as a listener sees it: as it would be after the change that waits."""

    key: int
    attributes: TaskAttributes
    action: str
    changed: tuple[str, ...]
    form_key: int


class ActivatedJob(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A job as its worker sees it. `deadline` is log time in epoch milliseconds."""

    key: int
    type: str
    process_instance_key: int
    definition_key: int
    process_id: str
    version: int
    element_id: str
    element_instance_key: int
    headers: tuple[tuple[str, str], ...]
    worker: str
    retries: int
    deadline: int
    tenant_id: str
    tags: tuple[str, ...]
    variables: Variables
    root_process_instance_key: int
    kind: str = "BPMN_ELEMENT"
    listener_event: str = "UNSPECIFIED"
    user_task: TaskProperties | None = None


class JobsActivated(_Outcome, frozen=True, gc=False):
    """`truncated` tells that more jobs were there than the size limit let through."""

    jobs: tuple[ActivatedJob, ...]
    truncated: bool = False


class MessagePublished(_Outcome, frozen=True, gc=False):
    key: int
    tenant_id: str


class MessageCorrelated(_Outcome, frozen=True, gc=False):
    """`instance_key` is the first process instance that took the message."""

    key: int
    tenant_id: str
    instance_key: int


class SignalBroadcasted(_Outcome, frozen=True, gc=False):
    key: int
    tenant_id: str


class ConditionalsEvaluated(_Outcome, frozen=True, gc=False):
    """The definitions and keys of the instances that were started."""

    key: int
    tenant_id: str
    instances: tuple[tuple[int, int], ...]


Success: TypeAlias = (
    Accepted
    | DeploymentCreated
    | ProcessInstanceCreated
    | JobsActivated
    | MessagePublished
    | MessageCorrelated
    | SignalBroadcasted
    | ConditionalsEvaluated
    | DecisionEvaluated
    | DecisionRead
    | RequirementsRead
    | ExpressionEvaluated
    | FileRead
    | GlobalListenerRead
    | GlobalListenersRead
)
Decided: TypeAlias = Success | Rejected
Outcome: TypeAlias = Decided | SlotMoved


class LentJobs(msgspec.Struct, frozen=True, gc=False, array_like=True, tag_field="outcome", tag=True):
    """What is kept of an activation: not the jobs, which change, but which they were, and until when."""

    keys: tuple[int, ...]
    deadline: int


KeptOutcome: TypeAlias = Decided | LentJobs

_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_decoder: msgspec.msgpack.Decoder[KeptOutcome] = msgspec.msgpack.Decoder(KeptOutcome)


def encode_outcome(outcome: KeptOutcome) -> bytes:
    return _encode(outcome)


def decode_outcome(row: bytes) -> KeptOutcome:
    return _decoder.decode(row)
