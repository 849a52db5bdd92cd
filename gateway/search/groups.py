"""Counts by group: few rows, which are put in order and cut into pages here."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from bpmnd.gateway.answers import Answer, ok
from bpmnd.gateway.search.pages import page_of, sort_of
from bpmnd.gateway.search.searching import Item, page_answer

_NUMBERED: Final = frozenset({"processDefinitionKey"})
"""Keys are numbers, though they are shown as strings."""


def grouped_answer(
    items: list[Item], sorts: Sequence[str], sort: object, page: object, *, ties: Sequence[str]
) -> Answer:
    """The page of an order by these fields; `ties` are broken by others, which together are unique."""
    order = sort_of(sorts, sort)
    wanted = page_of(page, styles=("from",))
    for field in reversed(ties):
        items.sort(key=_by(field))
    for by in reversed(order):
        items.sort(key=_by(by.field), reverse=by.descending)
    part = items[wanted.offset : wanted.offset + wanted.limit]
    places = [(number + wanted.offset,) for number in range(len(part))]
    body = {"items": part, "page": page_answer(len(items), False, places, 1)}
    return ok(msgspec.json.encode(body))


def _by(field: str) -> Callable[[Item], Any]:
    if field in _NUMBERED:
        return lambda item: int(item[field])
    return lambda item: (item[field] is not None, item[field])
