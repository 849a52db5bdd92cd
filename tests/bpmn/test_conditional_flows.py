"""Conditions on the flows behind activities, on the pure engine."""

import pytest

from bpmnd.bpmn.commands import CompleteJob, ResolveIncident, SetVariables
from bpmnd.bpmn.events import IncidentCreated
from tests.bpmn.playground import START, Playground, flow, many, path, process, rows_of, task


def started(work: str, *flows: str, variables: dict[str, bytes] | None = None) -> tuple[Playground, int]:
    playground = Playground()
    body = START + work + task("a") + task("b") + task("c") + path("start", "work") + "".join(flows)
    playground.deploy(process(body))
    return playground, playground.create(variables)


def taken(playground: Playground) -> list[str]:
    return [each for each in "abc" if playground.jobs(each)]


def with_default(activity: str, default: str) -> str:
    return activity.replace(' id="work"', f' id="work" default="{default}"', 1)


FLOWS = flow("work", "a", "=x &gt; 1"), flow("work", "b", "=x &gt; 2"), flow("work", "c")


@pytest.mark.parametrize(("x", "expected"), [(b"3", ["a", "b", "c"]), (b"2", ["a", "c"]), (b"1", ["c"])])
def test_flows_without_a_condition_are_taken_and_those_whose_condition_holds(
    x: bytes, expected: list[str]
) -> None:
    playground, _ = started(task("work"), *FLOWS)
    playground.work("work", {"x": x})
    assert taken(playground) == expected


@pytest.mark.parametrize(("x", "expected"), [(b"3", ["a", "b"]), (b"1", ["c"])])
def test_the_default_flow_is_taken_if_no_condition_holds(x: bytes, expected: list[str]) -> None:
    playground, _ = started(with_default(task("work"), "work_c"), *FLOWS)
    playground.work("work", {"x": x})
    assert taken(playground) == expected


def test_tasks_that_nobody_does_choose_too() -> None:
    playground, _ = started('<task id="work"/>', *FLOWS, variables={"x": b"2"})
    assert taken(playground) == ["a", "c"]


def test_a_multi_instance_activity_chooses_once() -> None:
    playground, _ = started(many(task("work"), "=[1,2]"), *FLOWS)
    playground.work("work", {"x": b"3"})
    playground.work("work", {"x": b"2"})
    assert taken(playground) == ["a", "c"]


def test_without_a_flow_to_take_the_activity_waits_behind_an_incident() -> None:
    playground, key = started(task("work"), FLOWS[0], FLOWS[1])
    playground.work("work", {"x": b"1"})
    (incident,) = playground.happened(IncidentCreated)
    assert incident.type == "CONDITION_ERROR"

    playground.do(SetVariables(key, {"x": b"2"}))
    playground.do(ResolveIncident(incident.key))

    assert taken(playground) == ["a"]
    assert rows_of(playground.replayed()) == rows_of(playground.state)


def test_a_condition_that_is_not_boolean_is_an_incident() -> None:
    playground, _ = started(task("work"), flow("work", "a", "=x"))
    (job,) = playground.jobs("work")
    playground.do(CompleteJob(job.key))
    assert [incident.type for incident in playground.happened(IncidentCreated)] == ["EXTRACT_VALUE_ERROR"]
