"""From records to rows: what each says of an instance, a job, an incident or a user task. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import Table

from bpmnd.actors.exporters.postgresql.tables import INCIDENTS, JOBS, PROCESS_INSTANCES, USER_TASKS
from bpmnd.actors.exporters.records import Record
from bpmnd.actors.exporters.values import moment_of

Columns: TypeAlias = dict[str, Any]
_INT_MAX: Final = (1 << 31) - 1

_JOB_STATES: Final = {
    "CREATED": "CREATED",
    "COMPLETED": "COMPLETED",
    "FAILED": "FAILED",
    "RECURRED_AFTER_BACKOFF": "CREATED",
    "TIMED_OUT": "TIMED_OUT",
    "YIELDED": "CREATED",
    "ERROR_THROWN": "ERROR_THROWN",
    "CANCELED": "CANCELED",
}
_JOB_ENDS: Final = ("COMPLETED", "CANCELED")
_TASK_STATES: Final = {"CREATED": "CREATED", "COMPLETED": "COMPLETED", "CANCELED": "CANCELED"}
_TASK_CHANGES: Final = ("CREATED", "ASSIGNED", "UPDATED", "COMPLETED", "CANCELED", "CORRECTED")


class Change(NamedTuple):
    """What a record says of one row; columns that it does not name stay as they are."""

    table: Table
    key: int
    position: tuple[int, int]
    columns: Columns


def changes_of(record: Record) -> Iterator[Change]:
    """What there is to be changed, of any table."""
    value, time = record.value, moment(record.time)
    match record.value_type, record.intent:
        case "PROCESS_INSTANCE_CREATION", "CREATED" | "CALLED":
            yield Change(
                PROCESS_INSTANCES,
                int(value["processInstanceKey"]),
                record.position,
                {
                    **_process_of(value),
                    "business_id": text(value.get("businessId")),
                    "parent_key": _key(value.get("parentProcessInstanceKey")),
                    "state": "ACTIVE",
                    "started_at": time,
                },
            )
        case "PROCESS_INSTANCE", "ELEMENT_COMPLETED" | "ELEMENT_TERMINATED":
            if record.key is not None and record.key == value.get("processInstanceKey"):
                columns = {**_process_of(value), "state": record.intent.removeprefix("ELEMENT_")}
                columns["ended_at"] = time
                yield Change(PROCESS_INSTANCES, int(record.key), record.position, columns)
        case "PROCESS_INSTANCE_MIGRATION", "MIGRATED":
            columns = {"process_definition_key": _key(value["targetProcessDefinitionKey"])}
            yield Change(PROCESS_INSTANCES, int(value["processInstanceKey"]), record.position, columns)
        case "JOB", _:
            assert record.key is not None, f"{record} is of no job"
            yield Change(JOBS, int(record.key), record.position, _job(record, time))
        case "JOB_BATCH", "ACTIVATED":
            for job in value["jobs"]:
                columns = {**_place_of(job), "state": "ACTIVATED", "worker": text(value.get("worker"))}
                yield Change(JOBS, int(job["jobKey"]), record.position, columns)
        case "INCIDENT", intent:
            assert record.key is not None, f"{record} is of no incident"
            columns = {
                **_place_of(value),
                "job_key": _key(value.get("jobKey")),
                "error_type": text(value.get("errorType")),
                "error_message": text(value.get("errorMessage")),
            }
            if intent == "CREATED":
                columns |= {"state": "ACTIVE", "created_at": time}
            else:
                columns |= {"state": "RESOLVED", "resolved_at": time}
            yield Change(INCIDENTS, int(record.key), record.position, columns)
        case "USER_TASK", intent if intent in _TASK_CHANGES:
            yield Change(USER_TASKS, int(value["userTaskKey"]), record.position, _task(record, time))
        case _:
            pass


def collapsed(changes: Iterable[Change]) -> list[Change]:
    """One change a row: what came later counts, and its position is the last."""
    found: dict[tuple[str, int], Change] = {}
    for change in changes:
        name = (change.table.name, change.key)
        before = found.get(name)
        columns = change.columns if before is None else before.columns | change.columns
        found[name] = change._replace(columns=columns)
    return list(found.values())


@lru_cache(maxsize=16)
def moment(iso: str) -> datetime:
    """The records of an entry have the same one."""
    return datetime.fromisoformat(iso)


def text(value: str | None) -> str | None:
    """PostgreSQL has no text with a zero character."""
    return None if value is None else value.replace("\0", "\ufffd")


def _job(record: Record, time: datetime) -> Columns:
    value = record.value
    columns: Columns = _place_of(value)
    if "type" in value:
        columns["type"] = text(value["type"])
    if "retries" in value:
        columns["retries"] = min(value["retries"], _INT_MAX)
    if record.intent in _JOB_STATES:
        columns["state"] = _JOB_STATES[record.intent]
    if "errorMessage" in value:
        columns["error_message"] = text(value["errorMessage"])
    if record.intent == "CREATED":
        columns["created_at"] = time
    elif record.intent in _JOB_ENDS:
        columns["ended_at"] = time
    return columns


def _task(record: Record, time: datetime) -> Columns:
    value = record.value
    columns: Columns = _place_of(value)
    if "assignee" in value:
        columns["assignee"] = text(value["assignee"]) or None
    for name, column in (
        ("candidateGroupsList", "candidate_groups"),
        ("candidateUsersList", "candidate_users"),
    ):
        if name in value:
            columns[column] = [text(member) for member in value[name]]
    if "dueDate" in value:
        columns["due_at"] = moment_of(value["dueDate"])
    if "priority" in value:
        columns["priority"] = value["priority"]
    if record.intent in _TASK_STATES:
        columns["state"] = _TASK_STATES[record.intent]
    if record.intent == "CREATED":
        columns["created_at"] = time
    elif record.intent in ("COMPLETED", "CANCELED"):
        columns["ended_at"] = time
    return columns


def _process_of(value: Mapping[str, Any]) -> Columns:
    """Which process it is of, as far as the record knows."""
    columns: Columns = {}
    if "processDefinitionKey" in value:
        columns["process_definition_key"] = int(value["processDefinitionKey"])
    if "bpmnProcessId" in value:
        columns |= {"process_id": text(value["bpmnProcessId"]), "version": value["version"]}
    if "tenantId" in value:
        columns["tenant_id"] = value["tenantId"]
    return columns


def _place_of(value: Mapping[str, Any]) -> Columns:
    """Where in which process it is, as far as the record knows."""
    columns: Columns = {}
    if "processInstanceKey" in value:
        columns["process_instance_key"] = int(value["processInstanceKey"])
    if "bpmnProcessId" in value:
        columns["process_id"] = text(value["bpmnProcessId"])
    if "elementId" in value:
        columns["element_id"] = text(value["elementId"])
    return columns


def _key(value: str | None) -> int | None:
    return int(value) if value else None
