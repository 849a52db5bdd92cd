"""Which function says what an event means outside."""

from collections.abc import Callable
from typing import Any, Final, TypeVar, get_args, get_type_hints

from bpmnd.actors.exporters.places import Places
from bpmnd.actors.exporters.values import Value
from bpmnd.bpmn.events import Event

F = TypeVar("F", bound=Callable[..., Value])

_DESCRIPTIONS: Final[dict[type[Any], Callable[[Any, Places], Value]]] = {}


def describes(function: F) -> F:
    """Register a function of an event and what is known: the type of its `event` says which events, one or a
    union of them."""
    kind = get_type_hints(function)["event"]
    for each in get_args(kind) or (kind,):
        assert each not in _DESCRIPTIONS, f"{each.__name__} is described twice"
        _DESCRIPTIONS[each] = function
    return function


def described() -> frozenset[type[Any]]:
    """The events that have a description."""
    return frozenset(_DESCRIPTIONS)


def value_of(event: Event, places: Places) -> Value:
    """What a record of the event has as its value."""
    return _DESCRIPTIONS[type(event)](event, places)
