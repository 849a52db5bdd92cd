"""Jobs: lent to workers, and what workers make of them."""

from typing import Final

from bpmnd.bpmn.commands import (
    ActivateJobs,
    CompleteJob,
    FailJob,
    ThrowJobError,
    UpdateJob,
    Variables,
    YieldJobs,
)
from bpmnd.bpmn.elements.errors import throw
from bpmnd.bpmn.elements.listeners import is_of_task, kind_of, no_retries_of
from bpmnd.bpmn.events import (
    JobCompleted,
    JobErrorThrown,
    JobFailed,
    JobRecurred,
    JobRetriesUpdated,
    JobsActivated,
    JobTimedOut,
    JobTimeoutUpdated,
    JobYielded,
)
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.model.graph import AdHocSubProcess, Element, SequenceFlow, ServiceTask
from bpmnd.bpmn.outcomes import (
    Accepted,
    ActivatedJob,
    LentJobs,
    Outcome,
    Rejected,
    RejectionType,
    TaskProperties,
)
from bpmnd.bpmn.outcomes import JobsActivated as JobsAnswer
from bpmnd.bpmn.processors import ad_hoc, listeners
from bpmnd.bpmn.state.records import JOB_ACTIVATABLE, JOB_ACTIVATED, Job, ProcessInstance
from bpmnd.bpmn.steps import CompleteElement, ThrowError
from bpmnd.bpmn.turn import JobNote, Turn
from bpmnd.bpmn.user_tasks import changed
from bpmnd.bpmn.variables import merge_local, merge_upwards, oversize, visible_from

_LENT_PER_LOOK: Final = 64
_LENT_MAX: Final = 1000
"""Jobs of one activation, whatever was asked for: one command must not hold up a tick."""
_MOMENT_MAX: Final = 2**63 - 1


def activate(turn: Turn, command: ActivateJobs) -> Outcome:
    deadline = _deadline(turn, command.timeout_ms)
    wanted = min(command.jobs_max, _LENT_MAX)
    lent: list[ActivatedJob] = []
    size = 0
    truncated = False
    for tenant_id in command.tenant_ids:
        while len(lent) < wanted and not truncated:
            keys = turn.state.first_activatable(
                tenant_id, command.type, min(wanted - len(lent), _LENT_PER_LOOK)
            )
            taken: list[int] = []
            instance_keys: list[int] = []
            for key in keys:
                job = _activated(turn, key, command, deadline)
                size += sum(len(name) + len(value) for name, value in job.variables.items())
                if lent and size > command.bytes_max:
                    truncated = True
                    break
                lent.append(job)
                taken.append(key)
                instance_keys.append(job.process_instance_key)
            if not taken:
                break
            turn.emit(
                JobsActivated(
                    tuple(taken), tenant_id, command.type, command.worker, deadline, tuple(instance_keys)
                )
            )
    if lent:
        turn.notes.append(JobNote(command.type, "activated", len(lent)))
    return JobsAnswer(tuple(lent), truncated)


def lent_still(turn: Turn, command: ActivateJobs, lent: LentJobs) -> tuple[ActivatedJob, ...]:
    """Those of once lent jobs that nobody has worked on since, as they are now."""
    jobs: list[ActivatedJob] = []
    for key in lent.keys:
        instance = turn.state.owner_of(key)
        job = instance.jobs.get(key) if instance is not None else None
        if job is not None and job.state is JOB_ACTIVATED and job.due == lent.deadline:
            jobs.append(_activated(turn, key, command, lent.deadline))
    return tuple(jobs)


def _activated(turn: Turn, key: int, command: ActivateJobs, deadline: int) -> ActivatedJob:
    instance = turn.state.owner_of(key)
    assert instance is not None, f"no instance has the job {key}"
    job = instance.jobs[key]
    definition = turn.state.definitions.items[instance.definition_key]
    record = instance.elements[job.element_instance_key]
    element = turn.executable_of(instance).elements[record.element]
    kind, listener_event, task = _of_listener(instance, job)
    return ActivatedJob(
        key,
        job.type,
        instance.key,
        definition.key,
        definition.process_id,
        definition.version,
        element.id,
        job.element_instance_key,
        _headers_of(element, job),
        command.worker,
        job.retries,
        deadline,
        instance.tenant_id,
        instance.tags,
        visible_from(instance, job.element_instance_key, command.fetch_variables),
        instance.root_key,
        kind,
        listener_event,
        task,
    )


def _of_listener(instance: ProcessInstance, job: Job) -> tuple[str, str, TaskProperties | None]:
    """What a job says of what it listens to: its kind, the event, and the user task."""
    call = job.listener
    if call is None:
        is_ad_hoc = job.element_instance_key in instance.loops
        return "AD_HOC_SUB_PROCESS" if is_ad_hoc else "BPMN_ELEMENT", "UNSPECIFIED", None
    task = instance.user_task_of(job.element_instance_key) if is_of_task(call) else None
    if task is None or task.transition is None:
        return kind_of(call), call.event, None
    after = task.transition.attributes
    properties = TaskProperties(
        task.key, after, task.transition.action, changed(task.attributes, after), task.form_key
    )
    return kind_of(call), call.event, properties


def _headers_of(element: Element | SequenceFlow, job: Job) -> tuple[tuple[str, str], ...]:
    """Those of the element are for who does its work."""
    if job.headers:
        return job.headers
    if (
        isinstance(element, ServiceTask | AdHocSubProcess)
        and element.job is not None
        and job.listener is None
    ):
        return element.job.headers
    return ()


def _deadline(turn: Turn, timeout_ms: int) -> int:
    """A moment that every client can read; one that is long past is over at once."""
    return min(max(turn.now + timeout_ms, 1), _MOMENT_MAX)


def yield_jobs(turn: Turn, command: YieldJobs) -> Outcome:
    for key, deadline in command.jobs:
        instance = turn.state.owner_of(key)
        job = instance.jobs.get(key) if instance is not None else None
        if instance is None or job is None:
            continue
        if job.state is JOB_ACTIVATED and job.due == deadline:
            turn.emit(JobYielded(key, instance.key))
            turn.offered.add((instance.tenant_id, job.type))
    return Accepted()


def complete(turn: Turn, command: CompleteJob) -> Outcome:
    found = _job_to(turn, command.key, "complete", command.variables)
    if isinstance(found, Rejected):
        return found
    instance, job = found
    key = job.element_instance_key
    if job.listener is not None:
        outcome = listeners.complete(turn, command, instance, job, job.listener)
        if not isinstance(outcome, Rejected):
            turn.notes.append(JobNote(job.type, "completed", 1))
        return outcome
    element = turn.executable_of(instance).elements[instance.elements[key].element]
    if isinstance(element, AdHocSubProcess):
        return ad_hoc.complete_job(turn, command, instance, job, element)
    turn.emit(JobCompleted(command.key, instance.key))
    turn.notes.append(JobNote(job.type, "completed", 1))
    if command.variables:
        assert isinstance(element, ServiceTask), f"{job} at {element}"
        if element.outputs:
            merge_local(turn, instance, key, command.variables)
        else:
            merge_upwards(turn, instance, key, command.variables)
    turn.schedule(CompleteElement(instance.key, key))
    return Accepted()


def fail(turn: Turn, command: FailJob) -> Outcome:
    found = _job_to(turn, command.key, "fail", command.variables)
    if isinstance(found, Rejected):
        return found
    instance, job = found
    retries = max(command.retries, 0)
    recur_at = turn.now + command.back_off_ms if retries and command.back_off_ms > 0 else 0
    turn.emit(JobFailed(command.key, instance.key, retries, recur_at, command.message))
    turn.notes.append(JobNote(job.type, "failed", 1))
    merge_local(turn, instance, job.element_instance_key, command.variables)
    if not retries:
        type_ = IncidentType.JOB_NO_RETRIES if job.listener is None else no_retries_of(job.listener)
        if job.listener is None and job.element_instance_key in instance.loops:
            type_ = IncidentType.AD_HOC_SUB_PROCESS_NO_RETRIES
        incident = Incident(type_, command.message or "No more retries left.")
        turn.raise_incident(instance, job.element_instance_key, incident, job_key=command.key)
    elif not recur_at:
        turn.offered.add((instance.tenant_id, job.type))
    return Accepted()


def throw_error(turn: Turn, command: ThrowJobError) -> Outcome:
    found = _job_to(turn, command.key, "throw an error for", command.variables)
    if isinstance(found, Rejected):
        return found
    instance, job = found
    if job.listener is not None:
        return Rejected(
            RejectionType.INVALID_STATE,
            f"Cannot throw BPMN error from {kind_of(job.listener)} job with key '{command.key}',"
            f" type '{job.type}' and processInstanceKey '{instance.key}'",
        )
    turn.emit(JobErrorThrown(command.key, instance.key, command.code, command.message))
    turn.notes.append(JobNote(job.type, "error_thrown", 1))
    error = ThrowError(
        instance.key, job.element_instance_key, command.code, command.message, command.variables
    )
    incident = throw(turn, error)
    if incident is not None:
        turn.raise_incident(instance, job.element_instance_key, incident, job_key=command.key)
    return Accepted()


def update(turn: Turn, command: UpdateJob) -> Outcome:
    instance = turn.state.owner_of(command.key)
    job = instance.jobs.get(command.key) if instance is not None else None
    if instance is None or job is None:
        return _no_such_job(command.key, "update")
    if command.retries is None and command.timeout_ms is None:
        return Rejected(
            RejectionType.INVALID_ARGUMENT,
            f"Expected to update job with key '{command.key}' with retries or a timeout, but neither given",
        )
    if command.retries is not None and command.retries < 1:
        return Rejected(
            RejectionType.INVALID_ARGUMENT,
            f"Expected to update retries for job with key '{command.key}' with a positive amount of"
            f" retries, but the amount given was '{command.retries}'",
        )
    if command.timeout_ms is not None and job.state is not JOB_ACTIVATED:
        return Rejected(
            RejectionType.INVALID_STATE,
            f"Expected to update the timeout of job with key '{command.key}', but it is not active",
        )
    if command.retries is not None:
        turn.emit(JobRetriesUpdated(command.key, instance.key, command.retries))
    if command.timeout_ms is not None:
        deadline = _deadline(turn, command.timeout_ms)
        turn.emit(JobTimeoutUpdated(command.key, instance.key, deadline))
    return Accepted()


def fire_job(turn: Turn, instance: ProcessInstance, key: int) -> None:
    """The deadline of a lent job has come, or the back-off of a failed one is over."""
    job = instance.jobs.get(key)
    if job is None or not 0 < job.due <= turn.now:
        return
    if job.state is JOB_ACTIVATED:
        turn.emit(JobTimedOut(job.key, instance.key))
        turn.notes.append(JobNote(job.type, "timed_out", 1))
    else:
        turn.emit(JobRecurred(job.key, instance.key))
    turn.offered.add((instance.tenant_id, job.type))


def _job_to(turn: Turn, key: int, verb: str, variables: Variables) -> tuple[ProcessInstance, Job] | Rejected:
    """A job that a worker may still decide about: lent, or lent before and timed out."""
    instance = turn.state.owner_of(key)
    job = instance.jobs.get(key) if instance is not None else None
    if instance is None or job is None:
        return _no_such_job(key, verb)
    if job.state not in (JOB_ACTIVATED, JOB_ACTIVATABLE):
        return Rejected(
            RejectionType.INVALID_STATE,
            f"Expected to {verb} job with key '{key}', but it is in state '{job.state.name}'",
        )
    too_large = oversize(instance, job.element_instance_key, variables)
    if too_large is not None:
        return Rejected(RejectionType.INVALID_ARGUMENT, too_large)
    return instance, job


def _no_such_job(key: int, verb: str) -> Rejected:
    return Rejected(
        RejectionType.NOT_FOUND,
        f"Expected to {verb} job with key '{key}', but no such job was found",
    )
