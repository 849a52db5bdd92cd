"""Messages between partitions: applied once, in order, and acknowledged."""

from bpmnd.bpmn import gathering
from bpmnd.bpmn.broadcast import arrive
from bpmnd.bpmn.channel import (
    CloseSubscription,
    ConfirmDelivery,
    DeliverMessage,
    DistributeDeletion,
    DistributeDeployment,
    DistributeGlobalListener,
    HandOverSlots,
    MigrateSubscription,
    MoveRecords,
    OccurAtStart,
    OpenSubscription,
    RefuseDelivery,
    ReleaseLock,
    SettleCorrelation,
    SpreadSignal,
    TakeLock,
    decode_message,
)
from bpmnd.bpmn.commands import AcknowledgeChannel, ReceiveChannelMessage
from bpmnd.bpmn.correlation import (
    close_subscription,
    confirm,
    migrate_subscription,
    open_subscription,
    settle_correlation,
    take_back,
)
from bpmnd.bpmn.elements.triggers import take_delivery
from bpmnd.bpmn.events import (
    ChannelMessageAcknowledged,
    ChannelMessageReceived,
    DeploymentCreated,
    DeploymentDistributed,
    DeploymentFullyDistributed,
)
from bpmnd.bpmn.outcomes import Accepted, Decided, Outcome, Rejected, RejectionType
from bpmnd.bpmn.processors import deletions, global_listeners, slot_moves
from bpmnd.bpmn.processors.deployments import answer_of, created_event, record_of
from bpmnd.bpmn.start_locks import release_lock, take_lock
from bpmnd.bpmn.starts import subscribe_starts
from bpmnd.bpmn.state.deployed import Definition
from bpmnd.bpmn.turn import Turn


def receive(turn: Turn, command: ReceiveChannelMessage) -> Outcome:
    """Accepted also for a repeat: the sender may not have heard the first acknowledgement."""
    inbox = turn.state.inbox.get(command.sender)
    last_number = inbox.last_number if inbox else 0
    if command.number <= last_number:
        return Accepted()
    if command.number > last_number + 1:
        return Rejected(
            RejectionType.INVALID_STATE,
            f"Expected message {last_number + 1} of partition {command.sender}, but got {command.number}",
        )
    turn.emit(ChannelMessageReceived(command.sender, command.number))
    match decode_message(command.payload):
        case DistributeDeployment() as message:
            _take_over(turn, message)
        case DistributeDeletion() as message:
            deletions.take_over(turn, message)
        case DistributeGlobalListener() as message:
            global_listeners.take_over(turn, message)
        case OpenSubscription() as message:
            open_subscription(turn, message)
        case CloseSubscription() as message:
            close_subscription(turn, message)
        case MigrateSubscription() as message:
            migrate_subscription(turn, message)
        case DeliverMessage() as message:
            take_delivery(turn, message, command.sender)
        case ConfirmDelivery() as message:
            confirm(turn, message)
        case RefuseDelivery() as message:
            take_back(turn, message)
        case SpreadSignal() as message:
            arrive(turn, message)
        case OccurAtStart() as message:
            gathering.take_over(turn, message)
        case ReleaseLock() as message:
            release_lock(turn, message)
        case TakeLock() as message:
            take_lock(turn, message)
        case SettleCorrelation() as message:
            settle_correlation(turn, message)
        case MoveRecords() as message:
            slot_moves.take_records(turn, message)
        case HandOverSlots() as message:
            slot_moves.take_over(turn, command.sender, message)
    return Accepted()


def _take_over(turn: Turn, message: DistributeDeployment) -> None:
    """A partition that came later may be sent a deployment twice."""
    records = (*message.definitions, *message.others)
    new = [record for record in records if record_of(turn.state, record.key) is None]
    if not new:
        return
    for record in new:
        turn.emit(created_event(record))
    turn.emit(DeploymentCreated(message.key, message.tenant_id, tuple(record.key for record in new)))
    for record in new:
        if not isinstance(record, Definition):
            continue
        versions = turn.state.latest[(record.tenant_id, record.process_id)]
        if record.version == max(versions, default=0):
            subscribe_starts(turn, record.key, turn.definitions.executable(record.key))


def acknowledge(turn: Turn, command: AcknowledgeChannel) -> Outcome:
    """Forget what the receiver has, and answer the deployments that everybody has now."""
    channel = turn.state.outbox.get(command.receiver)
    applied = list(channel.messages.between(1, command.number)) if channel else []
    if not applied:
        return Accepted()
    turn.emit(ChannelMessageAcknowledged(command.receiver, command.number))
    slot_moves.acknowledged(turn, command.receiver)
    for _, payload in applied:
        match decode_message(payload):
            case DistributeDeployment(key=key):
                _distributed(turn, key, command.receiver, answers_all=True)
            case DistributeDeletion(key=key) | DistributeGlobalListener(key=key):
                _distributed(turn, key, command.receiver, answers_all=False)
            case _:
                pass  # It is answered by what the receiver makes of it.
    return Accepted()


def _distributed(turn: Turn, deployment_key: int, partition_id: int, *, answers_all: bool) -> None:
    waiting = turn.state.pending_deployments.get(deployment_key)
    if waiting is None or partition_id not in waiting.waiting_for:
        return  # It was sent to a new partition, for which nobody waits.
    turn.emit(DeploymentDistributed(deployment_key, partition_id))
    pending = turn.state.pending_deployments.items[deployment_key]
    if pending.waiting_for:
        return
    turn.emit(DeploymentFullyDistributed(deployment_key))
    if pending.request:
        answer: Decided = Accepted()
        if answers_all:
            answer = answer_of(turn, pending.key, pending.tenant_id, pending.definition_keys)
        turn.answer(pending.request, answer)
