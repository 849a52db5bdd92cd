"""Values of all kinds, through variables, conditions and mappings."""

from typing import Any

import pytest

from tests.differential.comparison import Comparison
from tests.differential.models import START, path, process, task
from tests.differential.play import Play

VALUES: dict[str, Any] = {
    "whole numbers": [0, 1, -1, 2**31, -(2**31), 2**53, 2**53 + 1, 2**63 - 1, -(2**63)],
    "fractions": [0.1, -0.5, 1.0, 100.25, 1e-7, 3.141592653589793, 5e-324, 2.5e17],
    "texts": [
        "",
        " ",
        "ünïcödé → 🎉",
        'quo"te',
        "back\\slash",
        "line\nbreak\ttab",
        "\u0000\u001f",
        "'",
        "a" * 500,
    ],
    "others": [None, True, False, [], {}, [[]], {"": 1}, {"a b": {"c-d": [None]}}],
    "nested": {"a": {"b": [{"c": [1, [2, [3]]]}, {"c": None}]}, "ä": "ö"},
}
THROUGH = process(
    START
    + task("a", inputs={"copy": "=value", "inside": "={v: value, l: [value]}"}, outputs={"out": "=copy"})
    + task("b")
    + path("start", "a", "b")
)


@pytest.mark.representative
@pytest.mark.parametrize("kind", VALUES)
async def test_values_go_through_variables_and_mappings_unharmed(compare: Comparison, kind: str) -> None:
    async def script(play: Play) -> None:
        instance = await play.create({"value": VALUES[kind]})
        await play.work("a", {"result": VALUES[kind]})
        await play.work("b", {"result": VALUES[kind]})
        await play.ends(instance)

    await compare(script, THROUGH)


# Not compared: Zeebe gives a wrong number, or none, for whole numbers beyond 64 bits (1e21, 10 ** 30), drops
# a result that is a function, counts `string length` in UTF-16 units and does not know `1e3`.
EXPRESSIONS = [
    "=x + 1",
    "=x * 0.1",
    "=x / 3",
    "=2 / 3",
    "=10 / 2",
    "=x ** 2",
    "=2 ** 0.5",
    "=0.1 + 0.2",
    "=1.0",
    "=1.50",
    "=123456789012345678",
    "=1234567890.123456789",
    "=-x",
    "=x - -x",
    "=text + text",
    "=text + x",
    "=text + string(x)",
    "=string(1.5)",
    "=string(x / 3)",
    '=string length("→é")',
    "=upper case(text)",
    '=text &gt; "a"',
    "=list[item &gt; 1]",
    "=list[1] + list[-1]",
    "=for i in list return i * 2",
    "=sum(list)",
    "=mean(list)",
    "=append(list, text)",
    "=concatenate(list, [x])",
    "=deep.a.b",
    "=deep.a",
    "=[deep, x]",
    "={a: x, b: a + 1}",
    "=if x &gt; 1 then text else list",
    "=null + 1",
    "=not(true)",
    "=true and null",
    '=date("2026-02-28")',
    '=date("2026-02-28") + duration("P1D")',
    '=date and time("2026-02-28T10:00:00Z")',
    '=time("10:00:00")',
    '=duration("P1DT2H")',
    '=duration("P14M")',
    '=split("a,b,c", ",")',
    '=number("1.50")',
    "=floor(-1.5)",
    "=round half up(2.5, 0)",
    "=decimal(1.005, 2)",
    "=modulo(-5, 3)",
    '=get value(deep, "a")',
    "=get entries(deep)",
    '=context put(deep, "z", 1)',
    '=substring("foobar", 3)',
    '=replace("abcd", "(b)", "[$1]")',
    "=min(list)",
    "=sort(list, function(a, b) a &gt; b)",
    "=x in [1..10]",
    "=[1..3]",
    "=every i in list satisfies i &gt; 0",
    "=list.none",
    "=[{a: 1}, {a: 2}].a",
    '="a" = null',
    "=9007199254740993",
    "=.5",
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
async def test_what_expressions_come_to(compare: Comparison, expression: str) -> None:
    model = process(START + task("a", inputs={"result": expression}) + path("start", "a"))

    async def script(play: Play) -> None:
        await play.create({"x": 5, "text": "t→", "list": [1, 2, 3], "deep": {"a": {"b": "c"}}})
        await play.activate_if_any("a")

    await compare(script, model)


@pytest.mark.parametrize(
    "body",
    [
        '{"processDefinitionId": "RUN-process", "variables": {"x": 1.00}}',
        '{"processDefinitionId": "RUN-process", "variables": {"x": 0.12345678901234567890123}}',
        '{"processDefinitionId": "RUN-process", "variables": {"a-b c": 1, "ä": 2, "": 3}}',
        '{"processDefinitionId": "RUN-process", "variables": []}',
        '{"processDefinitionId": "RUN-process", "variables": "x"}',
        '{"processDefinitionId": "RUN-process", "variables": {"x": NaN}}',
        "{",
        "[]",
    ],
)
async def test_bodies(compare: Comparison, body: str) -> None:
    async def script(play: Play) -> None:
        if await play.send("POST", "process-instances", body) == 200:
            await play.work("a")

    await compare(script, process(START + task("a", inputs={"y": "=x"}) + path("start", "a")))
