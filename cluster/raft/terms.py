"""One member's way through the terms: its role, its vote, its leader, and how they change."""

from collections.abc import Callable
from enum import Enum, auto
from typing import final

from bpmnd.cluster.raft.candidacy import Candidacy
from bpmnd.cluster.raft.configuration import Configuration
from bpmnd.cluster.raft.leadership import NOBODY, Leadership
from bpmnd.cluster.raft.messages import (
    AppendEntries,
    EntryId,
    EntryKind,
    HardState,
    Heartbeat,
    Message,
    SnapshotOffer,
    TimeoutNow,
    VoteReply,
    VoteRequest,
)
from bpmnd.cluster.raft.quorum import Election
from bpmnd.cluster.raft.replica import Replica
from bpmnd.cluster.raft.settings import RaftSettings


class Role(Enum):
    FOLLOWER = auto()
    PRE_CANDIDATE = auto()
    CANDIDATE = auto()
    LEADER = auto()


@final
class Terms:
    """At any time at most one of `leadership` and `candidacy` is there, as the role says."""

    def __init__(
        self,
        member: int,
        configuration: Configuration,
        hard_state: HardState,
        replica: Replica,
        settings: RaftSettings,
        random: Callable[[int], int],
        messages: list[Message],
        after_append: list[Message],
    ) -> None:
        self.configuration = configuration
        self.term = hard_state.term
        self.vote = hard_state.vote
        self.role = Role.FOLLOWER
        self.leader = NOBODY
        self.leadership: Leadership | None = None
        self.patience = 0
        self.election_elapsed = 0
        self._candidacy: Candidacy | None = None
        self._member = member
        self._replica = replica
        self._log = replica.log
        self._settings = settings
        self._random = random
        self._messages = messages
        self._after_append = after_append
        self._draw_patience()

    @property
    def may_campaign(self) -> bool:
        return self.configuration.may_lead(self._member) and self._replica.may_campaign

    # Time

    def tick(self) -> None:
        self.election_elapsed += 1
        if self.leadership is not None:
            self._tick_leader(self.leadership)
        elif (self.election_elapsed >= self.patience or self._is_alone()) and self.may_campaign:
            self.election_elapsed = 0
            self.campaign()

    def _tick_leader(self, leadership: Leadership) -> None:
        if self.election_elapsed >= self._settings.election_ticks:
            self.election_elapsed = 0
            if self._settings.check_quorum and not leadership.hears_a_majority():
                self.become_follower(self.term, NOBODY)
                return
            leadership.transferee = NOBODY  # It had its time.
        leadership.tick()

    def _is_alone(self) -> bool:
        """Nobody else could lead: no reason to wait."""
        configuration = self.configuration
        alone = configuration.voters == (self._member,) and not configuration.is_joint
        return alone and self.role is Role.FOLLOWER

    # Roles

    def campaign(self) -> None:
        if self.role is not Role.LEADER and self.may_campaign:
            if self._settings.pre_vote:
                self._ask_for_pre_votes()
            else:
                self._ask_for_votes(by_transfer=False)

    def become_follower(self, term: int, leader: int) -> None:
        self._enter(term)
        self.role = Role.FOLLOWER
        self.leader = leader

    def follow(self, leader: int, message: Message) -> None:
        """`leader` leads this term."""
        assert self.leadership is None, f"two leaders in term {self.term}: {self._member} and {message}"
        if self.role is not Role.FOLLOWER:
            self.become_follower(self.term, leader)
        self.election_elapsed = 0
        self.leader = leader

    def persisted(self, hard_state: HardState) -> None:
        """The disk has `hard_state`: a candidate has its own vote now."""
        if self.role is Role.CANDIDATE and hard_state == HardState(self.term, self._member):
            self._take_vote(self._member, granted=True)

    def _ask_for_pre_votes(self) -> None:
        self.role = Role.PRE_CANDIDATE
        self.leader = NOBODY
        self._candidacy = Candidacy(self._member, self.term + 1, is_pre_vote=True)
        self._candidacy.ask(self.configuration, self._log, self._messages)
        self._take_vote(self._member, granted=True)  # It binds nobody, so it need not be on disk.

    def _ask_for_votes(self, *, by_transfer: bool) -> None:
        self._enter(self.term + 1)
        self.role = Role.CANDIDATE
        self.vote = self._member
        self._candidacy = Candidacy(self._member, self.term, is_pre_vote=False)
        self._candidacy.ask(self.configuration, self._log, self._messages, by_transfer=by_transfer)

    def _take_vote(self, voter: int, *, granted: bool) -> None:
        assert self._candidacy is not None, f"member {self._member} is {self.role} and counts votes"
        match self._candidacy.count(self.configuration, voter, granted=granted):
            case Election.WON if self.role is Role.CANDIDATE:
                self._become_leader()
            case Election.WON if self.may_campaign:
                self._ask_for_votes(by_transfer=False)
            case Election.WON | Election.LOST:
                self.become_follower(self.term, NOBODY)  # Or it has learnt of a change meanwhile.
            case Election.PENDING:
                pass

    def _become_leader(self) -> None:
        self._enter(self.term)
        self.role = Role.LEADER
        self.leader = self._member
        self.leadership = Leadership(
            self._member, self.term, self._log, self.configuration, self._settings, self._messages
        )
        self.leadership.append(EntryKind.NOOP, b"")

    def _enter(self, term: int) -> None:
        assert term >= self.term, f"term {self.term} is followed by {term}"
        if term != self.term:
            self.term = term
            self.vote = NOBODY
        self.leader = NOBODY
        self.leadership = None
        self._candidacy = None
        self.election_elapsed = 0
        self._draw_patience()

    def _draw_patience(self) -> None:
        ticks = self._settings.election_ticks
        self.patience = ticks + self._random(ticks) + self._settings.priority_ticks

    # Messages

    def enter_later(self, message: Message) -> bool:
        """A later term: enter it, unless the message is no reason to. False if the message is ignored."""
        match message:
            case AppendEntries() | Heartbeat() | SnapshotOffer():
                self.become_follower(message.term, message.sender)
            case VoteRequest():
                hears_leader = self.leader and self.election_elapsed < self._settings.election_ticks
                if self._settings.check_quorum and hears_leader and not message.by_transfer:
                    return False
                if not message.is_pre_vote:
                    self.become_follower(message.term, NOBODY)
            case VoteReply(is_pre_vote=True, granted=True):
                pass  # Granted for the term that this member would stand in.
            case _:
                self.become_follower(message.term, NOBODY)
        return True

    def answer_earlier(self, message: Message) -> None:
        """An earlier term. Who must not stay in it is told."""
        match message:
            case AppendEntries() | Heartbeat() if (
                self._settings.check_quorum or self._settings.pre_vote or not self.may_campaign
            ):
                # A leader that this member will never follow again, since it has seen a later term. Without
                # an answer both would wait for ever: pre-votes and check-quorum keep terms from rising, and
                # who may not campaign cannot raise them.
                self._replica.acknowledge(self.term, message.sender, 0)
            case VoteRequest(is_pre_vote=True):
                self._reply_vote(message, self.term, granted=False)
            case _:
                pass

    def on_vote_request(self, request: VoteRequest) -> None:
        free = (
            self.vote == request.sender
            or (self.vote == NOBODY and self.leader == NOBODY)
            or (request.is_pre_vote and request.term > self.term)
        )
        granted = free and self._replica.accepts(EntryId(request.last_term, request.last_index))
        self._reply_vote(request, request.term if granted else self.term, granted=granted)
        if granted and not request.is_pre_vote:
            self.election_elapsed = 0
            self.vote = request.sender

    def on_vote_reply(self, reply: VoteReply) -> None:
        if self.leadership is None:
            self._replica.learn_commit(reply.committed_index, reply.committed_term)
        if reply.is_pre_vote:
            expected = self.role is Role.PRE_CANDIDATE and reply.term == self.term + reply.granted
        else:
            expected = self.role is Role.CANDIDATE
        if expected:
            self._take_vote(reply.sender, granted=reply.granted)

    def on_timeout_now(self, _: TimeoutNow) -> None:
        if self.role is Role.FOLLOWER and self.may_campaign:
            self._ask_for_votes(by_transfer=True)

    def _reply_vote(self, request: VoteRequest, term: int, *, granted: bool) -> None:
        committed = self._log.committed
        self._after_append.append(
            VoteReply(
                term,
                self._member,
                request.sender,
                granted,
                request.is_pre_vote,
                committed,
                self._log.term_at(committed) or 0,
            )
        )
