"""Failures inside the engine: an applier or a decision that raises, once, when its time has come."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, final
from unittest.mock import patch

from bpmnd.bpmn.appliers import APPLIERS
from bpmnd.bpmn.state import State
from bpmnd.bpmn.turn import Turn
from tests.simulation.world import Injected


@final
class Sabotage:
    """Counts down to the failure; negative: none is planned."""

    def __init__(self) -> None:
        self.events_left = -1
        self.keys_left = -1

    def disarm(self) -> None:
        self.events_left = self.keys_left = -1

    def an_event(self) -> None:
        self.events_left -= 1
        if self.events_left == 0:
            raise Injected("an applier failed")

    def a_key(self) -> None:
        self.keys_left -= 1
        if self.keys_left == 0:
            raise Injected("a decision failed")


@contextmanager
def sabotaged() -> Generator[Sabotage]:
    """All appliers, and the keys that decisions take, go by the sabotage."""
    sabotage = Sabotage()
    appliers, new_key = dict(APPLIERS), Turn.new_key

    def wrapped(applier: Callable[[State, Any], None]) -> Callable[[State, Any], None]:
        def apply(state: State, event: Any) -> None:
            if sabotage.events_left > 0:
                sabotage.an_event()
            applier(state, event)

        return apply

    def take_key(turn: Turn) -> int:
        if sabotage.keys_left > 0:
            sabotage.a_key()
        return new_key(turn)

    APPLIERS.update({kind: wrapped(applier) for kind, applier in appliers.items()})
    try:
        with patch.object(Turn, "new_key", take_key):
            yield sabotage
    finally:
        APPLIERS.update(appliers)
