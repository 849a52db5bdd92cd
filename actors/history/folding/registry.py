"""Which function folds which event. Events that no table shows have none."""

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

from bpmnd.actors.history.tables import Tables
from bpmnd.bpmn.events import Event

E = TypeVar("E")
_FOLDS: Final[dict[type[Any], Callable[[Tables, Any, int], None]]] = {}


def folds(
    event: type[E],
) -> Callable[[Callable[[Tables, E, int], None]], Callable[[Tables, E, int], None]]:
    """Of a function that takes in events of a type: it gets the rows, the event, and the log's time."""

    def register(function: Callable[[Tables, E, int], None]) -> Callable[[Tables, E, int], None]:
        assert event not in _FOLDS, f"{event} is folded twice"
        _FOLDS[event] = function
        return function

    return register


def fold(tables: Tables, index: int, time: int, happened: Iterable[Event]) -> None:
    """Take in what the entry of an index says has happened, at a moment of log time."""
    tables.begin_entry(index, time)
    for event in happened:
        function = _FOLDS.get(type(event))
        if function is not None:
            function(tables, event, time)
