"""Reading what lies still, while a node goes on with it: whether it is what was written. Piece by piece.

Each function yields how many bytes it has just read, and may go on in another thread. It raises DamageError
for what is not what was written, another StorageError for what was removed meanwhile.
"""

from collections.abc import Iterator
from pathlib import Path

from bpmnd.storage.archive import Archive
from bpmnd.storage.disk import Disk
from bpmnd.storage.layout import ARCHIVE, LOG
from bpmnd.storage.mark import read_mark
from bpmnd.storage.segment import segment_path
from bpmnd.storage.verify import check_chain
from bpmnd.storage.walk import Walk


def scrub_archive(disk: Disk, directory: Path) -> Iterator[int]:
    """Every entry of the archive of a replica, with the chain from file to file."""
    archive = Archive(disk, directory / ARCHIVE)
    if archive.files():
        for entry in archive.entries(archive.head().index + 1):
            yield len(entry.payload)


def scrub_log(disk: Disk, directory: Path) -> Iterator[int]:
    """Every batch of the log that was synced before this began.

    What its owner cuts off and writes anew meanwhile can be taken for damage: look a second time.
    """
    log = directory / LOG
    mark = read_mark(disk, log)
    walk = Walk(disk, log, mark)
    for place, batch in walk.batches():
        check_chain(place, batch, segment_path(log, place.segment))
        yield place.size
    if walk.sequence < mark.sequence:
        walk.finish()
    walk.check_mark()
