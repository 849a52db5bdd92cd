"""What an exporter of one's own is written with. Stable; see docs/exporters.md."""

from bpmnd.actors.exporters.protocol import Exporter, Factory, RemembersRecords, Source
from bpmnd.actors.exporters.records import Record

__all__ = ["Exporter", "Factory", "Record", "RemembersRecords", "Source"]
