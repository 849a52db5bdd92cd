"""Appliers of incidents."""

from msgspec.structs import replace

from bpmnd.bpmn.appliers.jobs import offer_job
from bpmnd.bpmn.appliers.registry import applies
from bpmnd.bpmn.events import IncidentCreated, IncidentResolved
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.records import IncidentRecord, JobState


@applies(IncidentCreated)
def incident_created(state: State, event: IncidentCreated) -> None:
    """A timer whose triggering failed is parked: it is not due again before the incident is resolved."""
    instance = state.touch(event.instance_key)
    incident = IncidentRecord(
        event.key,
        event.element_instance_key,
        event.job_key,
        event.timer_key,
        event.type,
        event.message,
        event.steps,
    )
    state.journal.put(instance.incidents, event.key, incident)
    state.owners.add(event.key, event.instance_key, state.journal)
    state.journal.assign(state, "incidents", state.incidents + 1)
    timer = instance.timers.get(event.timer_key)
    if timer is not None:
        state.remove_due(timer.due, timer.key)
        state.journal.put(instance.timers, timer.key, replace(timer, due=0))


@applies(IncidentResolved)
def incident_resolved(state: State, event: IncidentResolved) -> None:
    """A job that waited behind the incident with retries left may be lent again."""
    instance = state.touch(event.instance_key)
    incident = state.journal.drop(instance.incidents, event.key)
    state.owners.remove(event.key, state.journal)
    state.journal.assign(state, "incidents", state.incidents - 1)
    job = instance.jobs.get(incident.job_key)
    if job is not None and job.retries > 0 and job.state in (JobState.FAILED, JobState.ERROR_THROWN):
        offer_job(state, instance, job.key)
