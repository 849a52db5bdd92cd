"""Complex gateways (BPMN 2.0, §13.4.5), on the pure engine."""

from itertools import permutations

import pytest

from bpmnd.bpmn.commands import (
    ActivateInstruction,
    CancelProcessInstance,
    CompleteJob,
    CreateProcessInstance,
    MigrateProcessInstance,
    ModifyProcessInstance,
    ResolveIncident,
    SetVariables,
    ThrowJobError,
)
from bpmnd.bpmn.events import ElementTerminated, GatewayReset, GatewayStarted, IncidentCreated
from bpmnd.bpmn.outcomes import Accepted
from bpmnd.bpmn.state.records import decode_instance, encode_instance
from tests.bpmn.events import boundary
from tests.bpmn.model.models import reasons
from tests.bpmn.playground import END, START, Playground, flow, path, process, rows_of, task
from tests.bpmn.test_flow import ERRORS


def complex_gateway(gateway_id: str, condition: str = "", default: str = "") -> str:
    attribute = f' default="{default}"' if default else ""
    inside = f"<activationCondition>{condition}</activationCondition>" if condition else ""
    return f'<complexGateway id="{gateway_id}"{attribute}>{inside}</complexGateway>'


def started(body: str, variables: dict[str, bytes] | None = None) -> tuple[Playground, int]:
    playground = Playground()
    playground.deploy(process(body, definitions=ERRORS))
    return playground, playground.create(variables)


FORK = START + '<parallelGateway id="fork"/>' + flow("start", "fork")
BRANCHES = FORK + "".join(task(each) + flow("fork", each) + flow(each, "join") for each in "abc")


def joined(condition: str, more: str = "", *, default: str = "") -> str:
    after = more or task("after") + flow("join", "after")
    return BRANCHES + complex_gateway("join", condition, default) + after


TWO_OF_THREE = joined("=activationCount &gt;= 2")


@pytest.mark.parametrize("order", [*permutations("abc")])
def test_it_starts_when_its_condition_holds_and_lets_the_others_pass_without_effect(
    order: tuple[str, str, str],
) -> None:
    playground, key = started(TWO_OF_THREE)
    playground.work(order[0])
    assert not playground.jobs("after")
    playground.work(order[1])
    (job,) = playground.jobs("after")
    playground.do(CompleteJob(job.key))
    assert not playground.is_over(key)
    playground.work(order[2])
    assert not playground.jobs("after")
    assert playground.is_over(key)
    assert len(playground.happened(GatewayReset)) == 1


def test_it_starts_with_the_tokens_that_are_there() -> None:
    playground, _ = started(TWO_OF_THREE)
    playground.work("a")
    playground.work("c")
    (begun,) = playground.happened(GatewayStarted)
    assert len(begun.flows) == 2


def test_what_comes_late_goes_on_where_the_conditions_of_the_reset_hold() -> None:
    more = (
        task("first")
        + task("late")
        + flow("join", "first", "=waitingForStart")
        + flow("join", "late", "=not(waitingForStart)")
    )
    playground, key = started(joined("=activationCount &gt;= 1", more))
    playground.work("b")
    playground.work("first")
    assert not playground.jobs("late")
    playground.work("a")
    assert not playground.jobs("late")  # One can still come.
    playground.work("c")
    playground.work("late")
    assert playground.is_over(key)


def test_at_the_reset_the_default_flow_is_taken_if_no_condition_holds() -> None:
    more = task("first") + task("late") + flow("join", "first", "=waitingForStart") + flow("join", "late")
    playground, key = started(joined("=activationCount &gt;= 2", more, default="join_late"))
    for each in ("a", "b", "first", "c", "late"):
        playground.work(each)
    assert playground.is_over(key)


def test_the_tokens_of_each_flow_can_be_asked_for() -> None:
    playground, _ = started(joined("=activationCounts.a_join + activationCounts.b_join = 2"))
    playground.work("c")
    playground.work("a")
    assert not playground.jobs("after")
    playground.work("b")
    assert len(playground.jobs("after")) == 1


def test_the_condition_sees_the_variables() -> None:
    playground, _ = started(joined("=activationCount &gt;= needed"), {"needed": b"3"})
    playground.work("a")
    playground.work("b", {"needed": b"2"})
    assert len(playground.jobs("after")) == 1


def test_a_token_that_is_gone_is_not_waited_for() -> None:
    caught = boundary("caught", "c", "<errorEventDefinition/>") + task("other") + flow("caught", "other")
    playground, key = started(TWO_OF_THREE + caught)
    playground.work("a")
    playground.work("b")
    playground.work("after")
    (job,) = playground.jobs("c")
    playground.do(ThrowJobError(job.key, "E1"))
    assert len(playground.happened(GatewayReset)) == 1
    playground.work("other")
    assert playground.is_over(key)


def test_it_starts_anew_after_its_reset() -> None:
    body = (
        BRANCHES
        + '<exclusiveGateway id="again" default="again_end"/>'
        + END
        + complex_gateway("join", "=activationCount &gt;= 2")
        + task("after")
        + path("join", "after", "again", "end")
    )
    body = body.replace(
        '<parallelGateway id="fork"/>', '<exclusiveGateway id="in"/><parallelGateway id="fork"/>'
    )
    body = body.replace(flow("start", "fork"), path("start", "in", "fork")) + flow("again", "in", "=again")
    playground, key = started(body, {"again": b"true"})
    for each in ("a", "b", "c"):
        playground.work(each)
    playground.work("after")
    playground.work("a")
    playground.work("c")
    playground.work("after", {"again": b"false"})
    playground.work("b")
    assert playground.is_over(key)
    assert len(playground.happened(GatewayStarted)) == len(playground.happened(GatewayReset)) == 2


def test_several_tokens_of_one_flow_are_for_several_starts() -> None:
    body = (
        FORK
        + '<exclusiveGateway id="merge"/>'
        + "".join(task(each) + flow("fork", each) for each in "abc")
        + flow("a", "merge")
        + flow("b", "merge")
        + flow("merge", "join")
        + flow("c", "join")
        + complex_gateway("join", "=activationCount &gt;= 1")
        + task("after")
        + flow("join", "after")
    )
    playground, key = started(body)
    playground.work("a")
    playground.work("after")
    playground.work("b")
    assert not playground.jobs("after")  # It waits for c, and only then for another start.
    playground.work("c")
    playground.work("after")
    assert playground.is_over(key)


def test_a_condition_that_never_holds_keeps_the_tokens() -> None:
    playground, key = started(joined("=activationCount &gt;= 4"))
    for each in "abc":
        playground.work(each)
    assert not playground.jobs("after")
    assert not playground.is_over(key)
    playground.do(CancelProcessInstance(key))
    assert playground.is_over(key)


def test_a_condition_that_is_no_truth_is_an_incident_that_can_be_resolved() -> None:
    playground, key = started(joined("=activationCount &gt;= needed"))
    playground.work("a")
    playground.work("b")
    (incident,) = playground.happened(IncidentCreated)
    assert "'BOOLEAN', but was 'NULL'" in incident.message

    playground.do(SetVariables(key, {"needed": b"2"}))
    playground.do(ResolveIncident(incident.key))

    assert len(playground.jobs("after")) == 1


def test_without_a_flow_to_take_the_tokens_stay_before_it() -> None:
    more = task("after") + task("other") + flow("join", "after", "=x = 1") + flow("join", "other", "=x = 2")
    playground, key = started(joined("=activationCount &gt;= 2", more), {"x": b"3"})
    playground.work("a")
    playground.work("b")
    (incident,) = playground.happened(IncidentCreated)
    assert incident.type == "CONDITION_ERROR"
    assert not playground.happened(GatewayStarted)

    playground.do(SetVariables(key, {"x": b"1"}))
    playground.do(ResolveIncident(incident.key))

    assert len(playground.jobs("after")) == 1


def test_a_reset_that_fails_is_an_incident_that_can_be_resolved() -> None:
    more = (
        task("after")
        + task("late")
        + flow("join", "after", "=waitingForStart")
        + flow("join", "late", "=if waitingForStart then false else late")
    )
    playground, key = started(joined("=activationCount &gt;= 2", more))
    for each in "abc":
        playground.work(each)
    (incident,) = playground.happened(IncidentCreated)
    assert not playground.happened(GatewayReset)

    playground.do(SetVariables(key, {"late": b"true"}))
    playground.do(ResolveIncident(incident.key))

    assert len(playground.jobs("late")) == 1


def test_with_one_incoming_flow_it_is_an_inclusive_gateway() -> None:
    body = (
        START
        + complex_gateway("fork", default="fork_c")
        + "".join(task(each) for each in "abc")
        + flow("start", "fork")
        + flow("fork", "a", "=x &gt; 1")
        + flow("fork", "b", "=x &gt; 2")
        + flow("fork", "c")
    )
    playground, _ = started(body, {"x": b"3"})
    assert [len(playground.jobs(each)) for each in "abc"] == [1, 1, 0]
    playground, _ = started(body, {"x": b"0"})
    assert [len(playground.jobs(each)) for each in "abc"] == [0, 0, 1]


def test_it_waits_within_its_own_scope() -> None:
    inner = TWO_OF_THREE.replace(START, '<startEvent id="start"/>')
    body = (
        '<startEvent id="begin"/><parallelGateway id="both"/>'
        + f'<subProcess id="sub">{inner}</subProcess>'
        + task("beside")
        + task("end_of_it")
        + path("begin", "both", "sub", "end_of_it")
        + flow("both", "beside")
    )
    playground, key = started(body)
    for each in ("a", "c", "after", "b", "end_of_it", "beside"):
        playground.work(each)
    assert playground.is_over(key)


def test_a_gateway_that_waits_for_its_reset_is_terminated_with_its_instance() -> None:
    playground, key = started(TWO_OF_THREE)
    playground.work("a")
    playground.work("b")
    playground.do(CancelProcessInstance(key))
    assert playground.is_over(key)
    assert len(playground.happened(ElementTerminated)) == 4


def test_it_can_be_activated_by_hand_and_waits_for_what_can_come() -> None:
    playground, key = started(TWO_OF_THREE)
    activate = ActivateInstruction("join")
    assert playground.do(ModifyProcessInstance(key, (activate,))) == Accepted()
    playground.work("after")
    for each in "abc":
        playground.work(each)
    assert playground.is_over(key)


def test_an_instance_can_start_at_it() -> None:
    playground = Playground()
    playground.deploy(process(TWO_OF_THREE))
    playground.do(CreateProcessInstance("process", start_elements=("join",)))
    playground.work("after")
    assert playground.state.completed == 1


def test_it_goes_on_waiting_in_another_definition() -> None:
    playground, key = started(TWO_OF_THREE)
    playground.work("a")
    playground.work("b")
    changed = TWO_OF_THREE.replace(task("a"), task("other") + task("a")) + flow("after", "other")
    target = playground.deploy(process(changed, definitions=ERRORS)).processes[0].key
    mappings = tuple((each, each) for each in ("c", "join", "after"))
    assert playground.do(MigrateProcessInstance(key, target, mappings)) == Accepted()
    playground.work("c")
    assert len(playground.happened(GatewayReset)) == 1
    playground.work("after")
    playground.work("other")
    assert playground.is_over(key)


def test_an_instance_with_one_is_read_as_it_was_written_and_replayed() -> None:
    playground, key = started(TWO_OF_THREE)
    playground.work("a")
    playground.work("b")
    instance = playground.state.instances.get(key)
    assert instance is not None
    assert instance.started_gateways
    assert decode_instance(encode_instance(instance)) == instance
    playground.work("c")
    assert rows_of(playground.replayed()) == rows_of(playground.state)


def test_several_incoming_flows_need_a_condition() -> None:
    content = process(BRANCHES + complex_gateway("join") + END + flow("join", "end"))
    reason = "a complex gateway with several incoming flows must have an activationCondition"
    assert reasons(content) == [("join", reason)]


def test_a_condition_must_be_an_expression() -> None:
    (found,) = reasons(process(joined("two of three")))
    assert found[0] == "join"
    assert "expected an expression" in found[1]
