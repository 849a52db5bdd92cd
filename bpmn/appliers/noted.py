"""Appliers of commands with an id."""

import msgspec

from bpmnd.bpmn.appliers.registry import applies
from bpmnd.bpmn.events import CommandAnswered, CommandForgotten, CommandNoted
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.messages import entry_of
from bpmnd.bpmn.state.noted import NotedCommand, name_of, waiting_entry


@applies(CommandNoted)
def command_noted(state: State, event: CommandNoted) -> None:
    tables, journal = state.noted, state.journal
    noted = NotedCommand(event.scope, event.id, event.hash, event.request, event.deadline, event.outcome)
    tables.records.put(entry_of(event.key), noted, journal, is_new=True)
    tables.keys.put(name_of(event.scope, event.id), event.key, journal, is_new=True)
    if event.request:
        tables.waiting.put(waiting_entry(event.request), event.key, journal, is_new=True)
    state.add_due(event.deadline, event.key)


@applies(CommandAnswered)
def command_answered(state: State, event: CommandAnswered) -> None:
    tables, journal, entry = state.noted, state.journal, entry_of(event.key)
    noted = tables.records.get(entry)
    assert noted is not None, f"{event} of nothing that is noted"
    tables.waiting.remove(waiting_entry(noted.request), journal)
    answered = msgspec.structs.replace(noted, request=0, outcome=event.outcome)
    tables.records.put(entry, answered, journal)


@applies(CommandForgotten)
def command_forgotten(state: State, event: CommandForgotten) -> None:
    tables, journal, entry = state.noted, state.journal, entry_of(event.key)
    noted = tables.records.get(entry)
    assert noted is not None, f"{event} of nothing that is noted"
    tables.records.remove(entry, journal)
    tables.keys.remove(name_of(noted.scope, noted.id), journal)
    if noted.request:
        tables.waiting.remove(waiting_entry(noted.request), journal)
    state.remove_due(noted.deadline, event.key)
