"""What exporters have of the log."""

from bpmnd.bpmn.events.struct import EventStruct


class ExporterAcknowledged(EventStruct, frozen=True, gc=False, tag=200):
    """An exporter has all entries up to `position`. It wants to know `mark` again, a number of its own."""

    key: int
    exporter: str
    position: int
    mark: int


class ExportGapNoted(EventStruct, frozen=True, gc=False, tag=201):
    """An exporter never got the entries after `after` up to `to`: retention had dropped them."""

    key: int
    exporter: str
    after: int
    to: int
