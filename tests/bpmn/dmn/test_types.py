import pytest

from bpmnd.bpmn.feel import Value
from tests.bpmn.dmn.decisions import data, decision, dmn, failure_of, needs_data, problems_of, value_of

TYPES = """
<itemDefinition name="tColour"><typeRef>string</typeRef>
  <allowedValues><text>"red", "green"</text></allowedValues></itemDefinition>
<itemDefinition name="tColours" isCollection="true"><typeRef>tColour</typeRef></itemDefinition>
<itemDefinition name="tPerson"><itemComponent name="full name"><typeRef>string</typeRef></itemComponent>
  <itemComponent name="born"><typeRef>date</typeRef></itemComponent></itemDefinition>
<itemDefinition name="tTree"><itemComponent name="value"><typeRef>number</typeRef></itemComponent>
  <itemComponent name="children" isCollection="true"><typeRef>tTree</typeRef></itemComponent></itemDefinition>
"""


def read(type_ref: str, value: Value, expression: str = "input") -> Value:
    body = data("input", type_ref) + decision("d", expression, requires=needs_data("input"))
    return value_of(dmn(body, more=TYPES), "d", input=value)


@pytest.mark.parametrize(
    ("type_ref", "value", "expected"),
    [
        ("number", 1, 1),
        ("number", "1", None),
        ("number", [1], 1),
        ("number", [1, 2], None),
        ("tColour", "red", "red"),
        ("tColour", "blue", None),
        ("tColours", ["red", "green"], ["red", "green"]),
        ("tColours", ["red", "blue"], None),
        ("tColours", "red", ["red"]),
        ("tPerson", {"full name": "A"}, None),
        ("nobody defines it", "1", "1"),
    ],
)
def test_data_that_is_not_of_its_type_is_null(type_ref: str, value: Value, expected: Value) -> None:
    assert read(type_ref, value) == expected


def test_strings_are_read_as_the_times_that_they_are_meant_to_be() -> None:
    assert read("date", "2020-02-29", "input.year") == 2020
    assert read("tPerson", {"full name": "A", "born": "2020-02-29"}, 'input.born + duration(@"P1D")') == (
        "2020-03-01"
    )


def test_names_of_components_may_have_blanks() -> None:
    assert read("tPerson", {"full name": "A", "born": None}, "input.full name") == "A"


def test_a_type_may_contain_itself() -> None:
    tree: Value = {"value": 1, "children": [{"value": 2, "children": []}]}
    assert read("tTree", tree, "input.children[1].value") == 2
    assert read("tTree", {"value": 1, "children": [{"value": "a", "children": []}]}) is None


def test_a_type_that_is_nothing_but_itself_is_refused() -> None:
    types = "<itemDefinition name='a'><typeRef>b</typeRef></itemDefinition>"
    types += "<itemDefinition name='b'><typeRef>a</typeRef></itemDefinition>"
    assert [reason for _, reason in problems_of(dmn(decision("d", "1"), more=types))] == [
        "type 'a' is defined by itself",
        "type 'b' is defined by itself",
    ]


def test_a_result_of_another_type_is_null_by_the_standard_and_a_failure_for_camunda() -> None:
    body = decision("d", "5", type_ref="string")
    assert value_of(dmn(body), "d") is None
    assert failure_of(dmn(body, camunda=True), "d") == (
        "d",
        "Expected to evaluate decision 'd', but expected 'string' but found '5'",
    )


def test_camunda_does_not_look_at_the_types_of_data() -> None:
    body = data("input", "date") + decision("d", 'input = "2020-01-01"', requires=needs_data("input"))
    assert value_of(dmn(body, camunda=True), "d", input="2020-01-01") is True
    assert value_of(dmn(body), "d", input="2020-01-01") is None


def test_instance_of_knows_the_types_of_the_model_but_not_their_allowed_values() -> None:
    body = decision("d", '[1 instance of tColour, "blue" instance of tColour]')
    assert value_of(dmn(body, more=TYPES), "d") == [False, True]


def test_arguments_are_made_to_fit_by_the_standard_only() -> None:
    body = decision("d", 'string join("a", "-")') + decision("e", "{a: 1, a: 2}")
    assert value_of(dmn(body), "d") == "a"
    assert value_of(dmn(body), "e") is None
    assert value_of(dmn(body, camunda=True), "d") is None
    assert value_of(dmn(body, camunda=True), "e") == {"a": 2}
