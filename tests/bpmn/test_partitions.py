"""Messages and signals over several partitions: channel messages come late, repeatedly, in any order among
the pairs. Whatever happens, each message has its effect once, and who waits is known where it must be."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable

import pytest

from bpmnd.bpmn import broadcast as broadcast_module
from bpmnd.bpmn import turn as turn_module
from bpmnd.bpmn.appliers import replay
from bpmnd.bpmn.channel import DistributeDeployment, encode_message
from bpmnd.bpmn.codec import decode_frame
from bpmnd.bpmn.commands import (
    AcknowledgeChannel,
    BroadcastSignal,
    CancelProcessInstance,
    Command,
    CompleteJob,
    Continue,
    CorrelateMessage,
    CreateProcessInstance,
    Deploy,
    FireDue,
    MigrateProcessInstance,
    PublishMessage,
    ReceiveChannelMessage,
    ResolveIncident,
    Resource,
)
from bpmnd.bpmn.engine import Decision, Engine
from bpmnd.bpmn.events import (
    BoundaryEventTriggered,
    ContinuationRemoved,
    ElementCompleted,
    Event,
    MessageSubscriptionCorrelated,
    MessageSubscriptionRejected,
    ProcessInstanceCreated,
    ProcessMessageSubscriptionCorrelated,
    ProcessMessageSubscriptionCreated,
    SignalBroadcasted,
    VariablesCreated,
)
from bpmnd.bpmn.outcomes import (
    Accepted,
    MessageCorrelated,
    MessagePublished,
    Outcome,
    Rejected,
)
from bpmnd.bpmn.outcomes import (
    ProcessInstanceCreated as Created,
)
from bpmnd.bpmn.slots import SlotTable, slot_of
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.messages import FREE, Messages, group_of, parts_of
from bpmnd.bpmn.state.records import ProcessInstance
from tests.bpmn.events import boundary, catch, event, message, on_message, on_signal, signal, together
from tests.bpmn.playground import START, Playground, flow, path, process, replay_in_windows, rows_of, task
from tests.bpmn.test_state import Checkpointed
from tests.judged import JUDGE

HOUR_MS = 3_600_000
KEYS = ("a", "b", "c", "d")


class Cluster:
    """Partitions whose channels are in the hands of a test."""

    def __init__(self, count: int) -> None:
        ids = range(1, count + 1)
        self.all = {partition: Partition(partition, count) for partition in ids}
        self.acknowledgements: list[tuple[int, AcknowledgeChannel]] = []

    def __getitem__(self, partition: int) -> "Partition":
        return self.all[partition]

    def for_key(self, correlation_key: str) -> "Partition":
        return self.all[SlotTable.even(len(self.all)).partition_of(correlation_key)]

    def ask(self, correlation_key: str, command: Command) -> tuple["Partition", Decision]:
        """Who has decided, and what."""
        asked = self.for_key(correlation_key)
        return asked, asked.put(command)

    def in_transit(self) -> list[tuple[int, int, int, bytes]]:
        """Sender, receiver, number and payload of all that is not acknowledged."""
        return [
            (sender, receiver, number, payload)
            for sender, partition in self.all.items()
            for receiver, channel in partition.state.outbox.items.items()
            for number, payload in channel.messages
        ]

    def deliver(self, sender: int, receiver: int, number: int, payload: bytes) -> None:
        """What is not next in its turn is refused; what was there already is accepted again."""
        outcome = self.all[receiver].do(ReceiveChannelMessage(sender, number, payload))
        if not isinstance(outcome, Rejected):
            self.acknowledgements.append((sender, AcknowledgeChannel(receiver, number)))

    def acknowledge(self, position: int) -> None:
        sender, acknowledgement = self.acknowledgements.pop(position)
        self.all[sender].do(acknowledgement)

    def settle(self) -> None:
        """Let everything arrive."""
        while True:
            for partition in self.all.values():
                partition.go_on()
            while self.acknowledgements:
                self.acknowledge(0)
            waiting = self.in_transit()
            if not waiting:
                return
            for each in waiting:
                self.deliver(*each)

    def deploy(self, *contents: bytes) -> None:
        """Models of processes and of decisions."""
        kinds = ["dmn" if b"/DMN/" in content else "bpmn" for content in contents]
        names = [f"{number}.{kind}" for number, kind in enumerate(kinds)]
        resources = tuple(map(Resource, names, contents))
        outcome = self.all[1].do(Deploy(resources))
        assert not isinstance(outcome, Rejected), outcome
        self.settle()

    def happened(self, kind: type[Event]) -> list[Event]:
        return [each for partition in self.all.values() for each in partition.happened(kind)]

    def answers(self) -> dict[tuple[int, int], Outcome]:
        return {
            (partition, request): outcome
            for partition, playground in self.all.items()
            for request, outcome in playground.answers.items()
        }


class Partition(Checkpointed):
    settles = 1.0
    rests = 0.0
    """How likely it is that it leaves something over when it goes on."""
    chance = random.Random(0)

    def __init__(self, partition_id: int, count: int) -> None:
        super().__init__()
        self.count = count
        self.slots = SlotTable.even(count)
        self.state = State(partition_id, self.store)
        self.engine = self._new_engine()
        self.mirror = State(partition_id, type(self.store)())
        self._mirrored = 0

    def do(self, command: Command) -> Outcome | None:
        return self.put(command).outcome

    def put(self, command: Command) -> Decision:
        decision = self.decide(command)
        if self.chance.random() < self.settles:
            self.go_on()
        return decision

    def go_on(self) -> None:
        while self.state.continuations.items and not (self.rests and self.chance.random() < self.rests):
            self.decide(Continue(next(iter(self.state.continuations.items))))

    def reflect(self) -> State:
        """The state by the frames alone, from which nothing is evicted."""
        for frame in self.frames[self._mirrored :]:
            replay(self.mirror, decode_frame(frame))
        self._mirrored = len(self.frames)
        return self.mirror

    def restart(self) -> None:
        self.store = self.store.reopened()
        self.state = State(self.state.partition_id, self.store)
        replay_in_windows(self.state, self.frames[self.checkpoint_at :], self.chance)
        self.engine = self._new_engine()

    def _new_engine(self) -> Engine:
        return Engine(self.state, tuple(range(1, self.count + 1)), self.slots)

    def instances(self) -> list[ProcessInstance]:
        blocks = self.reflect().instances._live.values()  # pyright: ignore[reportPrivateUsage]  # all, at a look
        return [instance for block in blocks for instance in block.values()]


CATCH = process(
    START + catch("wait", on_message("m")) + task("after") + path("start", "wait", "after"),
    process_id="catch",
    definitions=message("m", "go", "=key"),
)
RACE = process(
    START
    + '<receiveTask id="wait" messageRef="m"/>'
    + boundary(
        "late", "wait", "<timerEventDefinition><timeDuration>PT1S</timeDuration></timerEventDefinition>"
    )
    + boundary("bell", "wait", on_signal("s"), interrupting=False)
    + boundary("stop", "wait", on_message("m2"))
    + boundary("note", "wait", on_message("m3"), interrupting=False)
    + task("after")
    + task("handle")
    + task("rang")
    + path("start", "wait", "after")
    + flow("late", "handle")
    + flow("stop", "handle")
    + flow("note", "handle")
    + flow("bell", "rang"),
    process_id="race",
    definitions=message("m", "go", "=key")
    + message("m2", "stop", "=key")
    + message("m3", "note", "=key")
    + signal("s", "bell"),
)
NESTED = process(
    START
    + '<subProcess id="sub"><startEvent id="inner"/>'
    + "".join(
        f'<receiveTask id="{message_id}-wait" messageRef="{message_id}"/>'
        + flow("inner", f"{message_id}-wait")
        for message_id in ("m", "m2", "m3")
    )
    + "</subProcess>"
    + boundary(
        "late", "sub", "<timerEventDefinition><timeDuration>PT1S</timeDuration></timerEventDefinition>"
    )
    + task("handle")
    + flow("start", "sub")
    + flow("late", "handle"),
    process_id="nested",
    definitions=message("m", "go", "=key") + message("m2", "stop", "=key") + message("m3", "note", "=key"),
)
BEGIN = process(
    event("startEvent", "on", on_message("m")) + task("work") + path("on", "work"),
    process_id="begin",
    definitions=message("m", "go"),
)


def partitions_of(count: int) -> dict[int, str]:
    """A correlation key for each partition."""
    slots = SlotTable.even(count)
    return {slots.partition_of(str(number)): str(number) for number in range(100)}


def test_an_even_table_gives_every_partition_as_many_slots() -> None:
    counts = Counter(SlotTable.even(3).partitions)
    assert set(counts) == {1, 2, 3}
    assert max(counts.values()) - min(counts.values()) <= 1


def test_the_slot_of_a_key_is_the_rest_of_its_checksum() -> None:
    """The check value of CRC-32 is 0xCBF43926."""
    assert [slot_of(""), slot_of("123456789")] == [0, 0xCBF43926 % 16_384]


def test_a_message_reaches_an_instance_of_another_partition() -> None:
    cluster = Cluster(2)
    cluster.deploy(CATCH)
    key = partitions_of(2)[2]
    cluster[1].create({"key": f'"{key}"'.encode()}, "catch")
    cluster.settle()

    published = cluster[2].do(PublishMessage("go", key, variables={"x": b"1"}))

    assert isinstance(published, MessagePublished)
    cluster.settle()
    (job,) = cluster[1].jobs("after")
    assert job.variables["x"] == b"1"


def test_a_correlation_is_answered_when_another_partition_has_taken_the_message() -> None:
    cluster = Cluster(2)
    cluster.deploy(CATCH)
    key = partitions_of(2)[2]
    instance_key = cluster[1].create({"key": f'"{key}"'.encode()}, "catch")
    cluster.settle()

    decision = cluster[2].decide(CorrelateMessage("go", key))

    assert decision.outcome is None
    assert not cluster[2].answers
    cluster.settle()
    (answer,) = cluster[2].answers.values()
    assert isinstance(answer, MessageCorrelated)
    assert answer.instance_key == instance_key


def test_a_correlation_that_comes_too_late_is_refused() -> None:
    cluster = Cluster(2)
    cluster.deploy(CATCH)
    key = partitions_of(2)[2]
    instance_key = cluster[1].create({"key": f'"{key}"'.encode()}, "catch")
    cluster.settle()

    cluster[2].do(CorrelateMessage("go", key))
    cluster[1].do(CancelProcessInstance(instance_key))
    cluster.settle()

    (answer,) = cluster[2].answers.values()
    assert isinstance(answer, Rejected)
    assert "NOT_FOUND" in answer.type
    assert not cluster[2].state.messages.pending.items


@pytest.mark.parametrize("live_ms", [0, HOUR_MS])
def test_a_message_for_who_is_gone_goes_on_to_the_next(live_ms: int) -> None:
    cluster = Cluster(2)
    cluster.deploy(CATCH)
    key = partitions_of(2)[2]
    gone, waits = [cluster[1].create({"key": f'"{key}"'.encode()}, "catch") for _ in range(2)]
    cluster.settle()

    cluster[2].do(PublishMessage("go", key, live_ms))
    cluster[1].do(CancelProcessInstance(gone))
    cluster.settle()

    assert [job.process_instance_key for job in cluster[1].jobs("after")] == [waits]
    assert len(cluster.happened(MessageSubscriptionRejected)) == 1


def test_a_message_for_who_is_gone_is_buffered_again() -> None:
    cluster = Cluster(2)
    cluster.deploy(CATCH)
    key = partitions_of(2)[2]
    gone = cluster[1].create({"key": f'"{key}"'.encode()}, "catch")
    cluster.settle()

    cluster[2].do(PublishMessage("go", key, HOUR_MS))
    cluster[1].do(CancelProcessInstance(gone))
    cluster.settle()
    cluster[1].create({"key": f'"{key}"'.encode()}, "catch")
    cluster.settle()

    assert len(cluster[1].jobs("after")) == 1


@pytest.mark.parametrize("name", ["go", "stop", "note"])
def test_what_is_about_to_be_interrupted_takes_no_message(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The sub-process is terminating, in turns to come; what waits in it is still as it was."""
    monkeypatch.setattr(turn_module, "STEPS_MAX", 1)
    cluster = Cluster(2)
    cluster.deploy(NESTED)
    key = partitions_of(2)[2]
    cluster[1].create({"key": f'"{key}"'.encode()}, "nested")
    cluster.settle()
    cluster[1].now += 2000
    (due,) = cluster[1].state.due(cluster[1].now, 5)
    cluster[1].decide(FireDue(due))
    assert cluster[1].state.continuations.items

    cluster[2].do(PublishMessage(name, key, HOUR_MS))
    (waiting,) = cluster.in_transit()
    cluster[1].decide(ReceiveChannelMessage(2, *waiting[2:]))
    cluster.settle()

    assert not cluster.happened(ProcessMessageSubscriptionCorrelated)
    assert len(cluster.happened(MessageSubscriptionRejected)) == 1


def test_a_delivery_that_makes_its_model_fail_does_not_hold_up_the_channel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = Cluster(2)
    cluster.deploy(CATCH)
    key = partitions_of(2)[2]
    bad, good = [cluster[1].create({"key": f'"{key}{n}"'.encode()}, "catch") for n in ("", "x")]
    cluster.settle()
    emit = turn_module.Turn.emit

    def emit_or_raise(turn: turn_module.Turn, happened: Event) -> None:
        if isinstance(happened, VariablesCreated) and happened.instance_key == bad:
            raise ValueError("planted")
        emit(turn, happened)

    with monkeypatch.context() as patch:
        patch.setattr(turn_module.Turn, "emit", emit_or_raise)
        cluster.for_key(key).do(PublishMessage("go", key, variables={"x": b"1"}))
        cluster.for_key(f"{key}x").do(PublishMessage("go", f"{key}x", variables={"x": b"1"}))
        cluster.settle()
    assert [job.process_instance_key for job in cluster[1].jobs("after")] == [good]

    instance = cluster[1].state.instances.get(bad)
    assert instance is not None
    (incident,) = instance.incidents
    cluster[1].do(ResolveIncident(incident))
    cluster.settle()
    assert [job.process_instance_key for job in cluster[1].jobs("after")] == [bad]


OTHER = CATCH.replace(b'id="catch"', b'id="other"')


def migrate(cluster: Cluster, instance_key: int, process_id: str, *mapped: str) -> None:
    """To the latest version of the process; what is mapped keeps its id."""
    state = cluster[1].state
    versions = state.latest["<default>", process_id]
    mappings = tuple((each, each) for each in mapped)
    outcome = cluster[1].do(MigrateProcessInstance(instance_key, versions[max(versions)], mappings))
    assert outcome == Accepted(), outcome


def waiting_in(cluster: Cluster, key: str, name: str = "go") -> list[tuple[str, bool]]:
    """Who waits for a message: the process, and whether a message interrupts."""
    found: list[tuple[str, bool]] = []
    start = b""
    group = group_of("<default>", name, key)
    while (each := cluster.for_key(key).state.messages.subscriptions.next(group, start)) is not None:
        entry, waiting = each
        found.append((parts_of(entry)[0], waiting.interrupting))
        start = entry + b"\0"
    return found


def test_another_partition_learns_of_the_new_process_of_who_waits() -> None:
    cluster = Cluster(2)
    cluster.deploy(CATCH, OTHER)
    key = partitions_of(2)[2]
    instance_key = cluster[1].create({"key": f'"{key}"'.encode()}, "catch")
    cluster.settle()

    migrate(cluster, instance_key, "other", "wait")
    assert waiting_in(cluster, key) == [("catch", True)]
    cluster.settle()

    assert waiting_in(cluster, key) == [("other", True)]
    cluster[2].do(PublishMessage("go", key))
    cluster.settle()
    assert [job.process_instance_key for job in cluster[1].jobs("after")] == [instance_key]
    assert waiting_in(cluster, key) == []


@pytest.mark.parametrize("arrives_first", ["message", "migration"])
def test_a_message_on_its_way_finds_who_waits_in_its_new_process(arrives_first: str) -> None:
    cluster = Cluster(2)
    cluster.deploy(CATCH, OTHER)
    key = partitions_of(2)[2]
    instance_key = cluster[1].create({"key": f'"{key}"'.encode()}, "catch")
    cluster.settle()

    decision = cluster[2].decide(CorrelateMessage("go", key))
    migrate(cluster, instance_key, "other", "wait")
    for sender, receiver, number, payload in sorted(
        cluster.in_transit(), key=lambda each: (each[0] == 2) is not (arrives_first == "message")
    ):
        cluster.deliver(sender, receiver, number, payload)
    cluster.settle()

    assert decision.outcome is None
    (answer,) = cluster[2].answers.values()
    assert isinstance(answer, MessageCorrelated)
    assert answer.instance_key == instance_key
    assert len(cluster[1].jobs("after")) == 1
    assert waiting_in(cluster, key) == []


def test_who_has_migrated_and_is_gone_waits_nowhere() -> None:
    cluster = Cluster(2)
    cluster.deploy(CATCH, OTHER)
    key = partitions_of(2)[2]
    instance_key = cluster[1].create({"key": f'"{key}"'.encode()}, "catch")
    cluster.settle()

    cluster[2].do(PublishMessage("go", key))
    migrate(cluster, instance_key, "other", "wait")
    cluster[1].do(CancelProcessInstance(instance_key))
    cluster.settle()

    assert waiting_in(cluster, key) == []
    assert len(cluster.happened(MessageSubscriptionRejected)) == 1


def test_another_partition_learns_whether_who_waits_is_interrupted() -> None:
    cluster = Cluster(2)
    cluster.deploy(RACE)
    stop = b'id="stop" attachedToRef="wait" cancelActivity='
    cluster.deploy(RACE.replace(stop + b'"true"', stop + b'"false"'))
    key = partitions_of(2)[2]
    outcome = cluster[1].do(CreateProcessInstance("race", 1, variables={"key": f'"{key}"'.encode()}))
    assert isinstance(outcome, Created)
    cluster.settle()

    migrate(cluster, outcome.key, "race", "wait", "stop")
    cluster.settle()

    assert waiting_in(cluster, key, "stop") == [("race", False)]
    for _ in range(2):
        cluster[2].do(PublishMessage("stop", key))
        cluster.settle()
    assert len(cluster[1].jobs("handle")) == 2
    assert waiting_in(cluster, key, "stop") == [("race", False)]


def test_a_signal_reaches_all_partitions_and_starts_one_instance() -> None:
    waits = process(
        START + catch("wait", on_signal("s")) + task("after") + path("start", "wait", "after"),
        process_id="waits",
        definitions=signal("s", "bell"),
    )
    starts = process(
        event("startEvent", "begin", on_signal("s")) + task("work") + path("begin", "work"),
        process_id="starts",
        definitions=signal("s", "bell"),
    )
    cluster = Cluster(3)
    cluster.deploy(waits, starts)
    for partition in cluster.all.values():
        partition.create(process_id="waits")

    cluster[2].do(BroadcastSignal("bell"))
    cluster.settle()

    assert [len(partition.jobs("after")) for partition in cluster.all.values()] == [1, 1, 1]
    assert [len(partition.jobs("work")) for partition in cluster.all.values()] == [0, 1, 0]


def test_a_message_starts_its_instance_on_the_partition_of_its_key() -> None:
    cluster = Cluster(3)
    cluster.deploy(BEGIN)
    for partition, key in partitions_of(3).items():
        cluster.for_key(key).do(PublishMessage("go", key))
        assert len(cluster[partition].jobs("work")) == 1


def test_what_starts_a_process_together_is_gathered_where_it_was_deployed() -> None:
    begin = together(event("startEvent", "begin", on_message("m") + on_signal("s")), "begin")
    beside = message("m", "go") + signal("s", "bell")
    cluster = Cluster(3)
    cluster.deploy(process(begin + task("b") + path("begin", "b"), definitions=beside))
    key = next(key for key in KEYS if cluster.for_key(key) is cluster[2])
    cluster[2].do(PublishMessage("go", key, 0, "", {"x": b"1"}))
    cluster[3].do(BroadcastSignal("bell", {"y": b"2"}))
    cluster.settle()
    (job,) = cluster[1].jobs("b")
    assert job.variables == {"x": b"1", "y": b"2"}
    cluster[3].do(BroadcastSignal("bell", {}))
    cluster.settle()
    assert len(cluster.happened(ProcessInstanceCreated)) == 1


def test_an_older_version_that_comes_after_a_newer_one_starts_nothing() -> None:
    """As to a partition that is new, and gets what was deployed before it came."""
    first = Playground()
    renewed = BEGIN.replace(b'type="work"', b'type="renewed"')
    keys = [first.deploy(content).processes[0].key for content in (BEGIN, renewed)]
    late = Playground(2, (1, 2))
    for number, key in enumerate(reversed(keys), start=1):
        definition = first.state.definitions.items[key]
        message = DistributeDeployment(definition.deployment_key, "<default>", (definition,))
        late.do(ReceiveChannelMessage(1, number, encode_message(message)))

    late.do(PublishMessage("go"))

    assert late.jobs("work") == ()
    assert len(late.jobs("renewed")) == 1


class Story:
    """A cluster that lives at random, and what its clients know of it."""

    def __init__(self, seed: int, cluster: Cluster) -> None:
        self.chance = random.Random(seed)
        self.cluster = cluster
        self.published: dict[int, bool] = {}
        """Message key -> whether it is buffered to the end."""
        self.requests: set[tuple[int, int]] = set()
        self.cluster.deploy(CATCH, RACE, NESTED, BEGIN)
        for partition in self.cluster.all.values():
            partition.chance, partition.settles = self.chance, self.chance.choice((0.3, 1.0))

    def step(self) -> None:
        chance, cluster = self.chance, self.cluster
        partition = cluster[chance.choice(list(cluster.all))]
        key = chance.choice(KEYS)
        match chance.randrange(16):
            case 0 | 1 | 2:
                process_id = chance.choice(("catch", "race", "nested"))
                outcome = partition.do(
                    CreateProcessInstance(process_id, variables={"key": f'"{key}"'.encode()})
                )
                assert isinstance(outcome, Created)
            case 3 | 4 | 5:
                name = chance.choice(("go", "go", "stop", "note"))
                live_ms = chance.choice((0, 1000, HOUR_MS, HOUR_MS))
                outcome = cluster.ask(key, PublishMessage(name, key, live_ms, variables={"x": b"1"}))[
                    1
                ].outcome
                assert isinstance(outcome, MessagePublished)
                self.published[outcome.key] = live_ms == HOUR_MS
            case 6:
                asked, decision = cluster.ask(key, CorrelateMessage("go", key))
                if decision.outcome is None:
                    self.requests.add((asked.state.partition_id, decision.request))
            case 7:
                partition.do(BroadcastSignal("bell"))
            case 8:
                instances = partition.instances()
                if instances:
                    partition.do(CancelProcessInstance(chance.choice(instances).key))
            case 9:
                for job in partition.jobs(chance.choice(("after", "work")), 2):
                    partition.do(CompleteJob(job.key))
            case 10:
                partition.now += chance.choice((10, 300, 1500))
                for due in partition.state.due(partition.now, chance.randint(1, 5)):
                    partition.do(FireDue(due))
            case 11 if chance.random() < 0.3 and not partition.in_the_making:
                partition.restart()
            case 11 if partition.in_the_making:
                partition.advance(chance.randint(1, 20))
            case 11:
                partition.begin()
            case 12 if cluster.acknowledgements and chance.random() < 0.5:
                cluster.acknowledge(chance.randrange(len(cluster.acknowledgements)))
            case 12 if cluster.acknowledgements:
                cluster.acknowledgements.pop(chance.randrange(len(cluster.acknowledgements)))
            case 13 if chance.random() < 0.5:
                instances = partition.instances()
                if instances:
                    self._migrate(partition, chance.choice(instances))
            case _:
                waiting = cluster.in_transit()
                if waiting:
                    cluster.deliver(*chance.choice(waiting))

    def _migrate(self, partition: Partition, instance: ProcessInstance) -> None:
        """To its own definition: activities go along, of the events only some are mapped."""
        definition = partition.state.definitions.items[instance.definition_key]
        events = {"late", "bell", "stop", "note"}
        mappings = tuple(
            (each, each)
            for each in definition.element_ids[1:]
            if each not in events or self.chance.random() < 0.5
        )
        partition.do(MigrateProcessInstance(instance.key, definition.key, mappings))

    def end(self) -> None:
        for partition in self.cluster.all.values():
            partition.settles = 1.0
            partition.finish()
        self.cluster.settle()


def check_messages(story: Story) -> None:
    """Once everything has arrived."""
    cluster = story.cluster
    taken: Counter[tuple[int, str]] = Counter()
    for partition in cluster.all.values():
        process_ids = {
            created.key: partition.state.definitions.items[created.definition_key].process_id
            for created in partition.happened(ProcessInstanceCreated)
        }
        for correlated in partition.happened(ProcessMessageSubscriptionCorrelated):
            taken[correlated.message_key, process_ids[correlated.instance_key]] += 1
    assert not taken or max(taken.values()) == 1, "a message was taken twice in one process"
    confirmed = Counter(
        (each.message_key, each.process_id)
        for partition in cluster.all.values()
        for each in partition.happened(MessageSubscriptionCorrelated)
    )
    assert confirmed == taken
    for partition in cluster.all.values():
        _check_effects(partition)
    _check_starts(cluster)

    waits_there: dict[tuple[str, str, str], set[int]] = defaultdict(set)
    for partition in cluster.all.values():
        for instance in partition.instances():
            process_id = partition.state.definitions.items[instance.definition_key].process_id
            for subscription in instance.subscriptions.values():
                group = subscription.name, subscription.correlation_key, process_id
                waits_there[group].add(subscription.key)
    waits_here: dict[tuple[str, str, str], set[int]] = defaultdict(set)
    for partition in cluster.all.values():
        tables = partition.reflect().messages
        for name in ("go", "stop", "note"):
            for key in KEYS:
                _gather(tables, name, key, waits_here)
    assert waits_here == waits_there
    _check_nothing_is_held_back(story, waits_there, taken)
    assert all(request in cluster.answers() for request in story.requests)


def _check_effects(partition: Partition) -> None:
    """What was taken has done something: the catch event is over, or its boundary event has gone off."""
    wanted: Counter[tuple[int, int]] = Counter()
    seen: Counter[tuple[int, int]] = Counter()
    subscriptions = {each.key: each for each in partition.happened(ProcessMessageSubscriptionCreated)}
    for correlated in partition.happened(ProcessMessageSubscriptionCorrelated):
        subscription = subscriptions[correlated.key]
        if subscription.interrupting:
            wanted[subscription.instance_key, subscription.element] += 1
    for completed in partition.happened(ElementCompleted):
        seen[completed.instance_key, completed.element] += 1
    interrupted: set[int] = set()
    for triggered in partition.happened(BoundaryEventTriggered):
        assert triggered.element_instance_key not in interrupted, "interrupted twice"
        interrupted.add(triggered.element_instance_key)
        seen[triggered.instance_key, triggered.boundary_event] += 1
    assert all(seen[each] >= times for each, times in wanted.items()), "a message was taken for nothing"


def _check_starts(cluster: Cluster) -> None:
    started = [
        (partition.state.definitions.items[instance.definition_key].process_id, instance.correlation_key)
        for partition in cluster.all.values()
        for instance in partition.instances()
        if instance.correlation_key is not None
    ]
    assert len(started) == len(set(started)), "two instances of one process and one correlation key"


def _gather(tables: Messages, name: str, key: str, found: dict[tuple[str, str, str], set[int]]) -> None:
    group, start = group_of("<default>", name, key), b""
    while (each := tables.subscriptions.next(group, start)) is not None:
        entry, _ = each
        assert entry[:1] == FREE, "a message is on its way for ever"
        process_id, _, subscription_key = parts_of(entry)
        found[name, key, process_id].add(subscription_key)
        start = entry + b"\0"


def _check_nothing_is_held_back(
    story: Story, waits: dict[tuple[str, str, str], set[int]], taken: Counter[tuple[int, str]]
) -> None:
    """What is buffered was had by every process of which an instance waits, and is marked rightly."""
    for partition in story.cluster.all.values():
        tables = partition.reflect().messages
        for name in ("go", "stop", "note"):
            for key in KEYS:
                group, start = group_of("<default>", name, key), b""
                while (each := tables.buffered.next(group, start)) is not None:
                    entry, buffered = each
                    message_key = int.from_bytes(entry, "big")
                    stored = tables.messages.get(entry)
                    assert stored is not None
                    had = {process_id for number, process_id in taken if number == message_key}
                    assert had == set(buffered.processes) - {"begin"}
                    if name == "go" and stored.deadline > partition.now and "begin" not in buffered.processes:
                        alive = [
                            each.correlation_key
                            for other in story.cluster.all.values()
                            for each in other.instances()
                        ]
                        assert key in alive, f"{stored} could start an instance"
                    if stored.deadline > partition.now:
                        waiting = {
                            process_id
                            for (other, other_key, process_id), keys in waits.items()
                            if (other, other_key) == (name, key) and keys
                        }
                        assert waiting <= had, f"{stored} is held back from {waiting - had}"
                    start = entry + b"\0"


@pytest.mark.parametrize("seed", range(600 if JUDGE else 22))
def test_whatever_the_channels_do_every_message_has_its_effect_once(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    print(f"seed {seed}")
    chance = random.Random(seed)
    monkeypatch.setattr(turn_module, "STEPS_MAX", chance.choice((2, 5, 200)))
    monkeypatch.setattr(broadcast_module, "_REACHED_PER_STEP", chance.choice((1, 50)))
    story = Story(seed, Cluster(chance.choice((2, 3))))
    for _ in range(250):
        story.step()
        if chance.random() < 0.02:
            story.cluster.settle()
    story.end()
    check_messages(story)
    for partition in story.cluster.all.values():
        assert rows_of(partition.replayed()) == rows_of(partition.reflect())

    for partition in story.cluster.all.values():
        for instance in partition.instances():
            partition.do(CancelProcessInstance(instance.key))
    story.cluster.settle()
    for partition in story.cluster.all.values():
        # A buffered message may start another instance whenever one has ended.
        while instances := partition.instances():
            for instance in instances:
                partition.do(CancelProcessInstance(instance.key))
        partition.pass_time(2 * HOUR_MS)
        partition.begin()
        partition.finish()
        rows = partition.store.range(b"\1", b"\xff", 1 << 30)
        left = [row_key for row_key, _ in rows if row_key[:1] not in b"mdpxyst"]
        assert not left, f"{left} are left in the store"


@pytest.mark.parametrize("seed", range(100 if JUDGE else 6))
def test_every_signal_reaches_each_who_waits_when_it_arrives_once(seed: int) -> None:
    print(f"seed {seed}")
    story = Story(seed, Cluster(3))
    for _ in range(250):
        story.step()
    story.end()
    for partition in story.cluster.all.values():
        heard = Counter(each.key for each in partition.happened(SignalBroadcasted))
        assert set(heard.values()) <= {1}
        others = [other.happened(SignalBroadcasted) for other in story.cluster.all.values()]
        assert set(heard) == {each.key for events in others for each in events}
    assert not [
        each for partition in story.cluster.all.values() for each in partition.state.continuations.items
    ]
    assert story.cluster.happened(ContinuationRemoved)


def test_three_partitions_do_what_one_does() -> None:
    """The same commands, each given when what came before has settled."""
    assert seen_in(Cluster(3)) == seen_in(Cluster(1))


def seen_in(cluster: Cluster, between: Callable[[], None] = lambda: None) -> list[tuple[str, bytes]]:
    """Which jobs a script of commands leads to, with what, one after the other."""
    chance = random.Random(7)
    cluster.deploy(CATCH, RACE, BEGIN)
    jobs: list[tuple[str, bytes]] = []
    for number in range(200):
        between()
        key = chance.choice(KEYS)
        where = cluster[chance.randrange(3) % len(cluster.all) + 1]
        match chance.randrange(4):
            case 0 | 1:
                process_id = chance.choice(("catch", "race"))
                where.create({"key": f'"{key}"'.encode()}, process_id)
            case 2:
                name = chance.choice(("go", "stop", "note"))
                live_ms = chance.choice((0, HOUR_MS))
                variables = {"x": str(number).encode()}
                cluster.ask(key, PublishMessage(name, key, live_ms, variables=variables))
            case _:
                where.do(BroadcastSignal("bell"))
        cluster.settle()
        for job_type in ("after", "handle", "rang", "work"):
            found = [
                (job_type, job.variables.get("x", b""))
                for each in cluster.all.values()
                for job in each.jobs(job_type)
            ]
            jobs += sorted(found)
    return jobs
