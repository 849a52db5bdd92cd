"""A group in one thread, driven by chance: what a network, disks and operators can do to it, and what must
hold all the same."""

from collections.abc import Callable
from random import Random

import msgspec

from bpmnd.cluster.raft import (
    Configuration,
    ConfigurationChange,
    Entry,
    Message,
    Operation,
    Raft,
    RaftSettings,
    Refusal,
    Role,
    Transition,
)
from tests.cluster.raft.fuzz_member import FuzzMember, Planted

_DECODER = msgspec.msgpack.Decoder(Message)
_ENCODER = msgspec.msgpack.Encoder()
_IN_FLIGHT_MAX = 200


class ViolationError(AssertionError):
    """Something that must never be."""


class FuzzGroup:
    """Five machines, three of which begin as voters."""

    def __init__(self, seed: int, planted: Planted | None = None, *, damaged_max: int = 1) -> None:
        self.random = Random(seed)
        settings = RaftSettings(
            election_ticks=3,
            pre_vote=self.random.random() < 0.6,
            check_quorum=self.random.random() < 0.6,
            announce_commits=self.random.random() < 0.6,
            appends_are_heartbeats=self.random.random() < 0.6,
            message_bytes_max=24,
            inflight_messages_max=3,
            inflight_bytes_max=48,
        )
        self.members = {
            member: FuzzMember(
                member,
                self.random,
                Configuration(voters=(1, 2, 3)) if member <= 3 else Configuration(),
                settings,
                planted,
            )
            for member in range(1, 6)
        }
        self.counts: dict[str, int] = {}
        self._damaged_max = damaged_max
        self._in_flight: list[bytes] = []
        self._cut: set[tuple[int, int]] = set()
        self._leaders: dict[int, int] = {}
        self._committed: dict[int, Entry] = {}
        self._last_committed = 0
        self._reads: dict[int, int] = {}
        self._proposals = 0
        for member in self.members.values():
            member.start()

    def run(self, steps: int) -> None:
        # Each run has another mixture: some bugs show only where one thing happens much more than others.
        crashes, changes, cuts = (self.random.choice((1, 4, 12)) for _ in range(3))
        actions: list[tuple[Callable[[], None], int]] = [
            (self._deliver, 180),
            (self._tick, 120),
            (self._sync, 90),
            (self._propose, 25),
            (self._read, 8),
            (self._checkpoint, 8),
            (self._fetch, 18),
            (self._cut_or_heal, cuts),
            (self._crash, crashes),
            (self._restart, 4 * crashes),
            (self._blink, crashes),
            (self._change, changes),
            (self._transfer, 2),
            (self._report_lost, 3),
            (self._let_trail, 1),
            (self._send_to_trailing, 4),
        ]
        chosen = self.random.choices([act for act, _ in actions], [weight for _, weight in actions], k=steps)
        for act in chosen:
            act()

    def settle(self) -> None:
        """All faults end: the group must go on, and all its members come to the same log.

        Nothing is asked of a group in which a damaged member may be needed to elect somebody: only it could
        know what was committed, and it does not.
        """
        self._cut.clear()
        for member in self.members.values():
            if member.raft is None:
                member.start()
        proposed = False
        for _ in range(400):
            for member in self.members.values():
                assert member.raft is not None
                member.raft.tick()
                self._send(member.sync_all(member.raft))
                self._settle_member(member, member.raft)
                if member.fetching is not None:
                    self._finish_fetch(member, member.raft)
            while self._in_flight:
                self._hand_over(self._in_flight.pop(0))
            leader = self._leader()
            if leader is not None and not proposed and leader.may_propose:
                leader.propose(b"last")
                proposed = True
            if proposed and leader is not None and self._is_level(leader):
                return
        if self._undamaged_majority():
            raise ViolationError("the group does not recover")
        self._count("stalled by damage")

    # What chance does

    def _some_member(self) -> FuzzMember:
        return self.members[self.random.randint(1, len(self.members))]

    def _running(self) -> tuple[FuzzMember, Raft] | None:
        member = self._some_member()
        return None if member.raft is None else (member, member.raft)

    def _leader(self) -> Raft | None:
        leaders = [m.raft for m in self.members.values() if m.raft is not None and m.raft.leads]
        return max(leaders, key=lambda raft: raft.term, default=None)

    def _some_leader(self) -> tuple[FuzzMember, Raft] | None:
        leaders = [
            (m, m.raft) for m in self.members.values() if m.raft is not None and m.raft.role is Role.LEADER
        ]
        return self.random.choice(leaders) if leaders else None

    def _rather_leader(self) -> FuzzMember:
        """Whose failure matters most."""
        leading = self._some_leader()
        return leading[0] if leading is not None and self.random.random() < 0.6 else self._some_member()

    def _deliver(self) -> None:
        if not self._in_flight:
            return
        position = self.random.randrange(len(self._in_flight))
        if self.random.random() < 0.6:
            position = 0  # Mostly in order, or hardly anything would ever be decided.
        data = self._in_flight[position]
        if self.random.random() < 0.05:
            self._count("duplicate")
        else:
            del self._in_flight[position]
        if self.random.random() < 0.05:
            self._count("loss")
            return
        self._hand_over(data)

    def _hand_over(self, data: bytes) -> None:
        message = _DECODER.decode(data)
        member = self.members[message.receiver]
        if member.raft is None or (message.sender, message.receiver) in self._cut:
            return
        member.raft.step(message)
        self._settle_member(member, member.raft)

    def _tick(self) -> None:
        if (running := self._running()) is not None:
            running[1].tick()
            self._settle_member(*running)

    def _sync(self) -> None:
        running = self._running()
        if running is not None and running[0].has_writes:
            self._send(running[0].sync(running[1], self.random.randint(1, 4)))
            self._settle_member(*running)

    def _propose(self) -> None:
        if (leading := self._some_leader()) is not None and leading[1].may_propose:
            self._proposals += 1
            leading[1].propose(b"%d" % self._proposals * self.random.randint(1, 3))
            if self.random.random() < 0.7:
                self._settle_member(*leading)

    def _read(self) -> None:
        if (leading := self._some_leader()) is not None:
            self._reads[len(self._reads)] = self._last_committed
            leading[1].read_index(len(self._reads) - 1)
            self._settle_member(*leading)

    def _checkpoint(self) -> None:
        if (running := self._running()) is not None:
            running[0].take_checkpoint(running[1])

    def _fetch(self) -> None:
        running = self._running()
        if running is not None and running[0].fetching is not None:
            if self.random.random() < 0.3:
                self._count("failed fetch")
                self._give_up_fetch(*running)
            else:
                self._finish_fetch(*running)

    def _finish_fetch(self, member: FuzzMember, raft: Raft) -> None:
        assert member.fetching is not None
        source = self.members[member.fetching.sender]
        if source.checkpoint.index < member.fetching.index:
            self._give_up_fetch(member, raft)
            return
        self._count("install")
        member.install(raft, source.checkpoint)
        if source.raft is not None and self.random.random() < 0.5:
            source.raft.report_snapshot(member.member, succeeded=True)
        self._settle_member(member, raft)

    def _give_up_fetch(self, member: FuzzMember, raft: Raft) -> None:
        assert member.fetching is not None
        source = self.members[member.fetching.sender].raft
        member.fetching = None
        raft.abandon_snapshot()
        if source is not None:
            source.report_snapshot(member.member, succeeded=False)

    def _cut_or_heal(self) -> None:
        if self._cut and self.random.random() < 0.6:
            self._cut.clear()
            return
        self._count("partition")
        lonely = self._rather_leader().member
        for member in self.members:
            if self.random.random() < 0.8:
                self._cut.add((lonely, member))
            if self.random.random() < 0.8:
                self._cut.add((member, lonely))

    def _crash(self) -> None:
        member = self._rather_leader()
        if member.raft is None:
            return
        self._count("crash")
        member.crash()
        damaged = sum(member.claim is not None for member in self.members.values())
        if damaged < self._damaged_max and self.random.random() < 0.5:
            self._count("damage")
            member.damage()

    def _restart(self) -> None:
        down = [member for member in self.members.values() if member.raft is None]
        if down:
            member = self.random.choice(down)
            self._settle_member(member, member.start())

    def _blink(self) -> None:
        """A member says what it may say now, and comes back with what is on its disk."""
        if (running := self._running()) is not None:
            self._count("blink")
            self._send(running[0].sync_all(running[1]))
            running[0].crash()
            self._settle_member(running[0], running[0].start())

    def _change(self) -> None:
        if (leading := self._some_leader()) is None or not leading[1].may_propose:
            return
        if leading[1].configuration.is_joint:
            change = ConfigurationChange()
        else:
            transition = self.random.choice(list(Transition))
            operations = tuple(self._operation(leading[1]) for _ in range(self.random.randint(1, 3)))
            change = ConfigurationChange(transition, operations)
        if not isinstance(leading[1].propose_change(change), Refusal):
            self._count("joint change" if change.enters_joint else "change")
        self._settle_member(*leading)

    def _operation(self, leader: Raft) -> tuple[Operation, int]:
        """Whoever is empty knows nobody and votes for nobody, so it is a learner first."""
        member = self._some_member().member
        known = leader.progress().get(member)
        choices = [Operation.ADD_LEARNER, Operation.REMOVE]
        if known is not None and known.match > 0:
            choices.append(Operation.ADD_VOTER)
        return self.random.choice(choices), member

    def _transfer(self) -> None:
        if (leading := self._some_leader()) is not None:
            self._count("transfer")
            leading[1].transfer_leadership(self._some_member().member)
            self._settle_member(*leading)

    def _report_lost(self) -> None:
        if (leading := self._some_leader()) is not None:
            leading[1].report_unreachable(self._some_member().member)

    def _let_trail(self) -> None:
        """Whoever it is: those who trail, and be it a majority, get by heartbeats what nobody else sends."""
        if (leading := self._some_leader()) is not None:
            leading[1].let_trail({member for member in self.members if self.random.random() < 0.4})
            self._settle_member(*leading)

    def _send_to_trailing(self) -> None:
        if (leading := self._some_leader()) is not None:
            self._count("sent to who trails")
            leading[1].send_to_trailing()
            self._settle_member(*leading)

    # What follows, and what must hold

    def _settle_member(self, member: FuzzMember, raft: Raft) -> None:
        while raft.has_ready:
            ready, messages = member.ready(raft)
            self._send(messages)
            self._check_leader(member, raft)
            self._check_commits(member, raft)
            for context, index in ready.reads:
                if index < self._reads[context]:
                    raise ViolationError(f"a read at {index} does not see {self._reads[context]}")
            member.apply(raft, self.random.randint(0, 4))
        if raft.committed > member.applied:
            member.apply(raft, 2)

    def _send(self, messages: list[Message] | tuple[Message, ...]) -> None:
        self._in_flight += map(_ENCODER.encode, messages)
        while len(self._in_flight) > _IN_FLIGHT_MAX:
            del self._in_flight[self.random.randrange(len(self._in_flight))]

    def _check_leader(self, member: FuzzMember, raft: Raft) -> None:
        """At most one leader per term, and it has all that is committed."""
        if raft.role is not Role.LEADER or self._leaders.get(raft.term) == member.member:
            return
        if raft.term in self._leaders:
            raise ViolationError(f"{self._leaders[raft.term]} and {member.member} both lead term {raft.term}")
        self._leaders[raft.term] = member.member
        self._count("leader")
        for index in range(
            max(member.checkpoint.index, member.storage.base_index) + 1, self._last_committed + 1
        ):
            if member.view.get(index) != self._committed[index]:
                raise ViolationError(
                    f"leader {member.member} of term {raft.term} lacks the committed {index}"
                )

    def _check_commits(self, member: FuzzMember, raft: Raft) -> None:
        """What is committed is on the disks of a majority, the same for all, and for good."""
        for index in range(member.applied + 1, raft.committed + 1):
            entry = member.view[index]
            known = self._committed.get(index)
            if known is None:
                self._committed[index] = entry
                self._last_committed = index
                for voters in (raft.configuration.voters, raft.configuration.outgoing):
                    holders = [v for v in voters if self.members[v].has_on_disk(index, entry.term)]
                    if voters and len(holders) <= len(voters) // 2:
                        raise ViolationError(
                            f"{index} is committed, but only on the disks {holders} of {voters}"
                        )
            elif known != entry:
                raise ViolationError(f"{member.member} has committed {entry}, where {known} was committed")

    def _undamaged_majority(self) -> bool:
        configurations = [
            member.checkpoint.configuration if member.raft is None else member.raft.configuration
            for member in self.members.values()
        ]
        applied = [member.applied for member in self.members.values()]
        newest = configurations[applied.index(max(applied))]
        whole = {m for m, member in self.members.items() if member.claim is None and newest.may_lead(m)}
        halves = [set(half) for known in configurations for half in (known.voters, known.outgoing) if half]
        return not any(m.claim for m in self.members.values()) or all(
            len(half & whole) > len(half) // 2 for half in halves
        )

    def _is_level(self, leader: Raft) -> bool:
        return all(
            member.raft is not None
            and member.raft.committed == leader.last_index
            and member.storage.last_index == leader.last_index
            and not member.raft.damaged
            for member in self.members.values()
            if member.member in leader.configuration
        )

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1
