"""What somebody has asked for, and what came of it: a row for each operation that the API's audit log knows.

A command that was decided is noted in the frame with who has asked, and with its events. What has no kind of
entity in the API, as messages and signals, has no row here; the log has it all the same.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from bpmnd.actors.history.names import AUDIT_ENTITY, AUDIT_OPERATION, AUDIT_RESULT
from bpmnd.actors.history.rows import AuditRow
from bpmnd.actors.history.tables import Tables
from bpmnd.bpmn import commands, events
from bpmnd.bpmn.codec import Frame
from bpmnd.bpmn.commands import NO_ORIGIN
from bpmnd.bpmn.events import Event

_SUCCESS: Final = AUDIT_RESULT["SUCCESS"]
_FAIL: Final = AUDIT_RESULT["FAIL"]
_DECISION: Final = AUDIT_ENTITY["DECISION"]
_INCIDENT: Final = AUDIT_ENTITY["INCIDENT"]
_JOB: Final = AUDIT_ENTITY["JOB"]
_PROCESS_INSTANCE: Final = AUDIT_ENTITY["PROCESS_INSTANCE"]
_RESOURCE: Final = AUDIT_ENTITY["RESOURCE"]
_USER_TASK: Final = AUDIT_ENTITY["USER_TASK"]
_VARIABLE: Final = AUDIT_ENTITY["VARIABLE"]
_CREATE: Final = AUDIT_OPERATION["CREATE"]
_UPDATE: Final = AUDIT_OPERATION["UPDATE"]
_DELETE: Final = AUDIT_OPERATION["DELETE"]
_TASK_OPERATIONS: Final = {
    "ASSIGNING": AUDIT_OPERATION["ASSIGN"],
    "UPDATING": _UPDATE,
    "COMPLETING": AUDIT_OPERATION["COMPLETE"],
}

Audit: TypeAlias = Callable[[Tables, int, str | None, Sequence[Event]], None]
"""Takes the log's time, who has asked, and the events of one command."""
_AUDITS: Final[dict[type[Any], Audit]] = {}
A = TypeVar("A", bound=Audit)


def fold_operations(tables: Tables, frame: Frame) -> None:
    """Take in what was asked for, after all events of the entry were folded."""
    position = 0
    for number, (command, _, count) in enumerate(frame.commands):
        audit = _AUDITS.get(command)
        if audit is not None:
            user = frame.origins.get(number, NO_ORIGIN).user or None
            audit(tables, frame.time, user, frame.events[position : position + count])
        position += count


def task_changed(
    tables: Tables,
    event: events.UserTaskAssigned | events.UserTaskUpdated | events.UserTaskCompleted,
    time: int,
) -> None:
    """A change of a user task has come to its end, at once or after its listeners. One that nobody has asked
    for, as when the model gives the assignee, has no action."""
    if not event.action:
        return
    related = None
    if isinstance(event, events.UserTaskAssigned):
        related = event.attributes.assignee or None
        operation = AUDIT_OPERATION["ASSIGN" if related else "UNASSIGN"]
    else:
        operation = _UPDATE if isinstance(event, events.UserTaskUpdated) else AUDIT_OPERATION["COMPLETE"]
    _of_task(tables, event.key, time, operation, _SUCCESS, event.user or None, related)


def task_change_denied(tables: Tables, event: events.UserTaskDenied, time: int, user: str | None) -> None:
    """`user` has asked for the change that a listener has denied."""
    operation = _TASK_OPERATIONS.get(event.denied)
    if operation is not None:
        _of_task(tables, event.key, time, operation, _FAIL, user, None)


def _of_task(
    tables: Tables, key: int, time: int, operation: int, result: int, user: str | None, related: str | None
) -> None:
    task = tables.user_tasks.get(key)
    if task is not None:
        _of_instance(
            tables,
            task.instance_key,
            (time, _USER_TASK, operation, user),
            key,
            result=result,
            element_key=task.element_key,
            related=related,
        )


def _audits(*types: type[commands.Command]) -> Callable[[A], A]:
    def register(function: A) -> A:
        for command in types:
            assert command not in _AUDITS, f"{command} is audited twice"
            _AUDITS[command] = function
        return function

    return register


@_audits(commands.Deploy)
def _deployed(tables: Tables, time: int, user: str | None, happened: Sequence[Event]) -> None:
    """A row for each file, and for each decision in one."""
    for event in happened:
        match event:
            case events.ProcessCreated():
                own: dict[str, Any] = {"definition_key": event.key, "description": event.resource_name}
            case events.DecisionRequirementsCreated():
                own = {"requirements_key": event.key, "description": event.resource_name}
            case events.DecisionCreated():
                own = {"decision_key": event.key, "requirements_key": event.requirements_key}
                own["description"] = event.name
            case events.FormCreated():
                own = {"form_key": event.key, "description": event.resource_name}
            case events.ResourceCreated():
                own = {"resource_key": event.key, "description": event.resource_name}
            case _:
                continue
        entity = _DECISION if isinstance(event, events.DecisionCreated) else _RESOURCE
        own |= {"deployment_key": event.deployment_key, "tenant_id": event.tenant_id}
        _of_none(tables, (time, entity, _CREATE, user), event.key, **own)


@_audits(commands.DeleteResource)
def _deleted(tables: Tables, time: int, user: str | None, happened: Sequence[Event]) -> None:
    for event in happened:
        if isinstance(event, events.ResourceDeleted):
            definition = tables.definitions.get(event.key)
            requirements = tables.requirements.get(event.key)
            if definition is not None:
                own: dict[str, Any] = {"definition_key": event.key, "description": definition.resource_name}
            elif requirements is not None:
                own = {"requirements_key": event.key, "description": requirements.resource_name}
                own["tenant_id"] = requirements.tenant_id
            else:
                own = {"resource_key": event.key}
            _of_none(tables, (time, _RESOURCE, _DELETE, user), event.key, **own)


@_audits(commands.EvaluateDecision)
def _evaluated(tables: Tables, time: int, user: str | None, happened: Sequence[Event]) -> None:
    for event in happened:
        if isinstance(event, events.DecisionEvaluated | events.DecisionEvaluationFailed):
            decision = tables.decisions.get(event.decision_key)
            _of_none(
                tables,
                (time, _DECISION, AUDIT_OPERATION["EVALUATE"], user),
                event.key,
                result=_SUCCESS if isinstance(event, events.DecisionEvaluated) else _FAIL,
                decision_key=event.decision_key,
                requirements_key=decision.requirements_key if decision is not None else None,
                description=decision.name if decision is not None else None,
                tenant_id=event.tenant_id,
            )


@_audits(commands.CreateProcessInstance)
def _created(tables: Tables, time: int, user: str | None, happened: Sequence[Event]) -> None:
    for event in happened:
        if isinstance(event, events.ProcessInstanceCreated):
            _of_instance(tables, event.key, (time, _PROCESS_INSTANCE, _CREATE, user), event.key)
            return


@_audits(commands.CancelProcessInstance)
def _cancelled(tables: Tables, time: int, user: str | None, happened: Sequence[Event]) -> None:
    for event in happened:
        if isinstance(event, events.ElementTerminating | events.ElementTerminated):
            what = (time, _PROCESS_INSTANCE, AUDIT_OPERATION["CANCEL"], user)
            _of_instance(tables, event.instance_key, what, event.instance_key)
            return


@_audits(commands.ModifyProcessInstance, commands.MigrateProcessInstance)
def _changed(tables: Tables, time: int, user: str | None, happened: Sequence[Event]) -> None:
    for event in happened:
        match event:
            case events.ProcessInstanceModified():
                operation = AUDIT_OPERATION["MODIFY"]
            case events.ProcessInstanceMigrated():
                operation = AUDIT_OPERATION["MIGRATE"]
            case _:
                continue
        key = event.instance_key
        _of_instance(tables, key, (time, _PROCESS_INSTANCE, operation, user), key)


@_audits(commands.SetVariables)
def _variables_set(tables: Tables, time: int, user: str | None, happened: Sequence[Event]) -> None:
    """A row for each variable. What follows from them, as when a condition holds, was asked for by nobody."""
    for event in happened:
        match event:
            case events.VariablesCreated():
                operation = _CREATE
            case events.VariablesUpdated():
                operation = _UPDATE
            case events.CommandForgotten():
                continue
            case _:
                return
        for number, name in enumerate(event.variables):
            if isinstance(event, events.VariablesCreated):
                key = event.first_key + number
            else:
                key = tables.variable_keys.get((event.scope_key, name), 0)
            if not key:
                continue  # It began before the history did.
            _of_instance(
                tables,
                event.instance_key,
                (time, _VARIABLE, operation, user),
                key,
                element_key=event.scope_key,
                description=name,
            )


@_audits(commands.ResolveIncident)
def _resolved(tables: Tables, time: int, user: str | None, happened: Sequence[Event]) -> None:
    for event in happened:
        if isinstance(event, events.IncidentResolved):
            incident = tables.incidents.get(event.key)
            if incident is not None:
                _of_instance(
                    tables,
                    incident.instance_key,
                    (time, _INCIDENT, AUDIT_OPERATION["RESOLVE"], user),
                    incident.key,
                    element_key=incident.element_key,
                    job_key=incident.job_key,
                )
            return  # Others are resolved only because what they stood at has ended.


@_audits(commands.UpdateJob)
def _job_updated(tables: Tables, time: int, user: str | None, happened: Sequence[Event]) -> None:
    for event in happened:
        if isinstance(event, events.JobRetriesUpdated | events.JobTimeoutUpdated):
            job = tables.jobs.get(event.key)
            if job is not None:
                _of_instance(
                    tables,
                    job.instance_key,
                    (time, _JOB, _UPDATE, user),
                    job.key,
                    element_key=job.element_key,
                    job_key=job.key,
                    description=job.type,
                )
            return


_What: TypeAlias = tuple[int, int, int, str | None]
"""When, the kind of entity, the operation, and who."""


def _of_instance(
    tables: Tables, instance_key: int, what: _What, entity_key: int, *, result: int = _SUCCESS, **own: Any
) -> None:
    """One that began before the history did is unknown, and left out."""
    instance = tables.instances.get(instance_key)
    key = tables.next_operation() if instance is not None else None
    if instance is not None and key is not None:
        time, entity, operation, user = what
        tables.audit.add(
            AuditRow(
                key,
                instance_key,
                instance.definition_key,
                time,
                entity,
                operation,
                result,
                entity_key,
                user,
                **own,
            )
        )


def _of_none(
    tables: Tables,
    what: _What,
    entity_key: int,
    *,
    result: int = _SUCCESS,
    definition_key: int | None = None,
    **own: Any,
) -> None:
    """An operation on no process instance."""
    key = tables.next_operation()
    if key is not None:
        time, entity, operation, user = what
        row = AuditRow(key, None, definition_key, time, entity, operation, result, entity_key, user, **own)
        tables.audit.add(row)
