"""What a member does and knows while it leads: replication, commits, reads, the hand-over."""

from collections import deque
from collections.abc import Set
from typing import Final, final

from bpmnd.cluster.raft.configuration import Configuration
from bpmnd.cluster.raft.log import Log
from bpmnd.cluster.raft.messages import (
    AppendEntries,
    AppendReply,
    Entry,
    EntryKind,
    Heartbeat,
    HeartbeatReply,
    Message,
    SnapshotOffer,
    TimeoutNow,
)
from bpmnd.cluster.raft.progress import Inflights, Progress, ProgressState
from bpmnd.cluster.raft.quorum import jointly_agreed
from bpmnd.cluster.raft.reads import Reads
from bpmnd.cluster.raft.settings import RaftSettings

NOBODY: Final = 0


@final
class Leadership:
    """One member's leadership in one term; it ends with this object."""

    def __init__(
        self,
        member: int,
        term: int,
        log: Log,
        configuration: Configuration,
        settings: RaftSettings,
        messages: list[Message],
    ) -> None:
        self._member = member
        self._term = term
        self._log = log
        self._settings = settings
        self._messages = messages
        self._term_start = log.last_index + 1
        # A change that an earlier leader left in the log may still be under way.
        self.last_change = log.last_index
        self.transferee = NOBODY
        self.uncommitted_bytes = 0
        self.confirmed_reads: list[tuple[int, int]] = []
        self.progress: dict[int, Progress] = {}
        self._sizes: deque[int] = deque()
        self._reads = Reads(settings.reads_max)
        self._heartbeat_elapsed = 0
        self._others: list[Progress] = []
        self._voters: list[Progress] = []
        self._outgoing: list[Progress] = []
        self._adopt(configuration, log.last_index + 1, active=False)

    @property
    def has_committed(self) -> bool:
        """An entry of this leadership is committed, and so all before it (Raft, §8)."""
        return self._log.committed >= self._term_start

    @property
    def waits_for_own_disk(self) -> bool:
        """Whether more would be committed if this member's own disk had all of the log."""
        own = self.progress.get(self._member)
        if own is None:
            return False
        counted, own.counted = own.counted, self._log.last_index
        agreed, own.counted = self._agreed(), counted
        return agreed > self._log.committed

    @property
    def has_reads_to_send(self) -> bool:
        return bool(self._reads) and self.has_committed

    def append(self, kind: EntryKind, payload: bytes) -> int:
        """Put an entry into the log and send it to everybody who does not trail."""
        log = self._log
        index = log.last_index + 1
        log.append(Entry(index, self._term, kind, payload))
        self._sizes.append(len(payload))
        self.uncommitted_bytes += len(payload)
        self.broadcast()
        if kind is EntryKind.CONFIGURATION:
            self.send_to_trailing()
        return index

    def let_trail(self, members: Set[int]) -> None:
        """Send new entries to these members only when asked to; the others are sent what they lack."""
        for progress in self._others:
            trailed, progress.trails = progress.trails, progress.member in members
            if trailed and not progress.trails:
                self._send_rest(progress)

    def send_to_trailing(self) -> None:
        """Send what they lack to those who trail."""
        for progress in self._others:
            if progress.trails:
                self._send_rest(progress)

    def broadcast(self) -> None:
        for progress in self._others:
            if not progress.trails:
                self._send_append(progress)

    def persisted(self) -> None:
        """This member's own disk has come further."""
        own = self.progress.get(self._member)
        if own is not None and own.advance(self._log.stable):
            self._commit_and_announce()

    def tick(self) -> None:
        self._heartbeat_elapsed += 1
        if self._heartbeat_elapsed >= self._settings.heartbeat_ticks:
            self._heartbeat_elapsed = 0
            self._send_heartbeats(self._reads.round_to_confirm)
        for progress in self._others:
            if progress.state is ProgressState.SNAPSHOT:
                progress.offered_ticks += 1
                if progress.offered_ticks >= self._settings.election_ticks:
                    self._offer_snapshot(progress)  # The last offer may be lost; nothing else would tell.

    def hears_a_majority(self) -> bool:
        """Whether a majority has said anything since this was last asked."""
        # A damaged member is alive, too: it only has no say about the log.
        heard = jointly_agreed([p.active for p in self._voters], [p.active for p in self._outgoing]) > 0
        for progress in self._others:
            progress.active = False
        return heard

    def switch(self, configuration: Configuration, *, announce: bool) -> None:
        """`configuration` is applied: it decides commits from now on, and new members are sent to."""
        self._adopt(configuration, max(self._log.last_index, 1), active=True)
        if not announce:
            return
        if not self._commit_and_announce():
            for progress in self._others:
                self._send_append(progress, even_empty=False)
        if self.transferee and not configuration.may_lead(self.transferee):
            self.transferee = NOBODY

    def transfer(self, to: int) -> bool:
        """Hand over to `to` as soon as it has everything; true if that is newly under way."""
        progress = self.progress.get(to)
        if progress is None or progress.is_learner or to == self.transferee:
            return False
        self.transferee = NOBODY
        if to == self._member or progress.damaged:
            return False
        self.transferee = to
        progress.trails = False
        if progress.match == self._log.last_index:
            self._send_timeout_now(to)
        else:
            self._send_append(progress)
        return True

    # Reads

    def ask_read(self, context: int) -> bool:
        return self._reads.ask(context)

    def send_reads(self) -> None:
        """Begin a round for the reads that wait."""
        self._send_heartbeats(self._reads.begin_round(self._log.committed))
        own = self.progress.get(self._member)
        if own is not None:
            own.confirmed_round = self._reads.round
        self._confirm_reads()

    def _confirm_reads(self) -> None:
        rounds = jointly_agreed(
            [p.confirmed_round for p in self._voters], [p.confirmed_round for p in self._outgoing]
        )
        self.confirmed_reads += self._reads.confirmed(rounds)

    # What the followers say

    def on_append_reply(self, reply: AppendReply) -> None:
        progress = self.progress.get(reply.sender)
        if progress is None:
            return
        progress.active = True
        if reply.damaged or progress.damaged:
            self._heed_damage(progress, reply)
        log = self._log
        if reply.rejected:
            hint = reply.hint_index
            if reply.hint_term:
                hint = log.conflict_before(hint, reply.hint_term)[0]
            if progress.step_back(reply.index, hint):
                if progress.state is ProgressState.REPLICATE:
                    progress.probe()
                self._send_append(progress)
            return
        probed = progress.state is ProgressState.PROBE and progress.match == reply.index
        if not progress.advance(reply.index) and not probed:
            return
        if progress.state is ProgressState.REPLICATE:
            progress.inflights.free_to(reply.index)
        elif progress.state is ProgressState.PROBE:
            progress.replicate()
        elif progress.match + 1 >= log.first_index:
            progress.probe()
            progress.replicate()
        committed = self._commit_and_announce()
        if not committed and self._settings.announce_commits and progress.lacks_commit(log.committed):
            self._send_append(progress)
        if not progress.trails:
            self._send_rest(progress)
        if reply.sender == self.transferee and progress.match == log.last_index:
            self._send_timeout_now(reply.sender)

    def on_heartbeat_reply(self, reply: HeartbeatReply) -> None:
        progress = self.progress.get(reply.sender)
        if progress is None:
            return
        progress.active = True
        progress.paused = False
        if reply.damaged:
            if not progress.damaged:
                progress.lose(self._log.last_index)
        elif progress.damaged:
            self._recover(progress)
        # Even with a full window this sends an empty append: if all that filled it was lost, the rejection
        # is what gets things going again.
        if progress.match < self._log.last_index or progress.state is ProgressState.PROBE:
            self._send_append(progress)
        if reply.round > progress.confirmed_round and not progress.damaged:
            progress.confirmed_round = reply.round
            self._confirm_reads()

    def _heed_damage(self, progress: Progress, reply: AppendReply) -> None:
        if not reply.damaged:
            self._recover(progress)
        elif not progress.damaged or (reply.rejected and reply.index <= progress.match):
            # What it once had does not count any more; where its log ends now is found out by probing.
            progress.lose(self._log.last_index)
            if reply.rejected and reply.index < self._log.last_index:
                progress.next = reply.index + 1

    def _recover(self, progress: Progress) -> None:
        progress.recover()
        self._commit_and_announce()

    def report_unreachable(self, member: int) -> None:
        """A message to `member` was probably lost."""
        progress = self.progress.get(member)
        if progress is not None and progress.state is ProgressState.REPLICATE:
            progress.probe()

    def report_snapshot(self, member: int, succeeded: bool) -> None:
        """`member` has, or will not have, what it was offered."""
        progress = self.progress.get(member)
        if progress is None or progress.state is not ProgressState.SNAPSHOT:
            return
        if not succeeded:
            progress.pending_snapshot = 0
        progress.probe()
        # It was installed a moment ago, or failed: leave it the time of a heartbeat.
        progress.paused = True

    def offer_snapshot(self, member: int) -> None:
        """Offer what there is, although the log would do: its state stays as it is."""
        snapshot = self._log.storage.snapshot_position()
        assert snapshot is not None, "no snapshot to offer"
        self._messages.append(
            SnapshotOffer(
                self._term, self._member, member, snapshot.index, snapshot.term, snapshot.configuration
            )
        )

    # Sending

    def _send_rest(self, progress: Progress) -> None:
        while progress.next <= self._log.last_index and self._send_append(progress, even_empty=False):
            pass

    def _send_append(self, progress: Progress, *, even_empty: bool = True) -> bool:
        """Send what comes next, if it may be sent now."""
        if progress.paused or progress.state is ProgressState.SNAPSHOT:
            return False
        log = self._log
        next_index = progress.next
        previous_index = next_index - 1
        if next_index < log.first_index:
            return self._offer_snapshot(progress)
        entries: tuple[Entry, ...] = ()
        if next_index <= log.last_index and (
            progress.state is ProgressState.PROBE or not progress.inflights.full
        ):
            entries = log.entries(next_index, self._settings.message_bytes_max)
        if not entries and not even_empty:
            return False
        previous_term = log.term_at(previous_index)
        assert previous_term is not None, (
            f"no term at {previous_index} of {log.first_index}..{log.last_index}"
        )
        self._messages.append(
            AppendEntries(
                self._term,
                self._member,
                progress.member,
                previous_index,
                previous_term,
                log.committed,
                entries,
            )
        )
        size = 0
        for entry in entries:
            size += len(entry.payload)
        if entries:
            progress.appended = True
        progress.sent(len(entries), size, log.committed)
        return True

    def _offer_snapshot(self, progress: Progress) -> bool:
        if not progress.active:
            return False  # Nobody would take it.
        snapshot = self._log.storage.snapshot_position()
        if snapshot is None or snapshot.index + 1 < self._log.first_index:
            return False  # It is being made; the next heartbeat asks again.
        progress.await_snapshot(snapshot.index)
        self.offer_snapshot(progress.member)
        return True

    def _send_heartbeats(self, read_round: int) -> None:
        committed = self._log.committed
        spare = self._settings.appends_are_heartbeats and not read_round
        for progress in self._others:
            appended, progress.appended = progress.appended, False
            if spare and appended:
                continue
            # Not beyond what is known to match: the follower would take its own entries for committed.
            known = min(progress.match, committed)
            self._messages.append(Heartbeat(self._term, self._member, progress.member, known, read_round))
            progress.sent_commit = known

    def _send_timeout_now(self, to: int) -> None:
        self._messages.append(TimeoutNow(self._term, self._member, to))

    # Commits

    def _commit_and_announce(self) -> bool:
        """Count anew. Only entries of the own term are committed by counting (Raft, §5.4.2)."""
        log = self._log
        agreed = self._agreed()
        if agreed <= log.committed or agreed < self._term_start:
            return False
        for _ in range(agreed - max(log.committed, self._term_start - 1)):
            self.uncommitted_bytes -= self._sizes.popleft()
        log.committed = agreed
        if self._settings.announce_commits:
            self.broadcast()
        return True

    def _agreed(self) -> int:
        voters = self._voters
        if len(voters) == 3 and not self._outgoing:
            a, b, c = voters[0].counted, voters[1].counted, voters[2].counted
            if a > b:
                a, b = b, a
            return a if c < a else min(b, c)
        agreed = jointly_agreed([p.counted for p in voters], [p.counted for p in self._outgoing])
        return min(agreed, self._log.last_index)

    def _adopt(self, configuration: Configuration, next_index: int, *, active: bool) -> None:
        """Keep what is known of those who stay."""
        progress: dict[int, Progress] = {}
        for member in configuration.members:
            known = self.progress.get(member)
            if known is None:
                known = self._new_progress(member, next_index, active=active)
            known.is_learner = member in configuration.learners
            progress[member] = known
        self.progress = progress
        self._others = [p for p in progress.values() if p.member != self._member]
        self._voters = [progress[member] for member in configuration.voters]
        self._outgoing = [progress[member] for member in configuration.outgoing]

    def _new_progress(self, member: int, next_index: int, *, active: bool) -> Progress:
        inflights = Inflights(self._settings.inflight_messages_max, self._settings.inflight_bytes_max)
        progress = Progress(member, next_index, inflights)
        progress.active = active
        if member == self._member:
            progress.active = True
            progress.advance(self._log.stable)
            progress.replicate()
        return progress
