"""How far exporters are."""

from bpmnd.actors.exporters.describing.registry import describes
from bpmnd.actors.exporters.places import Places
from bpmnd.actors.exporters.values import Value
from bpmnd.bpmn.events import ExporterAcknowledged, ExportGapNoted


@describes
def exporter_acknowledged(event: ExporterAcknowledged, places: Places) -> Value:
    return {"exporter": event.exporter, "position": event.position, "mark": event.mark}


@describes
def export_gap_noted(event: ExportGapNoted, places: Places) -> Value:
    return {"exporter": event.exporter, "after": event.after, "to": event.to}
