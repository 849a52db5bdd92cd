"""Jobs: what an event does not say of its job is known since that was created."""

from bpmnd.actors.exporters.describing.registry import describes
from bpmnd.actors.exporters.places import Places
from bpmnd.actors.exporters.values import Value, moment
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


@describes
def job_created(event: JobCreated, places: Places) -> Value:
    return _created(event, places)


@describes
def listener_job_created(event: ListenerJobCreated, places: Places) -> Value:
    kind = "EXECUTION_LISTENER" if event.listens_to in ("START", "END") else "TASK_LISTENER"
    return {**_created(event, places), "jobListenerEventType": event.listens_to, "jobKind": kind}


@describes
def job_with_headers_created(event: JobWithHeadersCreated, places: Places) -> Value:
    return {**_created(event, places), "customHeaders": dict(event.headers)}


@describes
def jobs_activated(event: JobsActivated, places: Places) -> Value:
    lent = zip(event.instance_keys, event.keys, strict=True)
    return {
        "type": event.type,
        "worker": event.worker,
        "deadline": moment(event.deadline),
        "tenantId": event.tenant_id,
        "jobs": [{"jobKey": str(key), **_job(places, instance_key, key)} for instance_key, key in lent],
    }


@describes
def job_failed(event: JobFailed, places: Places) -> Value:
    value = _job(places, event.instance_key, event.key)
    value |= {"retries": event.retries, "errorMessage": event.message}
    if event.recur_at:
        value["recurringTime"] = moment(event.recur_at)
    return value


@describes
def job_error_thrown(event: JobErrorThrown, places: Places) -> Value:
    value = _job(places, event.instance_key, event.key)
    return {**value, "errorCode": event.code, "errorMessage": event.message}


@describes
def job_retries_updated(event: JobRetriesUpdated, places: Places) -> Value:
    return {**_job(places, event.instance_key, event.key), "retries": event.retries}


@describes
def job_timeout_updated(event: JobTimeoutUpdated, places: Places) -> Value:
    return {**_job(places, event.instance_key, event.key), "deadline": moment(event.deadline)}


@describes
def job_changed(
    event: JobCompleted | JobRecurred | JobTimedOut | JobYielded | JobCanceled, places: Places
) -> Value:
    """All that is to be said of it is known of the job."""
    return _job(places, event.instance_key, event.key)


def _created(event: JobCreated | ListenerJobCreated | JobWithHeadersCreated, places: Places) -> Value:
    value = places.at_element(event.instance_key, event.element_instance_key, event.element)
    return {**value, "type": event.type, "retries": event.retries}


def _job(places: Places, instance_key: int, key: int) -> Value:
    instance = places.instance(instance_key)
    job = instance.jobs.get(key) if instance is not None else None
    if job is None:
        return places.in_instance(instance_key)
    value = places.at_element(instance_key, job.element_instance_key, job.element)
    value |= {"type": job.type, "retries": job.retries}
    if job.worker:
        value["worker"] = job.worker
    return value
