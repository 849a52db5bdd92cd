"""Whatever stands in the cells of a table and in boxed expressions: a result or a failure, twice the same."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bpmnd.bpmn.dmn import Model, compile_model, evaluate_decision, read_document
from bpmnd.bpmn.feel import MISSING, Value
from tests.bpmn.dmn.decisions import decision, dmn, function, knows, needs, table, text
from tests.bpmn.feel.test_properties import ATOMS, EXPRESSIONS, VARIABLES

STEPS_MAX = 20_000
POLICIES = st.sampled_from(["UNIQUE", "ANY", "FIRST", "PRIORITY", "RULE ORDER", "OUTPUT ORDER", "COLLECT"])
SUMS = st.sampled_from(["", "SUM", "MIN", "MAX", "COUNT"])
CELLS = st.one_of(
    EXPRESSIONS,
    st.sampled_from(["", "-", "not(1, 2)", "< 5", "[1..9)", "? > 1"]),
    st.builds("< {}".format, ATOMS),
)
RULES = st.lists(st.tuples(CELLS, CELLS, EXPRESSIONS), max_size=4)


def table_of(
    policy: str, inputs: tuple[str, str], rules: list[tuple[str, str, str]], sums: str, allowed: str
) -> str:
    return table(policy, inputs, ["o"], *rules, aggregation=sums, allowed=allowed)


TABLES = st.builds(
    table_of,
    POLICIES,
    st.tuples(EXPRESSIONS, EXPRESSIONS),
    RULES,
    SUMS,
    st.one_of(st.just(""), EXPRESSIONS),
)
CONTEXT = (
    "<context><contextEntry><variable name='x'/>{}</contextEntry><contextEntry>{}</contextEntry></context>"
)


def boxes(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("<list>{}{}</list>".format, inner, inner),
        st.builds(CONTEXT.format, inner, inner),
        st.builds(
            "<conditional><if>{}</if><then>{}</then><else>{}</else></conditional>".format, inner, inner, inner
        ),
        st.builds("<filter><in>{}</in><match>{}</match></filter>".format, inner, inner),
        st.builds("<for iteratorVariable='x'><in>{}</in><return>{}</return></for>".format, inner, inner),
        st.builds(
            "<some iteratorVariable='x'><in>{}</in><satisfies>{}</satisfies></some>".format, inner, inner
        ),
        st.builds(
            "<invocation>{}<binding><parameter name='n'/>{}</binding></invocation>".format,
            st.just(text("f")),
            inner,
        ),
    )


LOGIC = st.recursive(st.one_of(EXPRESSIONS.map(text), TABLES), boxes, max_leaves=4)
TYPES = st.sampled_from(["", "number", "string", "date", "tWords"])
WORDS = (
    "<itemDefinition name='tWords' isCollection='true'><typeRef>string</typeRef>"
    "<allowedValues><text>? != s</text></allowedValues></itemDefinition>"
)


def lookup(name: str) -> Value:
    return VARIABLES.get(name, MISSING)


@settings(max_examples=50, deadline=4_000)
@given(LOGIC, LOGIC, LOGIC, TYPES, st.booleans())
def test_a_decision_has_one_result_and_never_raises(
    first: str, second: str, body: str, type_ref: str, camunda: bool
) -> None:
    content = dmn(
        decision("a", first, type_ref=type_ref)
        + function("f", ["n"], body, requires=knows("f"))
        + decision("b", second, requires=needs("a") + knows("f")),
        camunda=camunda,
        more=WORDS,
    )
    document = read_document(content)
    assert not isinstance(document, tuple), f"{content!r}: {document}"
    model = compile_model(document, {})
    assert isinstance(model, Model), f"{content!r}: {model}"
    spent: list[int] = []

    results = [
        evaluate_decision(
            model, "b", lookup, now_ms=1_600_000_000_000, steps_max=STEPS_MAX, spent=spent.append
        )
        for _ in range(2)
    ]

    assert results[0] == results[1]
    assert spent[0] == spent[1]
