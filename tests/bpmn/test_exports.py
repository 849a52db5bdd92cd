"""The positions of exporters are state of the partition, and never go back."""

from bpmnd.bpmn.commands import AcknowledgeExport, NoteExportGap
from bpmnd.bpmn.events import ExporterAcknowledged, ExportGapNoted
from bpmnd.bpmn.outcomes import Accepted
from bpmnd.bpmn.processors.exports import position_of
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.deployed import ExporterPosition
from bpmnd.storage.cold_store import MemoryStore
from bpmnd.storage.entry import Position
from tests.bpmn.playground import Playground, rows_of


def test_a_position_is_kept_for_each_exporter() -> None:
    playground = Playground()
    assert playground.do(AcknowledgeExport("files", 7, 0)) == Accepted()
    playground.do(AcknowledgeExport("database", 3, 5))
    playground.do(AcknowledgeExport("files", 9, 0))

    assert position_of(playground.state, "files") == ExporterPosition("files", 9, 0)
    assert position_of(playground.state, "database") == ExporterPosition("database", 3, 5)
    assert position_of(playground.state, "another") is None
    acknowledged = playground.happened(ExporterAcknowledged)
    assert acknowledged[0].key == acknowledged[2].key != acknowledged[1].key


def test_neither_position_nor_mark_goes_back() -> None:
    playground = Playground()
    playground.do(AcknowledgeExport("files", 9, 4))
    before = len(playground.happened(ExporterAcknowledged))
    assert playground.do(AcknowledgeExport("files", 8, 3)) == Accepted()
    assert len(playground.happened(ExporterAcknowledged)) == before, "nothing happened"

    playground.do(AcknowledgeExport("files", 8, 6))
    assert position_of(playground.state, "files") == ExporterPosition("files", 9, 6)


def test_an_exporter_that_has_nothing_yet_is_known_by_its_first_acknowledgement() -> None:
    playground = Playground()
    playground.do(AcknowledgeExport("files", 0, 0))
    assert position_of(playground.state, "files") == ExporterPosition("files", 0, 0)


def test_a_gap_moves_the_position_and_is_in_the_log() -> None:
    playground = Playground()
    playground.do(AcknowledgeExport("files", 9, 4))
    key = playground.happened(ExporterAcknowledged)[0].key
    playground.do(NoteExportGap("files", 20))
    assert playground.happened(ExportGapNoted) == [ExportGapNoted(key, "files", 9, 20)]
    assert position_of(playground.state, "files") == ExporterPosition("files", 20, 4)

    playground.do(NoteExportGap("files", 15))
    assert len(playground.happened(ExportGapNoted)) == 1


def test_positions_are_in_the_checkpoint() -> None:
    playground = Playground()
    playground.do(AcknowledgeExport("files", 9, 4))
    store = MemoryStore()
    store.write(list(rows_of(playground.state).items()))
    store.commit(Position(1, 1, bytes(32)))
    assert position_of(State(1, store), "files") == ExporterPosition("files", 9, 4)
