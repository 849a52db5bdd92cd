"""Activated jobs as JSON."""

from collections.abc import Sequence

from bpmnd.bpmn.outcomes import ActivatedJob
from bpmnd.gateway.texts import json_object, json_text


def jobs_text(jobs: Sequence[ActivatedJob]) -> bytes:
    """The answer to an activation."""
    return b'{"jobs":[' + b",".join([_job_text(job) for job in jobs]) + b"]}"


def _job_text(job: ActivatedJob) -> bytes:
    return (
        b'{"type":%b,"processDefinitionId":%b,"processDefinitionVersion":%d,"elementId":%b,"customHeaders":%b,'
        b'"worker":%b,"retries":%d,"deadline":%d,"variables":%b,"tenantId":%b,"jobKey":"%d",'
        b'"processInstanceKey":"%d","processDefinitionKey":"%d","elementInstanceKey":"%d",'
        b'"kind":"%b","listenerEventType":"%b","userTask":null,"tags":%b,'
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
        json_text(job.tags) if job.tags else b"[]",
        job.root_process_instance_key,
    )
