"""Activated jobs as JSON."""

from collections.abc import Sequence

import msgspec

from bpmnd.bpmn.outcomes import ActivatedJob, TaskProperties
from bpmnd.gateway.texts import json_object, json_text


def jobs_text(jobs: Sequence[ActivatedJob]) -> bytes:
    """The answer to an activation."""
    return b'{"jobs":[' + b",".join([_job_text(job) for job in jobs]) + b"]}"


def _job_text(job: ActivatedJob) -> bytes:
    return (
        b'{"type":%b,"processDefinitionId":%b,"processDefinitionVersion":%d,"elementId":%b,"customHeaders":%b,'
        b'"worker":%b,"retries":%d,"deadline":%d,"variables":%b,"tenantId":%b,"jobKey":"%d",'
        b'"processInstanceKey":"%d","processDefinitionKey":"%d","elementInstanceKey":"%d",'
        b'"kind":"%b","listenerEventType":"%b","userTask":%b,"tags":%b,'
        b'"rootProcessInstanceKey":"%d"}'
    ) % (
        json_text(job.type),
        json_text(job.process_id),
        job.version,
        json_text(job.element_id),
        json_text(dict(job.headers)) if job.headers else b"{}",
        json_text(job.worker),
        job.retries,
        job.deadline,
        json_object(job.variables) if job.variables else b"{}",
        json_text(job.tenant_id),
        job.key,
        job.process_instance_key,
        job.definition_key,
        job.element_instance_key,
        job.kind.encode(),
        job.listener_event.encode(),
        b"null" if job.user_task is None else _task_text(job.user_task),
        json_text(job.tags) if job.tags else b"[]",
        job.root_process_instance_key,
    )


class _UserTask(msgspec.Struct, frozen=True, rename="camel"):
    action: str
    assignee: str | None
    candidate_groups: tuple[str, ...]
    candidate_users: tuple[str, ...]
    changed_attributes: tuple[str, ...]
    due_date: str | None
    follow_up_date: str | None
    form_key: str | None
    priority: int
    user_task_key: str


def _task_text(task: TaskProperties) -> bytes:
    """What is not set is null."""
    attributes = task.attributes
    return msgspec.json.encode(
        _UserTask(
            task.action,
            attributes.assignee or None,
            attributes.candidate_groups,
            attributes.candidate_users,
            task.changed,
            attributes.due_date or None,
            attributes.follow_up_date or None,
            str(task.form_key) if task.form_key else None,
            attributes.priority,
            str(task.key),
        )
    )
