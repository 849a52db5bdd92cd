"""Appliers of what exporters have."""

from bpmnd.bpmn.appliers.registry import applies
from bpmnd.bpmn.events import ExporterAcknowledged, ExportGapNoted
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.deployed import ExporterPosition


@applies(ExporterAcknowledged)
def exporter_acknowledged(state: State, event: ExporterAcknowledged) -> None:
    known = ExporterPosition(event.exporter, event.position, event.mark)
    state.exporters.put(event.key, known, state.journal)


@applies(ExportGapNoted)
def export_gap_noted(state: State, event: ExportGapNoted) -> None:
    known = state.exporters.get(event.key)
    mark = 0 if known is None else known.mark
    state.exporters.put(event.key, ExporterPosition(event.exporter, event.to, mark), state.journal)
