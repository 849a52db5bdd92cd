"""Appliers of messages: the buffer, and the requests that wait for a correlation."""

from bpmnd.bpmn.appliers.registry import applies
from bpmnd.bpmn.events import (
    MessageCorrelated,
    MessageCorrelating,
    MessageExpired,
    MessageNotCorrelated,
    MessagePublished,
)
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.messages import (
    Buffered,
    Message,
    PendingCorrelation,
    entry_of,
    group_of,
)
from bpmnd.bpmn.state.series import prefix_free


@applies(MessagePublished)
def message_published(state: State, event: MessagePublished) -> None:
    """Without a deadline nothing is left of it but its effects."""
    if not event.deadline:
        return
    tables, journal, entry = state.messages, state.journal, entry_of(event.key)
    group = group_of(event.tenant_id, event.name, event.correlation_key)
    message = Message(
        event.tenant_id,
        event.name,
        event.correlation_key,
        event.message_id,
        event.deadline,
        event.variables,
    )
    tables.messages.put(entry, message, journal, is_new=True)
    tables.buffered.put_in(group, entry, Buffered(), journal, is_new=True)
    if event.message_id:
        tables.ids.put(group + prefix_free(event.message_id), event.key, journal, is_new=True)
    state.add_due(event.deadline, event.key)


@applies(MessageExpired)
def message_expired(state: State, event: MessageExpired) -> None:
    """With the last message of a group goes what was noted about its processes."""
    tables, journal, entry = state.messages, state.journal, entry_of(event.key)
    group = group_of(event.tenant_id, event.name, event.correlation_key)
    message = tables.messages.get(entry)
    assert message is not None, f"{event} of no message"
    tables.messages.remove(entry, journal)
    tables.buffered.remove_from(group, entry, journal)
    if message.message_id:
        tables.ids.remove(group + prefix_free(message.message_id), journal)
    state.remove_due(message.deadline, event.key)
    if tables.buffered.next(group) is None:
        while (passed := tables.passed.next(group)) is not None:
            tables.passed.remove_from(group, passed[0], journal)


def mark(state: State, group: bytes, message_key: int, process_id: str, passed: int) -> None:
    """The process has had the message, if that is buffered."""
    tables, journal, entry = state.messages, state.journal, entry_of(message_key)
    buffered = tables.buffered.get(group + entry)
    if buffered is None:
        return
    tables.buffered.put_in(group, entry, Buffered((*buffered.processes, process_id)), journal)
    if passed:
        name = prefix_free(process_id)
        is_new = tables.passed.get(group + name) is None
        tables.passed.put_in(group, name, passed, journal, is_new=is_new)


def unmark(state: State, group: bytes, message_key: int, process_id: str) -> None:
    """The process has not had it after all."""
    tables, journal, entry = state.messages, state.journal, entry_of(message_key)
    buffered = tables.buffered.get(group + entry)
    if buffered is None:
        return
    others = tuple(other for other in buffered.processes if other != process_id)
    tables.buffered.put_in(group, entry, Buffered(others), journal)
    name = prefix_free(process_id)
    if (tables.passed.get(group + name) or 0) > message_key:
        tables.passed.put_in(group, name, message_key, journal)


@applies(MessageCorrelating)
def message_correlating(state: State, event: MessageCorrelating) -> None:
    pending = PendingCorrelation(
        event.key, event.request, event.tenant_id, event.name, event.correlation_key, event.waiting
    )
    state.messages.pending.put(event.key, pending, state.journal)


@applies(MessageCorrelated)
def message_correlated(state: State, event: MessageCorrelated) -> None:
    if state.messages.pending.get(event.key) is not None:
        state.messages.pending.remove(event.key, state.journal)


@applies(MessageNotCorrelated)
def message_not_correlated(state: State, event: MessageNotCorrelated) -> None:
    state.messages.pending.remove(event.key, state.journal)
