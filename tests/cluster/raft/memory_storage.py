"""A log on a disk that never fails: the storage of the tests."""

from collections.abc import Iterable, Sequence

from bpmnd.cluster.raft import Configuration, Entry, Snapshot


class MemoryStorage:
    """`snapshot` is what members that lag behind are offered; none by default."""

    def __init__(self, entries: Iterable[Entry] = (), *, base_index: int = 0, base_term: int = 0) -> None:
        self.base_index = base_index
        self.base_term = base_term
        self.log = list(entries)
        self.snapshot: Snapshot | None = None

    @property
    def first_index(self) -> int:
        return self.base_index + 1

    @property
    def last_index(self) -> int:
        return self.base_index + len(self.log)

    def term_at(self, index: int) -> int | None:
        if index == self.base_index:
            return self.base_term
        position = index - self.first_index
        return self.log[position].term if 0 <= position < len(self.log) else None

    def entries(self, start: int, stop: int, bytes_max: int) -> Sequence[Entry]:
        assert self.first_index <= start < stop <= self.last_index + 1, f"{start} to {stop} of {self.log}"
        found = self.log[start - self.first_index : stop - self.first_index]
        size = 0
        for position, entry in enumerate(found):
            size += len(entry.payload)
            if size > bytes_max and position:
                return found[:position]
        return found

    def snapshot_position(self) -> Snapshot | None:
        return self.snapshot

    def write(self, entries: Sequence[Entry]) -> None:
        """Cut the log where `entries` begin, and append them."""
        if entries:
            assert self.first_index <= entries[0].index <= self.last_index + 1, (
                f"{entries} at {self.last_index}"
            )
            self.log[entries[0].index - self.first_index :] = entries

    def compact(self, index: int) -> None:
        """Forget the entries up to `index`."""
        term = self.term_at(index)
        assert term is not None, f"{index} is not in the log"
        del self.log[: index - self.base_index]
        self.base_index, self.base_term = index, term

    def install(self, index: int, term: int) -> None:
        """Begin anew behind a snapshot."""
        self.base_index, self.base_term, self.log = index, term, []


def snapshot_of(storage: MemoryStorage, index: int, configuration: Configuration) -> Snapshot:
    term = storage.term_at(index)
    assert term is not None, f"{index} is not in the log"
    return Snapshot(index, term, configuration)
