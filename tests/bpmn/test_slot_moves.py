"""Slots that move while all goes on: what is kept under them goes with them, what is about them follows, and
whoever asks at the wrong place is told, and changes nothing."""

import random
from collections.abc import Iterable

import pytest

from bpmnd.bpmn import turn as turn_module
from bpmnd.bpmn.channel import MoveRecords, decode_message
from bpmnd.bpmn.commands import (
    BroadcastSignal,
    CancelProcessInstance,
    Command,
    CommandId,
    CompleteJob,
    ConfirmSlots,
    CorrelateMessage,
    CreateProcessInstance,
    DoOnce,
    GiveSlots,
    MigrateProcessInstance,
    PublishMessage,
)
from bpmnd.bpmn.engine import Decision
from bpmnd.bpmn.events import (
    ContinuationCreated,
    MessageExpired,
    MessageStartLockTaken,
    MessageSubscriptionDeleted,
    SlotsGiven,
)
from bpmnd.bpmn.outcomes import (
    Accepted,
    MessageCorrelated,
    MessagePublished,
    Outcome,
    Rejected,
    RejectionType,
    SlotMoved,
)
from bpmnd.bpmn.processors import slot_moves
from bpmnd.bpmn.processors.once import KEEP_MS
from bpmnd.bpmn.slots import SlotTable, slot_of
from bpmnd.bpmn.state.messages import FREE, group_of
from bpmnd.bpmn.state.slots import Phase
from tests.bpmn.playground import rows_of
from tests.bpmn.test_partitions import (
    BEGIN,
    CATCH,
    HOUR_MS,
    KEYS,
    RACE,
    Cluster,
    Partition,
    Story,
    check_messages,
    seen_in,
)
from tests.judged import JUDGE


class Growing(Cluster):
    """Partitions of which the first `old` share all slots to begin with. Moves are in the hands of a test,
    and so is who knows of them when."""

    def __init__(self, old: int, count: int) -> None:
        super().__init__(count)
        self.tables = [SlotTable.even(old)]
        """The newest is the last."""
        self.move: GiveSlots | None = None
        self.giver = 0
        self.last_number = 0
        self.chance = random.Random(0)
        for partition in self.all.values():
            self.tell(partition)

    @property
    def table(self) -> SlotTable:
        return self.tables[-1]

    def tell(self, partition: Partition) -> None:
        partition.slots = self.table
        partition.engine.know(sorted(self.all), self.table)

    def for_key(self, correlation_key: str) -> Partition:
        """As a gateway sees it that knows any of the tables."""
        return self.all[self.chance.choice(self.tables).partition_of(correlation_key)]

    def ask(self, correlation_key: str, command: Command) -> tuple[Partition, Decision]:
        """As a gateway does it: it waits for another table, and asks first who may know an id."""
        partition = self.for_key(correlation_key)
        while True:
            decision = partition.put(command)
            match decision.outcome:
                case SlotMoved(is_here=True, before=before):
                    asked = self._asked_before(before, command)
                    if asked is not None:
                        return asked
                    assert isinstance(command, DoOnce)
                    command = DoOnce(command.id, command.asked, before)
                case SlotMoved():
                    self.end_move()
                    partition = self.all[self.table.partition_of(correlation_key)]
                case _:
                    return partition, decision

    def _asked_before(self, before: int, command: Command) -> tuple[Partition, Decision] | None:
        while before:
            decision = self.all[before].put(command)
            if not isinstance(decision.outcome, SlotMoved):
                return self.all[before], decision
            assert not decision.events
            assert not decision.outcome.is_here
            before = decision.outcome.before
        return None

    def deliver(self, sender: int, receiver: int, number: int, payload: bytes) -> None:
        """Log times of partitions go alike."""
        now = max(self.all[sender].now, self.all[receiver].now)
        self.all[sender].now = self.all[receiver].now = now
        super().deliver(sender, receiver, number, payload)

    def begin_move(self, keys: Iterable[str], to: int) -> None:
        """The slots of these keys go to a partition, from the one that has the first of them."""
        slots = [slot_of(key) for key in keys]
        self.giver = self.table.partitions[slots[0]]
        self.last_number += 1
        runs = tuple((slot, 1) for slot in slots if self.table.partitions[slot] == self.giver)
        self.move = GiveSlots(self.last_number, to, runs)

    def look(self) -> None:
        """What the controller and the leaders do once in a while."""
        for partition in self.all.values():
            last = partition.state.slots.outgoing
            if last is not None and last.phase is not Phase.ENDED:
                partition.put(GiveSlots(last.number, last.to, last.slots))
        if self.move is None:
            return
        self.all[self.giver].put(self.move)
        if self.all[self.move.to].put(ConfirmSlots(self.move.number)).outcome == Accepted():
            partitions = list(self.table.partitions)
            for slot, _ in self.move.slots:
                partitions[slot] = self.move.to
            self.tables.append(SlotTable(len(self.tables) + 1, tuple(partitions), self.tables[0].partitions))
            self.move = None

    def end_move(self) -> None:
        while self.move is not None or self._is_giving():
            self.look()
            self.settle()

    def _is_giving(self) -> bool:
        moves = [partition.state.slots.outgoing for partition in self.all.values()]
        return any(last is not None and last.phase is not Phase.ENDED for last in moves)

    def tell_all(self) -> None:
        for partition in self.all.values():
            self.tell(partition)

    def moved(self, key: str, to: int = 2) -> None:
        """All at once."""
        self.begin_move([key], to)
        self.end_move()
        self.tell_all()


@pytest.fixture
def cluster() -> Growing:
    cluster = Growing(1, 2)
    cluster.deploy(CATCH, RACE)
    return cluster


@pytest.fixture
def starting() -> Growing:
    cluster = Growing(1, 2)
    cluster.deploy(BEGIN)
    return cluster


def create(partition: Partition, key: str, process_id: str = "catch") -> int:
    return partition.create({"key": f'"{key}"'.encode()}, process_id)


def known(id: str, asked: CreateProcessInstance | PublishMessage | CorrelateMessage) -> DoOnce:
    return DoOnce(CommandId("scope", id, b"hash"), asked)


def test_a_buffered_message_moves_with_its_slot(cluster: Growing) -> None:
    cluster[1].do(PublishMessage("go", "a", HOUR_MS, variables={"x": b"1"}))
    cluster.moved("a")
    create(cluster[2], "a")
    (job,) = cluster[2].jobs("after")
    assert job.variables["x"] == b"1"


def test_a_message_that_has_moved_expires_when_it_would_have(cluster: Growing) -> None:
    published = cluster[1].do(PublishMessage("other", "a", HOUR_MS))
    assert isinstance(published, MessagePublished)
    cluster.moved("a")
    cluster[1].pass_time(2 * HOUR_MS)
    cluster[2].pass_time(2 * HOUR_MS)
    assert not cluster[1].happened(MessageExpired)
    assert [expired.key for expired in cluster[2].happened(MessageExpired)] == [published.key]


def test_the_id_of_a_message_moves_with_its_slot(cluster: Growing) -> None:
    message = PublishMessage("other", "a", HOUR_MS, "id")
    cluster[1].do(message)
    cluster.moved("a")
    rejected = cluster[2].rejected(message)
    assert rejected.type == RejectionType.ALREADY_EXISTS


def test_who_waits_gets_a_message_that_is_published_after_the_move(cluster: Growing) -> None:
    create(cluster[1], "a")
    cluster.moved("a")
    cluster[2].do(PublishMessage("go", "a"))
    cluster.settle()
    assert len(cluster[1].jobs("after")) == 1


def test_who_waited_first_gets_the_first_message_after_the_move(cluster: Growing) -> None:
    """Also if the partition that has the slot now is its own."""
    first = create(cluster[2], "a")
    cluster.settle()
    create(cluster[1], "a")
    cluster.moved("a")
    create(cluster[2], "a")
    cluster[2].do(PublishMessage("go", "a"))
    cluster.settle()
    assert [job.process_instance_key for job in cluster[2].jobs("after")] == [first]


def test_a_slot_on_its_way_takes_no_message(cluster: Growing) -> None:
    cluster.begin_move(["a"], 2)
    cluster.look()
    decision = cluster[1].decide(PublishMessage("go", "a"))
    assert decision.outcome == SlotMoved(is_here=False)
    assert not decision.events


def test_other_slots_take_messages_meanwhile(cluster: Growing) -> None:
    cluster.begin_move(["a"], 2)
    cluster.look()
    assert isinstance(cluster[1].do(PublishMessage("go", "b")), MessagePublished)


def test_who_asks_the_old_owner_is_told_and_changes_nothing(cluster: Growing) -> None:
    cluster.moved("a")
    decision = cluster[1].decide(CorrelateMessage("go", "a"))
    assert decision.outcome == SlotMoved(is_here=False)
    assert not decision.events


def test_a_move_that_is_asked_for_again_is_the_same_move(cluster: Growing) -> None:
    cluster.begin_move(["a"], 2)
    again = cluster.move
    assert again is not None
    cluster.end_move()
    assert cluster[1].do(again) == Accepted()
    assert len(cluster.happened(SlotsGiven)) == 1


def test_the_next_move_waits_for_the_one_before(cluster: Growing) -> None:
    cluster[1].decide(GiveSlots(1, 2, ((0, 1),)))
    assert isinstance(cluster[1].decide(GiveSlots(2, 2, ((1, 1),))).outcome, Rejected)


def test_a_subscription_that_is_opened_and_closed_while_its_slot_moves_is_gone(cluster: Growing) -> None:
    """The opening goes to the old owner, which passes it on; the closing must not overtake it."""
    cluster.begin_move(["a"], 2)
    cluster[1].decide(cluster.move or GiveSlots(0, 0, ()))
    instance_key = create_only(cluster[1], "a")
    cluster.end_move()
    cluster.tell_all()
    cluster[1].do(CancelProcessInstance(instance_key))
    cluster.settle()
    assert len(cluster[2].happened(MessageSubscriptionDeleted)) == 1
    assert cluster[2].state.messages.subscriptions.next(group_of("<default>", "go", "a"), FREE) is None


def create_only(partition: Partition, key: str) -> int:
    """Without going on with what else is left over."""
    outcome = partition.decide(CreateProcessInstance("catch", variables={"key": f'"{key}"'.encode()})).outcome
    assert outcome is not None
    return outcome.key  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue,reportUnknownMemberType,reportUnknownVariableType]


def test_a_correlation_is_answered_where_it_was_asked_for(cluster: Growing) -> None:
    """Its message is on the way to a partition while the slot moves."""
    instance_key = create(cluster[2], "a")
    cluster.settle()
    request = cluster[1].put(CorrelateMessage("go", "a")).request
    cluster.moved("a")
    answer = cluster[1].answers[request]
    assert isinstance(answer, MessageCorrelated)
    assert answer.instance_key == instance_key


def test_a_correlation_that_all_refuse_is_answered_where_it_was_asked_for(cluster: Growing) -> None:
    instance_key = create(cluster[2], "a")
    cluster.settle()
    request = cluster[1].put(CorrelateMessage("go", "a")).request
    cluster[2].do(CancelProcessInstance(instance_key))
    cluster.moved("a")
    answer = cluster[1].answers[request]
    assert isinstance(answer, Rejected)
    assert not cluster[1].state.messages.pending.items


def test_an_instance_that_a_message_has_started_keeps_the_next_from_starting_after_the_move(
    starting: Growing,
) -> None:
    starting[1].do(PublishMessage("go", "a"))
    starting.moved("a")
    starting[2].do(PublishMessage("go", "a", HOUR_MS))
    assert not starting[2].jobs("work")
    (job,) = starting[1].jobs("work")
    starting[1].do(CompleteJob(job.key))
    starting.settle()
    assert len(starting[2].jobs("work")) == 1


def test_a_message_that_waits_for_an_instance_to_end_starts_the_next_after_the_move(
    starting: Growing,
) -> None:
    starting[1].do(PublishMessage("go", "a", HOUR_MS))
    starting[1].do(PublishMessage("go", "a", HOUR_MS, variables={"x": b"2"}))
    starting.moved("a")
    (job,) = starting[1].jobs("work")
    starting[1].do(CompleteJob(job.key))
    starting.settle()
    (next_job,) = starting[2].jobs("work")
    assert next_job.variables == {"x": b"2"}


def test_an_instance_that_ends_while_its_slot_moves_lets_the_next_start(starting: Growing) -> None:
    starting[1].do(PublishMessage("go", "a", HOUR_MS))
    starting[1].do(PublishMessage("go", "a", HOUR_MS))
    (job,) = starting[1].jobs("work")
    starting.begin_move(["a"], 2)
    assert starting.move is not None
    starting[1].decide(starting.move)
    starting[1].decide(CompleteJob(job.key))
    starting.end_move()
    assert len(starting[2].jobs("work")) == 1


def test_an_instance_that_migrates_after_the_move_keeps_another_from_starting_as_what_it_is_now() -> None:
    cluster = Growing(1, 2)
    other = BEGIN.replace(b'id="begin"', b'id="other"')
    cluster.deploy(BEGIN, other)
    definitions = {each.process_id: each for each in cluster[1].state.definitions.items.values()}
    cluster[1].do(PublishMessage("go", "a"))
    begun = next(each for each in cluster[1].instances() if each.definition_key == definitions["begin"].key)
    for each in cluster[1].instances():
        if each is not begun:
            cluster[1].do(CancelProcessInstance(each.key))
    cluster.moved("a")
    cluster[1].do(MigrateProcessInstance(begun.key, definitions["other"].key, (("work", "work"),)))
    cluster.settle()
    assert len(cluster[2].happened(MessageStartLockTaken)) == 1
    cluster[2].do(PublishMessage("go", "a", HOUR_MS))
    started = [
        cluster[2].state.definitions.items[each.definition_key].process_id for each in cluster[2].instances()
    ]
    assert started == ["begin"]
    cluster[1].do(CancelProcessInstance(begun.key))
    cluster.settle()
    assert len(cluster[2].instances()) == 2


def test_a_command_with_an_id_is_known_where_it_was_decided(cluster: Growing) -> None:
    once = known("a", CreateProcessInstance("catch", variables={"key": b'"b"'}))
    _, first = cluster.ask("a", once)
    cluster.moved("a")
    assert cluster[2].decide(once).outcome == SlotMoved(is_here=True, before=1)
    assert cluster[1].decide(once).outcome == first.outcome


def test_an_id_that_nobody_knew_before_is_decided_once_the_old_owner_was_asked(cluster: Growing) -> None:
    once = known("a", CreateProcessInstance("catch", variables={"key": b'"b"'}))
    cluster.moved("a")
    decided = [cluster.ask("a", once) for _ in range(2)]
    assert [each.state.partition_id for each, _ in decided] == [2, 2]
    assert decided[0][1].outcome == decided[1][1].outcome
    assert len(cluster[2].instances()) == 1


def test_an_old_owner_is_asked_only_as_long_as_it_may_know(cluster: Growing) -> None:
    cluster.moved("a")
    cluster[2].now += KEEP_MS
    once = known("a", CreateProcessInstance("catch", variables={"key": b'"b"'}))
    assert not isinstance(cluster[2].decide(once).outcome, SlotMoved)


def test_an_id_is_found_two_moves_later() -> None:
    cluster = Growing(1, 3)
    cluster.deploy(CATCH)
    once = known("id", PublishMessage("go", "a"))
    first = cluster.ask("a", once)[1].outcome
    cluster.moved("a", 2)
    cluster.moved("a", 3)
    assert isinstance(first, MessagePublished)
    assert cluster.ask("a", once)[1].outcome == first


def test_a_move_sends_no_more_than_a_piece_in_a_turn(
    cluster: Growing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slot_moves, "_MOVED_MAX", 10)
    for _ in range(95):
        cluster[1].do(PublishMessage("other", "a", HOUR_MS))
    cluster.begin_move(["a"], 2)
    assert cluster.move is not None
    cluster[1].do(cluster.move)
    sent = [decode_message(payload) for _, _, _, payload in cluster.in_transit()]
    pieces = [len(each.records.messages) for each in sent if isinstance(each, MoveRecords)]
    assert pieces == [10] * 9 + [5]
    assert len(cluster[1].happened(ContinuationCreated)) > len(pieces)


def test_a_move_waits_until_some_of_it_has_arrived(cluster: Growing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slot_moves, "_MOVED_MAX", 1)
    monkeypatch.setattr(slot_moves, "_UNDER_WAY_MAX", 5)
    for _ in range(20):
        cluster[1].do(PublishMessage("other", "a", HOUR_MS))
    cluster.begin_move(["a"], 2)
    cluster.look()
    cluster.look()
    assert len(cluster.in_transit()) == 6
    cluster.end_move()
    assert cluster.table.partition_of("a") == 2


def test_a_move_goes_on_however_much_else_is_on_its_way_to_the_new_owner(
    cluster: Growing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The channel is always longer than what makes a move pause."""
    monkeypatch.setattr(slot_moves, "_MOVED_MAX", 1)
    monkeypatch.setattr(slot_moves, "_UNDER_WAY_MAX", 5)
    for _ in range(10):
        cluster[1].do(PublishMessage("other", "a", HOUR_MS))
        cluster[1].do(BroadcastSignal("bell"))
    cluster.begin_move(["a"], 2)
    for _ in range(300):
        cluster[1].do(BroadcastSignal("bell"))
        cluster.deliver(*next(each for each in cluster.in_transit() if each[0] == 1))
        cluster.acknowledge(0)
        cluster.look()
    assert cluster.move is None


def test_a_move_that_was_given_up_goes_on_when_it_is_asked_for_again(
    cluster: Growing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raises(*_: object) -> None:
        raise RuntimeError("a bug")

    cluster[1].do(PublishMessage("other", "a", HOUR_MS))
    cluster.begin_move(["a"], 2)
    assert cluster.move is not None
    with monkeypatch.context() as patched:
        patched.setattr(slot_moves, "_send_records", raises)
        cluster[1].do(cluster.move)
    assert not cluster[1].state.continuations.items
    cluster.end_move()
    assert cluster.table.partition_of("a") == 2
    assert len(cluster[1].happened(SlotsGiven)) == 1


class Restless(Story):
    """A cluster whose slots move all the time."""

    def __init__(self, seed: int, cluster: Growing) -> None:
        super().__init__(seed, cluster)
        self.growing = cluster
        cluster.chance = self.chance
        for partition in cluster.all.values():
            partition.rests = self.chance.choice((0.0, 0.5, 0.9))
        self.outcomes: dict[str, Outcome] = {}
        """What came of each command with an id, as soon as that was told."""

    def step(self) -> None:
        chance, cluster = self.chance, self.growing
        match chance.randrange(12):
            case 0 if cluster.move is None and chance.random() < 0.5:
                keys = chance.sample(KEYS, chance.randint(1, len(KEYS)))
                above = [each for each in cluster.all if each > cluster.table.partition_of(keys[0])]
                if above:
                    cluster.begin_move(keys, chance.choice(above))
            case 1:
                cluster.look()
            case 2:
                cluster.tell(chance.choice(list(cluster.all.values())))
            case 3 | 4:
                self._once()
            case _:
                super().step()

    def _once(self) -> None:
        chance, cluster = self.chance, self.growing
        id, key = str(chance.randrange(20)), KEYS[0]
        asked: CreateProcessInstance | PublishMessage | CorrelateMessage
        match int(id) % 3:
            case 0:
                asked = CreateProcessInstance("catch", variables={"key": f'"{key}"'.encode()})
                key = id
            case 1:
                asked = PublishMessage("note", key)
            case _:
                asked = CorrelateMessage("go", key)
        partition, decision = cluster.ask(key, known(id, asked))
        if decision.outcome is None:
            self.requests.add((partition.state.partition_id, decision.request))
        else:
            assert self.outcomes.setdefault(id, decision.outcome) == decision.outcome

    def end(self) -> None:
        for partition in self.growing.all.values():
            partition.settles, partition.rests = 1.0, 0.0
            partition.finish()
        self.growing.end_move()
        self.growing.settle()


@pytest.mark.parametrize("seed", range(600 if JUDGE else 6))
def test_however_slots_move_every_message_and_command_has_its_effect_once(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    print(f"seed {seed}")
    chance = random.Random(seed)
    monkeypatch.setattr(turn_module, "STEPS_MAX", chance.choice((2, 5, 200)))
    monkeypatch.setattr(slot_moves, "_MOVED_MAX", chance.choice((1, 3, 100)))
    monkeypatch.setattr(slot_moves, "_LOOKED_AT_MAX", chance.choice((2, 5, 400)))
    monkeypatch.setattr(slot_moves, "_UNDER_WAY_MAX", chance.choice((1, 4, 64)))
    story = Restless(seed, Growing(chance.choice((1, 2)), 4))
    for _ in range(300):
        story.step()
        if chance.random() < 0.02:
            story.cluster.settle()
    story.end()
    check_messages(story)
    check_owners(story.growing)
    for partition in story.cluster.all.values():
        assert rows_of(partition.replayed()) == rows_of(partition.reflect())

    clean_up(story.cluster)


def check_owners(cluster: Growing) -> None:
    """What is kept under a correlation key is where its slot is, and nowhere else."""
    for number, partition in cluster.all.items():
        tables = partition.reflect().messages
        for key in KEYS:
            if cluster.table.partition_of(key) == number:
                continue
            for name in ("go", "stop", "note"):
                group = group_of("<default>", name, key)
                assert tables.subscriptions.next(group) is None
                assert tables.buffered.next(group) is None


def clean_up(cluster: Cluster, kept: bytes = b"") -> None:
    """When all has ended, nothing is left, but for rows of these kinds."""
    while any(partition.instances() for partition in cluster.all.values()):
        for partition in cluster.all.values():
            for instance in partition.instances():
                partition.do(CancelProcessInstance(instance.key))
        cluster.settle()
        for partition in cluster.all.values():
            partition.pass_time(2 * HOUR_MS)
        cluster.settle()
    for partition in cluster.all.values():
        partition.pass_time(2 * KEEP_MS)
        partition.begin()
        partition.finish()
        rows = partition.store.range(b"\1", b"\xff", 1 << 30)
        left = [row_key for row_key, _ in rows if row_key[:1] not in b"mdpxystvwh" + kept]
        assert not left, f"{left} are left in the store"


@pytest.mark.parametrize("seed", range(20 if JUDGE else 1))
def test_with_slots_that_move_a_script_leads_to_what_it_does_without(seed: int) -> None:
    cluster, chance = Growing(1, 3), random.Random(seed)
    cluster.chance = chance

    def between() -> None:
        if cluster.move is None and chance.random() < 0.1:
            keys = chance.sample(KEYS, 2)
            above = [each for each in cluster.all if each > cluster.table.partition_of(keys[0])]
            if above:
                cluster.begin_move(keys, chance.choice(above))
        cluster.look()
        cluster.tell(chance.choice(list(cluster.all.values())))

    assert seen_in(cluster, between) == seen_in(Cluster(3))
    assert len(cluster.tables) > 2
