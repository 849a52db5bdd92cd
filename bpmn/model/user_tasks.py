"""Zeebe's extension elements of user tasks and of forms."""

import re
from typing import Final

from bpmnd.bpmn.model.extensions import read_binding, read_headers
from bpmnd.bpmn.model.graph import (
    Evaluable,
    FormReference,
    Listener,
    ListenerEvent,
    Names,
    TaskDefinition,
    Text,
)
from bpmnd.bpmn.model.listeners import read_listeners
from bpmnd.bpmn.model.report import Report
from bpmnd.bpmn.model.texts import is_expression, read_expression, read_text
from bpmnd.bpmn.model.timers import rfc3339
from bpmnd.bpmn.model.xml import Tag
from bpmnd.bpmn.user_tasks import PRIORITY_MAX

_SMALL: Final = re.compile("[0-9]{1,3}")

TASK_EVENTS: Final = {
    "creating": ListenerEvent.CREATING,
    "assigning": ListenerEvent.ASSIGNING,
    "updating": ListenerEvent.UPDATING,
    "completing": ListenerEvent.COMPLETING,
    "canceling": ListenerEvent.CANCELING,
    # As the first modelers wrote them.
    "create": ListenerEvent.CREATING,
    "assignment": ListenerEvent.ASSIGNING,
    "update": ListenerEvent.UPDATING,
    "complete": ListenerEvent.COMPLETING,
    "cancel": ListenerEvent.CANCELING,
}


def is_native(task: Tag, report: Report) -> bool:
    """Whether the engine manages the task; else it is a job."""
    return _only("zeebe:userTask", task, report) is not None


def read_task(task: Tag, report: Report, *, native: bool) -> TaskDefinition:
    """Who is to do the task, and when. A native one refers to forms elsewhere by `externalReference`, a job
    by `formKey`."""
    assignment = _only("zeebe:assignmentDefinition", task, report)
    schedule = _only("zeebe:taskSchedule", task, report)
    priority = _only("zeebe:priorityDefinition", task, report)
    form = _only("zeebe:formDefinition", task, report)
    linked, other = None, None
    if form is not None:
        linked, other = _read_form(form, task, report, "externalReference" if native else "formKey")
    return TaskDefinition(
        assignee=_text("assignee", assignment, task, report),
        candidate_groups=_names("candidateGroups", assignment, task, report),
        candidate_users=_names("candidateUsers", assignment, task, report),
        due_date=_date("dueDate", schedule, task, report),
        follow_up_date=_date("followUpDate", schedule, task, report),
        priority=None if priority is None else _priority(priority, task, report),
        form=linked,
        other_form=other,
        headers=read_headers(task, report),
    )


def read_start_form(event: Tag, report: Report) -> FormReference | None:
    """The linked form of a start event. One that is not linked is of no interest to the engine."""
    form = _only("zeebe:formDefinition", event, report)
    return None if form is None or "formId" not in form.attributes else _linked(form, event, report)


def read_task_listeners(task: Tag, report: Report, *, native: bool) -> tuple[Listener, ...]:
    listeners = tuple(read_listeners(task, "taskListener", TASK_EVENTS, report))
    if listeners and not native:
        report.add(task, "task listeners must be of a user task with a zeebe:userTask")
    return listeners


def _only(name: str, element: Tag, report: Report) -> Tag | None:
    found = element.extensions(name)
    for surplus in found[1:]:
        report.add(element, f"must have at most one {name}", at=surplus)
    return found[0] if found else None


def _text(name: str, extension: Tag | None, task: Tag, report: Report) -> Text | None:
    """An attribute; an empty one is as good as none."""
    text = "" if extension is None else extension.attributes.get(name, "")
    return read_text(text, task, report, at=extension or task) if text.strip() else None


def _names(name: str, extension: Tag | None, task: Tag, report: Report) -> Names | None:
    text = "" if extension is None else extension.attributes.get(name, "")
    if not text.strip():
        return None
    if is_expression(text):
        return read_expression(text, task, report, at=extension or task)
    names = tuple(part.strip() for part in text.split(","))
    if not all(names):
        report.add(task, f"the {name} '{text}' must be names with commas between", at=extension)
    return names


def _date(name: str, extension: Tag | None, task: Tag, report: Report) -> Text | None:
    text = _text(name, extension, task, report)
    if not isinstance(text, str):
        return text
    date = rfc3339(text)
    if date is None:
        report.add(
            task, f"the {name} '{text}' must be a date-time, such as 2023-03-02T15:35+02:00", at=extension
        )
    return date


def _priority(extension: Tag, task: Tag, report: Report) -> int | Evaluable | None:
    text = extension.attributes.get("priority", "")
    if not text.strip():
        return None
    if is_expression(text):
        return read_expression(text, task, report, at=extension)
    if not _SMALL.fullmatch(text) or int(text) > PRIORITY_MAX:
        reason = f"the priority '{text}' must be a whole number from 0 to {PRIORITY_MAX}"
        report.add(task, reason, at=extension)
        return None
    return int(text)


def _read_form(form: Tag, task: Tag, report: Report, other: str) -> tuple[FormReference | None, Text | None]:
    """The form that is linked, or what the attribute `other` says of one elsewhere."""
    form_id, reference = form.attributes.get("formId", ""), form.attributes.get(other, "")
    if bool(form_id.strip()) == bool(reference.strip()):
        report.add(task, f"must have either a formId or {_an(other)} that is not empty", at=form)
        return None, None
    if form_id.strip():
        return _linked(form, task, report), None
    return None, read_text(reference, task, report, at=form)


def _linked(form: Tag, element: Tag, report: Report) -> FormReference:
    binding, version_tag = read_binding(form, element, report)
    form_id = read_text(form.attributes["formId"], element, report, at=form)
    return FormReference(form_id, binding, version_tag)


def _an(word: str) -> str:
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"
