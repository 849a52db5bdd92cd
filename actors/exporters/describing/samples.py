"""Samples of the state, by which replicas compare themselves."""

from bpmnd.actors.exporters.describing.registry import describes
from bpmnd.actors.exporters.places import Places
from bpmnd.actors.exporters.values import Value
from bpmnd.bpmn.events import StateSampled


@describes
def state_sampled(event: StateSampled, places: Places) -> Value:
    return {"rows": [key.hex() for key in event.rows]}
