"""User tasks: a change begins, and comes to its end or is denied."""

from datetime import UTC, datetime
from typing import Final

import msgspec

from bpmnd.actors.history.folding.audit import task_change_denied, task_changed
from bpmnd.actors.history.folding.registry import folds
from bpmnd.actors.history.names import SUBJECT_KIND, USER_TASK_STATE
from bpmnd.actors.history.rows import UserTaskRow
from bpmnd.actors.history.tables import Tables
from bpmnd.bpmn import events
from bpmnd.bpmn.user_tasks import TaskAttributes

_ASSIGNED: Final = SUBJECT_KIND["TASK_ASSIGNED"]
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@folds(events.UserTaskCreating)
def creating(tables: Tables, event: events.UserTaskCreating, time: int) -> None:
    instance = tables.instances.get(event.instance_key)
    if instance is None:
        return
    row = UserTaskRow(
        event.key,
        event.instance_key,
        instance.definition_key,
        event.element,
        event.element_instance_key,
        USER_TASK_STATE["CREATING"],
        time,
        form_key=event.form_key or None,
        external_form=event.external_form_reference or None,
    )
    _set(row, event.attributes)
    tables.user_tasks.add(row)
    _tally(tables, event.instance_key, row.assignee)


@folds(events.UserTaskCreated)
def created(tables: Tables, event: events.UserTaskCreated, time: int) -> None:
    _change(tables, event.key, "CREATED", event.attributes)


@folds(events.UserTaskAssigning)
def assigning(tables: Tables, event: events.UserTaskAssigning, time: int) -> None:
    _change(tables, event.key, "ASSIGNING", asked_by=event.user)


@folds(events.UserTaskAssigned)
def assigned(tables: Tables, event: events.UserTaskAssigned, time: int) -> None:
    _change(tables, event.key, "CREATED", event.attributes)
    _tally(tables, event.instance_key, event.attributes.assignee)
    task_changed(tables, event, time)


@folds(events.UserTaskUpdating)
def updating(tables: Tables, event: events.UserTaskUpdating, time: int) -> None:
    _change(tables, event.key, "UPDATING", asked_by=event.user)


@folds(events.UserTaskUpdated)
def updated(tables: Tables, event: events.UserTaskUpdated, time: int) -> None:
    _change(tables, event.key, "CREATED", event.attributes)
    task_changed(tables, event, time)


@folds(events.UserTaskCompleting)
def completing(tables: Tables, event: events.UserTaskCompleting, time: int) -> None:
    _change(tables, event.key, "COMPLETING", asked_by=event.user)


@folds(events.UserTaskCompleted)
def completed(tables: Tables, event: events.UserTaskCompleted, time: int) -> None:
    _change(tables, event.key, "COMPLETED", event.attributes, time)
    task_changed(tables, event, time)


@folds(events.UserTaskCanceling)
def canceling(tables: Tables, event: events.UserTaskCanceling, time: int) -> None:
    _change(tables, event.key, "CANCELING")


@folds(events.UserTaskCanceled)
def canceled(tables: Tables, event: events.UserTaskCanceled, time: int) -> None:
    _change(tables, event.key, "CANCELED", event.attributes, time)


@folds(events.UserTaskDenied)
def denied(tables: Tables, event: events.UserTaskDenied, time: int) -> None:
    task = tables.user_tasks.get(event.key)
    if task is not None:
        task_change_denied(tables, event, time, task.asked_by)
    _change(tables, event.key, "CREATED")


def _change(
    tables: Tables,
    key: int,
    state: str,
    attributes: TaskAttributes | None = None,
    completed: int | None = None,
    *,
    asked_by: str = "",
) -> None:
    row = tables.user_tasks.change(key)
    if row is not None:
        row.state, row.completed, row.asked_by = USER_TASK_STATE[state], completed, asked_by or None
        if attributes is not None:
            _set(row, attributes)


def _tally(tables: Tables, instance_key: int, assignee: str | None) -> None:
    if assignee:
        tables.figures.tally((_ASSIGNED, tables.tenant_of(instance_key), assignee))


def _set(row: UserTaskRow, attributes: TaskAttributes) -> None:
    row.assignee = attributes.assignee or None
    row.candidate_groups = msgspec.json.encode(attributes.candidate_groups).decode()
    row.candidate_users = msgspec.json.encode(attributes.candidate_users).decode()
    row.due, row.follow_up = _moment(attributes.due_date), _moment(attributes.follow_up_date)
    row.priority = attributes.priority


def _moment(text: str) -> int | None:
    """A text of RFC 3339 in milliseconds, in UTC if it does not say; None for what is no moment."""
    try:
        moment = datetime.fromisoformat(text.partition("[")[0])
    except ValueError:
        return None
    since = (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)) - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000
