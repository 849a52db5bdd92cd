"""Raft as a state machine without I/O: `step`, `tick` and `propose` go in, `ready` comes out.

In the manner of etcd/raft with asynchronous storage writes: nothing here waits for the disk. A leader sends
beside its own write and counts itself only when the disk has reported it (`persisted`), a candidate its own
vote likewise; votes and a follower's acknowledgements leave only after their write (`Ready.after_append`).
"""

from collections.abc import Callable, Mapping, Set
from typing import Final, assert_never, final

from bpmnd.cluster.raft.configuration import LEAVE_JOINT, Configuration, ConfigurationChange, Refusal
from bpmnd.cluster.raft.leadership import NOBODY, Leadership
from bpmnd.cluster.raft.log import Log
from bpmnd.cluster.raft.messages import (
    AppendEntries,
    AppendReply,
    EntryId,
    EntryKind,
    HardState,
    Heartbeat,
    HeartbeatReply,
    Message,
    Ready,
    SnapshotOffer,
    TimeoutNow,
    VoteReply,
    VoteRequest,
    speaks_as_leader,
)
from bpmnd.cluster.raft.progress import Progress
from bpmnd.cluster.raft.replica import Replica
from bpmnd.cluster.raft.settings import RaftSettings
from bpmnd.cluster.raft.storage import Storage
from bpmnd.cluster.raft.terms import Role, Terms

_DEFAULTS: Final = RaftSettings()


@final
class Raft:
    """One member of one group. `tick` is called at a steady pace; all time here is counted in ticks.

    A member whose log was damaged is made with a `claim` (see `Replica`).
    """

    def __init__(
        self,
        member: int,
        storage: Storage,
        configuration: Configuration,
        *,
        hard_state: HardState,
        committed: int,
        applied: int | None = None,
        settings: RaftSettings = _DEFAULTS,
        random: Callable[[int], int],
        claim: EntryId | None = None,
    ) -> None:
        assert member != NOBODY, "0 stands for nobody"
        assert committed <= storage.last_index, f"{committed} committed of {storage.last_index} entries"
        # Otherwise it could vote again in a term in which it has already spoken.
        assert claim is None or claim.term <= hard_state.term, f"{claim} is beyond {hard_state}"
        self.member = member
        self._settings = settings
        self._messages: list[Message] = []
        self._after_append: list[Message] = []
        self._log = Log(storage, committed)
        self._replica = Replica(
            member,
            self._log,
            committed if applied is None else applied,
            claim,
            self._messages,
            self._after_append,
        )
        self._terms = Terms(
            member,
            configuration,
            hard_state,
            self._replica,
            settings,
            random,
            self._messages,
            self._after_append,
        )
        self._offered_state = hard_state
        self._told_committed = committed  # Less than what the log itself vouches for, perhaps.
        self._number = 0

    def learn_commit(self, entry: EntryId | None) -> None:
        """Before anything else: this entry was committed when it was here, as the host has kept in mind."""
        if entry is not None:
            self._replica.learn_commit(entry.index, entry.term)

    # What can be seen

    @property
    def configuration(self) -> Configuration:
        """The one that is applied."""
        return self._terms.configuration

    @property
    def term(self) -> int:
        return self._terms.term

    @property
    def vote(self) -> int:
        """Whom this member has voted for in this term, or 0."""
        return self._terms.vote

    @property
    def role(self) -> Role:
        return self._terms.role

    @property
    def leader(self) -> int:
        """Of this term, or 0 while it is unknown."""
        return self._terms.leader

    @property
    def patience(self) -> int:
        """Ticks without a leader until this member campaigns; drawn anew with each term."""
        return self._terms.patience

    @patience.setter
    def patience(self, ticks: int) -> None:
        self._terms.patience = ticks

    @property
    def committed(self) -> int:
        return self._log.committed

    @property
    def last_index(self) -> int:
        return self._log.last_index

    @property
    def last_term(self) -> int:
        return self._log.last_term

    @property
    def persisted_index(self) -> int:
        """Up to where the log on this member's disk is known to be the log."""
        return self._log.stable

    @property
    def waits_for_own_disk(self) -> bool:
        """Whether it would change anything by itself if this member's disk had all of the log."""
        return self._terms.leadership is None or self._terms.leadership.waits_for_own_disk

    @property
    def leads(self) -> bool:
        """This member leads, and an entry of its own term is committed: it may answer (Raft, §8)."""
        return self._terms.leadership is not None and self._terms.leadership.has_committed

    @property
    def may_propose(self) -> bool:
        """It leads and belongs to the group, does not hand over, and has room for uncommitted entries."""
        leadership = self._terms.leadership
        return (
            leadership is not None
            and not leadership.transferee
            and self.member in leadership.progress
            and leadership.uncommitted_bytes < self._settings.uncommitted_bytes_max
        )

    @property
    def uncommitted_bytes(self) -> int:
        """Of payloads that this leader has proposed."""
        return 0 if self._terms.leadership is None else self._terms.leadership.uncommitted_bytes

    @property
    def transferee(self) -> int:
        """Whom this leader hands over to, or 0."""
        return NOBODY if self._terms.leadership is None else self._terms.leadership.transferee

    @property
    def damaged(self) -> bool:
        """The log on disk does not reach the claim yet. Once this is false, the claim may be forgotten."""
        return self._replica.claim is not None

    def progress(self) -> Mapping[int, Progress]:
        """What this leader knows of each member, to be read only; empty for who does not lead."""
        return {} if self._terms.leadership is None else self._terms.leadership.progress

    # Time and roles

    def tick(self) -> None:
        """Time passes."""
        self._terms.tick()

    def campaign(self) -> None:
        """Stand for election now, if this member may."""
        self._terms.campaign()

    def forget_leader(self) -> None:
        """The leader is gone for sure: vote for others at once, and wait no longer for a sign of it.

        What is left of the own patience is what was drawn by chance, and what others are given first.
        """
        if self._terms.role is Role.FOLLOWER and self._terms.leader:
            self._terms.leader = NOBODY
            self._terms.election_elapsed = max(self._terms.election_elapsed, self._settings.election_ticks)

    def step_down(self) -> None:
        """Lead no more, within the same term."""
        self._terms.become_follower(self.term, NOBODY)

    # Messages

    def step(self, message: Message) -> None:
        """Take in one message. What follows from it waits in `ready`."""
        if message.receiver != self.member:
            return
        if not (
            speaks_as_leader(message) or message.sender in self.configuration or self._settings.heed_strangers
        ):
            return  # A leader may be new to a member that lags behind; nobody else unknown has a say.
        terms = self._terms
        if message.term > terms.term:
            if not terms.enter_later(message):
                return
        elif message.term < terms.term:
            terms.answer_earlier(message)
            return
        match message:
            case AppendReply():
                if terms.leadership is not None:
                    terms.leadership.on_append_reply(message)
            case AppendEntries():
                terms.follow(message.sender, message)
                self._replica.on_append(message)
            case HeartbeatReply():
                if terms.leadership is not None:
                    terms.leadership.on_heartbeat_reply(message)
            case Heartbeat():
                terms.follow(message.sender, message)
                self._replica.on_heartbeat(message)
            case SnapshotOffer():
                terms.follow(message.sender, message)
                self._replica.on_snapshot_offer(message)
            case VoteRequest():
                terms.on_vote_request(message)
            case VoteReply():
                terms.on_vote_reply(message)
            case TimeoutNow():
                terms.on_timeout_now(message)
            case _:
                assert_never(message)

    # The leader's work

    def propose(self, payload: bytes, kind: EntryKind = EntryKind.COMMAND) -> int:
        """Append an entry as the leader; its index. Configurations are changed by `propose_change`."""
        leadership = self._proposing_leadership()
        assert kind is not EntryKind.CONFIGURATION, "a change of the configuration has its own rules"
        return leadership.append(kind, payload)

    def let_trail(self, members: Set[int]) -> None:
        """As the leader, send entries to these members only when asked to, and all that others lack at once.

        They know less for a while, which Raft takes for slowness. Only what is not needed for a majority may
        be chosen: else nothing is committed before `send_to_trailing`.
        """
        assert self._terms.leadership is not None, f"member {self.member} does not lead"
        self._terms.leadership.let_trail(members)

    def send_to_trailing(self) -> None:
        """Send what they lack to those who were let trail."""
        assert self._terms.leadership is not None, f"member {self.member} does not lead"
        self._terms.leadership.send_to_trailing()

    def propose_change(self, change: ConfigurationChange) -> int | Refusal:
        """Append a change of the configuration as the leader; its index. It takes effect when applied."""
        leadership = self._proposing_leadership()
        last, applied = leadership.last_change, self._replica.applied
        if applied < last:
            return Refusal(f"possible unapplied conf change at index {last} (applied to {applied})")
        if self.configuration.is_joint and change.operations:
            return Refusal("must transition out of joint config first")
        if not self.configuration.is_joint and not change.operations:
            return Refusal("not in joint state; refusing empty conf change")
        changed = self.configuration.changed(change)
        if isinstance(changed, Refusal):
            return changed
        return self._append_change(leadership, change)

    def _proposing_leadership(self) -> Leadership:
        assert self.may_propose, f"member {self.member} may not propose"
        assert self._terms.leadership is not None
        return self._terms.leadership

    def _append_change(self, leadership: Leadership, change: ConfigurationChange) -> int:
        leadership.last_change = self._log.last_index + 1
        self._replica.change_appended(leadership.last_change)
        return leadership.append(EntryKind.CONFIGURATION, change.to_bytes())

    def read_index(self, context: int) -> bool:
        """Ask whether this member still leads; `context` comes out in `Ready.reads` once that is confirmed,
        or never, if it does not. False when too many wait."""
        assert self._terms.leadership is not None, f"member {self.member} does not lead"
        return self._terms.leadership.ask_read(context)

    def transfer_leadership(self, to: int) -> None:
        """Hand over to `to`; nothing can be proposed until that is done or an election timeout has passed."""
        assert self._terms.leadership is not None, f"member {self.member} does not lead"
        if self._terms.leadership.transfer(to):
            self._terms.election_elapsed = 0

    def report_unreachable(self, member: int) -> None:
        """A message to `member` was probably lost."""
        if self._terms.leadership is not None:
            self._terms.leadership.report_unreachable(member)

    def report_snapshot(self, member: int, succeeded: bool) -> None:
        """`member` has fetched what it was offered, or will not."""
        if self._terms.leadership is not None:
            self._terms.leadership.report_snapshot(member, succeeded)

    # The disk and the state

    @property
    def has_ready(self) -> bool:
        terms = self._terms
        leadership = terms.leadership
        return bool(
            self._messages
            or self._after_append
            or self._log.has_entries_to_offer
            or self._log.committed != self._told_committed
            or terms.term != self._offered_state.term
            or terms.vote != self._offered_state.vote
            or self._replica.has_offer
            or (leadership is not None and (leadership.has_reads_to_send or leadership.confirmed_reads))
        )

    def ready(self) -> Ready:
        """What is to be done since the last call; each thing is handed out once."""
        reads: tuple[tuple[int, int], ...] = ()
        terms = self._terms
        leadership = terms.leadership
        if leadership is not None:
            if leadership.has_reads_to_send:
                leadership.send_reads()
            if leadership.confirmed_reads:
                reads = tuple(leadership.confirmed_reads)
                leadership.confirmed_reads.clear()
        self._number = number = self._number + 1
        log = self._log
        hard_state = None
        if terms.term != self._offered_state.term or terms.vote != self._offered_state.vote:
            self._offered_state = hard_state = HardState(terms.term, terms.vote)
        if hard_state is not None or log.has_entries_to_offer:
            entries = log.offer(number, self._offered_state)
        else:
            entries = ()
        messages, after_append = tuple(self._messages), tuple(self._after_append)
        self._messages.clear()
        self._after_append.clear()
        offer = self._replica.take_offer()
        self._told_committed = log.committed
        return Ready(number, hard_state, entries, messages, after_append, log.committed, reads, offer)

    def persisted(self, number: int) -> None:
        """The disk has what the Ready of this number and all before it were to persist."""
        hard_state = self._log.persisted(number)
        if hard_state is None:
            return
        self._replica.persisted()
        if self._terms.leadership is not None:
            self._terms.leadership.persisted()
        else:
            self._terms.persisted(hard_state)

    def applied(self, index: int) -> None:
        """The state includes all entries up to `index`."""
        self._replica.apply_to(index)
        leadership = self._terms.leadership
        if (
            leadership is not None
            and self.configuration.auto_leave
            and self._replica.applied >= leadership.last_change
            and not leadership.transferee
            and self.member in leadership.progress
        ):
            self._append_change(leadership, LEAVE_JOINT)

    def apply_change(self, change: ConfigurationChange) -> Configuration:
        """A committed change takes effect; call it when its entry is applied, before `applied`."""
        changed = self.configuration.changed(change)
        assert not isinstance(changed, Refusal), f"{change} on {self.configuration}: {changed.reason}"
        self._terms.configuration = changed
        leadership = self._terms.leadership
        if leadership is not None:
            leads_on = changed.may_lead(self.member)
            if not leads_on and self._settings.step_down_on_removal:
                self.step_down()
            else:
                leadership.switch(changed, announce=leads_on)
        return changed

    def installed(self, index: int, term: int, configuration: Configuration) -> None:
        """The storage has been replaced by one whose state stands at `index`."""
        assert self._terms.leadership is None, f"member {self.member} leads and installs"
        self._replica.installed(index, term)
        self._terms.configuration = configuration
        if self.leader:
            self._replica.acknowledge(self.term, self.leader, index)

    def abandon_snapshot(self) -> None:
        """What was offered cannot be had: go on with the log as it is, until another offer comes."""
        self._replica.abandon_offer()
