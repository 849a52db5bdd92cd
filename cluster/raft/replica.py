"""How a member keeps its log as its leader wants it: appends, commits, snapshots, and repair."""

from collections import deque
from typing import Final, final

from bpmnd.cluster.raft.log import Log
from bpmnd.cluster.raft.messages import (
    AppendEntries,
    AppendReply,
    EntryId,
    EntryKind,
    Heartbeat,
    HeartbeatReply,
    Message,
    SnapshotOffer,
)

_SCAN_BYTES: Final = 1 << 20


@final
class Replica:
    """One member's log, for as long as the member lives, whoever leads.

    **A damaged member** is made with a `claim`: where its log once ended, beyond what is left of it. Until
    the log on disk ends at or beyond the claim again, it never campaigns, votes only for candidates whose log
    ends at or beyond the claim, and tells its leader that it does not count. That is safe: whatever this
    member once acknowledged, and so helped to commit, is of a term up to the claim's and, within that term,
    not beyond the claim's index.

    - *Votes*: a voter refuses whoever's log ends before its own; with the claim in place of the end of its
      log it refuses exactly whom it would have refused undamaged.
    - *Repair*: entries are taken only from leaders, and these have all that is committed. If the log ends in
      the claim's own term, it is a prefix of that term's leader's, at least as long as what was acknowledged.
      If it ends in a later term, it holds the first entry of that term's leader, and before that all that was
      committed in earlier terms.
    - *Counting*: it could count before, but what it once acknowledged to this leader is lost: the leader
      must not commit on the strength of it, and starts over with what is really there.
    """

    def __init__(
        self,
        member: int,
        log: Log,
        applied: int,
        claim: EntryId | None,
        messages: list[Message],
        after_append: list[Message],
    ) -> None:
        self.log = log
        self.applied = applied
        self.claim = claim
        self.installing = False
        """Another log is about to take the place of this one."""
        self._member = member
        self._messages = messages
        self._after_append = after_append
        self._offer: SnapshotOffer | None = None
        # Configuration entries in the log that are not applied yet.
        self._changes: deque[int] = deque()
        self._find_changes()
        self.persisted()

    @property
    def may_campaign(self) -> bool:
        """The log is whole, and says which configuration it is to be elected by."""
        # With a change committed and not applied, the votes of a configuration that is over would be counted.
        change_waits = bool(self._changes) and self._changes[0] <= self.log.committed
        return self.claim is None and not self.installing and not change_waits

    @property
    def has_offer(self) -> bool:
        return self._offer is not None

    def take_offer(self) -> SnapshotOffer | None:
        """What is to be installed, handed out once."""
        offer, self._offer = self._offer, None
        return offer

    def accepts(self, candidate: EntryId) -> bool:
        """A candidate whose log ends there lacks nothing that this member may have helped to commit."""
        return candidate >= self.log.last and (self.claim is None or candidate >= self.claim)

    def on_append(self, message: AppendEntries) -> None:
        log = self.log
        if self.installing:
            return
        if message.previous_index < log.committed:
            self.acknowledge(message.term, message.sender, log.committed)
            return
        if log.term_at(message.previous_index) != message.previous_term:
            self._reject(message)
            return
        new_from = log.merge(message.previous_index, message.entries)
        if new_from is not None:
            self._note_changes(message, new_from)
        matched = message.previous_index + len(message.entries)
        # What lies beyond may be left over from another leader.
        log.committed = max(log.committed, min(message.committed, matched))
        self.acknowledge(message.term, message.sender, matched)

    def acknowledge(self, term: int, leader: int, index: int) -> None:
        """Tell `leader` that the logs match up to `index`, once they do on disk."""
        # It leaves when all of the log up to here is on disk, so it is the end of the log that says whether
        # this member is whole again.
        damaged = self.claim is not None and self.log.last < self.claim
        self._after_append.append(AppendReply(term, self._member, leader, index, damaged=damaged))

    def on_heartbeat(self, message: Heartbeat) -> None:
        log = self.log
        # A leader that does not know yet what was lost may speak of more than there is.
        if message.committed > log.committed and self.claim is None:
            assert message.committed <= log.last_index, f"{message}, but the log ends at {log.last}"
            log.committed = message.committed
        self._messages.append(
            HeartbeatReply(message.term, self._member, message.sender, message.round, self.claim is not None)
        )

    def on_snapshot_offer(self, offer: SnapshotOffer) -> None:
        log = self.log
        self.learn_commit(offer.index, offer.index_term)
        if offer.index <= log.committed:
            self.acknowledge(offer.term, offer.sender, log.committed)
            return
        self.installing = True
        self._offer = offer

    def learn_commit(self, index: int, term: int) -> None:
        """An entry that is committed; if it is here, too, so is all before it."""
        log = self.log
        if index > log.committed and log.term_at(index) == term:
            log.committed = index

    def installed(self, index: int, term: int) -> None:
        """The storage has been replaced by one whose state stands at `index`."""
        log = self.log
        assert index >= log.committed, f"{index} installed, but {log.committed} are committed"
        self.abandon_offer()
        log.reload()
        assert log.term_at(index) == term, f"the storage does not show {index} of term {term}"
        log.committed = self.applied = index
        self._find_changes()
        self.persisted()

    def abandon_offer(self) -> None:
        self.installing = False
        self._offer = None

    def persisted(self) -> None:
        """The log on disk has come further."""
        if self.claim is not None and self.log.last_on_disk >= self.claim:
            self.claim = None

    def change_appended(self, index: int) -> None:
        self._changes.append(index)

    def apply_to(self, index: int) -> None:
        """The state includes all entries up to `index`."""
        committed = self.log.committed
        assert index <= committed, f"{index} applied, but only {committed} committed"
        self.applied = max(self.applied, index)
        while self._changes and self._changes[0] <= index:
            self._changes.popleft()

    def _reject(self, message: AppendEntries) -> None:
        index, term = self.log.conflict_before(message.previous_index, message.previous_term)
        self._after_append.append(
            AppendReply(
                message.term,
                self._member,
                message.sender,
                message.previous_index,
                rejected=True,
                hint_index=index,
                hint_term=term,
                damaged=self.claim is not None,
            )
        )

    def _note_changes(self, message: AppendEntries, new_from: int) -> None:
        changes = self._changes
        while changes and changes[-1] >= new_from:
            changes.pop()
        for entry in message.entries:
            if entry.kind is EntryKind.CONFIGURATION and entry.index >= new_from:
                changes.append(entry.index)
        self._infer_commit()

    def _find_changes(self) -> None:
        start, stop = self.applied + 1, self.log.last_index + 1
        self._changes = deque(self.log.changes_between(start, stop, _SCAN_BYTES))
        self._infer_commit()

    def _infer_commit(self) -> None:
        """A change in the log vouches for the one before it: its leader had applied that.

        The commit index is not kept on disk. Without this, a member could come back with a configuration
        that is two changes old and be elected by a majority of it, beside a leader of the newest: only
        configurations that follow each other have a majority in common.
        """
        if len(self._changes) > 1:
            self.log.committed = max(self.log.committed, self._changes[-2])
