"""The Raft member of one replica at work: does what `ready` asks for, in the order that safety needs."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, final

from bpmnd.actors.entry_log import EntryLog
from bpmnd.cluster.raft import (
    Configuration,
    ConfigurationChange,
    Entry,
    EntryId,
    EntryKind,
    Message,
    Raft,
    SnapshotOffer,
)
from bpmnd.storage.log import Appended


@final
class Configurations:
    """The configurations of a group, by the index since which they hold, as far as checkpoints need them."""

    def __init__(self, index: int, configuration: Configuration) -> None:
        self._since = deque([(index, configuration)])

    @property
    def latest(self) -> Configuration:
        return self._since[-1][1]

    def changed(self, index: int, configuration: Configuration) -> None:
        self._since.append((index, configuration))

    def at(self, index: int) -> Configuration:
        """The configuration at an index that is not below the last one given to `forget_before`."""
        found = next((known for since, known in reversed(self._since) if since <= index), None)
        assert found is not None, f"no configuration is known at {index}, only since {self._since[0][0]}"
        return found

    def forget_before(self, index: int) -> None:
        while len(self._since) > 1 and self._since[1][0] <= index:
            self._since.popleft()


@final
class Consensus:
    """Owns a Raft member and its log. `pump` brings what Raft wants done on its way."""

    def __init__(
        self,
        raft: Raft,
        log: EntryLog,
        configurations: Configurations,
        changes: deque[int],
        send: Callable[[Message], None],
        keep: Callable[[EntryId], None],
    ) -> None:
        self.raft: Final = raft
        self.log: Final = log
        self.configurations: Final = configurations
        self.offered: SnapshotOffer | None = None
        """The leader's log does not reach back to where this one ends: a copy of its checkpoint is needed."""
        self.confirmed = 0
        """The last read request for which leadership is confirmed."""
        self._changes = changes
        """Indexes of the entries in the log that change the configuration and are not applied yet."""
        self._send = send
        self._keep = keep
        """Keeps the last applied change on disk before anybody hears of it (blocking, but rare)."""
        self._writes: deque[tuple[int, int]] = deque()
        """(ticket of the log, number of the Ready) of what is on its way to the disk."""
        self._after_append: deque[tuple[int, tuple[Message, ...]]] = deque()
        self._ticket = 0
        self._done = 0

    @property
    def waits_for_own_disk(self) -> bool:
        """Whether anything is to be done as soon as what was stored is on disk."""
        return bool(self._after_append) or self.raft.waits_for_own_disk

    def appended(self, appended: Appended) -> None:
        """The log has all of its tickets up to this one on disk."""
        self._done = max(self._done, appended.ticket)  # One may wait for a tick and be overtaken by the next.
        number = 0
        while self._writes and self._writes[0][0] <= self._done:
            number = self._writes.popleft()[1]
        if number:
            self.raft.persisted(number)
        waiting = self._after_append
        while waiting and waiting[0][0] <= self._done:
            for message in waiting.popleft()[1]:
                self._send(message)

    def pump(self) -> None:
        """Store and send what Raft has made ready, and apply what is committed of its own entries."""
        raft = self.raft
        while raft.has_ready:
            ready = raft.ready()
            if ready.must_persist:
                self._note_changes(ready.entries)
                self._ticket = self.log.store(ready.hard_state, ready.entries)
                self._writes.append((self._ticket, ready.number))
            for message in ready.messages:
                self._send(message)
            if ready.after_append:
                self._send_after_append(ready.after_append)
            if ready.reads:
                self.confirmed = max(self.confirmed, max(context for context, _ in ready.reads))
            if ready.snapshot is not None:
                self.offered = ready.snapshot
            if self._changes and self._changes[0] <= ready.committed:
                self._apply_changes(ready.committed)
            raft.applied(ready.committed)

    def _send_after_append(self, messages: tuple[Message, ...]) -> None:
        if self._done >= self._ticket:
            for message in messages:
                self._send(message)
        else:
            self._after_append.append((self._ticket, messages))

    def _note_changes(self, entries: Sequence[Entry]) -> None:
        """Keep in mind which entries change the configuration, and forget those that are superseded."""
        if not entries:
            return
        while self._changes and self._changes[-1] >= entries[0].index:
            self._changes.pop()
        self._changes += [entry.index for entry in entries if entry.kind is EntryKind.CONFIGURATION]

    def _apply_changes(self, committed: int) -> None:
        last: EntryId | None = None
        while self._changes and self._changes[0] <= committed:
            index = self._changes.popleft()
            (entry,) = self.log.entries(index, index + 1, 0)
            change = ConfigurationChange.from_bytes(entry.payload)
            last = EntryId(entry.term, index)
            self.configurations.changed(index, self.raft.apply_change(change))
        if last is not None:
            self._keep(last)
