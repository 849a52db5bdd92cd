"""What every element type has: a behaviour, which knows what activation does."""

from typing import Protocol, TypeVar

from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import Element
from bpmnd.bpmn.state.records import ProcessInstance
from bpmnd.bpmn.turn import Turn

N = TypeVar("N", bound=Element, contravariant=True)


class Activation:
    """An element instance on its way to be active: everything up to here has succeeded.

    `begun` tells that the element instance stands in the state already; `flows` are the sequence flows
    whose tokens its activation takes if it does not; `happened` that it is an event which has happened.
    """

    __slots__ = ("begun", "flows", "happened", "instance", "key", "scope_key", "turn")

    def __init__(
        self,
        turn: Turn,
        instance: ProcessInstance,
        key: int,
        scope_key: int,
        flows: tuple[int, ...],
        begun: bool,
        happened: bool = False,
    ) -> None:
        self.turn = turn
        self.instance = instance
        self.key = key
        self.scope_key = scope_key
        self.flows = flows
        self.begun = begun
        self.happened = happened


class Behaviour(Protocol[N]):
    """Decides what becomes of an element that is to be activated.

    `activate` first computes whatever can fail, and returns the incident if it does; nothing has happened
    then. Only after that it emits, beginning with `lifecycle.activated`.
    """

    def activate(self, element: N, activation: Activation) -> Incident | None: ...
