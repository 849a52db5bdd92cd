"""Work that one turn could not end."""

from bpmnd.actors.exporters.describing.registry import describes
from bpmnd.actors.exporters.places import Places
from bpmnd.actors.exporters.values import Value
from bpmnd.bpmn.events import ContinuationCreated, ContinuationRemoved


@describes
def continuation_created(event: ContinuationCreated, places: Places) -> Value:
    return {**places.in_instance(event.instance_key), "passes": event.passes}


@describes
def continuation_removed(event: ContinuationRemoved, places: Places) -> Value:
    return {}
