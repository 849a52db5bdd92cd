import pytest

from bpmnd.bpmn.commands import CreateProcessInstance, Deploy, ResolveIncident, Resource
from bpmnd.bpmn.events import (
    DecisionEvaluated,
    DecisionEvaluationFailed,
    ElementActivated,
    ElementCompleted,
    IncidentCreated,
)
from bpmnd.bpmn.outcomes import DeploymentCreated, ProcessInstanceCreated
from tests.bpmn.dmn.decisions import decision, dmn, table
from tests.bpmn.playground import END, START, Playground, io_mapping, path, process, rows_of

GRADE = dmn(decision("grade", table("UNIQUE", ["x"], ["o"], ["1", '"one"'], ["< 5", '"low"'])))


def calling(
    called: str = 'decisionId="grade" resultVariable="result"', mapping: str = "", process_id: str = "process"
) -> bytes:
    task = (
        f'<businessRuleTask id="decide"><extensionElements><zeebe:calledDecision {called}/>{mapping}'
        "</extensionElements></businessRuleTask>"
    )
    return process(START + task + END + path("start", "decide", "end"), process_id=process_id)


def deploy(playground: Playground, **files: bytes) -> DeploymentCreated:
    resources = tuple(
        Resource(f"{name}.{'dmn' if b'DMN' in content else 'bpmn'}", content)
        for name, content in files.items()
    )
    outcome = playground.do(Deploy(resources))
    assert isinstance(outcome, DeploymentCreated), outcome
    return outcome


def run(playground: Playground, **variables: bytes) -> dict[str, bytes]:
    """The variables of an instance that ran to its end."""
    playground.do(CreateProcessInstance("process", variables=variables, await_result=True))
    outcome = list(playground.answers.values())[-1]
    assert isinstance(outcome, ProcessInstanceCreated), outcome
    return outcome.variables


def incident_of(playground: Playground, **variables: bytes) -> IncidentCreated:
    playground.do(CreateProcessInstance("process", variables=variables))
    (incident,) = playground.happened(IncidentCreated)
    return incident


def test_the_result_of_the_decision_becomes_a_variable() -> None:
    playground = Playground()
    deploy(playground, grade=GRADE, process=calling())

    assert run(playground, x=b"3") == {"x": b"3", "result": b'"low"'}


def test_the_evaluation_is_kept_with_where_it_was_asked_for() -> None:
    playground = Playground()
    deploy(playground, grade=GRADE, process=calling())

    run(playground, x=b"3")

    (evaluated,) = playground.happened(DecisionEvaluated)
    started = [
        event
        for event in playground.happened(ElementActivated)
        if event.key == evaluated.element_instance_key
    ]
    assert [event.element for event in started] == [evaluated.element]
    assert evaluated.instance_key == started[0].instance_key
    assert evaluated.output == b'"low"'
    assert rows_of(playground.replayed()) == rows_of(playground.state)


def test_no_matching_rule_is_null() -> None:
    playground = Playground()
    deploy(playground, grade=GRADE, process=calling())
    assert run(playground, x=b"50")["result"] == b"null"


def test_mappings_give_the_decision_its_variables_and_take_its_result() -> None:
    playground = Playground()
    deploy(playground, grade=GRADE, process=calling(mapping=io_mapping({"x": "=y"}, {"grade": "=result"})))
    assert run(playground, y=b"2") == {"y": b"2", "grade": b'"low"'}


def test_the_id_of_the_decision_may_be_an_expression() -> None:
    playground = Playground()
    deploy(playground, grade=GRADE, process=calling('decisionId="=name" resultVariable="result"'))
    assert run(playground, x=b"3", name=b'"grade"')["result"] == b'"low"'


def test_a_decision_that_fails_is_an_incident_that_can_be_resolved() -> None:
    playground = Playground()
    deploy(playground, grade=GRADE, process=calling())

    incident = incident_of(playground, x=b"1")

    assert incident.type == "DECISION_EVALUATION_ERROR"
    assert incident.message.startswith(
        "Expected to evaluate decision 'grade', but multiple values aren't allowed"
    )
    (failed,) = playground.happened(DecisionEvaluationFailed)
    assert (failed.element_instance_key, failed.message) == (incident.element_instance_key, incident.message)
    assert rows_of(playground.replayed()) == rows_of(playground.state)
    deploy(playground, grade=dmn(decision("grade", "x")))
    playground.do(ResolveIncident(incident.key))
    assert playground.is_over(incident.instance_key)


def test_a_decision_that_is_not_deployed_is_an_incident() -> None:
    playground = Playground()
    deploy(playground, process=calling())

    incident = incident_of(playground)

    assert incident.type == "CALLED_DECISION_ERROR"
    assert incident.message == ("Expected to evaluate decision 'grade', but no decision found for id 'grade'")


def test_an_id_that_is_no_string_is_an_incident() -> None:
    playground = Playground()
    deploy(playground, process=calling('decisionId="=x" resultVariable="result"'))
    incident = incident_of(playground, x=b"3")
    assert incident.type == "EXTRACT_VALUE_ERROR"
    assert incident.message == "Expected result of the expression 'x' to be 'STRING', but was 'NUMBER'."


def test_the_binding_deployment_means_the_decision_that_came_with_the_process() -> None:
    playground = Playground()
    bound = calling('decisionId="grade" resultVariable="result" bindingType="deployment"')
    deploy(playground, grade=dmn(decision("grade", "1")), process=bound)
    deploy(playground, grade=dmn(decision("grade", "2")))
    assert run(playground)["result"] == b"1"


def test_a_decision_that_did_not_come_with_the_process_is_an_incident() -> None:
    playground = Playground()
    deploy(playground, grade=GRADE)
    deploy(playground, process=calling('decisionId="grade" resultVariable="r" bindingType="deployment"'))
    incident = incident_of(playground)
    assert incident.type == "CALLED_DECISION_ERROR"
    assert "with binding type 'deployment', but no such decision found" in incident.message


def tagged(tag: str, expression: str) -> bytes:
    extension = (
        '<extensionElements><z:versionTag xmlns:z="http://camunda.org/schema/zeebe/1.0"'
        f' value="{tag}"/></extensionElements>'
    )
    return dmn(decision("grade", expression, requires=extension))


def test_the_binding_version_tag_means_the_latest_decision_with_the_tag() -> None:
    playground = Playground()
    bound = 'decisionId="grade" resultVariable="result" bindingType="versionTag" versionTag="stable"'
    for content in (tagged("stable", "1"), tagged("stable", "2"), tagged("new", "3")):
        deploy(playground, grade=content)
    deploy(playground, process=calling(bound))
    assert run(playground)["result"] == b"2"


@pytest.mark.parametrize(
    ("called", "reason"),
    [
        ('resultVariable="r"', "the decisionId of the zeebe:calledDecision must not be empty"),
        ('decisionId="d"', "the resultVariable of the zeebe:calledDecision must not be empty"),
        (
            'decisionId="d" resultVariable="r" bindingType="versionTag"',
            "a binding to a version tag must have a versionTag",
        ),
    ],
)
def test_what_is_missing_is_told_at_deployment(called: str, reason: str) -> None:
    rejected = Playground().rejected(Deploy((Resource("p.bpmn", calling(called)),)))
    assert reason in rejected.reason


@pytest.mark.parametrize("extensions", ["", '<zeebe:calledDecision/><zeebe:taskDefinition type="t"/>'])
def test_it_is_either_a_decision_or_a_job(extensions: str) -> None:
    task = f'<businessRuleTask id="t"><extensionElements>{extensions}</extensionElements></businessRuleTask>'
    content = process(START + task + END + path("start", "t", "end"))
    rejected = Playground().rejected(Deploy((Resource("p.bpmn", content),)))
    assert "must have either one zeebe:calledDecision or one zeebe:taskDefinition" in rejected.reason


def test_with_a_job_type_it_is_worked() -> None:
    playground = Playground()
    task = (
        '<businessRuleTask id="t"><extensionElements><zeebe:taskDefinition type="work"/></extensionElements>'
        "</businessRuleTask>"
    )
    deploy(playground, process=process(START + task + END + path("start", "t", "end")))
    key = playground.create()
    playground.work("work")
    assert playground.is_over(key)


def test_a_decision_without_an_end_is_an_incident_and_others_go_on() -> None:
    playground = Playground()
    endless = dmn(decision("grade", "count(for i in 1..100000000 return i)"))
    deploy(playground, grade=endless, process=calling())

    incident = incident_of(playground)

    assert incident.type == "DECISION_EVALUATION_ERROR"
    deploy(playground, grade=GRADE)
    assert run(playground, x=b"3")["result"] == b'"low"'


def test_the_end_of_the_task_is_the_end_of_the_instance() -> None:
    playground = Playground()
    deploy(playground, grade=GRADE, process=calling())
    run(playground, x=b"3")
    assert len(playground.happened(ElementCompleted)) == 4
