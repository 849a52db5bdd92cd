"""What a partition actor is told, and what it takes on before it refuses."""

from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from bpmnd.actors.machine import Machine
from bpmnd.actors.pacing import SMALL_FRAME
from bpmnd.actors.peer_messages import InstallAnswer
from bpmnd.actors.runtime import LaneLimits
from bpmnd.actors.sampling import SampleTold
from bpmnd.bpmn.commands import (
    BroadcastSignal,
    Command,
    CompleteJob,
    CompleteUserTask,
    CorrelateMessage,
    CreateProcessInstance,
    Deploy,
    DoOnce,
    EvaluateConditionals,
    EvaluateDecision,
    EvaluateExpression,
    FailJob,
    MigrateProcessInstance,
    ModifyProcessInstance,
    PublishMessage,
    ReceiveChannelMessage,
    SetVariables,
    ThrowJobError,
)
from bpmnd.bpmn.outcomes import Outcome
from bpmnd.cluster.raft import Message as RaftMessage
from bpmnd.storage.errors import DamageError
from bpmnd.storage.log import Appended, AppendFailed


@dataclass(frozen=True, slots=True)
class PartitionLimits:
    """What a partition takes on before it refuses. Lanes hold messages and the bytes of their variables."""

    new_work: LaneLimits = field(default_factory=lambda: LaneLimits(10_000, 64 << 20))
    ongoing: LaneLimits = field(default_factory=lambda: LaneLimits(100_000, 256 << 20))
    commit_seconds_max: float = 2.0
    tick_bytes_max: int = 1 << 20
    uncommitted_bytes_max: int = 16 << 20
    small_frame: int = SMALL_FRAME
    """Commands. After a larger frame a leader expects that many come (see `Pacing`)."""
    idempotency_ms: int = 24 * 3600 * 1000
    """How long a command with an id is known again, with its outcome."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passes for Raft."""


@dataclass(frozen=True, slots=True)
class LeaderLost:
    """The connection to the node of a member broke: it is probably gone.

    If it was the leader: without waiting for the election time-out, stand for election after so many seconds,
    if nobody else has won by then. If it sent a checkpoint: no more of it will come.
    """

    member: int
    campaign_after_seconds: float


@dataclass(frozen=True, slots=True)
class Campaign:
    """Stand for election, if there is still no leader."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """Let another member lead: of those it may go `to`, or of all if none are named, who is furthest."""

    to: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckpointWritten:
    error: BaseException | None


@dataclass(frozen=True, slots=True)
class MachineLoaded:
    """The state was built anew from checkpoint and log, or could not be."""

    machine: Machine | None
    error: BaseException | None


class Reply(Protocol):
    """Who waits for the outcome of a command: a client's future, or another part of the node."""

    def done(self) -> bool:
        """Answered already, or not interested any more."""
        ...

    def set_result(self, outcome: Outcome, /) -> None: ...

    def set_exception(self, error: Exception, /) -> None: ...


class Submit:
    """A command, and who is answered when its frame is committed."""

    __slots__ = ("command", "reply", "size")

    def __init__(self, command: Command, reply: Reply | None, size: int) -> None:
        self.command = command
        self.reply = reply
        self.size = size


@dataclass(frozen=True, slots=True)
class HasInstalled:
    """A member that lacked what the log does not have any more has it now."""

    member: int


@dataclass(frozen=True, slots=True)
class Reconcile:
    """These are to be the voters of the group; nobody: leave it as it is."""

    goal: frozenset[int]


@dataclass(frozen=True, slots=True)
class Confirm:
    """Somebody is about to read what is committed here, and wants to know that this still leads."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class ClusterChanged:
    """There are other partitions now, or their slots are elsewhere."""


@dataclass(frozen=True, slots=True)
class PeerPosition:
    """A member has this committed, with this hash: so must everybody who has it."""

    member: int
    leads: bool
    index: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class DamageFound:
    """Something that is read aside, and seldom, is not what was written.

    `is_hidden`: nothing wrong is being used, so that there is time to be rebuilt when it hurts nobody.
    """

    error: DamageError
    is_hidden: bool = False


Message: TypeAlias = (
    Submit
    | Appended
    | AppendFailed
    | Tick
    | RaftMessage
    | LeaderLost
    | Campaign
    | HandOver
    | CheckpointWritten
    | MachineLoaded
    | PeerPosition
    | SampleTold
    | Reconcile
    | ClusterChanged
    | Confirm
    | DamageFound
    | HasInstalled
    | InstallAnswer
)
Answer: TypeAlias = tuple[Reply, Outcome]


def size_of(command: Command) -> int:
    """About how many bytes a command holds, for the bounds of the mailbox."""
    match command:
        case (
            CreateProcessInstance()
            | CompleteJob()
            | CompleteUserTask()
            | FailJob()
            | ThrowJobError()
            | SetVariables()
            | PublishMessage()
            | CorrelateMessage()
            | BroadcastSignal()
            | EvaluateConditionals()
            | EvaluateDecision()
            | EvaluateExpression()
        ):
            return 256 + sum(map(len, command.variables.values()))
        case ModifyProcessInstance():
            given = [each.variables for each in command.activations]
            given += [each.variables for each in command.moves]
            values = [value for each in given for scoped in each for value in scoped.variables.values()]
            return 256 + 256 * (len(given) + len(command.terminations)) + sum(map(len, values))
        case MigrateProcessInstance(mappings=mappings):
            return 256 + 256 * len(mappings)
        case Deploy(resources=resources):
            return sum(len(resource.content) for resource in resources)
        case ReceiveChannelMessage(payload=payload):
            return len(payload)
        case DoOnce(asked=asked):
            return 256 + size_of(asked)
        case _:
            return 256


def fail(reply: Reply, error: Exception) -> None:
    """Tell whoever still waits that there will be no outcome to hear of."""
    if not reply.done():
        reply.set_exception(error)
