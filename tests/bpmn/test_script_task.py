"""Script tasks, on the pure engine."""

import pytest

from bpmnd.bpmn.commands import ResolveIncident, SetVariables
from bpmnd.bpmn.events import IncidentCreated
from tests.bpmn.model.models import reasons
from tests.bpmn.playground import START, Playground, io_mapping, many, path, process, task

ONE_OF_BOTH = "must have either one zeebe:script or one zeebe:taskDefinition extension element"


def script(expression: str, result: str = "r", more: str = "") -> str:
    extension = f'<zeebe:script expression="{expression}" resultVariable="{result}"/>'
    return f'<scriptTask id="script"><extensionElements>{extension}{more}</extensionElements></scriptTask>'


def started(activity: str, variables: dict[str, bytes]) -> tuple[Playground, int]:
    playground = Playground()
    playground.deploy(process(START + activity + task("after") + path("start", "script", "after")))
    return playground, playground.create(variables)


def test_the_result_is_a_variable() -> None:
    playground, _ = started(script("=a + 1"), {"a": b"1"})
    assert playground.work("after").variables == {"a": b"1", "r": b"2"}


def test_with_output_mappings_the_result_stays_inside() -> None:
    playground, _ = started(script("=a + 1", more=io_mapping(outputs={"o": "=r * 10"})), {"a": b"1"})
    assert playground.work("after").variables == {"a": b"1", "o": b"20"}


def test_a_script_that_fails_is_an_incident_to_be_resolved() -> None:
    playground, key = started(script("=assert(x, x != null)"), {})
    (incident,) = playground.happened(IncidentCreated)
    assert incident.type == "EXTRACT_VALUE_ERROR"

    playground.do(SetVariables(key, {"x": b"1"}))
    playground.do(ResolveIncident(incident.key))

    assert playground.work("after").variables["r"] == b"1"


def test_a_script_for_each_item() -> None:
    playground, _ = started(many(script("=item * 2"), "=l", outputs=("all", "=r")), {"l": b"[1,2,3]"})
    assert playground.work("after").variables["all"] == b"[2,4,6]"


def test_a_result_that_is_too_large_is_an_incident() -> None:
    playground, _ = started(script("=a + a + a + a + a"), {"a": b'"%s"' % (b"x" * 900_000)})
    assert [incident.type for incident in playground.happened(IncidentCreated)] == ["EXTRACT_VALUE_ERROR"]


@pytest.mark.parametrize(
    ("activity", "reason"),
    [
        ('<scriptTask id="script"/>', ONE_OF_BOTH),
        (script("=1", more='<zeebe:taskDefinition type="x"/>'), ONE_OF_BOTH),
        (script("=1", ""), "the resultVariable of the zeebe:script must be present and not empty"),
        (
            script("1"),
            "expected an expression but found the static value '1'; an expression starts with '='",
        ),
    ],
)
def test_what_is_wrong_with_a_script_is_told(activity: str, reason: str) -> None:
    assert reasons(process(START + activity + path("start", "script"))) == [("script", reason)]
