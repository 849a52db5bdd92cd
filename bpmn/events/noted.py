"""Commands with an id."""

from bpmnd.bpmn.events.struct import EventStruct


class CommandNoted(EventStruct, frozen=True, gc=False, tag=59):
    """A command was decided, and is known again by scope and id until `deadline`.

    `outcome` is what a repeat is answered with; empty while it is to come, then `request` waits for it.
    """

    key: int
    scope: str
    id: str
    hash: bytes
    request: int
    deadline: int
    outcome: bytes


class CommandAnswered(EventStruct, frozen=True, gc=False, tag=60):
    """The outcome that a noted command has waited for."""

    key: int
    outcome: bytes


class CommandForgotten(EventStruct, frozen=True, gc=False, tag=61):
    """The same id would be that of a new command now."""

    key: int
