"""The state over its store: however it was captured, evicted and faulted in, it is the fold of its events."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpmnd.bpmn.appliers import replay
from bpmnd.bpmn.codec import decode_frame
from bpmnd.bpmn.commands import (
    CancelProcessInstance,
    CompleteJob,
    CreateProcessInstance,
    FailJob,
    ResolveIncident,
    SetVariables,
    ThrowJobError,
    UpdateJob,
)
from bpmnd.bpmn.events import IncidentCreated
from bpmnd.bpmn.outcomes import ProcessInstanceCreated
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.journal import Journal
from bpmnd.bpmn.state.ordered import OrderedIndex
from bpmnd.bpmn.state.state import Capture
from bpmnd.storage.cold_store import MemoryStore
from bpmnd.storage.entry import Position
from tests.bpmn.playground import ONE_TASK, Playground, path, rows_of, task
from tests.bpmn.test_flow import EXCLUSIVE, PARALLEL, boundary_timer, error_boundary, sub_process

MODELS = (
    PARALLEL,
    EXCLUSIVE,
    boundary_timer(interrupting=True),
    boundary_timer(interrupting=False, kind="timeCycle", value="R2/PT1S"),
    sub_process(task("a") + path("inner", "a"), boundary=error_boundary("one", "e1")),
)
TYPES = ("a", "b", "after", "big", "huge", "small", "work", "remind", "handle-one")


class Checkpointed(Playground):
    """A partition over a store: a checkpoint may be in the making, and finishes when it is told to."""

    instances_in_memory_max = 0

    def __init__(self) -> None:
        self.store = MemoryStore()
        super().__init__(store=self.store)
        self._capture: Capture | None = None
        self._at = 0
        self.checkpoint_at = 0

    def begin(self) -> None:
        self._capture = self.state.begin_capture()
        self._at = len(self.frames)

    def advance(self, rows: int) -> None:
        assert self._capture is not None
        if not self._capture.advance(rows):
            self.store.write(self._capture.rows)
            self.store.commit(Position(self._at, 1, bytes(32)))
            self.checkpoint_at = self._at
            self._capture = None
            self.state.readable(instances_in_memory_max=self.instances_in_memory_max, index_head_max=1)

    @property
    def in_the_making(self) -> bool:
        return self._capture is not None

    def finish(self) -> None:
        while self.in_the_making:
            self.advance(50)

    def restarted(self) -> State:
        """What a restart makes of the store and the frames after it."""
        state = State(1, self.store.reopened())
        for frame in self.frames[self.checkpoint_at :]:
            replay(state, decode_frame(frame))
        return state


def whole(state: State, store: MemoryStore) -> dict[bytes, bytes]:
    """All of a state with the rows that only the store has."""
    capture = state.begin_capture()
    while capture.advance(1000):
        pass
    rows = dict(store.range(b"\1", b"\xff", 1 << 30))
    for key, value in capture.rows:
        if value is None:
            rows.pop(key, None)
        else:
            rows[key] = value
    return rows


def live_randomly(playground: Checkpointed, chance: random.Random, steps: int) -> None:
    """Commands of all kinds, with checkpoints begun and brought forward at any moment."""
    for content in MODELS:
        playground.deploy(content)
    versions = range(1, len(MODELS) + 1)
    instances: list[int] = []
    for _ in range(steps):
        match chance.randrange(9):
            case 0 | 1:
                version = chance.choice(versions)
                amount = str(chance.choice((5, 500, 5000))).encode()
                created = playground.do(
                    CreateProcessInstance("process", version, variables={"amount": amount})
                )
                assert isinstance(created, ProcessInstanceCreated)
                instances.append(created.key)
            case 2 | 3 | 4:
                for job in playground.jobs(chance.choice(TYPES), chance.randint(1, 3), timeout_ms=3000):
                    match chance.randrange(6):
                        case 0:
                            playground.do(FailJob(job.key, retries=chance.randrange(3), back_off_ms=500))
                        case 1:
                            playground.do(ThrowJobError(job.key, "E1", variables={"e": b"1"}))
                        case 2:
                            pass
                        case _:
                            playground.do(CompleteJob(job.key, {"r": b'"done"', "amount": b"1"}))
            case 5:
                playground.pass_time(chance.choice((10, 600, 4000)))
            case 6 if instances:
                key = chance.choice(instances)
                if chance.randrange(3):
                    playground.do(SetVariables(key, {"v": str(chance.randrange(9)).encode()}))
                else:
                    playground.do(CancelProcessInstance(key))
            case 7:
                for incident in playground.happened(IncidentCreated)[-3:]:
                    if incident.job_key:
                        playground.do(UpdateJob(incident.job_key, retries=1))
                    playground.do(ResolveIncident(incident.key))
            case _:
                if playground.in_the_making:
                    playground.advance(chance.randint(1, 20))
                else:
                    playground.begin()


@pytest.mark.parametrize("seed", range(25))
def test_state_from_checkpoint_and_tail_is_the_state_from_the_log(seed: int) -> None:
    print(f"seed {seed}")
    playground = Checkpointed()
    live_randomly(playground, random.Random(seed), 150)
    from_log = rows_of(playground.replayed())

    assert whole(playground.restarted(), playground.store.reopened()) == from_log

    playground.finish()
    assert whole(playground.state, playground.store) == from_log


@pytest.mark.parametrize("seed", range(6))
def test_a_row_looked_at_by_itself_is_the_row_of_a_checkpoint(seed: int) -> None:
    chance = random.Random(seed)
    playground = Checkpointed()
    live_randomly(playground, chance, 150)
    restarted = playground.restarted()
    playground.finish()
    state = playground.state
    stored = state.stored_keys(b"\1", 1 << 20)
    seen = {key: state.row(key) for key in stored}
    digests = state.digest(stored), restarted.digest(stored)

    rows = whole(state, playground.store)

    assert seen == {key: rows.get(key) for key in stored}
    assert {key: state.row(key) for key in rows} == rows
    assert {key[:1] for key in rows} >= {b"m", b"d", b"i", b"o", b"u", b"a"}
    assert digests[0] == digests[1]


def test_evicted_instances_are_not_in_memory() -> None:
    playground = Checkpointed()
    playground.deploy(PARALLEL)
    for _ in range(20):
        playground.create({"x": b"1"})

    playground.begin()
    playground.finish()

    assert playground.state.instances.count_in_memory() == 0
    assert len(playground.jobs("a", 50)) == 20


def test_an_index_tells_what_is_in_the_store_from_what_is_gone() -> None:
    playground = Checkpointed()
    playground.deploy(PARALLEL)
    for _ in range(10):
        playground.create()
    playground.begin()
    playground.finish()

    first = playground.jobs("a", 4)
    for job in first:
        playground.do(CompleteJob(job.key))

    assert len(playground.jobs("a", 50)) == 6
    assert len(playground.jobs("b", 50)) == 10


def test_a_tombstone_that_is_missing_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = OrderedIndex._rows  # pyright: ignore[reportPrivateUsage]  # the fault is planted here

    def without_tombstones(index: OrderedIndex, changes: dict[int, object]) -> object:
        return ((key, value) for key, value in rows(index, changes) if value is not None)  # type: ignore[arg-type]

    monkeypatch.setattr(OrderedIndex, "_rows", without_tombstones)
    playground = Checkpointed()
    live_randomly(playground, random.Random(3), 150)
    playground.finish()
    playground.begin()
    playground.finish()

    assert whole(playground.restarted(), playground.store.reopened()) != rows_of(playground.replayed())


def test_state_bytes_do_not_depend_on_the_hash_seed() -> None:
    script = (
        "import hashlib, random\n"
        "from tests.bpmn.test_state import Checkpointed, live_randomly, rows_of\n"
        "playground = Checkpointed()\n"
        "live_randomly(playground, random.Random(11), 150)\n"
        "rows = rows_of(playground.replayed())\n"
        "print(hashlib.sha256(repr(sorted(rows.items())).encode()).hexdigest())\n"
    )
    root = Path(__file__).parents[2]

    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=root,
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(digests) == 1


class _Rows:
    """A store whose content a test sets."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        return self.rows.get(key)

    def range(self, start: bytes, stop: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        return sorted(row for row in self.rows.items() if start <= row[0] < stop)[:limit]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["add", "remove", "undo", "capture", "readable", "first"]), st.integers(0, 60)
        )
    )
)
def test_an_ordered_index_is_a_sorted_set(operations: list[tuple[str, int]]) -> None:
    store, journal = _Rows(), Journal()
    index = OrderedIndex(b"x", 8, in_store=False)
    expected: set[int] = set()
    rows: list[tuple[bytes, bytes | None]] | None = None
    for operation, number in operations:
        journal.start()
        if operation == "add" and number not in expected:
            index.add(number, journal)
            expected.add(number)
        elif operation == "remove" and number in expected:
            index.remove(number, journal)
            expected.discard(number)
        elif operation == "undo":
            if number in expected:
                index.remove(number, journal)
                index.take_first(3, store)
            else:
                index.add(number, journal)
            journal.undo()
        elif operation == "capture" and rows is None:
            rows = list(index.capture())
        elif operation == "readable" and rows is not None:
            for key, value in rows:
                if value is None:
                    store.rows.pop(key, None)
                else:
                    store.rows[key] = value
            rows = None
            index.readable(2)
        assert index.first(store) == (min(expected) if expected else None)
    assert index.take_first(100, store) == sorted(expected)


class Roomy(Checkpointed):
    """Nothing is evicted."""

    instances_in_memory_max = 10_000

    def let_go(self, turns: int) -> None:
        """So many checkpoints without anything between them."""
        for _ in range(turns):
            self.begin()
            self.finish()


def test_instances_that_have_ended_leave_nothing_in_memory() -> None:
    playground = Roomy()
    playground.deploy(ONE_TASK)
    for _ in range(10):
        for _ in range(10):
            playground.create()
        playground.let_go(1)
        for _ in range(10):
            playground.work("work")
    playground.let_go(1)

    assert playground.state.instances._evictable == {}  # pyright: ignore[reportPrivateUsage]  # what must not grow


def test_one_instance_that_stays_does_not_hold_the_room_of_those_around_it() -> None:
    playground = Roomy()
    playground.deploy(ONE_TASK)
    for _ in range(2000):
        playground.create()
    playground.jobs("work", 1)
    while playground.jobs("work", 1):
        for job in playground.jobs("work", 500):
            playground.do(CompleteJob(job.key))
    playground.let_go(1)

    blocks = playground.state.owners._live.values()  # pyright: ignore[reportPrivateUsage]
    assert 0 < sum(map(len, blocks)) < 100
    assert sum(map(sys.getsizeof, blocks)) < 16_384 * len(blocks)


def test_asking_for_jobs_of_any_type_leaves_nothing_behind() -> None:
    playground = Playground()
    for number in range(100):
        playground.jobs(f"type-{number}")
    assert playground.state._activatable == {}  # pyright: ignore[reportPrivateUsage]
