"""The rows of a history in memory: those that have changed, and of the others as many as there is room for.

The rows that change stand here until `take` hands them out to be written; those that are not in memory come
from the source, which has what was written before.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, Generic, Protocol, TypeVar, cast, final

import msgspec

from bpmnd.actors.history.names import ACTIVE, COMPLETED, TERMINATED
from bpmnd.actors.history.rows import (
    CorrelationRow,
    DecisionInstanceRow,
    DecisionRow,
    DefinitionRow,
    ElementInstanceRow,
    ElementRow,
    IncidentRow,
    InstanceRow,
    JobRow,
    RequirementsRow,
    SubscriptionRow,
    UserTaskRow,
    VariableRow,
)
from bpmnd.bpmn.keys import first_key
from bpmnd.storage.history import Gone, Row, Value

KNOWN_MAX: Final = 200_000
"""So many rows, in all, are kept in memory after they were written."""

_NUMBER_BITS: Final = 14
"""A frame has fewer correlations and decisions than this many bits can count."""
_as_tuple: Final = msgspec.structs.astuple


class RowSource(Protocol):
    """Rows that were written before."""

    def get(self, table: str, key: int) -> Row | None: ...

    def find(self, table: str, **equal: Value) -> list[Row]: ...

    def all(self, table: str) -> list[Row]: ...

    def last_key(self, table: str) -> int: ...


class _Keyed(Protocol):
    key: int


class _OfInstance(Protocol):
    instance_key: int | None


R = TypeVar("R", bound=_Keyed)


@final
class Rows(Generic[R]):
    """The rows of one table that are in memory, and those of them that are to be written."""

    def __init__(self, source: RowSource, table: str, row_type: type[R]) -> None:
        self._source = source
        self.table: Final = table
        self._type: Any = row_type
        self.known: dict[int, R] = {}
        self.changed: dict[int, R] = {}

    def add(self, row: R) -> None:
        self.known[row.key] = self.changed[row.key] = row

    def get(self, key: int) -> R | None:
        """The row, to be looked at."""
        row = self.known.get(key)
        if row is None and key:
            found = self._source.get(self.table, key)
            if found is not None:
                row = self.known[key] = self._type(*found)
        return row

    def change(self, key: int) -> R | None:
        """The row, to be changed."""
        row = self.known.get(key) or self.get(key)
        if row is not None:
            self.changed[key] = row
        return row

    def of_instance(self, instance_key: int) -> list[R]:
        """All of a process instance, by key."""
        for row in self._source.find(self.table, instance_key=instance_key):
            self.get(int(row[0] or 0))
        own = [row for row in self.known.values() if cast(_OfInstance, row).instance_key == instance_key]
        return sorted(own, key=lambda row: row.key)

    def take(self) -> list[Row]:
        rows = [_as_tuple(cast(msgspec.Struct, row)) for row in self.changed.values()]
        self.changed.clear()
        return rows

    def drop(self, is_over: Callable[[R], bool]) -> None:
        """Let go of those that nothing happens to any more."""
        for key in [key for key, row in self.known.items() if is_over(row)]:
            del self.known[key]

    def forget(self, count_max: int) -> None:
        """Keep the newest."""
        assert not self.changed, "what is to be written is kept"
        excess = len(self.known) - count_max
        if excess > 0:
            for key in list(self.known)[:excess]:
                del self.known[key]


@final
class Tables:
    """All rows of the history of one partition, as those who fold events into it see them."""

    def __init__(self, partition_id: int, source: RowSource) -> None:
        self._partition_id = partition_id
        self.source = source
        self.definitions = Rows(source, "definitions", DefinitionRow)
        self.elements = Rows(source, "elements", ElementRow)
        self.instances = Rows(source, "instances", InstanceRow)
        self.element_instances = Rows(source, "element_instances", ElementInstanceRow)
        self.jobs = Rows(source, "jobs", JobRow)
        self.variables = Rows(source, "variables", VariableRow)
        self.incidents = Rows(source, "incidents", IncidentRow)
        self.requirements = Rows(source, "requirements", RequirementsRow)
        self.decisions = Rows(source, "decisions", DecisionRow)
        self.decision_instances = Rows(source, "decision_instances", DecisionInstanceRow)
        self.user_tasks = Rows(source, "user_tasks", UserTaskRow)
        self.subscriptions = Rows(source, "subscriptions", SubscriptionRow)
        self.correlations = Rows(source, "correlations", CorrelationRow)
        self._volatile: tuple[Rows[Any], ...] = (
            self.instances,
            self.element_instances,
            self.jobs,
            self.variables,
            self.incidents,
            self.decision_instances,
            self.user_tasks,
            self.subscriptions,
            self.correlations,
        )
        self._all: tuple[Rows[Any], ...] = (
            *self._volatile,
            self.definitions,
            self.elements,
            self.requirements,
            self.decisions,
        )
        self.element_of: dict[tuple[int, int], ElementRow] = {}
        """(definition, element) -> its row, of all elements that there are."""
        for row in source.all("elements"):
            self.know_element(ElementRow(*row))  # type: ignore[arg-type]  # columns and fields are the same
        self.last_element_instance = source.last_key("element_instances")
        """Keys rise: what has a higher one than this has just begun, and need not be looked for."""
        self.variable_keys: dict[tuple[int, str], int] = {}
        """(scope, name) -> key, of variables in memory."""
        self._next_place = 0

    def begin_entry(self, index: int) -> None:
        """What comes now is in the entry of that index."""
        self._next_place = first_key(self._partition_id) | index << _NUMBER_BITS

    def next_place(self) -> int:
        """A key for what has none of its own: it tells the place in the log."""
        self._next_place += 1
        return self._next_place

    def know_element(self, row: ElementRow) -> None:
        self.elements.known[row.key] = self.element_of[row.definition_key, row.element] = row

    def count(self, definition_key: int, element: int, state: int, by: int) -> None:
        """Count an instance of an element in a state, or count it off."""
        row = self.element_of.get((definition_key, element))
        if row is None:
            return
        self.elements.changed[row.key] = row
        if state == ACTIVE:
            row.active += by
        elif state == COMPLETED:
            row.completed += by
        else:
            assert state == TERMINATED, f"{state} is no state of an element instance"
            row.terminated += by

    def take(self) -> dict[str, list[Row]]:
        """What has changed since the last time, to be written in the place of what was there."""
        return {rows.table: rows.take() for rows in self._all if rows.changed}

    def forget(self, known_max: int = KNOWN_MAX) -> None:
        """All is written: let go of what has ended, and of what is beyond the bound."""
        self.instances.drop(_has_ended)
        self.element_instances.drop(_has_ended)
        self.jobs.drop(_is_over)
        for rows in self._volatile:
            rows.forget(known_max // len(self._volatile))
        if len(self.variable_keys) > known_max:
            self.variable_keys.clear()

    def gone(self, instances: Iterable[Gone]) -> None:
        """Process instances were deleted from the source."""
        for key, counts in instances:
            self.instances.known.pop(key, None)
            for definition_key, element, state, count in counts:
                self.count(definition_key, element, state, -count)


def _has_ended(row: InstanceRow | ElementInstanceRow) -> bool:
    return row.state != ACTIVE


def _is_over(row: JobRow) -> bool:
    return row.ended is not None
