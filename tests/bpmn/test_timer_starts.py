"""Timers that start processes: set with a deployment, for the latest version, on its partition."""

import pytest

from bpmnd.bpmn.appliers import replay
from bpmnd.bpmn.codec import decode_frame
from bpmnd.bpmn.commands import CreateProcessInstance, Deploy, FireDue, Resource
from bpmnd.bpmn.engine import Engine
from bpmnd.bpmn.events import (
    ProcessInstanceCreated,
    StartTimerCanceled,
    StartTimerCreated,
    StartTimerTriggered,
)
from bpmnd.bpmn.outcomes import RejectionType
from bpmnd.bpmn.state import EmptyStore, State
from bpmnd.bpmn.turn import Turn
from tests.bpmn.events import event_sub_process
from tests.bpmn.playground import START, Playground, flow, path, process, rows_of, task


def timer(kind: str, value: str) -> str:
    return f"<timerEventDefinition><{kind}>{value}</{kind}></timerEventDefinition>"


def starts(kind: str, value: str, *, element_id: str = "begin", job_type: str = "a") -> str:
    start = f'<startEvent id="{element_id}">{timer(kind, value)}</startEvent>'
    return start + task(f"after_{element_id}", job_type) + flow(element_id, f"after_{element_id}")


def deployed(*bodies: str) -> Playground:
    playground = Playground()
    for body in bodies:
        playground.deploy(process(body))
    return playground


def count_of(playground: Playground) -> int:
    return len(playground.happened(ProcessInstanceCreated))


def test_a_duration_starts_one_instance() -> None:
    playground = deployed(starts("timeDuration", "PT1S"))
    playground.pass_time(999)
    assert count_of(playground) == 0
    playground.pass_time(1)
    playground.pass_time(10_000)
    assert count_of(playground) == 1
    playground.work("a")
    (created,) = playground.happened(ProcessInstanceCreated)
    assert playground.is_over(created.key)


def test_a_date_that_is_past_starts_an_instance_at_once() -> None:
    playground = deployed(starts("timeDate", "1960-01-01T00:00:00Z"))
    playground.pass_time(0)
    assert count_of(playground) == 1


def test_a_cycle_starts_so_many_instances() -> None:
    playground = deployed(starts("timeCycle", "R3/PT1S"))
    for _ in range(5):
        playground.pass_time(1000)
    assert count_of(playground) == 3
    assert [created.repetitions for created in playground.happened(StartTimerCreated)] == [3, 2, 1]


def test_a_cron_expression_starts_them_without_an_end() -> None:
    playground = deployed(starts("timeCycle", "*/10 * * * * *"))
    for _ in range(7):
        playground.pass_time(10_000)
    assert count_of(playground) == 7
    assert {created.due % 10_000 for created in playground.happened(StartTimerCreated)} == {0}


def test_the_timer_may_be_computed() -> None:
    playground = deployed(starts("timeCycle", "=cycle(2, duration(&quot;PT1S&quot;))"))
    for _ in range(3):
        playground.pass_time(1000)
    assert count_of(playground) == 2


@pytest.mark.parametrize("value", ["=x", "=5", '="nonsense"'])
def test_a_timer_that_cannot_be_worked_out_at_deployment_is_refused(value: str) -> None:
    content = process(starts("timeDuration", value))
    rejected = Playground().rejected(Deploy((Resource("a.bpmn", content),)))
    assert rejected.type is RejectionType.INVALID_ARGUMENT
    assert "element 'begin': the timer that starts a process must be constant" in rejected.reason


def test_only_the_latest_version_is_started() -> None:
    playground = deployed(
        starts("timeCycle", "R/PT1S"), starts("timeDuration", "PT1.5S", job_type="b"), START
    )
    assert len(playground.happened(StartTimerCanceled)) == 2
    playground.pass_time(10_000)
    assert count_of(playground) == 0


def test_a_new_version_sets_its_timer_anew() -> None:
    playground = deployed(starts("timeCycle", "R/PT1S"))
    playground.pass_time(1000)
    playground.deploy(process(starts("timeDuration", "PT1.5S", job_type="b")))
    playground.pass_time(1000)
    assert playground.jobs("b") == ()
    playground.pass_time(500)
    assert len(playground.jobs("b")) == 1
    assert len(playground.jobs("a")) == 1


def test_a_deployment_of_the_same_sets_nothing_anew() -> None:
    playground = deployed(*[starts("timeDuration", "PT1S")] * 2)
    assert len(playground.happened(StartTimerCreated)) == 1


def test_the_timers_of_another_process_stay() -> None:
    playground = deployed(starts("timeDuration", "PT1S"))
    playground.deploy(process(starts("timeDuration", "PT1S", job_type="b"), process_id="other"))
    playground.pass_time(1000)
    assert len(playground.jobs("a") + playground.jobs("b")) == 2


def test_several_timers_start_the_same_process_beside_a_none_start_event() -> None:
    playground = deployed(
        START
        + starts("timeDuration", "PT1S")
        + starts("timeDuration", "PT2S", element_id="later", job_type="b")
    )
    playground.create()
    playground.pass_time(1000)
    assert (len(playground.jobs("a")), len(playground.jobs("b"))) == (1, 0)
    playground.pass_time(1000)
    assert len(playground.jobs("b")) == 1


def test_a_process_that_only_timers_start_cannot_be_created() -> None:
    playground = deployed(starts("timeDuration", "PT1S"))
    rejected = playground.rejected(CreateProcessInstance("process"))
    assert rejected.type is RejectionType.INVALID_STATE


def test_another_partition_sets_no_timer() -> None:
    playground = Playground(partitions=(1, 2))
    playground.do(Deploy((Resource("a.bpmn", process(starts("timeDuration", "PT1S"))),)))
    assert len(playground.happened(StartTimerCreated)) == 1


def test_an_event_sub_process_of_what_a_timer_starts_waits_too() -> None:
    inside = task("in_es") + path("es_start", "in_es")
    playground = deployed(
        starts("timeDuration", "PT1S")
        + event_sub_process("es", timer("timeDuration", "PT1S"), inside, interrupting=False)
    )
    playground.pass_time(1000)
    playground.pass_time(1000)
    assert len(playground.jobs("a") + playground.jobs("in_es")) == 2


def test_timers_are_there_after_a_restart() -> None:
    playground = deployed(starts("timeCycle", "R2/PT1S"))
    playground.pass_time(1000)
    state = State(1, EmptyStore())
    for frame in playground.frames:
        replay(state, decode_frame(frame))
    playground.state, playground.engine = state, Engine(state, (1,))
    playground.pass_time(1000)
    assert count_of(playground) == 2
    assert not state.start_timers.items
    assert rows_of(playground.replayed()) == rows_of(state)


def test_a_start_that_raises_is_passed_over_until_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    playground = deployed(starts("timeCycle", "R2/PT1S"))
    emit = Turn.emit

    def emit_or_raise(turn: Turn, event: object) -> None:
        if isinstance(event, ProcessInstanceCreated):
            raise ValueError("planted")
        emit(turn, event)  # type: ignore[arg-type]

    playground.now += 1000
    (key,) = playground.state.due(playground.now, 10)
    with monkeypatch.context() as patch:
        patch.setattr(Turn, "emit", emit_or_raise)
        playground.decide(FireDue(key))
    assert playground.state.due(playground.now, 10) == []
    playground.pass_time(1000)
    assert count_of(playground) == 1
    assert len(playground.happened(StartTimerTriggered)) == 2
