"""Messages and signals that clients send."""

from typing import Final

from bpmnd.bpmn.broadcast import broadcast
from bpmnd.bpmn.commands import BroadcastSignal, CorrelateMessage, PublishMessage
from bpmnd.bpmn.correlation import Publication, nobody_waits
from bpmnd.bpmn.events import MessageCorrelated, MessageCorrelating, MessageExpired, MessagePublished
from bpmnd.bpmn.outcomes import MessageCorrelated as CorrelationAnswer
from bpmnd.bpmn.outcomes import MessagePublished as PublicationAnswer
from bpmnd.bpmn.outcomes import Outcome, Rejected, RejectionType, SlotMoved
from bpmnd.bpmn.outcomes import SignalBroadcasted as BroadcastAnswer
from bpmnd.bpmn.state.messages import Message, entry_of, group_of
from bpmnd.bpmn.state.series import prefix_free
from bpmnd.bpmn.turn import Turn

_MOMENT_MAX: Final = 2**63 - 1


def publish(turn: Turn, command: PublishMessage) -> Outcome:
    """Everybody who waits gets it, one in each process; then it stays in the buffer for its time to live."""
    if turn.state.slots.given(command.correlation_key) is not None:
        return SlotMoved(is_here=False)
    tables = turn.state.messages
    if command.message_id:
        group = group_of(command.tenant_id, command.name, command.correlation_key)
        if tables.ids.get(group + prefix_free(command.message_id)) is not None:
            return Rejected(
                RejectionType.ALREADY_EXISTS,
                f"Expected to publish a new message with id '{command.message_id}',"
                " but a message with that id was already published",
            )
    live_ms = command.time_to_live_ms
    deadline = min(turn.now + live_ms, _MOMENT_MAX) if live_ms > 0 else 0
    key = turn.new_key()
    message = Message(
        command.tenant_id,
        command.name,
        command.correlation_key,
        command.message_id,
        deadline,
        command.variables,
    )
    _published(turn, key, message)
    publication = Publication(turn, key, message)
    publication.to_subscriptions()
    publication.to_start_events()
    publication.to_gathering_starts()
    return PublicationAnswer(key, command.tenant_id)


def correlate(turn: Turn, command: CorrelateMessage) -> Outcome | None:
    """Answers with the process instance that the message has started, or when one has taken it. One that it
    would start only together with more is not known yet."""
    if turn.state.slots.given(command.correlation_key) is not None:
        return SlotMoved(is_here=False)
    key = turn.new_key()
    message = Message(command.tenant_id, command.name, command.correlation_key, "", 0, command.variables)
    publication = Publication(turn, key, message)
    if not publication.is_awaited():
        return nobody_waits(command.name, command.correlation_key)
    _published(turn, key, message)
    publication.to_subscriptions()
    publication.to_start_events()
    first = publication.first_instance_key
    if first:
        turn.emit(MessageCorrelated(key, first))
        return CorrelationAnswer(key, command.tenant_id, first)
    turn.emit(
        MessageCorrelating(
            key,
            turn.request,
            command.tenant_id,
            command.name,
            command.correlation_key,
            publication.sent,
        )
    )
    return None


def _published(turn: Turn, key: int, message: Message) -> None:
    turn.emit(
        MessagePublished(
            key,
            message.tenant_id,
            message.name,
            message.correlation_key,
            message.message_id,
            message.deadline,
            message.variables,
        )
    )


def expire(turn: Turn, key: int) -> bool:
    """The time of a buffered message is over. False: there is no such message."""
    message = turn.state.messages.messages.get(entry_of(key))
    if message is not None and message.deadline <= turn.now:
        turn.emit(MessageExpired(key, message.tenant_id, message.name, message.correlation_key))
    return message is not None


def broadcast_signal(turn: Turn, command: BroadcastSignal) -> Outcome:
    key = broadcast(turn, command.tenant_id, command.name, command.variables)
    return BroadcastAnswer(key, command.tenant_id)
