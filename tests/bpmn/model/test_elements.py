import pytest

from bpmnd.bpmn.elements.pass_through_task import PassThroughTask
from bpmnd.bpmn.feel import Expression
from bpmnd.bpmn.model.graph import (
    BoundaryEvent,
    CatchEvent,
    ElementType,
    ErrorDefinition,
    Mapping,
    SequenceFlow,
    ServiceTask,
    SubProcess,
    ThrowEvent,
    TimerDefinition,
    TimerKind,
)
from bpmnd.bpmn.model.multiple import MultipleDefinition
from tests.bpmn.model.models import (
    END,
    START,
    WORK,
    boundary,
    catch,
    element,
    flow,
    model,
    reasons,
    sub_process,
    task,
    timer,
)

JOB = '<zeebe:taskDefinition type="pay"/>'
ERRORS = '<error id="refused" errorCode="REFUSED"/><error id="plain"/><error id="computed" errorCode="=x"/>'
HOST = START + WORK + END
NO_CYCLE = "is not an ISO 8601 repeating interval or a cron expression of six fields"


def service_task(extensions: str, kind: str = "serviceTask") -> ServiceTask:
    found = element(model(START + task(extensions, kind=kind)), "task")
    assert isinstance(found, ServiceTask)
    return found


def error(reference: str) -> str:
    return f'<errorEventDefinition errorRef="{reference}"/>' if reference else "<errorEventDefinition/>"


def mapping(name: str, source: str, target: str) -> str:
    return f'<zeebe:ioMapping><zeebe:{name} source="{source}" target="{target}"/></zeebe:ioMapping>'


@pytest.mark.parametrize(
    ("kind", "element_type"),
    [
        ("serviceTask", ElementType.SERVICE_TASK),
        ("sendTask", ElementType.SEND_TASK),
        ("scriptTask", ElementType.SCRIPT_TASK),
        ("businessRuleTask", ElementType.BUSINESS_RULE_TASK),
    ],
)
def test_a_task_with_a_job_type_is_worked_by_job_workers(kind: str, element_type: ElementType) -> None:
    found = service_task(JOB, kind)
    assert (found.element_type, found.job.type) == (element_type, "pay")


@pytest.mark.parametrize(
    ("kind", "element_type"), [("task", ElementType.TASK), ("manualTask", ElementType.MANUAL_TASK)]
)
def test_a_task_without_work_is_passed_through(kind: str, element_type: ElementType) -> None:
    found = element(model(START + task(JOB, kind=kind)), "task")
    assert isinstance(found, PassThroughTask)
    assert found.element_type == element_type


@pytest.mark.parametrize("attribute", ["", 'retries=""'])
def test_a_job_has_three_retries_unless_told_otherwise(attribute: str) -> None:
    assert service_task(f'<zeebe:taskDefinition type="pay" {attribute}/>').job.retries == "3"


def test_a_job_type_may_be_an_expression() -> None:
    assert isinstance(service_task('<zeebe:taskDefinition type="= kind"/>').job.type, Expression)


@pytest.mark.parametrize("text", ["=", " =kind", " "])
def test_only_text_behind_a_leading_equals_sign_is_an_expression(text: str) -> None:
    assert service_task(f'<zeebe:taskDefinition type="{text}"/>').job.type == text


@pytest.mark.parametrize("definition", ["<zeebe:taskDefinition/>", '<zeebe:taskDefinition type=""/>'])
def test_a_job_type_must_not_be_empty(definition: str) -> None:
    assert reasons(model(START + task(definition))) == [
        ("task", "the type of the zeebe:taskDefinition must not be empty")
    ]


@pytest.mark.parametrize("extensions", ["", JOB + JOB])
def test_a_service_task_has_exactly_one_task_definition(extensions: str) -> None:
    assert reasons(model(START + task(extensions))) == [
        ("task", "must have exactly one zeebe:taskDefinition extension element")
    ]


def test_headers_are_kept_in_order_without_the_incomplete_ones() -> None:
    headers = '<zeebe:header key="b" value="1"/><zeebe:header key="c" value=""/><zeebe:header value="2"/>'
    found = service_task(
        f'{JOB}<zeebe:taskHeaders>{headers}<zeebe:header key="a" value="3"/></zeebe:taskHeaders>'
    )
    assert found.job.headers == (("b", "1"), ("a", "3"))


def test_the_key_of_a_header_is_given_once() -> None:
    headers = '<zeebe:header key="a" value="1"/>' * 2
    content = model(START + task(f"{JOB}<zeebe:taskHeaders>{headers}</zeebe:taskHeaders>"))
    assert reasons(content) == [("task", "headers contain duplicate entries for key 'a'")]


def test_an_expression_that_does_not_compile_is_a_problem() -> None:
    ((element_id, reason),) = reasons(model(START + task('<zeebe:taskDefinition type="= 1 +"/>')))
    assert element_id == "task"
    assert reason.startswith("failed to parse expression ' 1 +'")


def test_what_is_wrong_with_a_long_expression_is_told() -> None:
    ((_, reason),) = reasons(model(START + task(f'<zeebe:taskDefinition type="= {"1 + " * 500}"/>')))
    assert "…' at character " in reason


def test_a_mapping_leads_from_a_source_to_a_path() -> None:
    assert service_task(JOB + mapping("input", "12", "a.b_1.c")).inputs == (Mapping("12", ("a", "b_1", "c")),)


def test_the_source_of_an_output_is_an_expression() -> None:
    (output,) = service_task(JOB + mapping("output", "=a", "b")).outputs
    assert isinstance(output.source, Expression)


def test_the_source_of_an_output_is_not_static() -> None:
    ((_, reason),) = reasons(model(START + task(JOB + mapping("output", "a", "b"))))
    assert reason == "expected an expression but found the static value 'a'; an expression starts with '='"


def test_the_source_of_an_input_is_not_empty() -> None:
    ((_, reason),) = reasons(model(START + task(JOB + mapping("input", "", "b"))))
    assert reason == "the source of a variable mapping must not be empty"


@pytest.mark.parametrize("target", ["", "1b", "a b", "a.", ".a", "=a", "a[1]", "ä", "a-b", " a"])
def test_the_target_of_a_mapping_is_made_of_names(target: str) -> None:
    ((_, reason),) = reasons(model(START + task(JOB + mapping("input", "=a", target))))
    assert reason == f"the target '{target}' of a variable mapping must be names joined by dots"


def test_the_target_of_a_mapping_is_no_word_of_feel() -> None:
    ((_, reason),) = reasons(model(START + task(JOB + mapping("input", "=a", "null"))))
    assert reason == "the target 'null' of a variable mapping is a reserved word"


@pytest.mark.parametrize("kind", ["exclusiveGateway", "parallelGateway", "task", "manualTask"])
def test_mappings_are_left_out_where_they_have_no_effect(kind: str) -> None:
    found = element(
        model(START + task(mapping("input", "=a", "b") + mapping("output", "=a", "b"), kind=kind)), "task"
    )
    assert not isinstance(found, SequenceFlow)
    assert (found.inputs, found.outputs) == ((), ())


@pytest.mark.parametrize("kind", ["startEvent", "endEvent"])
def test_none_events_have_outputs_only(kind: str) -> None:
    mappings = mapping("input", "=a", "b") + mapping("output", "=a", "b")
    found = element(model(task(mappings, kind=kind) + (START if kind == "endEvent" else "")), "task")
    assert not isinstance(found, SequenceFlow)
    assert (len(found.inputs), len(found.outputs)) == (0, 1)


@pytest.mark.parametrize(
    ("kind", "text"),
    [("timeDuration", "PT1H"), ("timeDate", "2030-01-01T00:00:00Z"), ("timeDuration", "\n  PT1H\n")],
)
def test_a_timer_catch_event_waits_for_a_duration_or_a_date(kind: str, text: str) -> None:
    found = element(model(START + catch(timer(kind, text))), "catch")
    assert isinstance(found, CatchEvent)
    assert found.trigger == TimerDefinition(TimerKind(kind), text.strip())


def test_a_timer_may_be_an_expression() -> None:
    found = element(model(START + catch(timer("timeDate", "= due"))), "catch")
    assert isinstance(found, CatchEvent)
    assert isinstance(found.trigger, TimerDefinition)
    assert isinstance(found.trigger.value, Expression)


def test_a_timer_catch_event_does_not_repeat() -> None:
    assert reasons(model(START + catch(timer("timeCycle", "R3/PT1H")))) == [
        ("catch", "an intermediate timer catch event must have a timeDuration or a timeDate")
    ]


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("timeDuration", "1h", "'1h' is not an ISO 8601 duration"),
        ("timeDate", "2030-01-01", "'2030-01-01' is not an ISO 8601 date-time with an offset"),
        ("timeCycle", "PT1H", f"'PT1H' {NO_CYCLE}"),
        ("timeCycle", "0 0 * * *", f"'0 0 * * *' {NO_CYCLE}"),
        ("timeCycle", "0 0 0 31 2 *", f"'0 0 0 31 2 *' {NO_CYCLE}"),
    ],
)
def test_a_literal_timer_is_checked(kind: str, text: str, reason: str) -> None:
    content = model(HOST + boundary(timer(kind, text), attributes='cancelActivity="false"'))
    assert reasons(content) == [("boundary", reason)]


@pytest.mark.parametrize("inside", ["", "<timeDate>=a</timeDate><timeDuration>=b</timeDuration>"])
def test_a_timer_is_of_one_kind(inside: str) -> None:
    assert reasons(model(START + catch(f"<timerEventDefinition>{inside}</timerEventDefinition>"))) == [
        ("catch", "must have exactly one of timeDuration, timeDate or timeCycle")
    ]


@pytest.mark.parametrize(("attributes", "interrupting"), [("", True), ('cancelActivity="false"', False)])
def test_a_timer_boundary_event_interrupts_unless_told_otherwise(attributes: str, interrupting: bool) -> None:
    content = model(HOST + boundary(timer("timeDuration", "PT1H"), attributes=attributes))
    found = element(content, "boundary")
    assert isinstance(found, BoundaryEvent)
    assert found.interrupting is interrupting


def test_a_non_interrupting_timer_boundary_event_may_repeat() -> None:
    content = model(HOST + boundary(timer("timeCycle", "R3/PT1H"), attributes='cancelActivity="false"'))
    found = element(content, "boundary")
    assert isinstance(found, BoundaryEvent)
    assert found.trigger == TimerDefinition(TimerKind.CYCLE, "R3/PT1H")


def test_an_interrupting_timer_boundary_event_does_not_repeat() -> None:
    assert reasons(model(HOST + boundary(timer("timeCycle", "R3/PT1H")))) == [
        ("boundary", "an interrupting timer boundary event must not have a timeCycle")
    ]


@pytest.mark.parametrize(
    ("reference", "code"), [("refused", "REFUSED"), ("tns:refused", "REFUSED"), ("plain", None), ("", None)]
)
def test_an_error_boundary_event_catches_a_code_or_every_error(reference: str, code: str | None) -> None:
    found = element(model(HOST + boundary(error(reference)), beside=ERRORS), "boundary")
    assert isinstance(found, BoundaryEvent)
    assert found.trigger == ErrorDefinition(code)


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("unknown", "references the error 'unknown', which does not exist"),
        ("computed", "the code of an error to catch must not be an expression"),
    ],
)
def test_an_error_to_catch_is_known_and_static(reference: str, reason: str) -> None:
    assert reasons(model(HOST + boundary(error(reference)), beside=ERRORS)) == [("boundary", reason)]


def test_an_error_boundary_event_always_interrupts() -> None:
    content = model(HOST + boundary(error(""), attributes='cancelActivity="false"'))
    assert reasons(content) == [("boundary", "an error boundary event must interrupt")]


def test_an_error_end_event_throws_a_code() -> None:
    content = model(START + f'<endEvent id="end">{error("refused")}</endEvent>', beside=ERRORS)
    found = element(content, "end")
    assert isinstance(found, ThrowEvent)
    assert found.throws == ErrorDefinition("REFUSED")


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("", "must reference an error"),
        ("unknown", "references the error 'unknown', which does not exist"),
        ("plain", "the code of an error to throw must be present and not empty"),
    ],
)
def test_an_error_to_throw_has_a_code(reference: str, reason: str) -> None:
    content = model(START + f'<endEvent id="end">{error(reference)}</endEvent>', beside=ERRORS)
    assert reasons(content) == [("end", reason)]


@pytest.mark.parametrize("event", [catch(""), HOST + boundary("")])
def test_a_catching_event_has_a_definition(event: str) -> None:
    start = "" if START in event else START
    ((_, reason),) = reasons(model(start + event))
    assert reason == "must have at least one event definition"


def test_an_event_may_have_several_definitions() -> None:
    node = element(
        model(START + catch(timer("timeDuration", "PT1H") + timer("timeDuration", "PT2H"))), "catch"
    )
    assert isinstance(node, CatchEvent)
    assert node.trigger == MultipleDefinition(
        (TimerDefinition(TimerKind.DURATION, "PT1H"), TimerDefinition(TimerKind.DURATION, "PT2H"))
    )


def test_a_sub_process_is_started_through_its_start_event() -> None:
    content = model(START + sub_process('<startEvent id="inner"/>'))
    sub, inner = element(content, "sub"), element(content, "inner")
    assert isinstance(sub, SubProcess)
    assert (sub.start_event, inner.scope) == (inner.index, sub.index)


def test_a_flag_is_true_or_false() -> None:
    content = model(HOST + boundary(timer("timeDuration", "PT1H"), attributes='cancelActivity="maybe"'))
    assert reasons(content) == [
        ("boundary", "'maybe' is not a value for cancelActivity; write 'true' or 'false'")
    ]


def test_a_condition_is_an_expression() -> None:
    found = element(
        model(START + '<exclusiveGateway id="xor"/>' + END + flow("yes", "xor", "end", " = paid ")), "yes"
    )
    assert isinstance(found, SequenceFlow)
    assert isinstance(found.condition, Expression)


@pytest.mark.parametrize("condition", ["paid", "", "=", " = "])
def test_a_condition_is_not_static(condition: str) -> None:
    content = model(START + '<exclusiveGateway id="xor"/>' + END + flow("yes", "xor", "end", condition))
    ((element_id, reason),) = reasons(content)
    assert element_id == "yes"
    assert reason.startswith("expected an expression but found the static value")
