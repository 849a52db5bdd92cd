"""The search for global task listeners. They are few, so all of them are read where they are decided, so that
what was just created is found; they are filtered, sorted and cut into pages here."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, final

import msgspec
from aiohttp import web

from bpmnd.actors.history.entities import Field, Filter, Kind
from bpmnd.actors.history.queries import Compare, Found, Operator, Order, Scalar, Search
from bpmnd.bpmn.commands import ReadGlobalListeners
from bpmnd.bpmn.outcomes import GlobalListenersRead
from bpmnd.bpmn.user_tasks import GlobalListener
from bpmnd.gateway.answers import Answer, ok
from bpmnd.gateway.bodies import optional_json_body
from bpmnd.gateway.errors import bad_request, invalid_argument, unexpected
from bpmnd.gateway.global_listeners import EVENT_TYPES, item_of
from bpmnd.gateway.ports import Cluster
from bpmnd.gateway.routes import Route
from bpmnd.gateway.search.filters import each_in, field_conditions, fits
from bpmnd.gateway.search.pages import Page, page_of, sort_of
from bpmnd.gateway.search.searching import SEARCH, Row, SearchBody, merged, page_answer
from bpmnd.gateway.submission import Submissions

_SOURCES: Final = ("API", "CONFIGURATION")
_API: Final = _SOURCES.index("API")
_EVENTS: Final = tuple(sorted(EVENT_TYPES))
_EVENT_TYPE: Final = Field("", Kind.ENUM, names=_EVENTS)
_FIELDS: Final[Mapping[str, tuple[Field, Callable[[GlobalListener], int | str]]]] = {
    "id": (Field("", Kind.TEXT), lambda listener: listener.id),
    "type": (Field("", Kind.TEXT), lambda listener: listener.type),
    "retries": (Field("", Kind.INTEGER, sorts=False), lambda listener: listener.retries),
    "afterNonGlobal": (
        Field("", Kind.BOOLEAN, Filter.PLAIN),
        lambda listener: int(listener.after_non_global),
    ),
    "priority": (Field("", Kind.INTEGER), lambda listener: listener.priority),
    "source": (Field("", Kind.ENUM, names=_SOURCES), lambda listener: _API),
}
_SORTS: Final = tuple(name for name, (field, _) in _FIELDS.items() if field.sorts)
_DENIED: Final = {Operator.NOT_EQUAL: Operator.EQUAL, Operator.NOT_IN: Operator.IN}

_Fits = Callable[[GlobalListener], bool]


@final
class GlobalListenerReads:
    """The searches of the tag "Global listener"."""

    def __init__(self, cluster: Cluster, submissions: Submissions) -> None:
        self._cluster = cluster
        self._submissions = submissions

    def routes(self) -> Sequence[Route]:
        path = "/global-task-listeners/search"
        return (Route("POST", path, "searchGlobalTaskListeners", self.search),)

    async def search(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """Those that fit the filter, in the order in which they were created unless another is asked for."""
        body = await optional_json_body(request, SEARCH) or SearchBody()
        filters = _filters_of(body.filter or {})
        order = sort_of(_SORTS, body.sort)
        page = page_of(body.page, len(order))
        for name, cursor in (("after", page.after), ("before", page.before)):
            if cursor is not None:
                _check_cursor(name, cursor, order)

        match await self._submissions.outcome_of(ReadGlobalListeners(), self._cluster.for_deployment()):
            case GlobalListenersRead(listeners):
                found = {key: each for key, each in listeners if all(fit(each) for fit in filters)}
            case outcome:
                raise unexpected("READ", outcome)
        rows = _on_page([_place_of(key, each, order) for key, each in found.items()], order, page)
        items = [item_of(found[key]) for row in rows if isinstance(key := row[-1], int)]
        said = {"items": items, "page": page_answer(len(found), False, rows, len(order) + 1)}
        return ok(msgspec.json.encode(said))


def _filters_of(raw: Mapping[str, Any]) -> list[_Fits]:
    filters: list[_Fits] = []
    for name, value in raw.items():
        at = f"filter.{name}"
        if name == "eventTypes":
            if value is not None:
                for place, item in each_in(value, at):
                    filters += [_hears(one) for one in field_conditions(_EVENT_TYPE, item, place)]
        elif name in _FIELDS:
            field, value_of = _FIELDS[name]
            filters += [_has(value_of, one) for one in field_conditions(field, value, at)]
        else:
            raise bad_request(f"Request property [{at}] cannot be parsed: there is no such property")
    return filters


def _has(value_of: Callable[[GlobalListener], int | str], condition: Compare) -> _Fits:
    return lambda listener: fits(value_of(listener), condition)


def _hears(condition: Compare) -> _Fits:
    """One of the event types of a listener is such; what is denied is so of all."""
    if condition.operator in _DENIED:
        denied = Compare("", _DENIED[condition.operator], condition.values)
        return lambda listener: not _hears(denied)(listener)
    return lambda listener: any(fits(_EVENTS.index(each), condition) for each in listener.event_types)


def _place_of(key: int, listener: GlobalListener, order: Sequence[Order]) -> Row:
    """Where it stands in the order."""
    return (*(_FIELDS[each.field][1](listener) for each in order), key)


def _check_cursor(name: str, cursor: Sequence[Scalar], order: Sequence[Order]) -> None:
    for value, each in zip(cursor, order, strict=False):
        if not isinstance(value, str if _FIELDS[each.field][0].kind is Kind.TEXT else int):
            raise invalid_argument([f"The cursor in page.{name} cannot be read for this sort."])


def _on_page(rows: list[Row], order: tuple[Order, ...], page: Page) -> Sequence[Row]:
    """The rows of the page. A cursor is put among them: behind its own row, or before it."""
    search = Search("", (), order)
    if page.after is not None:
        ordered = merged(search, [Found([*((0, *row) for row in rows), (1, *page.after)])])
        ordered = ordered[next(number for number, row in enumerate(ordered) if row[0]) + 1 :]
    elif page.before is not None:
        ordered = merged(search, [Found([(1, *page.before), *((0, *row) for row in rows)])])
        ordered = ordered[: next(number for number, row in enumerate(ordered) if row[0])][-page.limit :]
    else:
        ordered = merged(search, [Found([(0, *row) for row in rows])])
    return [row[1:] for row in ordered[page.offset : page.offset + page.limit]]
