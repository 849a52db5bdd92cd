"""An element instance on its way to be active."""

from typing import final

from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.state.records import ProcessInstance
from bpmnd.bpmn.turn import Turn


@final
class Activation:
    """An activation of which everything up to here has succeeded.

    `begun` tells that the element instance stands in the state already; `flows` are the sequence flows
    whose tokens its activation takes if it does not; `happened` that it is an event which has happened;
    `listened` that the listeners of its start have worked; `handed` are the variables of what triggered it
    that it hands on to an event inside; `part` is the number of what an event throws that is active already,
    or -1.
    """

    __slots__ = (
        "begun",
        "flows",
        "handed",
        "happened",
        "instance",
        "key",
        "listened",
        "part",
        "scope_key",
        "turn",
    )

    def __init__(
        self,
        turn: Turn,
        instance: ProcessInstance,
        key: int,
        scope_key: int,
        flows: tuple[int, ...],
        begun: bool,
        happened: bool = False,
        handed: Variables | None = None,
        listened: bool = False,
        part: int = -1,
    ) -> None:
        self.turn = turn
        self.instance = instance
        self.key = key
        self.scope_key = scope_key
        self.flows = flows
        self.begun = begun
        self.happened = happened
        self.handed = handed
        self.listened = listened
        self.part = part

    @property
    def inner_key(self) -> int:
        """The innermost scope there is so far: its own once it has begun."""
        return self.key if self.begun else self.scope_key
