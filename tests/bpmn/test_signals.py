"""Signals on one partition: everybody who waits is reached, once."""

import pytest

from bpmnd.bpmn import broadcast as broadcast_module
from bpmnd.bpmn.commands import BroadcastSignal, CancelProcessInstance, Continue
from bpmnd.bpmn.events import (
    IncidentCreated,
    ProcessInstanceCreated,
    SignalBroadcasted,
    SignalStartEventSubscriptionDeleted,
    SignalSubscriptionDeleted,
)
from bpmnd.bpmn.outcomes import SignalBroadcasted as BroadcastAnswer
from bpmnd.bpmn.turn import PASSES_MAX, STEPS_MAX, Turn
from tests.bpmn.events import boundary, catch, event, on_signal, signal
from tests.bpmn.playground import END, START, Playground, flow, io_mapping, path, process, rows_of, task

ALARM = signal("alarm", "alarm")
WAITING = process(
    START + catch("wait", on_signal("alarm")) + task("after") + path("start", "wait", "after"),
    definitions=ALARM,
)
STARTED = process(
    event("startEvent", "begin", on_signal("alarm")) + task("work") + path("begin", "work"),
    process_id="alarmed",
    definitions=ALARM,
)


def deployed(*contents: bytes) -> Playground:
    playground = Playground()
    playground.deploy(*contents)
    return playground


def broadcast(playground: Playground, name: str = "alarm", **variables: bytes) -> None:
    assert isinstance(playground.do(BroadcastSignal(name, variables)), BroadcastAnswer)


def test_everybody_who_waits_is_reached() -> None:
    playground = deployed(WAITING)
    for _ in range(3):
        playground.create()
    broadcast(playground, level=b"5")
    assert [job.variables for job in playground.jobs("after")] == [{"level": b"5"}] * 3


def test_who_comes_later_is_not_reached() -> None:
    playground = deployed(WAITING)
    broadcast(playground)
    playground.create()
    assert playground.jobs("after") == ()


def test_a_signal_of_another_name_is_not_for_it() -> None:
    playground = deployed(WAITING)
    playground.create()
    broadcast(playground, "other")
    assert playground.jobs("after") == ()


def test_who_waits_again_because_of_a_signal_waits_for_the_next_one() -> None:
    body = START + '<exclusiveGateway id="merge"/>' + catch("wait", on_signal("alarm")) + task("note")
    body += path("start", "merge", "wait", "note") + flow("wait", "merge")
    playground = deployed(process(body, definitions=ALARM))
    playground.create()
    broadcast(playground)
    assert len(playground.jobs("note")) == 1
    broadcast(playground)
    assert len(playground.jobs("note")) == 1


def test_a_signal_for_many_is_spread_over_turns() -> None:
    playground = deployed(WAITING)
    for _ in range(2 * STEPS_MAX):
        playground.create()

    events = len(playground.decide(BroadcastSignal("alarm")).events)
    assert events < STEPS_MAX
    while playground.state.continuations.items:
        playground.decide(Continue(next(iter(playground.state.continuations.items))))

    assert len(playground.jobs("after", 1000)) == 2 * STEPS_MAX


def test_who_is_gone_when_its_turn_comes_is_passed_over() -> None:
    playground = deployed(WAITING)
    keys = [playground.create() for _ in range(3)]
    playground.decide(BroadcastSignal("alarm"))
    playground.do(CancelProcessInstance(keys[1]))
    assert [job.process_instance_key for job in playground.jobs("after")] == [keys[0], keys[2]]


def test_one_who_fails_does_not_keep_the_signal_from_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    playground = deployed(WAITING)
    keys = [playground.create() for _ in range(3)]
    emit = Turn.emit

    def emit_or_raise(turn: Turn, happened: object) -> None:
        if isinstance(happened, SignalSubscriptionDeleted) and happened.instance_key == keys[1]:
            raise ValueError("planted")
        emit(turn, happened)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Turn, "emit", emit_or_raise)
        broadcast(playground)

    assert [job.process_instance_key for job in playground.jobs("after")] == [keys[0], keys[2]]
    assert [incident.instance_key for incident in playground.happened(IncidentCreated)] == [keys[1]]


def test_a_signal_starts_one_instance_of_each_process() -> None:
    playground = deployed(STARTED, STARTED.replace(b'id="alarmed"', b'id="alarmed-too"'))
    broadcast(playground, level=b"5")
    assert [job.variables for job in playground.jobs("work")] == [{"level": b"5"}] * 2


def test_only_the_latest_version_is_started() -> None:
    playground = deployed(STARTED)
    playground.deploy(STARTED.replace(b'type="work"', b'type="renewed"'))
    assert len(playground.happened(SignalStartEventSubscriptionDeleted)) == 1
    broadcast(playground)
    assert len(playground.happened(ProcessInstanceCreated)) == 1
    assert len(playground.jobs("renewed")) == 1


@pytest.mark.parametrize("interrupting", [True, False])
def test_a_boundary_event_goes_off(interrupting: bool) -> None:
    body = START + task("work") + boundary("bell", "work", on_signal("alarm"), interrupting=interrupting)
    body += task("handle") + END + path("start", "work", "end") + flow("bell", "handle")
    playground = deployed(process(body, definitions=ALARM))
    playground.create()
    for _ in range(2):
        broadcast(playground, level=b"5")
    assert len(playground.jobs("handle")) == (1 if interrupting else 2)
    assert len(playground.jobs("work")) == (0 if interrupting else 1)


@pytest.mark.parametrize("kind", ["intermediateThrowEvent", "endEvent"])
def test_a_signal_is_thrown_with_the_variables_of_its_event_alone(kind: str) -> None:
    inputs = io_mapping(inputs={"level": "=x + 1"})
    body = START + event(kind, "throw", on_signal("alarm"), inputs) + path("start", "throw")
    playground = deployed(WAITING, process(body, process_id="thrower", definitions=ALARM))
    playground.create()
    playground.create({"x": b"1"}, "thrower")
    (job,) = playground.jobs("after")
    assert job.variables == {"level": b"2"}
    (thrown,) = playground.happened(SignalBroadcasted)
    assert thrown.variables == {"level": b"2"}


def test_an_event_that_throws_nothing_is_passed() -> None:
    body = START + '<intermediateThrowEvent id="milestone"/>' + task("after")
    playground = deployed(process(body + path("start", "milestone", "after")))
    playground.create()
    assert len(playground.jobs("after")) == 1


@pytest.mark.parametrize("kind", ["intermediateThrowEvent", "endEvent"])
def test_a_message_is_thrown_by_a_worker(kind: str) -> None:
    definition = '<messageEventDefinition messageRef="m"/>'
    job = '<zeebe:taskDefinition type="send"/>'
    body = START + event(kind, "throw", definition, job) + path("start", "throw")
    playground = deployed(process(body, definitions='<message id="m" name="m"/>'))
    key = playground.create()
    playground.work("send")
    assert playground.is_over(key)


def test_a_name_that_is_no_text_is_an_incident() -> None:
    body = START + catch("wait", on_signal("s")) + path("start", "wait")
    playground = deployed(process(body, definitions=signal("s", "=x")))
    playground.create({"x": b"1"})
    (incident,) = playground.happened(IncidentCreated)
    assert incident.type == "EXTRACT_VALUE_ERROR"


def test_signals_leave_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcast_module, "_REACHED_PER_STEP", 2)
    playground = Playground()
    before = set(rows_of(playground.replayed()))
    playground.deploy(WAITING)
    for _ in range(7):
        playground.create()
    broadcast(playground)
    while playground.jobs("after", 3):
        pass
    for created in playground.happened(ProcessInstanceCreated):
        playground.do(CancelProcessInstance(created.key))
    assert {row for row in rows_of(playground.replayed()) if row[:1] != b"d"} == before


def test_a_signal_to_nobody_is_no_error() -> None:
    playground = Playground()
    broadcast(playground, "nobody")
    assert len(playground.happened(SignalBroadcasted)) == 1


RINGS_AGAIN = process(
    f'<startEvent id="rung">{on_signal("alarm")}</startEvent>'
    + event("endEvent", "throw", on_signal("alarm"))
    + path("rung", "throw"),
    definitions=ALARM,
)


def test_what_starts_itself_again_and_again_ends_in_an_incident_of_the_last() -> None:
    playground = deployed(RINGS_AGAIN)
    broadcast(playground)
    *earlier, last = playground.happened(ProcessInstanceCreated)
    assert len(earlier) < PASSES_MAX
    assert all(playground.is_over(each.key) for each in earlier)
    (incident,) = playground.happened(IncidentCreated)
    assert incident.instance_key == last.key
    assert "endless loop" in incident.message


def test_two_that_ring_for_each_other_for_ever_end_in_an_incident() -> None:
    def answers(process_id: str, heard: str, rung: str) -> bytes:
        body = START + '<exclusiveGateway id="merge"/>' + catch("wait", on_signal(heard))
        body += event("intermediateThrowEvent", "throw", on_signal(rung))
        flows = path("start", "merge", "wait", "throw", "merge")
        return process(body + flows, process_id=process_id, definitions=ALARM + signal("echo", "echo"))

    playground = deployed(answers("process", "alarm", "echo"), answers("other", "echo", "alarm"))
    playground.create()
    playground.create({}, "other")
    broadcast(playground)
    (incident,) = playground.happened(IncidentCreated)
    assert "endless loop" in incident.message
    assert len(playground.happened(SignalBroadcasted)) <= PASSES_MAX + 2


def test_what_starts_ever_more_of_itself_ends_in_incidents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcast_module, "_LEFT_OVER_MANY", 1)
    ends = "".join(
        event("endEvent", f"throw{number}", on_signal("alarm")) + flow("rung", f"throw{number}")
        for number in range(5)
    )
    begin = f'<startEvent id="rung">{on_signal("alarm")}</startEvent>'
    playground = deployed(process(begin + ends, definitions=ALARM))
    broadcast(playground)
    created = len(playground.happened(ProcessInstanceCreated))
    assert created == len(playground.happened(IncidentCreated)) + playground.state.completed
    assert created < 5**4


def test_that_a_worker_lies_between_makes_it_no_endless_loop() -> None:
    worked = process(
        f'<startEvent id="rung">{on_signal("alarm")}</startEvent>'
        + task("work")
        + event("endEvent", "throw", on_signal("alarm"))
        + path("rung", "work", "throw"),
        definitions=ALARM,
    )
    playground = deployed(worked)
    broadcast(playground)
    for _ in range(PASSES_MAX + 2):
        playground.work("work")
    assert not playground.happened(IncidentCreated)
