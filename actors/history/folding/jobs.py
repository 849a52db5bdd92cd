"""Jobs."""

from typing import Final

from bpmnd.actors.history.folding.registry import folds
from bpmnd.actors.history.names import ELEMENT_TYPE, JOB_KIND, JOB_STATE, LISTENER_EVENT, SUBJECT_KIND
from bpmnd.actors.history.rows import JobRow
from bpmnd.actors.history.tables import Tables
from bpmnd.bpmn import events

_AD_HOC: Final = ELEMENT_TYPE["AD_HOC_SUB_PROCESS"]
_ACTIVATED: Final = SUBJECT_KIND["JOB_ACTIVATED"]
_COMPLETED: Final = SUBJECT_KIND["JOB_COMPLETED"]
_CREATED: Final = SUBJECT_KIND["JOB_CREATED"]
_ERROR: Final = SUBJECT_KIND["JOB_ERROR"]
_ERROR_THROWN: Final = SUBJECT_KIND["JOB_ERROR_THROWN"]
_FAILED: Final = SUBJECT_KIND["JOB_FAILED"]
_TIMED_OUT: Final = SUBJECT_KIND["JOB_TIMED_OUT"]


@folds(events.JobCreated)
def job_created(tables: Tables, event: events.JobCreated, time: int) -> None:
    kind = "BPMN_ELEMENT"
    instance = tables.instances.get(event.instance_key)
    if instance is not None:
        row = tables.element_of.get((instance.definition_key, event.element))
        if row is not None and row.type == _AD_HOC:
            kind = "AD_HOC_SUB_PROCESS"
    _created(tables, event, kind, "UNSPECIFIED", time)


@folds(events.ListenerJobCreated)
def listener_job_created(tables: Tables, event: events.ListenerJobCreated, time: int) -> None:
    kind = "EXECUTION_LISTENER" if event.listens_to in ("START", "END") else "TASK_LISTENER"
    _created(tables, event, kind, event.listens_to, time)


@folds(events.JobWithHeadersCreated)
def job_with_headers_created(tables: Tables, event: events.JobWithHeadersCreated, time: int) -> None:
    _created(tables, event, "BPMN_ELEMENT", "UNSPECIFIED", time)


def _created(
    tables: Tables,
    event: events.JobCreated | events.ListenerJobCreated | events.JobWithHeadersCreated,
    kind: str,
    listens_to: str,
    time: int,
) -> None:
    instance = tables.instances.get(event.instance_key)
    if instance is not None:
        job = JobRow(
            event.key,
            event.instance_key,
            instance.definition_key,
            event.element,
            event.element_instance_key,
            event.type,
            JOB_KIND[kind],
            LISTENER_EVENT.get(listens_to, LISTENER_EVENT["UNSPECIFIED"]),
            JOB_STATE["CREATED"],
            event.retries,
            time,
            time,
        )
        tables.job_counts.add(job)
        tables.figures.tally((_CREATED, event.type))


@folds(events.JobsActivated)
def jobs_activated(tables: Tables, event: events.JobsActivated, time: int) -> None:
    count = 0
    for key in event.keys:
        job = tables.job_counts.change(key)
        if job is not None:
            job.worker, job.deadline, job.updated = event.worker, event.deadline, time
            count += 1
    if count:
        tables.figures.tally((_ACTIVATED, event.type, event.worker), count)


@folds(events.JobCompleted)
def job_completed(tables: Tables, event: events.JobCompleted, time: int) -> None:
    job = tables.job_counts.change(event.key)
    if job is not None:
        job.state, job.ended, job.updated = JOB_STATE["COMPLETED"], time, time
        tables.figures.tally((_COMPLETED, job.type, job.worker))


@folds(events.JobCanceled)
def job_canceled(tables: Tables, event: events.JobCanceled, time: int) -> None:
    """What ends with its element because it has thrown an error is over by that."""
    job = tables.job_counts.change(event.key)
    if job is not None:
        job.ended = job.updated = time
        if job.state != JOB_STATE["ERROR_THROWN"]:
            job.state = JOB_STATE["CANCELED"]


@folds(events.JobErrorThrown)
def job_error_thrown(tables: Tables, event: events.JobErrorThrown, time: int) -> None:
    job = tables.job_counts.change(event.key)
    if job is not None:
        job.state, job.updated = JOB_STATE["ERROR_THROWN"], time
        job.error_code, job.error_message = event.code, event.message or None
        tables.figures.tally((_ERROR_THROWN, job.type, job.worker))
        tables.figures.tally((_ERROR, job.type, job.worker, event.code, event.message))


@folds(events.JobFailed)
def job_failed(tables: Tables, event: events.JobFailed, time: int) -> None:
    job = tables.job_counts.change(event.key)
    if job is not None:
        job.state, job.updated = JOB_STATE["FAILED"], time
        job.retries, job.error_message = event.retries, event.message or None
        job.deadline = None
        tables.figures.tally((_FAILED, job.type, job.worker))
        tables.figures.tally((_ERROR, job.type, job.worker, "", event.message))


@folds(events.JobTimedOut)
def job_timed_out(tables: Tables, event: events.JobTimedOut, time: int) -> None:
    job = tables.job_counts.change(event.key)
    if job is not None:
        job.state, job.updated, job.deadline = JOB_STATE["TIMED_OUT"], time, None
        tables.figures.tally((_TIMED_OUT, job.type, job.worker))


@folds(events.JobYielded)
def job_yielded(tables: Tables, event: events.JobYielded, time: int) -> None:
    job = tables.job_counts.change(event.key)
    if job is not None:
        job.deadline, job.updated = None, time


@folds(events.JobRetriesUpdated)
def job_retries_updated(tables: Tables, event: events.JobRetriesUpdated, time: int) -> None:
    job = tables.job_counts.change(event.key)
    if job is not None:
        job.state, job.updated = JOB_STATE["RETRIES_UPDATED"], time
        job.retries = event.retries


@folds(events.JobTimeoutUpdated)
def job_timeout_updated(tables: Tables, event: events.JobTimeoutUpdated, time: int) -> None:
    job = tables.job_counts.change(event.key)
    if job is not None:
        job.deadline, job.updated = event.deadline, time
