import pytest

from tests.bpmn.model.models import (
    END,
    START,
    WORK,
    boundary,
    definitions,
    flow,
    model,
    process,
    reasons,
    sub_process,
    timer,
)

HOUR = timer("timeDuration", "PT1H")
XOR = '<exclusiveGateway id="xor"/>'


def test_a_process_without_a_start_event_is_refused() -> None:
    assert reasons(model("")) == [("process", "a process must have a start event")]


def test_a_process_has_one_none_start_event() -> None:
    assert reasons(model(START + '<startEvent id="other"/>')) == [
        ("other", "the process 'process' must not have a second none start event")
    ]


def test_a_sub_process_without_a_start_event_is_refused() -> None:
    assert reasons(model(START + sub_process(""))) == [("sub", "a subProcess must have a start event")]


def test_a_sub_process_has_one_start_event() -> None:
    content = model(START + sub_process('<startEvent id="one"/><startEvent id="two"/>'))
    assert reasons(content) == [("two", "the subProcess 'sub' must not have a second none start event")]


def test_elements_need_no_flows() -> None:
    assert reasons(model(START + WORK + END + XOR)) == []


def test_a_start_event_may_have_incoming_flows_as_in_zeebe() -> None:
    assert reasons(model(START + WORK + flow("out", "start", "work") + flow("back", "work", "start"))) == []


def test_a_flow_may_lead_back_to_its_source() -> None:
    assert reasons(model(START + WORK + flow("again", "work", "work"))) == []


@pytest.mark.parametrize(("end", "attribute"), [("sourceRef", "targetRef"), ("targetRef", "sourceRef")])
def test_a_flow_has_two_ends(end: str, attribute: str) -> None:
    content = model(START + f'<sequenceFlow id="flow" {attribute}="start"/>')
    assert reasons(content) == [("flow", f"a sequence flow must have a {end}")]


def test_a_flow_leads_to_an_element_of_its_process() -> None:
    content = definitions(
        process(START + flow("flow", "start", "elsewhere"))
        + process('<startEvent id="elsewhere"/>', id_="other")
    )
    assert reasons(content) == [("flow", "the targetRef 'elsewhere' does not exist in this process")]


@pytest.mark.parametrize(("target", "name"), [("process", "process"), ("flow", "sequenceFlow")])
def test_a_flow_leads_to_what_can_be_entered(target: str, name: str) -> None:
    assert reasons(model(START + flow("flow", "start", target))) == [
        ("flow", f"the targetRef '{target}' is a {name}, which no flow can meet")
    ]


@pytest.mark.parametrize(("source", "target"), [("start", "inner"), ("inner", "work")])
def test_a_flow_does_not_cross_the_border_of_a_sub_process(source: str, target: str) -> None:
    content = model(START + WORK + sub_process('<startEvent id="inner"/>') + flow("flow", source, target))
    assert reasons(content) == [("flow", "a sequence flow must not cross the border of a sub-process")]


@pytest.mark.parametrize(
    "inside",
    [START + '<task id="start"/>', START + flow("start", "start", "start"), '<startEvent id="process"/>'],
)
def test_an_id_is_given_once(inside: str) -> None:
    assert [reason for _, reason in reasons(model(inside)) if "already used in line 1" in reason]


def test_an_id_is_given_once_in_the_whole_file() -> None:
    other = process('<startEvent id="start"/>', id_="other", attributes="")
    assert reasons(model(START, beside=other)) == [("start", "the id 'start' is already used in line 1")]


@pytest.mark.parametrize("name", ["task", "sequenceFlow"])
def test_an_element_has_an_id(name: str) -> None:
    content = model(START + f'<{name} sourceRef="start" targetRef="start"/>')
    assert reasons(content) == [(None, f"a {name} must have an id")]


@pytest.mark.parametrize("id_", ["1a", "a b", "a:b", "-a", ".a", "a/b"])
def test_an_id_is_a_name(id_: str) -> None:
    content = definitions(process(START, id_=id_))
    assert reasons(content) == [
        (id_, "an id must begin with a letter or '_' and have neither spaces nor colons")
    ]


@pytest.mark.parametrize("id_", ["a", "_1", "ä", "a.b-c_d", "x" * 300])
def test_a_name_is_an_id(id_: str) -> None:
    assert reasons(definitions(process(START, id_=id_))) == []


def test_an_end_event_has_no_outgoing_flows() -> None:
    assert reasons(model(START + END + WORK + flow("flow", "end", "work"))) == [
        ("end", "an end event must not have outgoing sequence flows")
    ]


def test_every_flow_behind_a_choice_has_a_condition_or_is_the_default() -> None:
    flows = flow("bare", "xor", "end") + flow("yes", "xor", "end", "=true")
    assert reasons(model(START + XOR + END + flows)) == [
        ("bare", "must have a condition or be the default flow of its gateway")
    ]


def test_a_gateway_with_one_way_out_needs_no_condition() -> None:
    assert reasons(model(START + XOR + END + flow("only", "xor", "end"))) == []


def test_a_default_flow_may_have_a_condition_as_in_zeebe() -> None:
    gateway = '<exclusiveGateway id="xor" default="a"/>'
    flows = flow("a", "xor", "end", "=true") + flow("b", "xor", "end", "=true")
    assert reasons(model(START + gateway + END + flows)) == []


@pytest.mark.parametrize(
    ("default", "reason"),
    [
        ("into", "the default flow 'into' must start at 'xor'"),
        ("unknown", "the default flow 'unknown' does not exist in this process"),
        ("end", "the default flow 'end' does not exist in this process"),
    ],
)
def test_a_default_flow_starts_at_its_gateway(default: str, reason: str) -> None:
    gateway = f'<exclusiveGateway id="xor" default="{default}"/>'
    assert reasons(model(START + END + gateway + flow("into", "start", "xor"))) == [("xor", reason)]


@pytest.mark.parametrize(
    "source", ['<parallelGateway id="source"/>', '<intermediateThrowEvent id="source"/>']
)
def test_conditions_stand_behind_what_chooses(source: str) -> None:
    content = model(START + END + source + flow("flow", "source", "end", "=true"))
    reason = "a condition is only supported behind an activity, an exclusive or an inclusive gateway"
    assert reasons(content) == [("flow", reason)]


def test_a_boundary_event_is_attached() -> None:
    event = f'<boundaryEvent id="boundary">{HOUR}</boundaryEvent>' + flow("flow", "boundary", "end")
    assert reasons(model(START + END + event)) == [
        ("boundary", "a boundary event must have an attachedToRef")
    ]


@pytest.mark.parametrize(
    ("on", "reason"),
    [
        ("unknown", "the attachedToRef 'unknown' does not exist in this process"),
        ("start", "must be attached to an activity, not to the startEvent 'start'"),
        ("xor", "must be attached to an activity, not to the exclusiveGateway 'xor'"),
        ("boundary", "must be attached to an activity, not to the boundaryEvent 'boundary'"),
        ("process", "must be attached to an activity, not to the process 'process'"),
    ],
)
def test_a_boundary_event_is_attached_to_an_activity(on: str, reason: str) -> None:
    assert reasons(model(START + END + XOR + boundary(HOUR, on=on))) == [("boundary", reason)]


@pytest.mark.parametrize("kind", ["task", "manualTask"])
def test_a_boundary_event_may_be_attached_to_a_pass_through_task(kind: str) -> None:
    assert reasons(model(START + END + f'<{kind} id="work"/>' + boundary(HOUR))) == []


def test_a_boundary_event_stands_beside_its_activity() -> None:
    event = f'<boundaryEvent id="boundary" attachedToRef="work">{HOUR}</boundaryEvent>'
    inner = '<startEvent id="inner"/><endEvent id="over"/>' + event + flow("flow", "boundary", "over")
    assert reasons(model(START + WORK + sub_process(inner))) == [
        ("boundary", "must stand in the same sub-process as the activity 'work'")
    ]


def test_a_boundary_event_has_no_incoming_flows() -> None:
    content = model(START + WORK + END + boundary(HOUR) + flow("flow", "start", "boundary"))
    assert reasons(content) == [("boundary", "a boundary event must not have incoming sequence flows")]


def test_a_boundary_event_has_an_outgoing_flow() -> None:
    event = f'<boundaryEvent id="boundary" attachedToRef="work">{HOUR}</boundaryEvent>'
    assert reasons(model(START + WORK + event)) == [
        ("boundary", "a boundary event must have an outgoing sequence flow")
    ]


def test_an_activity_catches_an_error_code_once() -> None:
    errors = '<error id="a" errorCode="X"/><error id="b" errorCode="X"/>'
    events = boundary('<errorEventDefinition errorRef="a"/>', id_="one")
    events += boundary('<errorEventDefinition errorRef="b"/>', id_="two")
    assert reasons(model(START + WORK + END + events, beside=errors)) == [
        ("two", "another boundary event of 'work' already catches the error code 'X'")
    ]


def test_an_activity_catches_every_error_once() -> None:
    events = boundary("<errorEventDefinition/>", id_="one") + boundary("<errorEventDefinition/>", id_="two")
    assert reasons(model(START + WORK + END + events)) == [
        ("two", "another boundary event of 'work' already catches every error")
    ]


def test_an_activity_may_catch_a_code_and_every_other_error() -> None:
    events = boundary("<errorEventDefinition/>", id_="one")
    events += boundary('<errorEventDefinition errorRef="a"/>', id_="two")
    assert reasons(model(START + WORK + END + events, beside='<error id="a" errorCode="X"/>')) == []
