"""Mark and vote: the two small files beside the segments."""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import final

from bpmnd.storage.disk import Disk, Write
from bpmnd.storage.entry import HardState, Position
from bpmnd.storage.slots import SlotFile, read_slots

_MARK_MAGIC = b"BPMNDMRK"
_VOTE_MAGIC = b"BPMNDVOT"
_MARK = struct.Struct("<QQQ32s")
_VOTE = struct.Struct("<QQ")


@final
@dataclass(frozen=True, slots=True)
class Mark:
    """A write batch known to be synced, of late; sequence 0 for what a new log begins after."""

    sequence: int
    position: Position


@final
@dataclass(frozen=True, slots=True)
class Claim:
    """What a replica once claimed, readable also when its log is damaged."""

    position: Position
    hard_state: HardState


@final
class MarkFile:
    """The mark on disk."""

    def __init__(self, slots: SlotFile) -> None:
        self._slots = slots

    @staticmethod
    def create(disk: Disk, directory: Path, mark: Mark) -> None:
        SlotFile.create(disk, directory / "mark", _MARK_MAGIC, _pack_mark(mark))

    @staticmethod
    def open(disk: Disk, directory: Path) -> "MarkFile":
        return MarkFile(SlotFile.open(disk, directory / "mark", _MARK_MAGIC, _MARK.size)[0])

    def next_write(self, mark: Mark) -> Write:
        """What puts the mark into the slot that may be torn, for someone else to write. Then say `synced`."""
        return self._slots.next_write(_pack_mark(mark))

    def synced(self) -> None:
        """The next write was made, and is on disk."""
        self._slots.synced()

    def write(self, mark: Mark, *, durable: bool) -> None:
        self._slots.write_one(_pack_mark(mark), durable=durable)

    def write_both(self, mark: Mark) -> None:
        """So that no damage to one slot goes back behind it."""
        self._slots.write_both(_pack_mark(mark))

    def close(self) -> None:
        self._slots.close()


@final
class VoteFile:
    """Raft's hard state on disk, twice."""

    def __init__(self, slots: SlotFile) -> None:
        self._slots = slots

    @staticmethod
    def create(disk: Disk, directory: Path) -> None:
        SlotFile.create(disk, directory / "vote", _VOTE_MAGIC, _pack_vote(HardState()))

    @staticmethod
    def open(disk: Disk, directory: Path) -> "VoteFile":
        """Open it and make both slots equal again, should a crash have come between them."""
        slots, value = SlotFile.open(disk, directory / "vote", _VOTE_MAGIC, _VOTE.size)
        slots.write_both(value)
        return VoteFile(slots)

    def write(self, hard_state: HardState) -> None:
        self._slots.write_both(_pack_vote(hard_state))

    def close(self) -> None:
        self._slots.close()


def read_mark(disk: Disk, directory: Path) -> Mark:
    _, value = read_slots(disk, directory / "mark", _MARK_MAGIC, _MARK.size)
    sequence, index, term, hash = _MARK.unpack(value)
    return Mark(sequence, Position(index, term, hash))


def read_vote(disk: Disk, directory: Path) -> HardState:
    _, value = read_slots(disk, directory / "vote", _VOTE_MAGIC, _VOTE.size)
    term, voted_for = _VOTE.unpack(value)
    return HardState(term, voted_for - 1 if voted_for else None)


def read_claim(disk: Disk, directory: Path) -> Claim:
    """What the replica of a damaged log must stand by: it votes only for candidates at least as far."""
    return Claim(read_mark(disk, directory).position, read_vote(disk, directory))


def _pack_mark(mark: Mark) -> bytes:
    return _MARK.pack(mark.sequence, mark.position.index, mark.position.term, mark.position.hash)


def _pack_vote(hard_state: HardState) -> bytes:
    voted_for = hard_state.voted_for
    return _VOTE.pack(hard_state.term, 0 if voted_for is None else voted_for + 1)
