"""Incidents."""

from bpmnd.actors.exporters.describing.registry import describes
from bpmnd.actors.exporters.places import Places
from bpmnd.actors.exporters.values import Value
from bpmnd.bpmn.events import IncidentCreated, IncidentResolved


@describes
def incident_changed(event: IncidentCreated | IncidentResolved, places: Places) -> Value:
    instance = places.instance(event.instance_key)
    known = instance.incidents.get(event.key) if instance is not None else None
    incident = event if isinstance(event, IncidentCreated) else known
    if incident is None:
        return places.in_instance(event.instance_key)
    value = {
        **places.at_element(event.instance_key, incident.element_instance_key, incident.element),
        "errorType": incident.type,
        "errorMessage": incident.message,
    }
    if incident.job_key:
        value["jobKey"] = str(incident.job_key)
    return value
