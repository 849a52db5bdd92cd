"""Appliers of jobs. A job is in the index of its type while it may be lent, and due while it is lent or
backs off."""

from msgspec.structs import replace

from bpmnd.bpmn.appliers.registry import applies
from bpmnd.bpmn.events import (
    JobCanceled,
    JobCompleted,
    JobCreated,
    JobErrorThrown,
    JobFailed,
    JobRecurred,
    JobRetriesUpdated,
    JobsActivated,
    JobTimedOut,
    JobTimeoutUpdated,
    JobWithHeadersCreated,
    JobYielded,
    ListenerJobCreated,
)
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.records import (
    JOB_ACTIVATABLE,
    JOB_ACTIVATED,
    ElementInstance,
    Job,
    JobState,
    ListenerCall,
    ProcessInstance,
)


@applies(JobCreated)
def job_created(state: State, event: JobCreated) -> None:
    job = Job(event.key, event.element_instance_key, event.type, event.retries, JOB_ACTIVATABLE)
    _add(state, event.instance_key, job)


@applies(ListenerJobCreated)
def listener_job_created(state: State, event: ListenerJobCreated) -> None:
    job = Job(
        event.key,
        event.element_instance_key,
        event.type,
        event.retries,
        JOB_ACTIVATABLE,
        listener=ListenerCall(event.listens_to, event.then),
    )
    _add(state, event.instance_key, job)


@applies(JobWithHeadersCreated)
def job_with_headers_created(state: State, event: JobWithHeadersCreated) -> None:
    job = Job(
        event.key,
        event.element_instance_key,
        event.type,
        event.retries,
        JOB_ACTIVATABLE,
        headers=event.headers,
    )
    _add(state, event.instance_key, job)


def _add(state: State, instance_key: int, job: Job) -> None:
    instance = state.touch(instance_key)
    state.journal.put(instance.jobs, job.key, job)
    state.owners.add(job.key, instance_key, state.journal)
    element = instance.elements[job.element_instance_key]
    working = ElementInstance(element.key, element.element, element.scope_key, element.state, job.key)
    state.journal.put(instance.elements, element.key, working)
    state.activatable(instance.tenant_id, job.type).add(job.key, state.journal)


@applies(JobsActivated)
def jobs_activated(state: State, event: JobsActivated) -> None:
    index = state.activatable(event.tenant_id, event.type)
    for key, instance_key in zip(event.keys, event.instance_keys, strict=True):
        instance = state.touch(instance_key)
        job = instance.jobs[key]
        assert job.state is JOB_ACTIVATABLE, f"{event}, but {job}"
        index.remove(key, state.journal)
        lent = Job(
            key,
            job.element_instance_key,
            job.type,
            job.retries,
            JOB_ACTIVATED,
            event.deadline,
            event.worker,
            job.listener,
            job.headers,
        )
        state.journal.put(instance.jobs, key, lent)
        state.add_due(event.deadline, key)


@applies(JobCompleted)
def job_completed(state: State, event: JobCompleted) -> None:
    _drop(state, state.touch(event.instance_key), event.key)


@applies(JobCanceled)
def job_canceled(state: State, event: JobCanceled) -> None:
    _drop(state, state.touch(event.instance_key), event.key)


@applies(JobFailed)
def job_failed(state: State, event: JobFailed) -> None:
    instance = state.touch(event.instance_key)
    job = _idle(state, instance, instance.jobs[event.key])
    if event.retries > 0 and not event.recur_at:
        _offer(state, instance, replace(job, retries=event.retries))
        return
    failed = replace(job, retries=event.retries, state=JobState.FAILED, due=event.recur_at)
    state.journal.put(instance.jobs, event.key, failed)
    if event.recur_at:
        state.add_due(event.recur_at, event.key)


@applies(JobRecurred)
def job_recurred(state: State, event: JobRecurred) -> None:
    _offer_again(state, event)


@applies(JobTimedOut)
def job_timed_out(state: State, event: JobTimedOut) -> None:
    _offer_again(state, event)


@applies(JobYielded)
def job_yielded(state: State, event: JobYielded) -> None:
    _offer_again(state, event)


@applies(JobErrorThrown)
def job_error_thrown(state: State, event: JobErrorThrown) -> None:
    instance = state.touch(event.instance_key)
    job = _idle(state, instance, instance.jobs[event.key])
    state.journal.put(instance.jobs, event.key, replace(job, state=JobState.ERROR_THROWN))


@applies(JobRetriesUpdated)
def job_retries_updated(state: State, event: JobRetriesUpdated) -> None:
    instance = state.touch(event.instance_key)
    updated = replace(instance.jobs[event.key], retries=event.retries)
    state.journal.put(instance.jobs, event.key, updated)


@applies(JobTimeoutUpdated)
def job_timeout_updated(state: State, event: JobTimeoutUpdated) -> None:
    instance = state.touch(event.instance_key)
    job = instance.jobs[event.key]
    if job.due == event.deadline:
        return
    state.remove_due(job.due, event.key)
    state.journal.put(instance.jobs, event.key, replace(job, due=event.deadline))
    state.add_due(event.deadline, event.key)


def offer_job(state: State, instance: ProcessInstance, key: int) -> None:
    """The job may be lent again, whatever it waited for."""
    _offer(state, instance, _idle(state, instance, instance.jobs[key]))


def _offer_again(state: State, event: JobRecurred | JobTimedOut | JobYielded) -> None:
    offer_job(state, state.touch(event.instance_key), event.key)


def _offer(state: State, instance: ProcessInstance, job: Job) -> None:
    free = replace(job, state=JOB_ACTIVATABLE, due=0, worker="")
    state.journal.put(instance.jobs, job.key, free)
    state.activatable(instance.tenant_id, job.type).add(job.key, state.journal)


def _idle(state: State, instance: ProcessInstance, job: Job) -> Job:
    """The job, taken out of whichever index it is in."""
    if job.state is JOB_ACTIVATABLE:
        state.activatable(instance.tenant_id, job.type).remove(job.key, state.journal)
    elif job.due:
        state.remove_due(job.due, job.key)
    return replace(job, due=0, worker="")


def _drop(state: State, instance: ProcessInstance, key: int) -> None:
    job = state.journal.drop(instance.jobs, key)
    if job.state is JOB_ACTIVATABLE:
        state.activatable(instance.tenant_id, job.type).remove(key, state.journal)
    elif job.due:
        state.remove_due(job.due, key)
    state.owners.remove(key, state.journal)
    element = instance.elements[job.element_instance_key]
    idle = ElementInstance(element.key, element.element, element.scope_key, element.state)
    state.journal.put(instance.elements, element.key, idle)
