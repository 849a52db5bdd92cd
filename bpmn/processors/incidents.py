"""Resolution of incidents."""

from bpmnd.bpmn.commands import ResolveIncident
from bpmnd.bpmn.events import IncidentResolved
from bpmnd.bpmn.outcomes import Accepted, Outcome, Rejected, RejectionType
from bpmnd.bpmn.state.records import JobState
from bpmnd.bpmn.steps import decode_steps
from bpmnd.bpmn.turn import Turn


def resolve(turn: Turn, command: ResolveIncident) -> Outcome:
    """Do again what failed. A job must have got retries before."""
    instance = turn.state.owner_of(command.key)
    incident = instance.incidents.get(command.key) if instance is not None else None
    if instance is None or incident is None:
        return Rejected(
            RejectionType.NOT_FOUND,
            f"Expected to resolve incident with key '{command.key}', but no such incident was found",
        )
    job = instance.jobs.get(incident.job_key)
    if job is not None and job.state in (JobState.FAILED, JobState.ERROR_THROWN) and job.retries < 1:
        return Rejected(
            RejectionType.INVALID_STATE,
            f"Expected to resolve incident with key '{command.key}', but job with key '{job.key}'"
            " has no retries left. Update the job's retries before.",
        )
    turn.emit(IncidentResolved(command.key, instance.key))
    if job is not None:
        turn.offered.add((instance.tenant_id, job.type))
    for step in decode_steps(incident.steps):
        turn.schedule(step)
    return Accepted()
