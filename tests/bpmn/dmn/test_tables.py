import pytest

from bpmnd.bpmn.feel import Value
from tests.bpmn.dmn.decisions import decision, dmn, failure_of, problems_of, result_of, table, value_of

TWO = (["< 10", "1"], ["< 20", "2"])


def of(hit_policy: str, *rules: list[str], x: Value = 5, **more: str) -> Value:
    return value_of(dmn(decision("d", table(hit_policy, ["x"], ["o"], *rules, **more))), "d", x=x)


@pytest.mark.parametrize(
    ("hit_policy", "aggregation", "expected"),
    [
        ("FIRST", "", 1),
        ("RULE ORDER", "", [1, 2]),
        ("COLLECT", "", [1, 2]),
        ("COLLECT", "SUM", 3),
        ("COLLECT", "MIN", 1),
        ("COLLECT", "MAX", 2),
        ("COLLECT", "COUNT", 2),
    ],
)
def test_the_hit_policy_decides_what_two_matching_rules_come_to(
    hit_policy: str, aggregation: str, expected: Value
) -> None:
    assert of(hit_policy, *TWO, aggregation=aggregation) == expected


def test_priority_is_the_order_of_the_output_values() -> None:
    assert of("PRIORITY", *TWO, allowed="2, 1") == 2
    assert of("PRIORITY", *TWO, allowed="1, 2") == 1


def test_output_order_sorts_by_the_output_values() -> None:
    assert of("OUTPUT ORDER", *TWO, allowed="2, 1") == [2, 1]


@pytest.mark.parametrize("hit_policy", ["UNIQUE", "ANY", "FIRST", "COLLECT", "RULE ORDER", "OUTPUT ORDER"])
def test_without_a_matching_rule_the_result_is_null(hit_policy: str) -> None:
    assert of(hit_policy, *TWO, x=50) is None


def test_without_a_matching_rule_the_default_is_the_result() -> None:
    assert of("UNIQUE", *TWO, x=50, default="9") == 9


def test_two_rules_of_a_unique_table_are_a_failure_that_shows_both() -> None:
    failed, message = failure_of(dmn(decision("d", table("UNIQUE", ["x"], ["o"], *TWO))), "d", x=5)

    assert failed == "d"
    assert message == (
        "Expected to evaluate decision 'd', but multiple values aren't allowed for UNIQUE hit policy."
        " found: '[1,2]'"
    )


def test_rules_of_an_any_table_must_agree() -> None:
    assert of("ANY", ["< 10", "1"], ["< 20", "1"]) == 1
    content = dmn(decision("d", table("ANY", ["x"], ["o"], *TWO)))
    assert "different values" in failure_of(content, "d", x=5)[1]


def test_several_outputs_are_a_context() -> None:
    content = dmn(decision("d", table("COLLECT", ["x"], ["a", "b"], ["< 10", "1", "x * 2"])))
    assert value_of(content, "d", x=4) == [{"a": 1, "b": 8}]


def test_the_sum_of_what_is_no_number_is_a_failure() -> None:
    content = dmn(decision("d", table("COLLECT", ["x"], ["o"], ["< 10", '"a"'], aggregation="SUM")))
    assert "expected number but found '\"a\"'" in failure_of(content, "d", x=4)[1]


def test_inputs_and_matched_rules_stand_in_the_result() -> None:
    content = dmn(decision("d", table("COLLECT", ["x", "x + 1"], ["o"], ["< 10", "-", "1"], ["6", "", "2"])))

    (evaluated,) = result_of(content, "d", x=5).decisions

    assert [(one.id, one.name, one.value) for one in evaluated.inputs] == [
        ("i1", "x", b"5"),
        ("i2", "x + 1", b"6"),
    ]
    (rule,) = evaluated.rules
    assert (rule.id, rule.index) == ("r1", 1)
    assert [(one.id, one.name, one.value) for one in rule.outputs] == [("o1", "o", b"1")]


def test_a_first_table_stops_at_the_first_match() -> None:
    (evaluated,) = result_of(dmn(decision("d", table("FIRST", ["x"], ["o"], *TWO))), "d", x=5).decisions
    assert [rule.index for rule in evaluated.rules] == [1]


def test_a_cell_sees_its_input_as_a_question_mark() -> None:
    assert of("UNIQUE", ["? > 3 and ? < 6", '"between"']) == "between"


def test_names_of_tables_are_checked_at_deployment() -> None:
    one = decision("d", table("COLLECT", ["x"], ["a", "b"], ["1", "1", "1"], aggregation="SUM"))
    assert problems_of(dmn(one)) == [
        ("d", "hit policy 'COLLECT' with aggregator is not defined for compound output")
    ]
    other = decision("d", table("LAST", ["x"], ["a"], ["1", "1"]))
    assert problems_of(dmn(other)) == [("d", "there is no hit policy 'LAST'")]


def test_a_rule_has_as_many_cells_as_the_table_has_columns() -> None:
    ((element, reason),) = problems_of(dmn(decision("d", table("UNIQUE", ["x"], ["a"], ["1", "1", "2"]))))
    assert element == "d"
    assert reason == "a rule must have 1 input entries and 1 output entries, but has 1 and 2"


@pytest.mark.parametrize(("camunda", "expected"), [(True, 9), (False, {"a": 9, "b": None})])
def test_a_default_of_one_output_of_two(camunda: bool, expected: Value) -> None:
    logic = table("UNIQUE", ["x"], ["a", "b"], ["1", "1", "2"], default="9")
    assert value_of(dmn(decision("d", logic), camunda=camunda), "d", x=5) == expected
