"""Searches over all partitions: each finds its own first rows, and they are merged by the order."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol, final

import msgspec

from bpmnd.actors.errors import AnswerTooLarge, NoLeader
from bpmnd.actors.exporters.values import moment
from bpmnd.actors.history.entities import ENTITIES, Field, Kind
from bpmnd.actors.history.queries import (
    Compare,
    Condition,
    Found,
    Operator,
    Query,
    Report,
    Scalar,
    Search,
    TrailOf,
)
from bpmnd.bpmn.keys import partition_of
from bpmnd.gateway.answers import Answer, ok
from bpmnd.gateway.bodies import Body
from bpmnd.gateway.errors import Problem, invalid_argument
from bpmnd.gateway.ports import Cluster
from bpmnd.gateway.search.filters import bounded, conditions_of
from bpmnd.gateway.search.pages import Page, cursor_of, page_of, sort_of, sorts_of

COUNT_MAX: Final = 100_000
"""Up to so many matches are counted, a partition."""
FAR: Final = 1_000
"""From so many rows on, those before a page are looked for by their places alone."""
LEADER_WAIT_S: Final = 3.0
_PAUSE_S: Final = 0.05

Row = tuple[Scalar, ...]
Item = dict[str, Any]
_encode: Final = msgspec.json.Encoder().encode
_OWNERS: Final = {
    "processInstanceKey",
    "elementInstanceKey",
    "elementInstanceScopeKey",
    "scopeKey",
    "incidentKey",
    "jobKey",
    "variableKey",
    "messageSubscriptionKey",
    "userTaskKey",
    "decisionEvaluationKey",
    "auditLogKey",
}
"""Keys that tell which partition has the row."""


class History(Protocol):
    """What answers queries, partition by partition."""

    def read(self, partition: int, query: Query) -> asyncio.Future[Found]:
        """Ask the partition's leader. Raises NoLeader; the future may end with any `Unavailable`, or with
        AnswerTooLarge."""
        ...


class SearchBody(Body, frozen=True):
    """What nearly all searches take. The parts are read by the entity's table."""

    filter: dict[str, Any] | None = None
    sort: list[Any] | None = None
    page: dict[str, Any] | None = None


SEARCH: Final = msgspec.json.Decoder(SearchBody)
Render = Callable[[Item], Item]


@final
class Searches:
    """Runs queries, merges what the partitions found, and makes items of rows."""

    def __init__(self, cluster: Cluster, history: History | None) -> None:
        self._cluster = cluster
        self._history = history

    async def search(
        self,
        name: str,
        body: SearchBody | None,
        *,
        conditions: Sequence[Condition] | None = None,
        render: Render | None = None,
        everywhere: bool = True,
        cut: int = 0,
    ) -> Answer:
        """The page that is asked for. `conditions` are those of the filter, if it is not to be read here.
        Long values are `cut` to so many characters, if it is not 0.

        What every partition has, as definitions, is asked of the first of them: `everywhere` is false.
        """
        entity = ENTITIES[name]
        body = body or SearchBody()
        if conditions is None:
            conditions = conditions_of(entity, body.filter)
        bounded(conditions)
        order = sort_of(sorts_of(entity), body.sort)
        page = page_of(body.page, len(order))
        search = Search(
            name,
            tuple(conditions),
            order,
            page.after if page.before is None else page.before,
            page.before is not None,
            0,
            page.limit,
            COUNT_MAX,
            cut,
        )
        rows, total, is_more = await self._found(search, page, everywhere=everywhere)
        items = [self._item(name, row) for row in rows]
        if render is not None:
            items = [render(item) for item in items]
        places = len(order) + 1
        return ok(_encode({"items": items, "page": page_answer(total, is_more, rows, places)}))

    async def get(self, name: str, key_field: str, key: int, *, everywhere: bool = True) -> Item | None:
        """The row of a key, as an item."""
        search = Search(name, (Compare(key_field, Operator.EQUAL, (key,)),), limit=1)
        rows, _, _ = await self._found(search, Page(limit=1), everywhere=everywhere)
        return self._item(name, rows[0]) if rows else None

    async def items(self, name: str, body: SearchBody) -> list[Item]:
        """The items that a filter finds, without what is said of the page."""
        conditions = conditions_of(ENTITIES[name], body.filter)
        bounded(conditions)
        search = Search(name, conditions)
        rows, _, _ = await self._found(search, Page(), everywhere=True)
        return [self._item(name, row) for row in rows]

    async def trail(self, query: TrailOf) -> Found:
        """A page of what happened to a process instance; nothing, if no partition can have it."""
        partitions = self._partitions_for_key(query.instance_key)
        return (await self._read(query, partitions))[0] if partitions else Found([])

    async def report(self, report: Report, *, owner: int | None = None) -> list[Sequence[Row]]:
        """The rows of each partition, or of the one that has given out a key."""
        bounded(report.conditions)
        return [found.rows for found in await self._read(report, self._partitions_for_key(owner))]

    async def report_anywhere(self, report: Report) -> Sequence[Row]:
        """The rows of the first partition, of what all have."""
        (found,) = await self._read_first(report)
        return found.rows

    async def _found(
        self, search: Search, page: Page, *, everywhere: bool
    ) -> tuple[Sequence[Row], int, bool]:
        """The rows of the page, how many there are in all, and whether there are more than that."""
        if not everywhere:
            search = msgspec.structs.replace(search, offset=page.offset)
            found = await self._read_first(search)
        else:
            partitions = self._partitions_of(search.conditions)
            if len(partitions) == 1:
                search = msgspec.structs.replace(search, offset=page.offset)
            elif page.offset >= FAR:
                search = await self._from_afar(search, page.offset, partitions)
                page = Page(page.limit)
            else:
                search = msgspec.structs.replace(search, limit=page.offset + page.limit)
            found = await self._read(search, partitions)
        rows: Sequence[Row]
        if len(found) == 1:
            rows = found[0].rows
        else:
            rows = merged(search, found)[page.offset : page.offset + page.limit]
        if search.backward:
            rows = rows[::-1]
        return rows, sum(one.total for one in found), any(one.is_more for one in found)

    async def _from_afar(self, search: Search, offset: int, partitions: Sequence[int]) -> Search:
        """The search for what comes after so many rows."""
        places = msgspec.structs.replace(search, limit=offset, count_max=0, places_only=True)
        before = merged(search, await self._read(places, partitions))
        if len(before) < offset:
            return msgspec.structs.replace(search, limit=0)
        return msgspec.structs.replace(search, after=before[offset - 1])

    def _partitions_of(self, conditions: Iterable[Condition]) -> Sequence[int]:
        for condition in conditions:
            if (
                isinstance(condition, Compare)
                and condition.field in _OWNERS
                and condition.operator is Operator.EQUAL
                and isinstance(condition.values[0], int)
            ):
                return self._partitions_for_key(condition.values[0])
        return self._partitions_for_key(None)

    def _partitions_for_key(self, key: int | None) -> Sequence[int]:
        every = [partition.id for partition in self._cluster.partitions()]
        if key is None:
            return every
        owner = partition_of(key)
        return [owner] if owner in every else []

    async def _read(self, query: Query, partitions: Sequence[int]) -> Sequence[Found]:
        history = self._existing()
        return await asyncio.gather(*(self._read_one(history, number, query) for number in partitions))

    async def _read_first(self, query: Query) -> Sequence[Found]:
        """Ask the first partition, where all is deployed: it comes to the others later, so that who has seen
        something there would not find it again elsewhere."""
        history = self._existing()
        first = min((partition.id for partition in self._cluster.partitions()), default=None)
        return [await self._read_one(history, first, query)] if first is not None else []

    async def _read_one(self, history: History, partition: int, query: Query) -> Found:
        """Wait a while for a leader; a read can be asked again without harm."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + LEADER_WAIT_S
        while True:
            try:
                return await history.read(partition, query)
            except AnswerTooLarge as error:
                reason = f"{error}: ask for fewer at a time (page.limit), and go on with page.after."
                raise invalid_argument([reason]) from None
            except NoLeader:
                if loop.time() > deadline:
                    raise
                await asyncio.sleep(_PAUSE_S)

    def _existing(self) -> History:
        if self._history is None:
            raise Problem(503, "UNAVAILABLE", "This node keeps no history: set history.enabled to search.")
        return self._history

    def _item(self, name: str, row: Row) -> Item:
        return {
            field_name: shown(field, value)
            for (field_name, field), value in zip(ENTITIES[name].shown.items(), row, strict=False)
        }


def merged(search: Search, found: Iterable[Found]) -> list[Row]:
    """All rows in the order of the search."""
    rows = [row for one in found for row in one.rows]
    down = [order.descending != search.backward for order in search.order]
    down.append(down[0] if down else search.backward)
    width = len(down)
    for place in reversed(range(width)):
        at = place - width
        rows.sort(key=lambda row: _comparable(row[at]), reverse=down[place])
    return rows


def _comparable(value: Scalar) -> tuple[bool, Any]:
    """NULL comes before all else."""
    return (value is not None, value)


def page_answer(total: int, is_more: bool, rows: Sequence[Row], places: int) -> Mapping[str, Any]:
    """What is said of a page. Its rows end with their place in the order."""
    return {
        "totalItems": total,
        "hasMoreTotalItems": is_more,
        "startCursor": cursor_of(rows[0][-places:]) if rows else None,
        "endCursor": cursor_of(rows[-1][-places:]) if rows else None,
    }


def shown(field: Field, value: Scalar) -> Any:
    """A stored value as the API has it."""
    if value is None:
        return None
    match field.kind:
        case Kind.KEY:
            return str(value)
        case Kind.MOMENT:
            assert isinstance(value, int), f"{value!r} is no moment"
            return moment(value)
        case Kind.BOOLEAN:
            return bool(value)
        case Kind.ENUM:
            assert isinstance(value, int), f"{value!r} is no number of a name"
            return field.names[value]
        case Kind.JSON:
            return msgspec.Raw(str(value).encode())
        case Kind.TEXT | Kind.INTEGER:
            return value


async def existing(item: Awaitable[Item | None], what: str, key: int) -> Item:
    """The item, or a 404 that says what is not there."""
    found = await item
    if found is None:
        raise Problem(404, "NOT_FOUND", f"{what} with key '{key}' not found")
    return found


def item_answer(item: object) -> Answer:
    return ok(_encode(item))
