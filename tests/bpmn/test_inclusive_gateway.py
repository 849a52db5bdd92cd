"""Inclusive gateways, on the pure engine."""

from itertools import permutations

import pytest

from bpmnd.bpmn.commands import (
    CancelProcessInstance,
    CompleteJob,
    ResolveIncident,
    SetVariables,
    ThrowJobError,
)
from bpmnd.bpmn.events import ContinuationCreated, IncidentCreated
from tests.bpmn.events import boundary
from tests.bpmn.playground import END, START, Playground, flow, path, process, rows_of, task
from tests.bpmn.test_flow import ERRORS


def inclusive(gateway_id: str, default: str = "") -> str:
    attribute = f' default="{default}"' if default else ""
    return f'<inclusiveGateway id="{gateway_id}"{attribute}/>'


def started(body: str, variables: dict[str, bytes] | None = None) -> tuple[Playground, int]:
    playground = Playground()
    playground.deploy(process(body, definitions=ERRORS))
    return playground, playground.create(variables)


CHOICES = (
    START
    + inclusive("fork", "fork_c")
    + task("a")
    + task("b")
    + task("c")
    + inclusive("join")
    + task("after")
    + path("start", "fork")
    + flow("fork", "a", "=a")
    + flow("fork", "b", "=b")
    + flow("fork", "c")
    + "".join(flow(each, "join") for each in "abc")
    + flow("join", "after")
)


@pytest.mark.parametrize(
    ("variables", "taken"),
    [
        ({"a": b"true", "b": b"true"}, ["a", "b"]),
        ({"a": b"true", "b": b"false"}, ["a"]),
        ({"a": b"false", "b": b"true"}, ["b"]),
        ({"a": b"false", "b": b"false"}, ["c"]),
    ],
)
def test_all_flows_whose_conditions_hold_are_taken_or_the_default(
    variables: dict[str, bytes], taken: list[str]
) -> None:
    playground, key = started(CHOICES, variables)
    assert [each for each in "abc" if playground.jobs(each, timeout_ms=0)] == taken
    for each in taken:
        assert playground.jobs("after") == ()
        playground.pass_time(1)
        playground.work(each)
    playground.work("after")
    assert playground.is_over(key)


def test_without_a_flow_to_take_the_gateway_waits_behind_an_incident() -> None:
    body = START + inclusive("fork") + task("a") + task("b") + path("start", "fork")
    playground, key = started(body + flow("fork", "a", "=x") + flow("fork", "b", "=x"), {"x": b"false"})
    (incident,) = playground.happened(IncidentCreated)
    assert incident.type == "CONDITION_ERROR"

    playground.do(SetVariables(key, {"x": b"true"}))
    playground.do(ResolveIncident(incident.key))

    assert len(playground.jobs("a")) == len(playground.jobs("b")) == 1


@pytest.mark.parametrize("order", list(permutations("abc")))
def test_a_join_waits_for_every_token_that_can_come(order: tuple[str, ...]) -> None:
    """`a` is followed by a choice that may lead elsewhere; the join waits until that is decided."""
    body = (
        START
        + '<parallelGateway id="fork"/>'
        + task("a")
        + '<exclusiveGateway id="choice" default="choice_join"/>'
        + task("b")
        + task("c")
        + inclusive("join")
        + task("after")
        + task("other")
        + path("start", "fork", "a", "choice", "join", "after")
        + flow("choice", "other", "=away")
        + path("fork", "b", "join")
        + path("fork", "c", "join")
    )
    playground, key = started(body, {"away": b"true"})
    for each in order:
        assert playground.jobs("after") == ()
        playground.work(each)
    playground.work("after")
    playground.work("other")
    assert playground.is_over(key)


def test_a_token_that_an_interruption_takes_elsewhere_is_not_waited_for() -> None:
    body = (
        START
        + '<parallelGateway id="fork"/>'
        + task("a")
        + boundary("caught", "a", '<errorEventDefinition errorRef="e1"/>')
        + task("b")
        + inclusive("join")
        + task("after")
        + task("handle")
        + path("start", "fork", "a", "join", "after")
        + path("fork", "b", "join")
        + flow("caught", "handle")
    )
    playground, _ = started(body)
    playground.work("b")
    assert playground.jobs("after") == ()
    (job,) = playground.jobs("a")
    playground.do(ThrowJobError(job.key, "E1"))
    assert len(playground.jobs("after")) == 1


def test_a_token_that_can_come_by_a_boundary_event_is_waited_for() -> None:
    body = (
        START
        + '<parallelGateway id="fork"/>'
        + task("a")
        + boundary("caught", "a", '<errorEventDefinition errorRef="e1"/>')
        + task("b")
        + inclusive("join")
        + task("after")
        + path("start", "fork", "a")
        + path("fork", "b", "join", "after")
        + flow("caught", "join")
    )
    playground, key = started(body)
    playground.work("b")
    assert playground.jobs("after") == ()
    playground.work("a")
    playground.work("after")
    assert playground.is_over(key)


def test_a_join_in_a_loop_does_not_wait_for_itself() -> None:
    body = (
        START
        + inclusive("join")
        + task("work")
        + '<exclusiveGateway id="again" default="again_end"/>'
        + END
        + path("start", "join", "work", "again", "end")
        + flow("again", "join", "=more")
    )
    playground, key = started(body, {"more": b"true"})
    playground.work("work")
    playground.work("work", {"more": b"false"})
    assert playground.is_over(key)


def test_a_token_in_another_scope_is_not_waited_for() -> None:
    inner = (
        '<subProcess id="sub"><startEvent id="s"/>'
        + inclusive("f", "f_y")
        + task("x")
        + task("y")
        + inclusive("j")
        + path("s", "f")
        + flow("f", "x", "=false")
        + flow("f", "y")
        + path("x", "j")
        + path("y", "j")
        + "</subProcess>"
    )
    body = (
        START
        + '<parallelGateway id="fork"/>'
        + inner
        + task("a")
        + path("start", "fork", "sub")
        + path("fork", "a")
    )
    playground, _ = started(body)
    playground.work("y")
    assert len(playground.jobs("a")) == 1
    playground.pass_time(100_000)
    playground.work("a")


def test_what_comes_by_a_link_is_waited_for() -> None:
    link = '<linkEventDefinition name="l"/>'
    body = (
        START
        + '<parallelGateway id="fork"/>'
        + task("a")
        + task("b")
        + f'<intermediateThrowEvent id="throw">{link}</intermediateThrowEvent>'
        + f'<intermediateCatchEvent id="catch">{link}</intermediateCatchEvent>'
        + inclusive("join")
        + task("after")
        + path("start", "fork", "a", "throw")
        + path("catch", "join", "after")
        + path("fork", "b", "join")
    )
    playground, key = started(body)
    playground.work("b")
    assert playground.jobs("after") == ()
    playground.work("a")
    playground.work("after")
    assert playground.is_over(key)


@pytest.mark.parametrize("steps_max", [1, 2, 3, 7])
def test_however_the_turns_are_cut_the_outcome_is_the_same(
    monkeypatch: pytest.MonkeyPatch, steps_max: int
) -> None:
    monkeypatch.setattr("bpmnd.bpmn.turn.STEPS_MAX", steps_max)
    playground, key = started(CHOICES, {"a": b"true", "b": b"true"})
    playground.work("b")
    playground.work("a")
    (job,) = playground.jobs("after")
    playground.do(CompleteJob(job.key))
    assert playground.is_over(key)
    assert rows_of(playground.replayed()) == rows_of(playground.state)


def test_a_token_that_waits_at_a_join_can_be_cancelled() -> None:
    playground, key = started(CHOICES, {"a": b"true", "b": b"true"})
    playground.work("a")
    playground.do(CancelProcessInstance(key))
    assert playground.is_over(key)


def test_looking_for_paths_counts_towards_the_budget_of_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bpmnd.bpmn.turn.EXPRESSION_STEPS_MAX", 10)
    body = START + '<parallelGateway id="fork"/><task id="a"/><task id="b"/>' + inclusive("join")
    playground, key = started(body + path("start", "fork", "a", "join") + path("fork", "b", "join"))
    assert len(playground.happened(ContinuationCreated)) == 1
    assert playground.is_over(key)
