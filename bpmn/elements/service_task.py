"""Tasks that are worked by job workers."""

from typing import Final, final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.beginning import activated
from bpmnd.bpmn.elements.kind import ElementKind
from bpmnd.bpmn.elements.waiting import begin_waiting, plan_events
from bpmnd.bpmn.evaluation import evaluate_int, evaluate_string, lookup_in
from bpmnd.bpmn.events import JobCreated, JobWithHeadersCreated
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.linked_resources import HEADER, link_resources
from bpmnd.bpmn.model.extensions import read_job
from bpmnd.bpmn.model.graph import ServiceTask
from bpmnd.bpmn.model.reading import Common, Reading
from bpmnd.bpmn.model.xml import Tag
from bpmnd.bpmn.turn import JobNote


@final
class ServiceTaskKind(ElementKind[ServiceTask]):
    """Creates a job and waits for its completion."""

    nodes = (ServiceTask,)

    def read(self, tag: Tag, common: Common, reading: Reading) -> ServiceTask:
        return ServiceTask(**common, job=read_job(tag, reading.report))

    def activate(self, element: ServiceTask, activation: Activation) -> Incident | None:
        turn, instance = activation.turn, activation.instance
        lookup = lookup_in(instance, activation.inner_key)
        events = plan_events(element, activation)
        if isinstance(events, Incident):
            return events
        job_type = evaluate_string(turn, element.job.type, lookup)
        if isinstance(job_type, Incident):
            return job_type
        retries = evaluate_int(turn, element.job.retries, lookup)
        if isinstance(retries, Incident):
            return retries
        linked = link_resources(turn, instance, element.job.linked, lookup) if element.job.linked else ""
        if isinstance(linked, Incident):
            return linked

        activated(element, activation)
        begin_waiting(activation, events)
        key, job_key = activation.key, turn.new_key()
        if linked:
            headers = (*element.job.headers, (HEADER, linked))
            turn.emit(
                JobWithHeadersCreated(job_key, instance.key, key, element.index, job_type, retries, headers)
            )
        else:
            turn.emit(JobCreated(job_key, instance.key, key, element.index, job_type, retries))
        turn.offered.add((instance.tenant_id, job_type))
        turn.notes.append(JobNote(job_type, "created", 1))
        return None


WORKED: Final = ServiceTaskKind()
"""For all elements whose work is done so."""
