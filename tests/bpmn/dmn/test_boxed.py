from tests.bpmn.dmn.decisions import (
    decision,
    dmn,
    failure_of,
    function,
    knows,
    problems_of,
    table,
    text,
    value_of,
)


def entry(name: str, logic: str) -> str:
    variable = f'<variable name="{name}"/>' if name else ""
    return f"<contextEntry>{variable}{logic}</contextEntry>"


def test_an_entry_of_a_context_sees_those_before_it() -> None:
    logic = f"<context>{entry('a', text('1'))}{entry('b', text('a + 1'))}</context>"
    assert value_of(dmn(decision("d", logic)), "d") == {"a": 1, "b": 2}


def test_an_entry_without_a_name_is_the_result_of_its_context() -> None:
    logic = f"<context>{entry('a b', text('x'))}{entry('', text('a b * 2'))}</context>"
    assert value_of(dmn(decision("d", logic)), "d", x=4) == 8


def test_a_function_of_a_context_may_call_itself() -> None:
    factorial = (
        '<functionDefinition><formalParameter name="n"/>'
        f"{text('if n < 2 then 1 else n * fact(n - 1)')}</functionDefinition>"
    )
    logic = f"<context>{entry('fact', factorial)}{entry('', text('fact(5)'))}</context>"
    assert value_of(dmn(decision("d", logic)), "d") == 120


def test_a_relation_is_a_list_of_contexts() -> None:
    logic = f'<relation><column name="a"/><column name="b"/><row>{text("1")}{text("x")}</row></relation>'
    assert value_of(dmn(decision("d", logic)), "d", x=2) == [{"a": 1, "b": 2}]


def test_a_list_has_logic_of_any_kind_in_it() -> None:
    logic = f"<list>{text('1')}{table('UNIQUE', ['x'], ['o'], ['< 5', '2'])}</list>"
    assert value_of(dmn(decision("d", logic)), "d", x=2) == [1, 2]


def test_an_invocation_binds_parameters_by_their_names() -> None:
    logic = (
        f"<invocation>{text('minus')}<binding><parameter name='b'/>{text('1')}</binding>"
        f"<binding><parameter name='a'/>{text('x')}</binding></invocation>"
    )
    content = dmn(function("minus", ["a", "b"], "a - b") + decision("d", logic, requires=knows("minus")))
    assert value_of(content, "d", x=5) == 4


def test_knowledge_may_be_a_table_and_require_other_knowledge() -> None:
    content = dmn(
        function("twice", ["n"], "n * 2")
        + function("rate", ["n"], table("UNIQUE", ["n"], ["o"], ["< 5", "twice(n)"]), requires=knows("twice"))
        + decision("d", "rate(x) + 1", requires=knows("rate"))
    )
    assert value_of(content, "d", x=4) == 9


def test_a_conditional_evaluates_one_branch_only() -> None:
    branches = f"<then>{text('1')}</then><else>{text('assert(1, false)')}</else>"
    content = dmn(decision("d", f"<conditional><if>{text('x > 1')}</if>{branches}</conditional>"))
    assert value_of(content, "d", x=2) == 1
    assert failure_of(content, "d", x=0)[0] == "d"


def test_boxed_loops_do_as_those_of_feel() -> None:
    source = f"<in>{text('[1, 2, 3]')}</in>"
    loops = {
        "for": f'<for iteratorVariable="i">{source}<return>{text("i * x")}</return></for>',
        "some": f'<some iteratorVariable="i">{source}<satisfies>{text("i > x")}</satisfies></some>',
        "every": f'<every iteratorVariable="i">{source}<satisfies>{text("i > x")}</satisfies></every>',
        "filter": f"<filter>{source}<match>{text('item > x')}</match></filter>",
    }
    content = dmn("".join(decision(name, logic) for name, logic in loops.items()))
    assert value_of(content, "for", x=2) == [2, 4, 6]
    assert value_of(content, "some", x=2) is True
    assert value_of(content, "every", x=2) is False
    assert value_of(content, "filter", x=1) == [2, 3]


def test_a_function_in_another_language_is_refused_by_name() -> None:
    logic = f'<functionDefinition kind="Java">{text("1")}</functionDefinition>'
    assert problems_of(dmn(decision("d", logic))) == [
        ("d", "functions of kind 'Java' are not supported; use FEEL")
    ]
