"""Reports of what is counted: figures as they stand, and what happened in a span of time.

Time is known by the minute for some hours, by the hour before that: a span takes in all slots it touches.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from bpmnd.actors.history.durations import add_durations, decode_durations
from bpmnd.actors.history.figures import HOUR_MS, HOURS_KEPT, MINUTE_MS, MINUTES_KEPT
from bpmnd.actors.history.queries import Report
from bpmnd.actors.history.readers import Reader, Rows
from bpmnd.storage.history_schema import INCIDENT_TYPE_BITS, SLOT_BITS

_SUBJECT: Final = (1 << SLOT_BITS) - 1
_LOG_TIME: Final = "SELECT time FROM meta"


def _slots(reader: Reader, start: int, end: int) -> Iterator[tuple[str, int, int, int]]:
    """The spans of slots between two moments: `minutes` or `hours`, first, beyond the last, milliseconds."""
    ((log_time,),) = reader.rows(_LOG_TIME)
    hour = log_time // HOUR_MS
    start, end = max(start, (hour - HOURS_KEPT) * HOUR_MS, 0), min(end, log_time + 1)
    first_minute = (hour * 60 - MINUTES_KEPT) * MINUTE_MS
    if start < min(end, first_minute):
        yield "hours", start // HOUR_MS, -(-min(end, first_minute) // HOUR_MS), HOUR_MS
    start = max(start, first_minute)
    if start < end:
        yield "minutes", start // MINUTE_MS, -(-end // MINUTE_MS), MINUTE_MS


def _processes(reader: Reader, report: Report) -> Rows:
    """Definition, live instances without and with incidents, those that completed and were terminated, since
    when the oldest is live."""
    return reader.rows(
        "SELECT e.definition_key, e.active - e.failing, e.failing, e.completed, e.terminated,"
        " (SELECT i.start FROM instances i INDEXED BY instances_live_of WHERE i.state = 0"
        "  AND i.definition_key = e.definition_key ORDER BY i.key LIMIT 1)"
        " FROM elements e INDEXED BY elements_processes WHERE e.element = 0"
    )


def _open_incidents(reader: Reader, report: Report) -> Rows:
    """Definition, type of the error, how many are open."""
    return reader.rows(
        f"SELECT e.definition_key, o.key & {(1 << INCIDENT_TYPE_BITS) - 1}, o.count FROM open_incidents o"
        f" JOIN elements e ON e.key = o.key >> {INCIDENT_TYPE_BITS} WHERE o.count > 0"
    )


_ELEMENT: Final = (
    "SELECT e.definition_key, e.element_id, e.name, e.type, e.active - e.failing, e.failing,"
    " e.completed, e.terminated, e.jobs_waiting, e.jobs_active, e.jobs_failing,"
    " (SELECT y.start FROM element_instances y INDEXED BY elements_live WHERE y.state = 0"
    "  AND y.definition_key = e.definition_key AND y.element = e.element ORDER BY y.key LIMIT 1)"
    " FROM elements e"
)


def _elements(reader: Reader, report: Report) -> Rows:
    """Definition, id, name, type, live instances without and with incidents, completed, terminated, open jobs
    that wait, are with workers and failed, since when the oldest is live: of the elements of a definition."""
    return reader.rows(
        f"{_ELEMENT} WHERE e.definition_key = ? AND e.element > 0 ORDER BY e.element", report.values
    )


def _busiest_elements(reader: Reader, report: Report) -> Rows:
    """The same of those that have the most live instances, over all definitions: at most so many."""
    return reader.rows(
        f"{_ELEMENT} WHERE e.element > 0 AND e.active > 0 ORDER BY e.active DESC, e.key LIMIT ?",
        report.values,
    )


def _activity(reader: Reader, report: Report) -> Rows:
    """Between two moments, of the elements of a definition (or of all processes, for 0): definition, element
    id and type, begun, completed, terminated, incidents, milliseconds of the completed, their durations as
    JSON."""
    start, end, definition_key = map(int, report.values)
    added = _Added()
    for slot, first, beyond, _ in _slots(reader, start, end):
        for subject, *counts in reader.rows(*_activity_sql(reader, slot, first, beyond, definition_key)):
            added.add(subject, *counts)
    names: dict[int, tuple[Any, ...]] = {
        key: (definition, element_id, kind)
        for key, definition, element_id, kind in reader.rows(
            "SELECT key, definition_key, element_id, type FROM elements"
            f" WHERE {'definition_key = ?' if definition_key else '? = element'}",
            (definition_key,),
        )
    }
    return [(*names[subject], *counts) for subject, counts in added.rows()]


def _activity_series(reader: Reader, report: Report) -> Rows:
    """The same of one element, and over time: start of a slot of so many milliseconds or more, begun,
    completed, and so on."""
    start, end, definition_key, resolution = (int(value) for value in report.values[:4])
    element_id = report.values[4]
    element = "definition_key = ? AND element_id = ?" if element_id else "definition_key = ? AND ? = ''"
    keys = reader.rows(
        f"SELECT key FROM elements WHERE {element} {'' if element_id else 'AND element = 0'}"
        " ORDER BY element LIMIT 1",
        (definition_key, element_id),
    )
    added = _Added()
    for slot, first, beyond, length in _slots(reader, start, end) if keys else ():
        sql, parameters = _range_sql(slot, first, beyond, keys[0][0], keys[0][0], with_slot=True)
        for number, *counts in reader.rows(sql, parameters):
            added.add(number * length // resolution * resolution, *counts)
    return [(at, *counts) for at, counts in added.rows()]


class _Added:
    """Sums, each with its durations."""

    def __init__(self) -> None:
        self._sums: dict[int, list[int]] = {}
        self._durations: dict[int, dict[int, int]] = {}

    def add(self, key: int, *counts: Any) -> None:
        *numbers, durations = counts
        sums = self._sums.get(key)
        if sums is None:
            self._sums[key] = numbers
            self._durations[key] = decode_durations(durations)
        else:
            for place, number in enumerate(numbers):
                sums[place] += number
            add_durations(self._durations[key], decode_durations(durations))

    def rows(self) -> Iterator[tuple[int, tuple[Any, ...]]]:
        for key in sorted(self._sums):
            durations = {str(bucket): count for bucket, count in self._durations[key].items()}
            yield key, (*self._sums[key], msgspec.json.encode(durations).decode())


_COUNTS: Final = "a.begun, a.completed, a.terminated, a.incidents, a.milliseconds, a.durations"


def _activity_sql(
    reader: Reader, slot: str, first: int, beyond: int, definition_key: int
) -> tuple[str, tuple[int, ...]]:
    if definition_key:
        ((lowest, highest),) = reader.rows(
            "SELECT coalesce(min(key), 0), coalesce(max(key), -1) FROM elements WHERE definition_key = ?",
            (definition_key,),
        )
        return _range_sql(slot, first, beyond, lowest, highest)
    return (
        f"SELECT a.key & {_SUBJECT}, {_COUNTS} FROM activity_{slot} a WHERE a.key >= ? AND a.key < ?"
        f" AND a.key & {_SUBJECT} IN (SELECT key FROM elements WHERE element = 0)",
        (first << SLOT_BITS, beyond << SLOT_BITS),
    )


def _range_sql(
    slot: str, first: int, beyond: int, lowest: int, highest: int, *, with_slot: bool = False
) -> tuple[str, tuple[int, ...]]:
    """Of elements that are numbered one after the other, as those of a definition: what each slot has."""
    subject = f"a.key >> {SLOT_BITS}" if with_slot else f"a.key & {_SUBJECT}"
    return (
        "WITH RECURSIVE slot (number) AS"
        " (VALUES (?) UNION ALL SELECT number + 1 FROM slot WHERE number + 1 < ?)"
        f" SELECT {subject}, {_COUNTS} FROM slot CROSS JOIN activity_{slot} a"
        f" ON a.key BETWEEN (slot.number << {SLOT_BITS}) + ? AND (slot.number << {SLOT_BITS}) + ?",
        (first, beyond, lowest, highest),
    )


def _job_types(reader: Reader, report: Report) -> Rows:
    """Type, open jobs that wait, are with workers and failed."""
    return reader.rows("SELECT type, waiting, active, failing FROM job_types ORDER BY type")


def _subjects(reader: Reader, report: Report) -> Rows:
    """Of some kinds: kind, names as JSON, how often it happened, and when at last."""
    kinds = ", ".join(str(int(kind)) for kind in report.values)
    return reader.rows(f"SELECT kind, names, count, last FROM subjects WHERE kind IN ({kinds})")


def _tallies(reader: Reader, report: Report) -> Rows:
    """The same between two moments: of all with a first name, or of all for an empty one."""
    found: dict[tuple[Any, ...], list[int]] = {}
    for sql, parameters, _ in _tally_sqls(reader, report):
        sql = f"SELECT s.kind, s.names, sum(t.count), max(t.last) {sql} GROUP BY s.key"
        for kind, names, count, last in reader.rows(sql, parameters):
            sums = found.setdefault((kind, names), [0, 0])
            sums[0] += count
            sums[1] = max(sums[1], last)
    return [(*subject, *sums) for subject, sums in found.items()]


def _tally_series(reader: Reader, report: Report) -> Rows:
    """The same over time: kind, start of a slot of so many milliseconds or more, how often, when at last."""
    resolution = int(report.values[3])
    found: dict[tuple[int, int], list[int]] = {}
    plain = msgspec.structs.replace(report, values=(*report.values[:3], *report.values[4:]))
    for sql, parameters, length in _tally_sqls(reader, plain):
        sql = f"SELECT s.kind, t.key >> {SLOT_BITS}, sum(t.count), max(t.last) {sql} GROUP BY 1, 2"
        for kind, slot, count, last in reader.rows(sql, parameters):
            sums = found.setdefault((kind, slot * length // resolution * resolution), [0, 0])
            sums[0] += count
            sums[1] = max(sums[1], last)
    return [(kind, at, *sums) for (kind, at), sums in found.items()]


def _tally_sqls(reader: Reader, report: Report) -> Iterator[tuple[str, tuple[Any, ...], int]]:
    start, end, first_name, *kinds = report.values
    listed = ", ".join(str(int(kind)) for kind in kinds)
    for slot, first, beyond, length in _slots(reader, int(start), int(end)):
        sql = (
            f"FROM tally_{slot} t CROSS JOIN subjects s ON s.key = t.key & {_SUBJECT}"
            f" WHERE t.key >= ? AND t.key < ? AND s.kind IN ({listed})"
        )
        parameters: tuple[Any, ...] = (first << SLOT_BITS, beyond << SLOT_BITS)
        if first_name:
            sql += " AND json_extract(s.names, '$[0]') = ?"
            parameters = (*parameters, first_name)
        yield sql, parameters, length


FIGURE_REPORTS: Final[Mapping[str, Callable[[Reader, Report], Rows]]] = {
    "processes": _processes,
    "open incidents": _open_incidents,
    "elements": _elements,
    "busiest elements": _busiest_elements,
    "activity": _activity,
    "activity series": _activity_series,
    "job types": _job_types,
    "subjects": _subjects,
    "tallies": _tallies,
    "tally series": _tally_series,
}
