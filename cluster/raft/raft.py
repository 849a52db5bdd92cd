"""Raft as a state machine without I/O: `step`, `tick` and `propose` go in, `ready` comes out.

In the manner of etcd/raft with asynchronous storage writes: nothing here waits for the disk. A leader sends
beside its own write and counts itself only when the disk has reported it (`persisted`), a candidate its own
vote likewise; votes and a follower's acknowledgements leave only after their write (`Ready.after_append`).
"""

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Final, assert_never, final

from bpmnd.cluster.raft.candidacy import Candidacy
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
from bpmnd.cluster.raft.quorum import Election
from bpmnd.cluster.raft.replica import Replica
from bpmnd.cluster.raft.settings import RaftSettings
from bpmnd.cluster.raft.storage import Storage

_DEFAULTS: Final = RaftSettings()


class Role(Enum):
    FOLLOWER = auto()
    PRE_CANDIDATE = auto()
    CANDIDATE = auto()
    LEADER = auto()


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
        self.member = member
        self.configuration = configuration
        self.term = hard_state.term
        self.vote = hard_state.vote
        self.role = Role.FOLLOWER
        self.leader = NOBODY
        self.patience = 0
        """Ticks without a leader until this member campaigns; drawn anew with each term."""
        self._settings = settings
        self._random = random
        # Otherwise it could vote again in a term in which it has already spoken.
        assert claim is None or claim.term <= self.term, f"{claim} is beyond {hard_state}"
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
        self._leadership: Leadership | None = None
        self._candidacy: Candidacy | None = None
        self._election_elapsed = 0
        self._offered_state = hard_state
        self._told_committed = committed  # Less than what the log itself vouches for, perhaps.
        self._number = 0
        self._draw_patience()

    # What can be seen

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
    def leads(self) -> bool:
        """This member leads, and an entry of its own term is committed: it may answer (Raft, §8)."""
        return self._leadership is not None and self._leadership.has_committed

    @property
    def may_propose(self) -> bool:
        """It leads and belongs to the group, does not hand over, and has room for uncommitted entries."""
        leadership = self._leadership
        return (
            leadership is not None
            and not leadership.transferee
            and self.member in leadership.progress
            and leadership.uncommitted_bytes < self._settings.uncommitted_bytes_max
        )

    @property
    def uncommitted_bytes(self) -> int:
        """Of payloads that this leader has proposed."""
        return 0 if self._leadership is None else self._leadership.uncommitted_bytes

    @property
    def transferee(self) -> int:
        """Whom this leader hands over to, or 0."""
        return NOBODY if self._leadership is None else self._leadership.transferee

    @property
    def damaged(self) -> bool:
        """The log on disk does not reach the claim yet. Once this is false, the claim may be forgotten."""
        return self._replica.claim is not None

    def progress(self) -> Mapping[int, Progress]:
        """What this leader knows of each member, to be read only; empty for who does not lead."""
        return {} if self._leadership is None else self._leadership.progress

    # Time

    def tick(self) -> None:
        """Time passes."""
        self._election_elapsed += 1
        if self._leadership is not None:
            self._tick_leader(self._leadership)
        elif (self._election_elapsed >= self.patience or self._is_alone()) and self._may_campaign():
            self._election_elapsed = 0
            self.campaign()

    def _tick_leader(self, leadership: Leadership) -> None:
        if self._election_elapsed >= self._settings.election_ticks:
            self._election_elapsed = 0
            if self._settings.check_quorum and not leadership.hears_a_majority():
                self.step_down()
                return
            leadership.transferee = NOBODY  # It had its time.
        leadership.tick()

    def _is_alone(self) -> bool:
        """Nobody else could lead: no reason to wait."""
        configuration = self.configuration
        return (
            configuration.voters == (self.member,)
            and not configuration.is_joint
            and self.role is Role.FOLLOWER
        )

    # Elections

    def campaign(self) -> None:
        """Stand for election now, if this member may."""
        if self.role is not Role.LEADER and self._may_campaign():
            if self._settings.pre_vote:
                self._ask_for_pre_votes()
            else:
                self._ask_for_votes(by_transfer=False)

    def _may_campaign(self) -> bool:
        return self.configuration.may_lead(self.member) and self._replica.may_campaign

    def _ask_for_pre_votes(self) -> None:
        self.role = Role.PRE_CANDIDATE
        self.leader = NOBODY
        self._candidacy = Candidacy(self.member, self.term + 1, is_pre_vote=True)
        self._candidacy.ask(self.configuration, self._log, self._messages)
        self._take_vote(self.member, granted=True)  # It binds nobody, so it need not be on disk.

    def _ask_for_votes(self, *, by_transfer: bool) -> None:
        self._enter_term(self.term + 1)
        self.role = Role.CANDIDATE
        self.vote = self.member
        self._candidacy = Candidacy(self.member, self.term, is_pre_vote=False)
        self._candidacy.ask(self.configuration, self._log, self._messages, by_transfer=by_transfer)

    def _take_vote(self, voter: int, *, granted: bool) -> None:
        assert self._candidacy is not None, f"member {self.member} is {self.role} and counts votes"
        match self._candidacy.count(self.configuration, voter, granted=granted):
            case Election.WON if self.role is Role.CANDIDATE:
                self._become_leader()
            case Election.WON if self._may_campaign():
                self._ask_for_votes(by_transfer=False)
            case Election.WON | Election.LOST:
                self._become_follower(self.term, NOBODY)  # Or it has learnt of a change meanwhile.
            case Election.PENDING:
                pass

    def _become_leader(self) -> None:
        self._enter_term(self.term)
        self.role = Role.LEADER
        self.leader = self.member
        self._leadership = Leadership(
            self.member, self.term, self._log, self.configuration, self._settings, self._messages
        )
        self._leadership.append(EntryKind.NOOP, b"")

    def _become_follower(self, term: int, leader: int) -> None:
        self._enter_term(term)
        self.role = Role.FOLLOWER
        self.leader = leader

    def _enter_term(self, term: int) -> None:
        assert term >= self.term, f"term {self.term} is followed by {term}"
        if term != self.term:
            self.term = term
            self.vote = NOBODY
        self.leader = NOBODY
        self._leadership = None
        self._candidacy = None
        self._election_elapsed = 0
        self._draw_patience()

    def _draw_patience(self) -> None:
        ticks = self._settings.election_ticks
        self.patience = ticks + self._random(ticks) + self._settings.priority_ticks

    def forget_leader(self) -> None:
        """The leader is gone for sure: vote for others at once. The own patience is not shortened."""
        if self.role is Role.FOLLOWER:
            self.leader = NOBODY

    def step_down(self) -> None:
        """Lead no more, within the same term."""
        self._become_follower(self.term, NOBODY)

    # Messages

    def step(self, message: Message) -> None:
        """Take in one message. What follows from it waits in `ready`."""
        if message.receiver != self.member:
            return
        if not (
            speaks_as_leader(message) or message.sender in self.configuration or self._settings.heed_strangers
        ):
            return  # A leader may be new to a member that lags behind; nobody else unknown has a say.
        if message.term > self.term:
            if not self._follow_term(message):
                return
        elif message.term < self.term:
            self._answer_stale(message)
            return
        match message:
            case AppendReply():
                if self._leadership is not None:
                    self._leadership.on_append_reply(message)
            case AppendEntries():
                self._follow(message.sender, message)
                self._replica.on_append(message)
            case HeartbeatReply():
                if self._leadership is not None:
                    self._leadership.on_heartbeat_reply(message)
            case Heartbeat():
                self._follow(message.sender, message)
                self._replica.on_heartbeat(message)
            case SnapshotOffer():
                self._follow(message.sender, message)
                self._replica.on_snapshot_offer(message)
            case VoteRequest():
                self._on_vote_request(message)
            case VoteReply():
                self._on_vote_reply(message)
            case TimeoutNow():
                if self.role is Role.FOLLOWER and self._may_campaign():
                    self._ask_for_votes(by_transfer=True)
            case _:
                assert_never(message)

    def _follow_term(self, message: Message) -> bool:
        """A later term: enter it, unless the message is no reason to. False if the message is ignored."""
        match message:
            case AppendEntries() | Heartbeat() | SnapshotOffer():
                self._become_follower(message.term, message.sender)
            case VoteRequest():
                hears_leader = self.leader and self._election_elapsed < self._settings.election_ticks
                if self._settings.check_quorum and hears_leader and not message.by_transfer:
                    return False
                if not message.is_pre_vote:
                    self._become_follower(message.term, NOBODY)
            case VoteReply(is_pre_vote=True, granted=True):
                pass  # Granted for the term that this member would stand in.
            case _:
                self._become_follower(message.term, NOBODY)
        return True

    def _answer_stale(self, message: Message) -> None:
        """An earlier term. Who must not stay in it is told."""
        match message:
            case AppendEntries() | Heartbeat() if (
                self._settings.check_quorum or self._settings.pre_vote or not self._may_campaign()
            ):
                # A leader that this member will never follow again, since it has seen a later term. Without
                # an answer both would wait for ever: pre-votes and check-quorum keep terms from rising, and
                # who may not campaign cannot raise them.
                self._replica.acknowledge(self.term, message.sender, 0)
            case VoteRequest(is_pre_vote=True):
                self._reply_vote(message, self.term, granted=False)
            case _:
                pass

    def _follow(self, leader: int, message: Message) -> None:
        assert self._leadership is None, f"two leaders in term {self.term}: {self.member} and {message}"
        if self.role is not Role.FOLLOWER:
            self._become_follower(self.term, leader)
        self._election_elapsed = 0
        self.leader = leader

    def _on_vote_request(self, request: VoteRequest) -> None:
        free = (
            self.vote == request.sender
            or (self.vote == NOBODY and self.leader == NOBODY)
            or (request.is_pre_vote and request.term > self.term)
        )
        granted = free and self._replica.accepts(EntryId(request.last_term, request.last_index))
        term = request.term if granted else self.term
        self._reply_vote(request, term, granted=granted)
        if granted and not request.is_pre_vote:
            self._election_elapsed = 0
            self.vote = request.sender

    def _reply_vote(self, request: VoteRequest, term: int, *, granted: bool) -> None:
        committed = self._log.committed
        self._after_append.append(
            VoteReply(
                term,
                self.member,
                request.sender,
                granted,
                request.is_pre_vote,
                committed,
                self._log.term_at(committed) or 0,
            )
        )

    def _on_vote_reply(self, reply: VoteReply) -> None:
        if self._leadership is None:
            self._replica.learn_commit(reply.committed_index, reply.committed_term)
        if reply.is_pre_vote:
            expected = self.role is Role.PRE_CANDIDATE and reply.term == self.term + reply.granted
        else:
            expected = self.role is Role.CANDIDATE
        if expected:
            self._take_vote(reply.sender, granted=reply.granted)

    # The leader's work

    def propose(self, payload: bytes, kind: EntryKind = EntryKind.COMMAND) -> int:
        """Append an entry as the leader; its index. Configurations are changed by `propose_change`."""
        leadership = self._proposing_leadership()
        assert kind is not EntryKind.CONFIGURATION, "a change of the configuration has its own rules"
        return leadership.append(kind, payload)

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
        assert self._leadership is not None
        return self._leadership

    def _append_change(self, leadership: Leadership, change: ConfigurationChange) -> int:
        leadership.last_change = self._log.last_index + 1
        self._replica.change_appended(leadership.last_change)
        return leadership.append(EntryKind.CONFIGURATION, change.to_bytes())

    def read_index(self, context: int) -> bool:
        """Ask whether this member still leads; `context` comes out in `Ready.reads` once that is confirmed,
        or never, if it does not. False when too many wait."""
        assert self._leadership is not None, f"member {self.member} does not lead"
        return self._leadership.ask_read(context)

    def transfer_leadership(self, to: int) -> None:
        """Hand over to `to`; nothing can be proposed until that is done or an election timeout has passed."""
        assert self._leadership is not None, f"member {self.member} does not lead"
        if self._leadership.transfer(to):
            self._election_elapsed = 0

    def report_unreachable(self, member: int) -> None:
        """A message to `member` was probably lost."""
        if self._leadership is not None:
            self._leadership.report_unreachable(member)

    def report_snapshot(self, member: int, succeeded: bool) -> None:
        """`member` has fetched what it was offered, or will not."""
        if self._leadership is not None:
            self._leadership.report_snapshot(member, succeeded)

    # The disk and the state

    @property
    def has_ready(self) -> bool:
        leadership = self._leadership
        return bool(
            self._messages
            or self._after_append
            or self._log.has_entries_to_offer
            or self._log.committed != self._told_committed
            or self.term != self._offered_state.term
            or self.vote != self._offered_state.vote
            or self._replica.has_offer
            or (leadership is not None and (leadership.has_reads_to_send or leadership.confirmed_reads))
        )

    def ready(self) -> Ready:
        """What is to be done since the last call; each thing is handed out once."""
        reads: tuple[tuple[int, int], ...] = ()
        leadership = self._leadership
        if leadership is not None:
            if leadership.has_reads_to_send:
                leadership.send_reads()
            if leadership.confirmed_reads:
                reads = tuple(leadership.confirmed_reads)
                leadership.confirmed_reads.clear()
        self._number = number = self._number + 1
        log = self._log
        hard_state = None
        if self.term != self._offered_state.term or self.vote != self._offered_state.vote:
            self._offered_state = hard_state = HardState(self.term, self.vote)
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
        if self._leadership is not None:
            self._leadership.persisted()
        elif self.role is Role.CANDIDATE and hard_state == HardState(self.term, self.member):
            self._take_vote(self.member, granted=True)

    def applied(self, index: int) -> None:
        """The state includes all entries up to `index`."""
        self._replica.apply_to(index)
        leadership = self._leadership
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
        self.configuration = changed
        leadership = self._leadership
        if leadership is not None:
            leads_on = changed.may_lead(self.member)
            if not leads_on and self._settings.step_down_on_removal:
                self.step_down()
            else:
                leadership.switch(changed, announce=leads_on)
        return changed

    def installed(self, index: int, term: int, configuration: Configuration) -> None:
        """The storage has been replaced by one whose state stands at `index`."""
        assert self._leadership is None, f"member {self.member} leads and installs"
        self._replica.installed(index, term)
        self.configuration = configuration
        if self.leader:
            self._replica.acknowledge(self.term, self.leader, index)

    def abandon_snapshot(self) -> None:
        """What was offered cannot be had: go on with the log as it is, until another offer comes."""
        self._replica.abandon_offer()
