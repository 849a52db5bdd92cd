"""User tasks: managed by the engine, or a job for others who do it (BPMN 2.0, §10.3.4.1)."""

from decimal import Decimal
from typing import Final, NamedTuple, final

import msgspec

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.beginning import activated
from bpmnd.bpmn.elements.kind import ElementKind
from bpmnd.bpmn.elements.task_changes import create
from bpmnd.bpmn.elements.waiting import begin_waiting, plan_events
from bpmnd.bpmn.evaluation import (
    evaluate,
    evaluate_date,
    evaluate_names,
    evaluate_string,
    lookup_in,
    not_of_type,
)
from bpmnd.bpmn.events import JobWithHeadersCreated
from bpmnd.bpmn.feel import Lookup
from bpmnd.bpmn.forms import find_form
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.model.graph import JobDefinition, TaskDefinition, UserTask, WorkedUserTask
from bpmnd.bpmn.model.reading import Common, Reading
from bpmnd.bpmn.model.user_tasks import is_native, read_task, read_task_listeners
from bpmnd.bpmn.model.xml import Tag
from bpmnd.bpmn.turn import JobNote, Turn
from bpmnd.bpmn.user_tasks import PRIORITY_DEFAULT, PRIORITY_MAX, TaskAttributes

JOB_TYPE: Final = "io.camunda.zeebe:userTask"
_RETRIES: Final = 1
_PREFIX: Final = "io.camunda.zeebe:"
"""Of the headers that tell about the task."""
_texts = msgspec.json.Encoder().encode


class _Plan(NamedTuple):
    """A task worked out."""

    attributes: TaskAttributes
    form_key: int
    other_form: str


@final
class UserTaskKind(ElementKind[UserTask | WorkedUserTask]):
    """Waits until the task is completed."""

    nodes = (UserTask, WorkedUserTask)

    def read(self, tag: Tag, common: Common, reading: Reading) -> UserTask | WorkedUserTask:
        native = is_native(tag, reading.report)
        definition = read_task(tag, reading.report, native=native)
        listeners = read_task_listeners(tag, reading.report, native=native)
        if native:
            return UserTask(**common, definition=definition, listeners=listeners)
        job = JobDefinition(JOB_TYPE, str(_RETRIES), definition.headers)
        return WorkedUserTask(**common, job=job, definition=definition)

    def activate(self, element: UserTask | WorkedUserTask, activation: Activation) -> Incident | None:
        events = plan_events(element, activation)
        if isinstance(events, Incident):
            return events
        plan = _plan(element.definition, activation)
        if isinstance(plan, Incident):
            return plan

        activated(element, activation)
        begin_waiting(activation, events)
        turn, instance = activation.turn, activation.instance
        if isinstance(element, UserTask):
            create(turn, instance, element, activation.key, plan.attributes, plan.form_key, plan.other_form)
            return None
        turn.emit(
            JobWithHeadersCreated(
                turn.new_key(),
                instance.key,
                activation.key,
                element.index,
                JOB_TYPE,
                _RETRIES,
                _headers(element.definition, plan),
            )
        )
        turn.offered.add((instance.tenant_id, JOB_TYPE))
        turn.notes.append(JobNote(JOB_TYPE, "created", 1))
        return None


def _plan(task: TaskDefinition, activation: Activation) -> _Plan | Incident:
    turn = activation.turn
    lookup = lookup_in(activation.instance, activation.inner_key)
    assignee = "" if task.assignee is None else evaluate_string(turn, task.assignee, lookup)
    if isinstance(assignee, Incident):
        return assignee
    groups = () if task.candidate_groups is None else evaluate_names(turn, task.candidate_groups, lookup)
    if isinstance(groups, Incident):
        return groups
    users = () if task.candidate_users is None else evaluate_names(turn, task.candidate_users, lookup)
    if isinstance(users, Incident):
        return users
    due_date = "" if task.due_date is None else evaluate_date(turn, task.due_date, lookup)
    if isinstance(due_date, Incident):
        return due_date
    follow_up = "" if task.follow_up_date is None else evaluate_date(turn, task.follow_up_date, lookup)
    if isinstance(follow_up, Incident):
        return follow_up
    form_key = 0 if task.form is None else find_form(turn, activation.instance, task.form, lookup)
    if isinstance(form_key, Incident):
        return form_key
    other_form = "" if task.other_form is None else evaluate_string(turn, task.other_form, lookup)
    if isinstance(other_form, Incident):
        return other_form
    priority = _priority(turn, task, lookup)
    if isinstance(priority, Incident):
        return priority
    attributes = TaskAttributes(assignee, groups, users, due_date, follow_up, priority)
    return _Plan(attributes, form_key, other_form)


def _priority(turn: Turn, task: TaskDefinition, lookup: Lookup) -> int | Incident:
    if task.priority is None or isinstance(task.priority, int):
        return PRIORITY_DEFAULT if task.priority is None else task.priority
    evaluated = evaluate(turn, task.priority, lookup, IncidentType.EXTRACT_VALUE_ERROR)
    if isinstance(evaluated, Incident):
        return evaluated
    priority = evaluated.value
    if isinstance(priority, bool) or not isinstance(priority, int | Decimal):
        return not_of_type(task.priority, "NUMBER", evaluated)
    if priority == int(priority) and 0 <= priority <= PRIORITY_MAX:
        return int(priority)
    return Incident(
        IncidentType.EXTRACT_VALUE_ERROR,
        f"Expected priority to be in the range [0,{PRIORITY_MAX}] but was '{priority}'.",
    )


def _headers(task: TaskDefinition, plan: _Plan) -> tuple[tuple[str, str], ...]:
    """Those of the model, and all that is known of the task."""
    attributes = plan.attributes
    of_task = {
        "assignee": attributes.assignee,
        "candidateGroups": _texts(attributes.candidate_groups).decode()
        if attributes.candidate_groups
        else "",
        "candidateUsers": _texts(attributes.candidate_users).decode() if attributes.candidate_users else "",
        "dueDate": attributes.due_date,
        "followUpDate": attributes.follow_up_date,
        "formKey": str(plan.form_key) if plan.form_key else plan.other_form,
    }
    known = tuple((_PREFIX + name, value) for name, value in of_task.items() if value)
    return (*task.headers, *known)
