"""Slots that move at random while everything else goes on, too: instances are modified and migrated,
processes deployed anew and deleted, turns raise, messages have ids."""

import random
from collections import Counter
from collections.abc import Set
from typing import Final

import pytest

from bpmnd.bpmn import turn as turn_module
from bpmnd.bpmn.commands import (
    ActivateInstruction,
    Command,
    Continue,
    CreateProcessInstance,
    DeleteResource,
    Deploy,
    MigrateProcessInstance,
    ModifyProcessInstance,
    PublishMessage,
    ReceiveChannelMessage,
    Resource,
    TerminateInstruction,
)
from bpmnd.bpmn.engine import Decision
from bpmnd.bpmn.events import ProcessInstanceMigrated, ProcessMessageSubscriptionCorrelated
from bpmnd.bpmn.outcomes import MessagePublished, Rejected, RejectionType
from bpmnd.bpmn.processors import slot_moves
from bpmnd.bpmn.state.messages import FREE, Waiting, group_of, lock_of, parts_of
from bpmnd.bpmn.state.records import ProcessInstance
from tests.bpmn.events import catch, event, message, on_message, together
from tests.bpmn.lives.world import raise_once
from tests.bpmn.playground import START, flow, path, process, rows_of, task
from tests.bpmn.test_partitions import BEGIN, CATCH, HOUR_MS, KEYS, OTHER, Partition
from tests.bpmn.test_slot_moves import Growing, Restless, check_owners, clean_up
from tests.judged import JUDGE

NAMES: Final = ("go", "stop", "note")
EITHER: Final = process(
    START
    + '<eventBasedGateway id="which"/>'
    + catch("one", on_message("m"))
    + catch("other", on_message("m2"))
    + path("start", "which")
    + flow("which", "one")
    + flow("which", "other"),
    process_id="either",
    definitions=message("m", "go", "=key") + message("m2", "stop", "=key"),
)
BOTH: Final = process(
    START + together(catch("wait", on_message("m") + on_message("m2")), "wait") + path("start", "wait"),
    process_id="both",
    definitions=message("m", "go", "=key") + message("m2", "note", "=key"),
)
BEGUN: Final = BEGIN.replace(b'id="begin"', b'id="begun"')
GATHERED: Final = process(
    together(event("startEvent", "on", on_message("m") + on_message("m2")), "on")
    + task("work")
    + path("on", "work"),
    process_id="gathered",
    definitions=message("m", "go") + message("m2", "stop"),
)
STARTED: Final = ("begin", "begun")
CREATED: Final = ("catch", "race", "nested")
MODELS: Final = (BEGIN, BEGUN, CATCH, OTHER, EITHER, BOTH, GATHERED)


class Wide(Restless):
    """More of what may happen beside a move."""

    def __init__(self, seed: int, cluster: Growing) -> None:
        super().__init__(seed, cluster)
        cluster.deploy(OTHER, EITHER, BOTH, BEGUN, GATHERED)
        self.ids: set[tuple[str, str, str]] = set()
        """Name, correlation key and id of messages that are buffered to the end."""
        self.raises = self.chance.choice((0.0, 0.05, 0.2))
        self.deploys = self.chance.choice((0.0, 0.2))
        """How often processes are deployed anew and deleted, of the times that their turn has come."""
        self.never_raised = not self.raises

    def step(self) -> None:
        chance, cluster = self.chance, self.growing
        partition = chance.choice(list(cluster.all.values()))
        key = chance.choice(KEYS)
        with pytest.MonkeyPatch.context() as patch:
            if chance.random() < self.raises:
                self._have_raise(patch)
            match chance.randrange(14):
                case 0:
                    process_id = chance.choice(("either", "both", "other"))
                    partition.put(CreateProcessInstance(process_id, variables={"key": f'"{key}"'.encode()}))
                case 1:
                    self._publish_with_id(key)
                case 2:
                    self._modify(partition)
                case 3:
                    self._migrate_elsewhere(partition)
                case 4 if chance.random() < self.deploys:
                    model = chance.choice(MODELS)
                    version = f"<!-- {chance.random()} -->".encode()
                    cluster[1].put(Deploy((Resource("0.bpmn", model + version),)))
                case 5 if chance.random() < self.deploys:
                    state = cluster[1].state
                    deployed = [
                        each.key
                        for each in state.definitions.items.values()
                        if each.key not in state.deleted.items and each.process_id not in CREATED
                    ]
                    if deployed:
                        cluster[1].put(DeleteResource(chance.choice(deployed)))
                case _:
                    super().step()

    def _have_raise(self, patch: pytest.MonkeyPatch) -> None:
        """What the partitions do among themselves raises once."""
        decide, chance = Partition.decide, self.chance

        def decide_or_raise(partition: Partition, command: Command) -> Decision:
            with pytest.MonkeyPatch.context() as inner:
                if isinstance(command, Continue | ReceiveChannelMessage) and chance.random() < 0.5:
                    raise_once(inner, chance.randrange(6))
                return decide(partition, command)

        patch.setattr(Partition, "decide", decide_or_raise)

    def _publish_with_id(self, key: str) -> None:
        chance = self.chance
        name, id = chance.choice(NAMES), chance.choice("xyz")
        live_ms = chance.choice((1000, HOUR_MS))
        _, decision = self.growing.ask(key, PublishMessage(name, key, live_ms, id))
        outcome = decision.outcome
        if (name, key, id) in self.ids:
            assert isinstance(outcome, Rejected)
            assert outcome.type is RejectionType.ALREADY_EXISTS
        elif isinstance(outcome, MessagePublished):
            self.published[outcome.key] = live_ms == HOUR_MS
            if live_ms == HOUR_MS:
                self.ids.add((name, key, id))

    def _modify(self, partition: Partition) -> None:
        instances = partition.instances()
        if not instances:
            return
        instance = self.chance.choice(instances)
        element_id = "work" if instance.correlation_key is not None else "wait"
        terminations = [
            TerminateInstruction(each.key)
            for each in instance.elements.values()
            if each.key != instance.key and each.scope_key == instance.key and self.chance.random() < 0.5
        ]
        partition.put(
            ModifyProcessInstance(
                instance.key,
                activations=(ActivateInstruction(element_id),) if self.chance.random() < 0.7 else (),
                terminations=tuple(terminations),
            )
        )

    def _migrate_elsewhere(self, partition: Partition) -> None:
        """From one process to another that has the same elements."""
        twins = {"catch": "other", "other": "catch", "begin": "begun", "begun": "begin"}
        state = partition.state
        instances = [each for each in partition.instances() if self._process_of(partition, each) in twins]
        if instances:
            instance = self.chance.choice(instances)
            versions = state.latest["<default>", twins[self._process_of(partition, instance)]]
            if versions:
                mappings = tuple((each, each) for each in ("wait", "after", "work"))
                ids = state.definitions.items[versions[max(versions)]].element_ids
                mappings = tuple(each for each in mappings if each[0] in ids)
                partition.put(MigrateProcessInstance(instance.key, versions[max(versions)], mappings))

    @staticmethod
    def _process_of(partition: Partition, instance: ProcessInstance) -> str:
        return partition.state.definitions.items[instance.definition_key].process_id


@pytest.mark.parametrize("seed", range(600 if JUDGE else 4))
def test_whatever_else_happens_slots_move_with_all_that_is_kept_under_them(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    print(f"seed {seed}")
    chance = random.Random(seed)
    monkeypatch.setattr(turn_module, "STEPS_MAX", chance.choice((2, 5, 200)))
    monkeypatch.setattr(slot_moves, "_MOVED_MAX", chance.choice((1, 3, 100)))
    monkeypatch.setattr(slot_moves, "_LOOKED_AT_MAX", chance.choice((2, 5, 400)))
    monkeypatch.setattr(slot_moves, "_UNDER_WAY_MAX", chance.choice((1, 4, 64)))
    story = Wide(seed, Growing(chance.choice((1, 2)), 4))
    for _ in range(300):
        story.step()
        if chance.random() < 0.02:
            story.cluster.settle()
    story.raises = 0.0
    story.end()

    check_owners(story.growing)
    migrated = {
        each.instance_key
        for partition in story.cluster.all.values()
        for each in partition.happened(ProcessInstanceMigrated)
    }
    check_who_waits(story.growing, migrated)
    check_locks(story.growing, migrated)
    if story.never_raised and not story.deploys:
        check_starts(story.growing)
    assert all(request in story.cluster.answers() for request in story.requests)
    for partition in story.cluster.all.values():
        taken = Counter(
            (each.message_key, each.key) for each in partition.happened(ProcessMessageSubscriptionCorrelated)
        )
        assert set(taken.values()) <= {1}, "somebody has taken a message twice"
        assert rows_of(partition.replayed()) == rows_of(partition.reflect())
    clean_up(story.cluster, kept=b"zj")


def subscriptions_of(partition: Partition, name: str, key: str) -> list[tuple[bytes, Waiting]]:
    found: list[tuple[bytes, Waiting]] = []
    group, start = group_of("<default>", name, key), b""
    while (each := partition.reflect().messages.subscriptions.next(group, start)) is not None:
        found.append(each)
        start = each[0] + b"\0"
    return found


def check_who_waits(cluster: Growing, migrated: Set[int]) -> None:
    """Whoever waits is known where the slot is, as who it is now; and no message waits for them there."""
    there = {
        (
            subscription.name,
            subscription.correlation_key,
            partition.state.definitions.items[instance.definition_key].process_id,
            subscription.key,
            subscription.interrupting,
        )
        for partition in cluster.all.values()
        for instance in partition.instances()
        for subscription in instance.subscriptions.values()
    }
    alive = {each.key: each for partition in cluster.all.values() for each in partition.instances()}
    here = set[tuple[str, str, str, int, bool]]()
    for key in KEYS:
        partition = cluster[cluster.table.partition_of(key)]
        messages = partition.reflect().messages
        for name in NAMES:
            waiting = set[str]()
            for entry, subscription in subscriptions_of(partition, name, key):
                process_id, _, subscription_key = parts_of(entry)
                held_up = alive[subscription.instance_key].incidents
                assert entry[:1] == FREE or held_up, "a message is on its way for ever"
                if subscription.instance_key not in migrated and not held_up:
                    waiting.add(process_id)
                here.add((name, key, process_id, subscription_key, subscription.interrupting))
            group, start = group_of("<default>", name, key), b""
            while (each := messages.buffered.next(group, start)) is not None:
                entry, buffered = each
                start = entry + b"\0"
                stored = messages.messages.get(entry)
                assert stored is not None
                if stored.deadline > partition.now:
                    left = waiting - set(buffered.processes)
                    assert not left, f"{stored} is held back from {left}"
    assert here == there


def check_locks(cluster: Growing, migrated: Set[int]) -> None:
    """Who has a lock is alive, and one of its process; and who was started has the lock, unless migrated."""
    alive = {
        instance.key: (partition.state.definitions.items[instance.definition_key].process_id, instance)
        for partition in cluster.all.values()
        for instance in partition.instances()
    }
    for key in KEYS:
        partition = cluster[cluster.table.partition_of(key)]
        for process_id in STARTED:
            holder = partition.reflect().messages.locks.get(lock_of("<default>", process_id, key))
            if holder is None:
                named = [
                    number
                    for number, (of_process, instance) in alive.items()
                    if number not in migrated and (of_process, instance.correlation_key) == (process_id, key)
                ]
                assert not named, f"{named} keep nobody from being started as {process_id}"
            else:
                assert holder in alive, (
                    f"{holder} is gone, but keeps others of {process_id} from being started"
                )
                assert alive[holder][0] == process_id
                assert alive[holder][1].correlation_key == key


def check_starts(cluster: Growing) -> None:
    """What is buffered could start nothing."""
    for key in KEYS:
        partition = cluster[cluster.table.partition_of(key)]
        messages = partition.reflect().messages
        group, start = group_of("<default>", "go", key), b""
        while (each := messages.buffered.next(group, start)) is not None:
            entry, buffered = each
            start = entry + b"\0"
            stored = messages.messages.get(entry)
            assert stored is not None
            if stored.deadline <= partition.now:
                continue
            for process_id in STARTED:
                is_locked = messages.locks.get(lock_of("<default>", process_id, key)) is not None
                assert (
                    is_locked
                    or process_id in buffered.processes
                    or not partition.state.latest.get(("<default>", process_id))
                ), f"{stored} could start {process_id}"
