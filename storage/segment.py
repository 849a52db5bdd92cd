"""A segment: a file of zeros that fills with write batches."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, final

from bpmnd.storage.batch import (
    HEADER_SIZE,
    PAGE,
    BadBatch,
    Header,
    Trailer,
    body_of,
    check,
    header_of,
    trailer_of,
)
from bpmnd.storage.disk import Disk, File
from bpmnd.storage.entry import Entry, entries_of

_SUFFIX = ".log"
_CHUNK = 256 * PAGE
_ZEROS = bytes(_CHUNK)


class Batch(NamedTuple):
    """A whole write batch and where it begins."""

    offset: int
    header: Header
    trailer: Trailer
    data: bytes

    @property
    def end(self) -> int:
        return self.offset + self.header.batch_size

    def entries(self) -> Iterator[tuple[int, Entry]]:
        """The entries, each with its offset in the segment."""
        for offset, entry in entries_of(body_of(self.header, self.data)):
            yield self.offset + HEADER_SIZE + offset, entry


@final
@dataclass(frozen=True, slots=True)
class Evidence:
    """What can still be read at and after the place where the whole batches end.

    `synced`: the highest sequence that a later batch proves to have been synced.
    `trailer`: the trailer of the batch at the place is there.
    `dirty`: there is anything but zeros.
    """

    synced: int
    trailer: bool
    dirty: bool

    def __or__(self, other: "Evidence") -> "Evidence":
        return Evidence(
            max(self.synced, other.synced), self.trailer or other.trailer, self.dirty or other.dirty
        )


NOTHING = Evidence(0, trailer=False, dirty=False)


def segment_path(directory: Path, number: int) -> Path:
    return directory / f"{number:010d}{_SUFFIX}"


def segment_numbers(disk: Disk, directory: Path) -> list[int]:
    """The numbers of the segments there, rising."""
    stems = (name.removesuffix(_SUFFIX) for name in disk.names(directory) if name.endswith(_SUFFIX))
    return sorted(int(stem) for stem in stems if stem.isdigit())


def make_segment(disk: Disk, directory: Path, number: int, size: int) -> File:
    """A segment of zeros, in its place and synced."""
    path = segment_path(directory, number)
    made = path.with_suffix(".new")
    file = disk.create(made, size)
    try:
        file.sync()
        disk.rename(made, path)
        disk.sync_directory(directory)
    except BaseException:
        file.close()
        raise
    return file


def read_batch(file: File, offset: int) -> Batch | BadBatch | None:
    """The batch at `offset`; None where the segment ends there."""
    page = file.read(PAGE, offset)
    if page == bytes(len(page)):
        return None
    header = header_of(page)
    if header is None:
        return BadBatch("header", "no good batch header")
    rest = header.batch_size - PAGE
    data = page + file.read(rest, offset + PAGE) if rest else page
    match check(header, data):
        case BadBatch() as bad:
            return bad
        case trailer:
            return Batch(offset, header, trailer, data)


def evidence_from(file: File, offset: int, sequence: int) -> Evidence:
    """What speaks from `offset` on for the batch with that sequence, or for a later one."""
    synced, trailer, dirty = 0, False, False
    for _, page in _pages(file, offset):
        dirty = True
        header = header_of(page)
        if header is not None and header.sequence > sequence:
            synced = max(synced, header.synced_sequence)
        end = trailer_of(page, PAGE)
        if end is not None and end.sequence == sequence:
            trailer = True
        elif end is not None and end.sequence > sequence:
            synced = max(synced, end.sequence - 1)
    return Evidence(synced, trailer, dirty)


def clean(file: File, offset: int) -> None:
    """Leave nothing but synced zeros from `offset` on."""
    for at, _ in list(_pages(file, offset)):
        file.write([bytes(PAGE)], at, durable=False)
    file.truncate(file.size() // PAGE * PAGE)
    file.sync()


def _pages(file: File, offset: int) -> Iterator[tuple[int, bytes]]:
    """The pages from `offset` on that are not all zeros; the last may be short."""
    while chunk := file.read(_CHUNK, offset):
        if chunk != _ZEROS[: len(chunk)]:
            for start in range(0, len(chunk), PAGE):
                page = chunk[start : start + PAGE]
                if page != _ZEROS[: len(page)]:
                    yield offset + start, page
        offset += len(chunk)
