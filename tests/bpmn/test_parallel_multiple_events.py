"""Events that need all of their event definitions: in process instances, and at the start of processes."""

import pytest

from bpmnd.bpmn import gathering
from bpmnd.bpmn import variables as variables_module
from bpmnd.bpmn.commands import (
    CancelProcessInstance,
    CorrelateMessage,
    EvaluateConditionals,
    ResolveIncident,
    SetVariables,
)
from bpmnd.bpmn.events import (
    EventPartAwaited,
    EventPartsCleared,
    IncidentCreated,
)
from bpmnd.bpmn.outcomes import ConditionalsEvaluated, RejectionType
from tests.bpmn.events import (
    boundary,
    catch,
    event,
    event_sub_process,
    message,
    on_message,
    on_signal,
    signal,
    together,
)
from tests.bpmn.multiple import (
    ALL,
    ANY,
    BOTH,
    ON_ESCALATION,
    WAITING,
    Occurs,
    after,
    by_condition,
    by_message,
    by_signal,
    by_timer,
    every,
    ring,
    started,
    tell,
    when,
)
from tests.bpmn.playground import START, Playground, flow, path, process, rows_of, task

# All of them together


def test_a_parallel_catch_event_waits_for_all_of_its_definitions() -> None:
    playground, key = started(together(WAITING, "wait"))
    for occurs in ALL:
        assert playground.jobs("b") == ()
        occurs(playground, key)
    playground.work("b")
    assert playground.is_over(key)


def test_their_order_does_not_matter_and_all_their_variables_are_there() -> None:
    body = together(START + catch("wait", BOTH) + task("b") + path("start", "wait", "b"), "wait")
    for first, second in ((tell, ring), (ring, tell)):
        playground, key = started(body)
        for occur in (first, second):
            if occur is tell:
                tell(playground, "go", x=b"1", y=b"1")
            else:
                ring(playground, x=b"2")
        assert playground.work("b").variables == {"k": b'"1"', "x": b"2", "y": b"1"}
        assert playground.is_over(key)


def test_variables_are_not_seen_before_all_has_occurred() -> None:
    body = together(START + task("a") + boundary("x", "a", BOTH) + path("start", "a"), "x")
    playground, _ = started(body + task("b") + flow("x", "b"))
    tell(playground, "go", x=b"1")
    assert playground.work("a").variables == {"k": b'"1"'}


def test_what_occurs_twice_counts_once_with_its_latest_variables() -> None:
    body = together(START + catch("wait", BOTH) + task("b") + path("start", "wait", "b"), "wait")
    playground, _ = started(body)
    ring(playground, x=b"1")
    ring(playground, x=b"2")
    assert playground.jobs("b") == ()
    tell(playground, "go")
    assert playground.work("b").variables["x"] == b"2"


def test_a_parallel_boundary_event_begins_anew_when_it_has_gone_off() -> None:
    body = START + task("a") + boundary("x", "a", BOTH, interrupting=False) + task("b")
    playground, key = started(together(body + path("start", "a") + flow("x", "b"), "x"))
    for _ in range(2):
        tell(playground, "go")
        ring(playground)
    assert len(playground.jobs("b")) == 2
    ring(playground)
    assert len(playground.jobs("b", timeout_ms=1)) == 0
    playground.work("a")
    instance = playground.state.instances.get(key)
    assert instance is not None
    assert (instance.occurred, instance.subscriptions, instance.signals) == ({}, {}, {})


def test_it_takes_one_message_each_time_and_leaves_the_next_in_the_buffer() -> None:
    body = START + task("a") + boundary("x", "a", BOTH, interrupting=False) + task("b")
    playground, _ = started(together(body + path("start", "a") + flow("x", "b"), "x"))
    for number in (b"1", b"2"):
        tell(playground, "go", live_ms=60_000, x=number)
    ring(playground)
    assert playground.work("b").variables["x"] == b"1"
    ring(playground)
    assert playground.work("b").variables["x"] == b"2"


def test_messages_that_cannot_be_waited_for_again_are_an_incident() -> None:
    body = START + task("a") + boundary("x", "a", BOTH, interrupting=False) + task("b")
    playground, key = started(together(body + path("start", "a") + flow("x", "b"), "x"))
    playground.do(SetVariables(key, {"k": b"null"}))
    tell(playground, "go")
    ring(playground)
    (incident,) = playground.happened(IncidentCreated)
    playground.do(SetVariables(key, {"k": b'"1"'}))
    playground.do(ResolveIncident(incident.key))
    tell(playground, "go")
    ring(playground)
    assert len(playground.jobs("b")) == 2


@pytest.mark.parametrize("interrupting", [True, False])
def test_a_parallel_event_sub_process_begins_when_all_has_occurred(interrupting: bool) -> None:
    inside = task("b") + path("es_start", "b")
    body = START + task("a") + path("start", "a")
    body += event_sub_process("es", BOTH + when("=v = 1"), inside, interrupting=interrupting)
    playground, key = started(together(body, "es_start"))
    tell(playground, "go")
    ring(playground)
    assert playground.jobs("b") == ()
    by_condition(playground, key)
    playground.work("b")
    assert playground.is_over(key) is interrupting


def test_an_interrupted_scope_forgets_what_has_occurred_in_it() -> None:
    inside = task("b") + path("es_start", "b")
    body = START + task("a") + path("start", "a") + event_sub_process("es", BOTH, inside)
    other = event_sub_process("stops", on_message("n"), task("c") + path("stops_start", "c"))
    playground, key = started(together(body, "es_start") + other)
    ring(playground, x=b"1")
    tell(playground, "stop")
    instance = playground.state.instances.get(key)
    assert instance is not None
    assert (instance.occurred, len(playground.happened(EventPartsCleared))) == ({}, 1)
    playground.work("c")
    assert playground.is_over(key)


def test_of_a_gateway_the_event_goes_on_that_has_all_of_its_definitions_first() -> None:
    body = START + '<eventBasedGateway id="either"/>' + catch("all", BOTH) + catch("one", on_message("n"))
    body += task("b") + task("c") + path("start", "either", "all", "b") + path("either", "one", "c")
    for last, job in (("go", "b"), ("stop", "c")):
        playground, key = started(together(body, "all"))
        ring(playground)
        tell(playground, last)
        playground.work(job)
        assert playground.is_over(key)


@pytest.mark.parametrize("interrupting", [True, False])
def test_an_escalation_can_be_one_of_what_must_occur(interrupting: bool) -> None:
    inner = '<startEvent id="s0"/>' + task("a") + event("endEvent", "raise", ON_ESCALATION)
    body = START + f'<subProcess id="sub">{inner}{path("s0", "a", "raise")}</subProcess>'
    body += boundary("x", "sub", on_signal("s") + ON_ESCALATION, interrupting=interrupting) + task("b")
    body += task("after") + path("start", "sub", "after") + flow("x", "b")
    playground, _ = started(together(body, "x"))
    ring(playground)
    assert playground.jobs("b") == ()
    playground.work("a")
    assert len(playground.jobs("b")) == 1
    assert len(playground.jobs("after")) == (0 if interrupting else 1)


def test_an_escalation_before_the_rest_does_not_interrupt() -> None:
    inner = '<startEvent id="s0"/>' + event("intermediateThrowEvent", "raise", ON_ESCALATION) + task("a")
    body = START + f'<subProcess id="sub">{inner}{path("s0", "raise", "a")}</subProcess>'
    body += boundary("x", "sub", on_signal("s") + ON_ESCALATION) + task("b")
    playground, key = started(together(body + flow("start", "sub") + flow("x", "b"), "x"))
    assert len(playground.jobs("a")) == 1
    ring(playground)
    playground.work("b")
    assert playground.is_over(key)


def test_a_cycle_goes_on_by_itself() -> None:
    body = START + task("a") + boundary("x", "a", on_signal("s") + every("R/PT10S"), interrupting=False)
    playground, _ = started(together(body + task("b") + path("start", "a") + flow("x", "b"), "x"))
    playground.pass_time(25_000)
    ring(playground)
    ring(playground)
    assert len(playground.jobs("b")) == 1
    playground.pass_time(10_000)
    assert len(playground.jobs("b")) == 1


def test_what_has_occurred_counts_towards_the_size_of_the_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variables_module, "INSTANCE_SIZE_MAX", 100)
    body = together(START + catch("wait", BOTH) + task("b") + path("start", "wait", "b"), "wait")
    playground, key = started(body)
    ring(playground, x=b'"' + b"x" * 50 + b'"')
    tell(playground, "go", y=b'"' + b"y" * 50 + b'"')
    (incident,) = playground.happened(IncidentCreated)
    assert incident.type == "MESSAGE_SIZE_EXCEEDED"
    monkeypatch.setattr(variables_module, "INSTANCE_SIZE_MAX", 200)
    playground.do(ResolveIncident(incident.key))
    assert playground.work("b").variables.keys() == {"k", "x", "y"}
    assert playground.is_over(key)


def test_what_has_occurred_is_gone_when_the_instance_is_cancelled() -> None:
    playground, key = started(together(WAITING, "wait"))
    ring(playground, x=b"1")
    playground.do(CancelProcessInstance(key))
    assert playground.is_over(key)
    assert rows_of(playground.state) == rows_of(playground.replayed())


def test_a_log_says_which_definition_is_waited_for() -> None:
    playground, _ = started(WAITING)
    assert [waiting.part for waiting in playground.happened(EventPartAwaited)] == [1, 2, 3]


# Starting a process together

BEGIN = together(event("startEvent", "begin", ANY) + task("b") + path("begin", "b"), "begin")
STARTS = message("m", "go") + signal("s", "bell")


def deployed(body: str = BEGIN) -> Playground:
    playground = Playground()
    playground.deploy(process(body, definitions=STARTS))
    return playground


def hold(playground: Playground, key: int) -> None:
    playground.do(EvaluateConditionals({"v": b"1"}))


@pytest.mark.parametrize("last", range(4))
def test_a_process_starts_when_all_has_occurred_whatever_is_last(last: int) -> None:
    playground = deployed()
    occur: list[Occurs] = [by_signal, by_message, by_timer, hold]
    for occurs in occur[last + 1 :] + occur[: last + 1]:
        assert playground.jobs("b") == ()
        occurs(playground, 0)
    playground.work("b")
    assert not playground.state.start_parts.items


def test_what_starts_a_process_hands_its_variables_on() -> None:
    playground = deployed(BEGIN.replace(after("PT10S") + when("=v = 1"), ""))
    ring(playground, x=b"1", y=b"1")
    ring(playground, x=b"2")
    tell(playground, "go", z=b"3")
    assert playground.work("b").variables == {"x": b"2", "z": b"3"}


def test_a_message_is_one_of_what_starts_a_process_once() -> None:
    playground = deployed(BEGIN.replace(after("PT10S") + when("=v = 1"), ""))
    tell(playground, "go", live_ms=60_000)
    ring(playground)
    ring(playground)
    assert len(playground.jobs("b")) == 1


def test_a_client_cannot_correlate_a_message_that_starts_nothing_by_itself() -> None:
    playground = deployed()
    assert playground.rejected(CorrelateMessage("go", "1", {})).type is RejectionType.NOT_FOUND
    assert not playground.state.start_parts.items


def test_the_instance_that_a_condition_starts_at_last_is_answered() -> None:
    playground = deployed(BEGIN.replace(after("PT10S"), "").replace(on_message("m"), ""))
    ring(playground)
    outcome = playground.do(EvaluateConditionals({"v": b"1"}))
    assert isinstance(outcome, ConditionalsEvaluated)
    assert len(outcome.instances) == 1


def test_a_new_version_begins_with_nothing() -> None:
    both = BEGIN.replace(after("PT10S") + when("=v = 1"), "")
    playground = deployed(both)
    ring(playground)
    playground.deploy(process(both + task("c"), definitions=STARTS))
    assert not playground.state.start_parts.items
    tell(playground, "go")
    assert playground.jobs("b") == ()
    ring(playground)
    assert len(playground.jobs("b")) == 1


def test_what_no_instance_could_take_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "INSTANCE_SIZE_MAX", 10)
    playground = deployed(BEGIN.replace(after("PT10S") + when("=v = 1"), ""))
    ring(playground, x=b"12345")
    tell(playground, "go", x=b"67890")
    assert playground.jobs("b") == ()
    tell(playground, "go")
    assert len(playground.jobs("b")) == 1


def test_what_has_occurred_survives_a_restart() -> None:
    playground = deployed()
    ring(playground, x=b"1")
    assert playground.replayed().start_parts.items == playground.state.start_parts.items
    assert rows_of(playground.replayed()) == rows_of(playground.state)
