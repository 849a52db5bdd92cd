"""Conditional events on one partition: they happen when their condition holds."""

import pytest

from bpmnd.bpmn.commands import (
    CancelProcessInstance,
    CompleteJob,
    Deploy,
    EvaluateConditionals,
    ResolveIncident,
    Resource,
    SetVariables,
)
from bpmnd.bpmn.events import (
    ConditionalSubscriptionCreated,
    ConditionalSubscriptionTriggered,
    IncidentCreated,
)
from bpmnd.bpmn.outcomes import ConditionalsEvaluated, RejectionType
from tests.bpmn.events import boundary, catch, event_sub_process
from tests.bpmn.playground import START, Playground, flow, path, process, rows_of, task


def when(condition: str, events: str = "") -> str:
    extension = f'<zeebe:conditionalFilter variableEvents="{events}"/>' if events else ""
    return (
        f"<conditionalEventDefinition><extensionElements>{extension}</extensionElements>"
        f"<condition>{condition}</condition></conditionalEventDefinition>"
    )


def guarded(
    condition: str, *, interrupting: bool = True, events: str = "", inputs: dict[str, str] | None = None
) -> bytes:
    body = (
        START
        + task("a", inputs=inputs)
        + boundary("x", "a", when(condition, events), interrupting=interrupting)
    )
    return process(body + task("b") + path("start", "a") + flow("x", "b"))


def handled(condition: str, *, interrupting: bool = True) -> bytes:
    inside = task("b") + path("es_start", "b")
    body = START + task("a") + path("start", "a")
    return process(body + event_sub_process("es", when(condition), inside, interrupting=interrupting))


def started(content: bytes, **variables: bytes) -> tuple[Playground, int]:
    playground = Playground()
    playground.deploy(content)
    return playground, playground.create(variables)


def change(playground: Playground, scope_key: int, *, local: bool = False, **variables: bytes) -> None:
    playground.do(SetVariables(scope_key, variables, local=local))


@pytest.mark.parametrize("content", [guarded("=v &gt; 10"), handled("=v &gt; 10")])
def test_what_interrupts_happens_when_the_condition_comes_to_hold(content: bytes) -> None:
    playground, key = started(content, v=b"5")
    change(playground, key, v=b"7")
    assert playground.jobs("b") == ()
    change(playground, key, v=b"11")
    assert playground.jobs("a") == ()
    playground.work("b")
    assert playground.is_over(key)


@pytest.mark.parametrize("content", [guarded("=v &gt; 10"), handled("=v &gt; 10")])
def test_a_condition_that_holds_at_first_happens_at_once(content: bytes) -> None:
    playground, key = started(content, v=b"11")
    assert playground.jobs("a") == ()
    playground.work("b")
    assert playground.is_over(key)


@pytest.mark.parametrize(
    "content", [guarded("=v &gt; 10", interrupting=False), handled("=v &gt; 10", interrupting=False)]
)
def test_what_does_not_interrupt_happens_at_each_change_that_leaves_the_condition_true(
    content: bytes,
) -> None:
    playground, key = started(content, v=b"5")
    for value in (b"11", b"12", b"12", b"3", b"13"):
        change(playground, key, v=value)
    change(playground, key, w=b"1")
    assert len(playground.jobs("b")) == 3
    playground.do(CancelProcessInstance(key))
    assert playground.is_over(key)


def test_variables_that_are_not_there_yet_are_no_incident() -> None:
    playground, key = started(guarded("=v &gt; 10"))
    assert playground.happened(IncidentCreated) == []
    change(playground, key, v=b"11")
    assert len(playground.jobs("b")) == 1


def test_a_condition_that_is_no_condition_is_an_incident() -> None:
    playground, key = started(guarded("=v"), v=b"5")
    (incident,) = playground.happened(IncidentCreated)
    assert incident.type == "EXTRACT_VALUE_ERROR"
    change(playground, key, v=b"true")
    playground.do(ResolveIncident(incident.key))
    assert len(playground.jobs("b")) == 1


def test_a_catch_event_waits_until_its_condition_holds() -> None:
    body = START + catch("wait", when("=v &gt; 10")) + task("b") + path("start", "wait", "b")
    playground, key = started(process(body), v=b"5")
    assert playground.jobs("b") == ()
    change(playground, key, v=b"11")
    playground.work("b")
    assert playground.is_over(key)


def test_a_catch_event_whose_condition_holds_is_passed() -> None:
    body = START + catch("wait", when("=v &gt; 10")) + task("b") + path("start", "wait", "b")
    playground, _ = started(process(body), v=b"11")
    assert len(playground.jobs("b")) == 1


def test_a_gateway_goes_on_to_the_condition_that_holds_first() -> None:
    body = START + '<eventBasedGateway id="g"/>' + catch("one", when("=v = 1")) + catch("two", when("=v = 2"))
    body += task("a") + task("b") + path("start", "g", "one", "a") + path("g", "two", "b")
    playground, key = started(process(body))
    change(playground, key, v=b"2")
    playground.work("b")
    assert playground.is_over(key)


def test_several_variables_that_change_together_trigger_it_once() -> None:
    playground, key = started(guarded("=v &gt; 10 or w &gt; 10", interrupting=False), v=b"5")
    change(playground, key, v=b"11", w=b"11")
    assert len(playground.jobs("b")) == 1


def test_variables_that_a_task_leaves_behind_do_not_trigger_its_boundary_event() -> None:
    playground, key = started(guarded("=v &gt; 10"), v=b"5")
    (job,) = playground.jobs("a")
    playground.do(CompleteJob(job.key, {"v": b"11"}))
    assert playground.is_over(key)
    assert playground.happened(ConditionalSubscriptionTriggered) == []


def test_an_input_mapping_triggers_it_once() -> None:
    playground, _ = started(guarded("=v &gt; 10", interrupting=False, inputs={"v": "=11"}))
    assert len(playground.jobs("b")) == 1


def test_a_variable_in_the_way_hides_the_one_that_changes() -> None:
    playground, key = started(guarded("=v &gt; 10", inputs={"v": "=1"}))
    change(playground, key, v=b"11")
    assert playground.jobs("b") == ()
    (job,) = playground.jobs("a")
    change(playground, job.element_instance_key, local=True, v=b"11")
    assert len(playground.jobs("b")) == 1


def test_who_does_not_see_the_variable_is_not_concerned() -> None:
    body = START + '<parallelGateway id="fork"/>' + task("a") + task("c") + task("b") + task("e")
    body += boundary("x", "a", when("=v = 1")) + boundary("y", "c", when("=v = 1"))
    body += path("start", "fork", "a") + path("fork", "c") + flow("x", "b") + flow("y", "e")
    playground, _ = started(process(body))
    (job,) = playground.jobs("a")
    change(playground, job.element_instance_key, local=True, v=b"1")
    assert (len(playground.jobs("b")), len(playground.jobs("e"))) == (1, 0)


def test_the_outer_scope_is_interrupted_before_the_inner_one() -> None:
    inner = '<startEvent id="s"/>' + task("a") + path("s", "a")
    inner += boundary("x", "a", when("=v = 1")) + task("b")
    body = START + f'<subProcess id="sub">{inner}{flow("x", "b")}</subProcess>' + task("c")
    body += boundary("y", "sub", when("=v = 1")) + path("start", "sub") + flow("y", "c")
    playground, key = started(process(body))
    change(playground, key, v=b"1")
    assert len(playground.happened(ConditionalSubscriptionTriggered)) == 1
    playground.work("c")
    assert playground.is_over(key)


@pytest.mark.parametrize(("events", "times"), [("", 2), ("create", 1), ("update", 1), ("create, update", 2)])
def test_a_filter_leaves_changes_out(events: str, times: int) -> None:
    playground, key = started(guarded("=v &gt; 10", interrupting=False, events=events))
    change(playground, key, v=b"11")
    change(playground, key, v=b"12")
    assert len(playground.jobs("b")) == times


def test_a_loop_of_conditions_comes_to_an_incident() -> None:
    """What a condition sets off changes the very variable that it reads."""
    inside = '<scriptTask id="again"><extensionElements><zeebe:script expression="=v + 1"'
    inside += ' resultVariable="v"/></extensionElements></scriptTask>' + path("es_start", "again")
    body = START + task("a") + path("start", "a")
    content = process(body + event_sub_process("es", when("=v &gt; 10"), inside, interrupting=False))
    playground, key = started(content, v=b"5")
    change(playground, key, v=b"11")
    assert [incident.type for incident in playground.happened(IncidentCreated)] == ["UNKNOWN"]
    playground.do(CancelProcessInstance(key))
    assert playground.is_over(key)


def test_a_condition_leaves_nothing_behind() -> None:
    playground = Playground()
    before = set(rows_of(playground.replayed()))
    playground.deploy(guarded("=v &gt; 10"))
    key = playground.create()
    assert len(playground.happened(ConditionalSubscriptionCreated)) == 1
    playground.work("a")
    assert playground.is_over(key)
    assert {row for row in rows_of(playground.replayed()) if row[:1] != b"d"} == before
    assert rows_of(playground.replayed()) == rows_of(playground.state)


@pytest.mark.parametrize(
    ("definition", "reason"),
    [
        ("<conditionalEventDefinition/>", "must have exactly one condition"),
        (when("v"), "expected an expression but found the static value 'v'"),
        (when("=v >"), "failed to parse expression"),
        (when("=v", "delete"), "'delete' is no event of a variable"),
    ],
)
def test_what_is_wrong_with_a_condition_is_told(definition: str, reason: str) -> None:
    body = START + task("a") + boundary("x", "a", definition) + flow("x", "a")
    rejected = Playground().rejected(Deploy((Resource("a.bpmn", process(body)),)))
    assert reason in rejected.reason


def starting(condition: str, *, process_id: str = "process", job_type: str = "a") -> bytes:
    begin = f'<startEvent id="begin">{when(condition)}</startEvent>'
    return process(begin + task("a", job_type) + path("begin", "a"), process_id=process_id)


def evaluated(playground: Playground, definition_key: int = 0, **variables: bytes) -> list[int]:
    """The definitions of the instances that were started."""
    outcome = playground.do(EvaluateConditionals(variables, definition_key))
    assert isinstance(outcome, ConditionalsEvaluated), outcome
    for _, instance_key in outcome.instances:
        assert not playground.is_over(instance_key)
    return [key for key, _ in outcome.instances]


def test_instances_start_where_the_condition_holds_for_the_variables() -> None:
    playground = Playground()
    deployed = playground.deploy(
        starting("=v &gt; 10"), starting("=v &gt; 20", process_id="other", job_type="b")
    )
    first, second = (definition.key for definition in deployed.processes)
    assert evaluated(playground, v=b"5") == []
    assert evaluated(playground, v=b"11") == [first]
    assert sorted(evaluated(playground, v=b"21", w=b"1")) == [first, second]
    assert playground.jobs("b")[0].variables == {"v": b"21", "w": b"1"}


def test_one_definition_can_be_asked_for() -> None:
    playground = Playground()
    deployed = playground.deploy(starting("=v &gt; 10"), starting("=v &gt; 10", process_id="other"))
    key = deployed.processes[1].key
    assert evaluated(playground, key, v=b"11") == [key]


def test_a_definition_that_is_not_there_cannot_be_asked_for() -> None:
    rejected = Playground().rejected(EvaluateConditionals({}, 9))
    assert rejected.type is RejectionType.NOT_FOUND


def test_only_the_latest_version_is_looked_at() -> None:
    playground = Playground()
    playground.deploy(starting("=v &gt; 10"))
    latest = playground.deploy(starting("=v &gt; 20")).processes[0].key
    assert evaluated(playground, v=b"11") == []
    assert evaluated(playground, v=b"21") == [latest]


def test_a_condition_that_is_none_starts_nothing() -> None:
    playground = Playground()
    playground.deploy(starting("=v"))
    assert evaluated(playground, v=b"5") == []


def test_a_condition_stands_at_one_start_event_of_a_process() -> None:
    begin = "".join(f'<startEvent id="{name}">{when("=v")}</startEvent>' for name in ("one", "two"))
    content = process(begin + task("a") + flow("one", "a") + flow("two", "a"))
    rejected = Playground().rejected(Deploy((Resource("a.bpmn", content),)))
    assert "another start event already waits for 'v'" in rejected.reason
