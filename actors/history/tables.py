"""All rows of a history in memory, and what is counted by them."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, final

from bpmnd.actors.history.cached import Rows, RowSource
from bpmnd.actors.history.figures import Figures
from bpmnd.actors.history.job_counts import JobCounts
from bpmnd.actors.history.names import ACTIVE, COMPLETED, TERMINATED
from bpmnd.actors.history.passing import Passing
from bpmnd.actors.history.rows import (
    AuditRow,
    CorrelationRow,
    DecisionInstanceRow,
    DecisionRow,
    DefinitionRow,
    ElementInstanceRow,
    ElementRow,
    IncidentRow,
    InstanceRow,
    JobRow,
    OpenIncidentsRow,
    RequirementsRow,
    SubscriptionRow,
    UserTaskRow,
    VariableRow,
)
from bpmnd.bpmn.keys import first_key
from bpmnd.storage.history import Gone, Row
from bpmnd.storage.history_schema import INCIDENT_TYPE_BITS

KNOWN_MAX: Final = 200_000
"""So many rows, in all, are kept in memory after they were written."""

_NUMBER_BITS: Final = 14
"""A frame has fewer correlations and decisions than this many bits can count."""


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
        self.open_incidents = Rows(source, "open_incidents", OpenIncidentsRow)
        self.figures = Figures(source)
        self.passing = Passing(self.instances, self.elements)
        self.audit = Rows(source, "audit", AuditRow)
        self._volatile: tuple[Rows[Any], ...] = (
            self.instances,
            self.element_instances,
            self.jobs,
            self.variables,
            self.incidents,
            self.user_tasks,
            self.subscriptions,
            self.correlations,
        )
        self._all: tuple[Rows[Any], ...] = (
            *self._volatile,
            self.audit,
            self.decision_instances,
            self.definitions,
            self.elements,
            self.requirements,
            self.decisions,
            self.open_incidents,
            *self.figures.all,
        )
        self.element_of: dict[tuple[int, int], ElementRow] = {}
        """(definition, element) -> its row, of all elements that there are."""
        for row in source.all("elements"):
            self.know_element(ElementRow(*row))  # type: ignore[arg-type]  # columns and fields are the same
        self.job_counts = JobCounts(self.jobs, self.elements, self.element_of, self.figures)
        self.last_element_instance = source.last_key("element_instances")
        """Keys rise: what has a higher one than this has just begun, and need not be looked for."""
        self.variable_keys: dict[tuple[int, str], int] = {}
        """(scope, name) -> key, of variables in memory."""
        self.long_variables: list[int] = []
        """Keys of those that go as soon as they are written: many of them would not fit into memory."""
        self._next_place = 0
        self._next_operation = 0

    def begin_entry(self, index: int, time: int) -> None:
        """What comes now is in the entry of that index, written at a moment of log time."""
        self.figures.begin(time)
        self._next_place = self._next_operation = first_key(self._partition_id) | index << _NUMBER_BITS

    def next_place(self) -> int:
        """A key for what has none of its own: it tells the place in the log."""
        self._next_place += 1
        return self._next_place

    def next_operation(self) -> int | None:
        """The same for operations, which are counted by themselves; None if an entry has too many of them."""
        self._next_operation += 1
        is_last = self._next_operation & (1 << _NUMBER_BITS) - 1 == 0
        self._next_operation -= is_last
        return None if is_last else self._next_operation

    def know_element(self, row: ElementRow) -> None:
        self.elements.known[row.key] = self.element_of[row.definition_key, row.element] = row

    def element(self, definition_key: int, element: int) -> ElementRow | None:
        """The row of an element, to be changed."""
        row = self.element_of.get((definition_key, element))
        if row is not None:
            self.elements.changed[row.key] = row
        return row

    def count(self, definition_key: int, element: int, state: int, by: int) -> None:
        """Count an instance of an element in a state, or count it off."""
        row = self.element(definition_key, element)
        if row is None:
            return
        if state == ACTIVE:
            row.active += by
        elif state == COMPLETED:
            row.completed += by
        else:
            assert state == TERMINATED, f"{state} is no state of an element instance"
            row.terminated += by

    def began(self, definition_key: int, element: int) -> None:
        """An instance of an element has begun; of element 0, of the process."""
        row = self.element(definition_key, element)
        if row is not None:
            row.active += 1
            self.figures.activity(row.key).begun += 1

    def element_ended(self, ended: ElementInstanceRow, state: int, time: int) -> None:
        """An element instance that was active is about to be over."""
        row = self._ended(ended, ended.element, state, time)
        if row is not None:
            self.passing.ended(ended.instance_key, row.key, state)

    def instance_ended(self, ended: InstanceRow, state: int, time: int) -> None:
        """A process instance that was active is about to be over."""
        self._ended(ended, 0, state, time)
        self.passing.left(ended)

    def _ended(
        self, ended: InstanceRow | ElementInstanceRow, element: int, state: int, time: int
    ) -> ElementRow | None:
        row = self.element_of.get((ended.definition_key, element))
        if row is None:
            return None
        self.elements.changed[row.key] = row
        row.active -= 1
        if ended.incidents > 0:
            row.failing -= 1
        activity = self.figures.activity(row.key)
        if state == COMPLETED:
            row.completed += 1
            took, milliseconds = activity.took, time - ended.start
            took[milliseconds] = took.get(milliseconds, 0) + 1
        else:
            row.terminated += 1
            activity.terminated += 1
        return row

    def count_open_incidents(self, definition_key: int, kind: int, by: int) -> None:
        process = self.element_of.get((definition_key, 0))
        if process is not None:
            key = process.key << INCIDENT_TYPE_BITS | kind
            row = self.open_incidents.change(key)
            if row is None:
                row = OpenIncidentsRow(key)
                self.open_incidents.add(row)
            row.count += by

    def tenant_of(self, instance_key: int) -> str:
        """The tenant whose process an instance runs by."""
        instance = self.instances.get(instance_key)
        definition = self.definitions.get(instance.definition_key) if instance is not None else None
        return definition.tenant_id if definition is not None else ""

    def take(self) -> dict[str, list[Row]]:
        """What has changed since the last time, to be written in the place of what was there."""
        self.job_counts.flush()
        self.passing.flush()
        self.figures.flush()
        return {rows.table: rows.take() for rows in self._all if rows.changed}

    def take_expired(self) -> Mapping[str, tuple[int, list[int]]]:
        """What is to be deleted after that: of a table what is before a key, and single ones."""
        return self.figures.take_expired()

    def forget(self, known_max: int = KNOWN_MAX) -> None:
        """All is written: let go of what has ended, and of what is beyond the bound."""
        self.instances.drop(_has_ended)
        self.element_instances.drop(_has_ended)
        self.jobs.drop(_is_over)
        self.audit.known.clear()  # Nobody looks at them again,
        self.decision_instances.known.clear()  # nor at these.
        for key in self.long_variables:
            self.variables.known.pop(key, None)
        self.long_variables.clear()
        for rows in self._volatile:
            rows.forget(known_max // len(self._volatile))
        self.figures.forget()
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
