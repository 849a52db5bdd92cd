"""Frames that are replayed together: the same state, with less to do."""

from collections import Counter
from typing import Any

import msgspec
import pytest

from bpmnd.bpmn.appliers import APPLIERS, replay
from bpmnd.bpmn.appliers.window import Window
from bpmnd.bpmn.codec import decode_frame, decode_head
from bpmnd.bpmn.commands import CancelProcessInstance, FailJob
from bpmnd.bpmn.events import Event, JobsActivated
from bpmnd.bpmn.lives import WITHIN
from bpmnd.bpmn.state import EmptyStore, State
from tests.bpmn.playground import ONE_TASK, Playground, rows_of


@pytest.fixture
def playground() -> Playground:
    playground = Playground()
    playground.deploy(ONE_TASK)
    return playground


@pytest.fixture
def applied(monkeypatch: pytest.MonkeyPatch) -> Counter[type[Event]]:
    """How many events of each kind were applied since."""
    counts = Counter[type[Event]]()
    for kind, applier in list(APPLIERS.items()):

        def count(state: State, event: Any, kind: type[Event] = kind, applier: Any = applier) -> None:
            counts[kind] += 1
            applier(state, event)

        monkeypatch.setitem(APPLIERS, kind, count)
    return counts


def before(playground: Playground) -> State:
    """A follower that has all of it so far."""
    state = State(1, EmptyStore())
    for frame in playground.frames:
        replay(state, decode_frame(frame))
    return state


def follow(state: State, frames: list[bytes]) -> None:
    window = Window()
    for frame in frames:
        window.add(decode_head(frame))
    window.replay(state)


def test_of_an_instance_that_begins_and_ends_in_a_window_nothing_is_applied(
    playground: Playground, applied: Counter[type[Event]]
) -> None:
    follower, since = before(playground), len(playground.frames)
    playground.create({"a": b"1"})
    playground.work("work", {"b": b"2"})
    applied.clear()

    follow(follower, playground.frames[since:])

    assert not applied
    assert (follower.started, follower.completed) == (1, 1)
    assert rows_of(follower) == rows_of(playground.state)


def test_frames_of_which_all_is_left_out_are_not_decoded(playground: Playground) -> None:
    follower, since = before(playground), len(playground.frames)
    playground.create({"a": b"1"})
    playground.work("work")

    window = Window()
    for frame in playground.frames[since:]:
        window.add(msgspec.structs.replace(decode_head(frame), body=b"nothing that could be decoded"))
    window.replay(follower)

    assert rows_of(follower) == rows_of(playground.state)


def test_what_a_window_leaves_out_moves_keys_and_log_time_on(playground: Playground) -> None:
    follower, since = before(playground), len(playground.frames)
    playground.now += 5000
    playground.create()
    playground.work("work")

    follow(follower, playground.frames[since:])

    assert (follower.last_key, follower.last_time) == (playground.state.last_key, playground.now)


def test_a_cancelled_instance_is_left_out_too(playground: Playground, applied: Counter[type[Event]]) -> None:
    follower, since = before(playground), len(playground.frames)
    playground.do(CancelProcessInstance(playground.create()))
    applied.clear()

    follow(follower, playground.frames[since:])

    assert not applied
    assert rows_of(follower) == rows_of(playground.state)


def test_a_job_of_an_instance_that_goes_on_is_lent_beside_those_of_instances_that_have_ended(
    playground: Playground, applied: Counter[type[Event]]
) -> None:
    follower, since = before(playground), len(playground.frames)
    ended, goes_on = playground.create(), playground.create()
    jobs = playground.jobs("work")
    playground.do(CancelProcessInstance(ended))
    applied.clear()

    follow(follower, playground.frames[since:])

    assert len(jobs) == 2
    assert applied[JobsActivated] == 1
    instance = follower.instances.get(goes_on)
    assert instance is not None
    assert instance.jobs == playground.state.touch(goes_on).jobs
    assert rows_of(follower) == rows_of(playground.state)


def test_an_instance_that_began_before_the_window_is_not_left_out(playground: Playground) -> None:
    key = playground.create()
    follower, since = before(playground), len(playground.frames)
    playground.work("work")

    follow(follower, playground.frames[since:])

    assert follower.instances.get(key) is None
    assert rows_of(follower) == rows_of(playground.state)


def test_an_instance_with_an_event_that_reaches_beyond_it_is_not_left_out(
    playground: Playground, applied: Counter[type[Event]]
) -> None:
    follower, since = before(playground), len(playground.frames)
    key = playground.create()
    (job,) = playground.jobs("work")
    playground.do(FailJob(job.key, retries=0))
    playground.do(CancelProcessInstance(key))
    applied.clear()

    follow(follower, playground.frames[since:])

    assert applied
    assert follower.incidents == 0
    assert rows_of(follower) == rows_of(playground.state)


def heads(playground: Playground, since: int) -> Window:
    window = Window()
    for frame in playground.frames[since:]:
        window.add(decode_head(frame))
    return window


def test_a_window_takes_many_instances_that_end(
    playground: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bpmnd.bpmn.appliers.window.NEEDED_BYTES_MAX", 100)
    monkeypatch.setattr("bpmnd.bpmn.appliers.window.UNENDED_MAX", 2)
    since = len(playground.frames)
    for _ in range(5):
        playground.create()
        playground.work("work")
    assert not heads(playground, since).is_full


def test_a_window_takes_few_instances_that_have_begun_before(
    playground: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bpmnd.bpmn.appliers.window.NEEDED_BYTES_MAX", 100)
    playground.create()
    since = len(playground.frames)
    playground.work("work")
    assert heads(playground, since).is_full


def test_a_window_takes_few_instances_that_do_not_end(
    playground: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bpmnd.bpmn.appliers.window.UNENDED_MAX", 2)
    since = len(playground.frames)
    playground.create()
    assert not heads(playground, since).is_full
    playground.create()
    assert heads(playground, since).is_full


def test_a_window_is_full_at_last(playground: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bpmnd.bpmn.appliers.window.BYTES_MAX", 1000)
    since = len(playground.frames)
    while not heads(playground, since).is_full:
        playground.create()
        playground.work("work")
    assert sum(map(len, playground.frames[since:])) < 4000


def test_what_a_window_may_leave_out_says_which_instance_it_is_of() -> None:
    assert all("instance_key" in kind.__struct_fields__ for kind in WITHIN)
