"""The table of appliers: one small function for each kind of event.

An applier is all that changes state, live and on replay alike. It takes no decision, evaluates no
expression and makes no new event; what it cannot find is a broken log or a bug, hence an assertion.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from bpmnd.bpmn.events import Event
from bpmnd.bpmn.state import State

E = TypeVar("E", bound=Event)

APPLIERS: Final[dict[type[Any], Callable[[State, Any], None]]] = {}


def applies(kind: type[E]) -> Callable[[Callable[[State, E], None]], Callable[[State, E], None]]:
    """Register the applier of one kind of event."""

    def register(applier: Callable[[State, E], None]) -> Callable[[State, E], None]:
        assert kind not in APPLIERS, f"{kind.__name__} has an applier already"
        APPLIERS[kind] = applier
        return applier

    return register
