"""Exporters: up to where each has the records of this partition.

Their positions are state like any other, so that whoever leads next goes on where they stand. They never go
back: an acknowledgement that comes late is of a node that does not lead any more.
"""

from bpmnd.bpmn.commands import AcknowledgeExport, NoteExportGap
from bpmnd.bpmn.events import ExporterAcknowledged, ExportGapNoted
from bpmnd.bpmn.outcomes import Accepted, Outcome
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.deployed import ExporterPosition
from bpmnd.bpmn.turn import Turn


def position_of(state: State, exporter: str) -> ExporterPosition | None:
    """Where an exporter stands; None if it never acknowledged anything."""
    return next((known for known in state.exporters.items.values() if known.exporter == exporter), None)


def acknowledge(turn: Turn, command: AcknowledgeExport) -> Outcome:
    """Accepted also for what is known already."""
    key, known = _known(turn, command.exporter)
    position, mark = max(command.position, known.position), max(command.mark, known.mark)
    if (position, mark) != (known.position, known.mark) or not key:
        turn.emit(ExporterAcknowledged(key or turn.new_key(), command.exporter, position, mark))
    return Accepted()


def note_gap(turn: Turn, command: NoteExportGap) -> Outcome:
    key, known = _known(turn, command.exporter)
    if command.to > known.position:
        turn.emit(ExportGapNoted(key or turn.new_key(), command.exporter, known.position, command.to))
    return Accepted()


def _known(turn: Turn, exporter: str) -> tuple[int, ExporterPosition]:
    """Its key, 0 if it has none yet, and where it stands."""
    for key, known in turn.state.exporters.items.items():
        if known.exporter == exporter:
            return key, known
    return 0, ExporterPosition(exporter, 0, 0)
