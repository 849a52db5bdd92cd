import pytest

from bpmnd.bpmn.dmn.reader import ELEMENTS_MAX, TEXT_SIZE_MAX
from tests.bpmn.dmn.decisions import (
    data,
    decision,
    dmn,
    failure_of,
    function,
    knows,
    model_of,
    needs,
    needs_data,
    problems_of,
    result_of,
    text,
    value_of,
)


def test_required_decisions_come_first_and_once() -> None:
    content = dmn(
        decision("top", "left + right", requires=needs("left", "right"))
        + decision("left", "base + 1", requires=needs("base"))
        + decision("right", "base + 2", requires=needs("base"))
        + decision("base", "x")
    )

    result = result_of(content, "top", x=1)

    assert result.output == b"5"
    assert [(one.decision_id, one.output) for one in result.decisions] == [
        ("base", b"1"),
        ("left", b"2"),
        ("right", b"3"),
        ("top", b"5"),
    ]


def test_a_result_is_known_by_its_variable_or_else_by_the_name_of_its_decision() -> None:
    named = decision("a", "1", name="The A", variable="the result")
    plain = decision("b", "2", name="The B")
    content = dmn(named + plain + decision("d", "the result + The B", requires=needs("a", "b")))
    assert value_of(content, "d") == 3


def test_camunda_knows_a_result_without_a_variable_by_the_id_of_its_decision() -> None:
    content = dmn(
        decision("b", "2", name="The B") + decision("d", "b", requires=needs("b")),
        camunda=True,
    )
    assert value_of(content, "d") == 2


def test_a_variable_that_no_data_declares_is_seen_as_well() -> None:
    assert value_of(dmn(decision("d", "x + 1")), "d", x=1) == 2


def test_a_failure_names_the_decision_that_failed_and_keeps_what_came_before() -> None:
    content = dmn(
        decision("top", "1", requires=needs("fine", "broken"))
        + decision("fine", "7")
        + decision("broken", "assert(1, false)", requires=needs("fine"))
    )

    result = result_of(content, "top")

    assert result.failure is not None
    assert result.failure.decision_id == "broken"
    assert result.failure.message.startswith("Expected to evaluate decision 'top', but ")
    assert [(one.decision_id, one.output) for one in result.decisions] == [
        ("fine", b"7"),
        ("broken", b"null"),
    ]


def test_decisions_that_require_each_other_are_refused() -> None:
    content = dmn(decision("a", "1", requires=needs("b")) + decision("b", "1", requires=needs("a")))
    assert any("cyclic dependencies between decisions" in reason for _, reason in problems_of(content))


def test_a_requirement_must_be_there() -> None:
    assert problems_of(dmn(decision("a", "1", requires=needs("nope")))) == [
        ("a", "requires 'nope', which is not there")
    ]


def test_knowledge_that_calls_itself_without_an_end_is_a_failure() -> None:
    content = dmn(
        function("endless", ["n"], "endless(n + 1)") + decision("d", "endless(1)", requires=knows("endless"))
    )
    assert failure_of(content, "d")[0] == "d"


def test_services_that_call_each_other_without_an_end_are_a_failure() -> None:
    service = '<decisionService id="s" name="s"><outputDecision href="#inner"/></decisionService>'
    content = dmn(
        service + decision("inner", "s()", requires=knows("s")) + decision("d", "s()", requires=knows("s"))
    )
    assert failure_of(content, "d")[0] == "d"


def test_a_service_is_a_function_of_its_data_and_input_decisions() -> None:
    service = (
        '<decisionService id="s" name="s"><outputDecision href="#out"/><encapsulatedDecision href="#mid"/>'
        '<inputDecision href="#given"/><inputData href="#data"/></decisionService>'
    )
    content = dmn(
        service
        + data("data", "number")
        + decision("given", "assert(1, false)")
        + decision("mid", "data * 10", requires=needs_data("data"))
        + decision("out", "mid + given", requires=needs("mid", "given"))
        + decision("d", "s(2, 3)", requires=knows("s"))
    )
    assert value_of(content, "d") == 23


def test_an_imported_model_is_seen_under_the_name_of_its_import() -> None:
    library = model_of(dmn(function("say hello", ["n"], '"Hello " + n') + decision("a", "1"), id="lib"))
    importing = dmn(
        '<import name="my lib" namespace="urn:lib" importType="x"/>'
        + decision(
            "d",
            text("my lib.say hello(who) + string(my lib.a)"),
            requires=knows("urn:lib#say hello") + needs("urn:lib#a"),
        )
    )
    assert value_of(model_of(importing, library), "d", who="you") == "Hello you1"


@pytest.mark.parametrize(
    "xmlns",
    [
        "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
        "http://www.omg.org/spec/DMN/20180521/MODEL/",
        "https://www.omg.org/spec/DMN/20191111/MODEL/",
        "https://www.omg.org/spec/DMN/20211108/MODEL/",
        "https://www.omg.org/spec/DMN/20230324/MODEL/",
    ],
)
def test_all_versions_of_dmn_are_read(xmlns: str) -> None:
    assert value_of(dmn(decision("d", "1 + 1"), xmlns=xmlns), "d") == 2


def test_all_problems_of_a_file_are_told_at_once() -> None:
    content = dmn(decision("a", "1") + decision("a", "2") + '<decision id="b"/>')
    assert problems_of(content) == [
        ("a", "duplicated id 'a'"),
        ("b", "decision: attribute 'name' must be present and not empty"),
    ]


@pytest.mark.parametrize("content", [b"", b"hello", b"<a/>", b"<definitions/>", b"\xff" * 9])
def test_what_is_no_dmn_is_refused(content: bytes) -> None:
    assert problems_of(content)


def test_camunda_refuses_an_expression_that_cannot_be_parsed() -> None:
    body = decision("d", "1 +") + decision("e", "2 *")
    assert [element for element, _ in problems_of(dmn(body, camunda=True))] == ["d", "e"]
    assert "failed to parse expression '1 +'" in failure_of(dmn(body), "d")[1]


def test_the_size_of_a_graph_has_a_bound() -> None:
    content = dmn("".join(decision(f"d{at}", "1") for at in range(ELEMENTS_MAX + 1)))
    assert problems_of(content) == [
        ("drg", f"must not have more than {ELEMENTS_MAX} decisions and other elements")
    ]


def test_the_size_of_all_expressions_has_a_bound() -> None:
    content = dmn("".join(decision(f"d{at}", '"' + "a" * 60_000 + '"') for at in range(9)))
    assert problems_of(content) == [
        ("drg", f"must not have expressions of more than {TEXT_SIZE_MAX} characters")
    ]


def test_a_long_chain_of_requirements_is_no_deep_one() -> None:
    content = dmn(
        decision("d0", "1")
        + "".join(
            decision(f"d{at}", f"d{at - 1} + 1", requires=needs(f"d{at - 1}"))
            for at in range(1, ELEMENTS_MAX)
        )
    )
    assert value_of(content, f"d{ELEMENTS_MAX - 1}") == ELEMENTS_MAX


def test_doubling_from_decision_to_decision_ends_in_a_failure() -> None:
    doubling = "".join(
        decision(f"d{at}", f"[d{at - 1}, d{at - 1}]", requires=needs(f"d{at - 1}")) for at in range(1, 64)
    )
    content = dmn(decision("d0", '"a"') + doubling)
    assert failure_of(content, "d63")[1]
