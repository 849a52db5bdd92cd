"""Counts over the tables of a history, each by name: one row a group, added up over the partitions."""

from collections.abc import Callable, Mapping
from typing import Final

from bpmnd.actors.history.compiling import Statement, where_sql
from bpmnd.actors.history.entities import MESSAGE_SUBSCRIPTIONS, PROCESS_INSTANCES
from bpmnd.actors.history.figure_reports import FIGURE_REPORTS
from bpmnd.actors.history.names import ACTIVE, SUBSCRIPTION_STATE
from bpmnd.actors.history.queries import Compare, Operator, Report
from bpmnd.actors.history.readers import Reader, Rows

_LIVE: Final = Compare("state", Operator.EQUAL, (ACTIVE,))


def run_report(reader: Reader, report: Report) -> Rows:
    return _REPORTS[report.name](reader, report)


def _elements_of_definition(reader: Reader, report: Report) -> Rows:
    """Of a definition: element, active without and with incident, completed, terminated."""
    (definition_key,) = report.values
    if report.conditions == (_LIVE,):
        return reader.rows(
            "SELECT element_id, active - failing, failing, live_completed, live_terminated FROM elements"
            " WHERE definition_key = ? AND element > 0 AND active + live_completed + live_terminated > 0"
            " ORDER BY element_id",
            (definition_key,),
        )
    if report.conditions:
        return _elements_of_some(reader, report)
    return reader.rows(
        "SELECT element_id, active - failing, failing, completed, terminated FROM elements"
        " WHERE definition_key = ? AND element > 0 AND active + completed + terminated > 0"
        " ORDER BY element_id",
        (definition_key,),
    )


_COUNTS: Final = (
    "count(*) FILTER (WHERE y.state = 0 AND y.incidents = 0),"
    " count(*) FILTER (WHERE y.state = 0 AND y.incidents > 0),"
    " count(*) FILTER (WHERE y.state = 1), count(*) FILTER (WHERE y.state = 2)"
)


def _elements_of_some(reader: Reader, report: Report) -> Rows:
    """The same, of the process instances for which some conditions hold."""
    statement = Statement(reader.rows)
    where = where_sql(statement, PROCESS_INSTANCES, report.conditions)
    return reader.rows(
        f"SELECT e.element_id, {_COUNTS} FROM {PROCESS_INSTANCES.table}{PROCESS_INSTANCES.joins}"
        " JOIN element_instances y ON y.instance_key = x.key"
        " JOIN elements e ON e.definition_key = y.definition_key AND e.element = y.element"
        f" WHERE {where} AND x.definition_key = ? GROUP BY e.element_id ORDER BY e.element_id",
        (*statement.parameters, report.values[0]),
    )


def _elements_of_instance(reader: Reader, report: Report) -> Rows:
    return reader.rows(
        f"SELECT e.element_id, {_COUNTS} FROM element_instances y"
        " JOIN elements e ON e.definition_key = y.definition_key AND e.element = y.element"
        " WHERE y.instance_key = ? GROUP BY e.element_id ORDER BY e.element_id",
        (report.values[0],),
    )


def _live_by_definition(reader: Reader, report: Report) -> Rows:
    """Definition, live instances without and with incidents."""
    return reader.rows(
        "SELECT definition_key, active - failing, failing FROM elements INDEXED BY elements_processes"
        " WHERE element = 0 AND active > 0"
    )


def _definitions(reader: Reader, report: Report) -> Rows:
    return reader.rows("SELECT key, process_id, version, name, tenant_id FROM definitions ORDER BY key")


def _failing_by_error(reader: Reader, report: Report) -> Rows:
    """Hash code and message of open incidents, and how many live instances have them."""
    return reader.rows(
        "SELECT message_hash, message, count(DISTINCT instance_key) FROM incidents WHERE state = 0"
        " GROUP BY message_hash, message"
    )


def _failing_by_definition(reader: Reader, report: Report) -> Rows:
    """Definition, and how many of its live instances have an open incident of this hash code."""
    return reader.rows(
        "SELECT definition_key, count(DISTINCT instance_key) FROM incidents"
        " WHERE state = 0 AND message_hash = ? GROUP BY definition_key",
        (report.values[0],),
    )


def _flows_of_instance(reader: Reader, report: Report) -> Rows:
    """The ids of the flows that an instance has taken."""
    found = reader.rows("SELECT definition_key, flows FROM instances WHERE key = ?", (report.values[0],))
    if not found:
        return []
    definition_key, flows = found[0]
    taken = int.from_bytes(flows if isinstance(flows, bytes) else b"", "little")
    elements = reader.rows(
        "SELECT element, element_id FROM elements WHERE definition_key = ? ORDER BY element",
        (definition_key,),
    )
    return [(element_id,) for element, element_id in elements if taken >> element & 1]


def _xml_of_definition(reader: Reader, report: Report) -> Rows:
    found = reader.rows("SELECT content FROM definitions WHERE key = ?", (report.values[0],))
    return [(content.decode("latin-1"),) for (content,) in found]  # A file says itself how it is encoded.


def _callers_of_instance(reader: Reader, report: Report) -> Rows:
    """From the root down to the instance: key, definition key, name of the process or else its id."""
    return reader.rows(
        "WITH RECURSIVE line (key, parent_key, definition_key, depth) AS ("
        " SELECT key, parent_key, definition_key, 0 FROM instances WHERE key = ?"
        " UNION ALL SELECT i.key, i.parent_key, i.definition_key, line.depth + 1 FROM line"
        " JOIN instances i ON i.key = line.parent_key)"
        " SELECT line.key, line.definition_key, coalesce(d.name, d.process_id) FROM line"
        " LEFT JOIN definitions d ON d.key = line.definition_key ORDER BY line.depth DESC",
        (report.values[0],),
    )


def _subscriptions_by_definition(reader: Reader, report: Report) -> Rows:
    """Definition, how many of its instances wait for messages, and how many subscriptions are open."""
    statement = Statement(reader.rows)
    where = where_sql(statement, MESSAGE_SUBSCRIPTIONS, report.conditions)
    return reader.rows(
        "SELECT x.definition_key, count(DISTINCT x.instance_key), count(*)"
        f" FROM {MESSAGE_SUBSCRIPTIONS.table}{MESSAGE_SUBSCRIPTIONS.joins}"
        f" WHERE {where} AND x.state = {SUBSCRIPTION_STATE['CREATED']} AND x.instance_key IS NOT NULL"
        " GROUP BY x.definition_key",
        tuple(statement.parameters),
    )


_SCOPES: Final = (
    "WITH RECURSIVE scope (key, instance_key, depth) AS ("
    " SELECT key, instance_key, 0 FROM element_instances WHERE key = ?"
    " UNION ALL SELECT e.scope_key, e.instance_key, scope.depth + 1 FROM scope"
    "  JOIN element_instances e ON e.key = scope.key)"
)


def _scopes_of_task(reader: Reader, report: Report) -> Rows:
    """The element instance, and all scopes around it, the process instance at last."""
    return reader.rows(f"{_SCOPES} SELECT key FROM scope ORDER BY depth", (report.values[0],))


def _variables_of_task(reader: Reader, report: Report) -> Rows:
    """The variables that are seen from an element instance."""
    found = reader.rows(
        f"{_SCOPES} SELECT v.name, v.key FROM scope JOIN variables v"
        " ON v.instance_key = scope.instance_key AND v.scope_key = scope.key ORDER BY depth DESC",
        (report.values[0],),
    )
    return [(key,) for key in dict(found).values()]  # An inner one takes the place of an outer one.


_REPORTS: Final[Mapping[str, Callable[[Reader, Report], Rows]]] = {
    "elements of definition": _elements_of_definition,
    "elements of instance": _elements_of_instance,
    "live by definition": _live_by_definition,
    "definitions": _definitions,
    "failing by error": _failing_by_error,
    "failing by definition": _failing_by_definition,
    "flows of instance": _flows_of_instance,
    "xml of definition": _xml_of_definition,
    "callers of instance": _callers_of_instance,
    "scopes of task": _scopes_of_task,
    "variables of task": _variables_of_task,
    "subscriptions by definition": _subscriptions_by_definition,
    **FIGURE_REPORTS,
}
