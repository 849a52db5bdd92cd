"""Commands with an id, as they are known again: what came of each, until it is forgotten."""

from typing import final

import msgspec

from bpmnd.bpmn.commands import CommandId
from bpmnd.bpmn.state.cold import ColdStore
from bpmnd.bpmn.state.messages import entry_of
from bpmnd.bpmn.state.series import ColdTable, prefix_free


class NotedCommand(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Either `outcome` is there, or `request` waits for it."""

    scope: str
    id: str
    hash: bytes
    request: int
    deadline: int
    outcome: bytes


def name_of(scope: str, id: str) -> bytes:
    return prefix_free(scope) + prefix_free(id)


@final
class NotedCommands:
    """The tables of one partition. They may grow with every command, so that memory has only what is new."""

    __slots__ = ("keys", "records", "waiting")

    def __init__(self, store: ColdStore) -> None:
        self.records = ColdTable(b"N", NotedCommand, store)
        """By the key that the note was given."""
        self.keys = ColdTable(b"K", int, store)
        """`name_of` -> key."""
        self.waiting = ColdTable(b"R", int, store)
        """`waiting_entry` of a request that waits for an outcome -> key."""

    def find(self, id: CommandId) -> tuple[int, NotedCommand] | None:
        """The command that has had the id before."""
        key = self.keys.get(name_of(id.scope, id.key))
        if key is None:
            return None
        noted = self.records.get(entry_of(key))
        assert noted is not None, f"nothing is noted under {key}, but {id} is known by it"
        return key, noted

    def waiting_for(self, request: int) -> int | None:
        """The key under which the outcome of a request is awaited that has not come yet."""
        return self.waiting.get(waiting_entry(request))

    @property
    def cold(self) -> tuple[ColdTable[NotedCommand], ColdTable[int], ColdTable[int]]:
        return self.records, self.keys, self.waiting


def waiting_entry(request: int) -> bytes:
    """Requests of commands with an id are numbers below zero."""
    return entry_of(-request)
