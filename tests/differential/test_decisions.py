"""Decisions: what they yield over REST and in business rule tasks, as models for Camunda have it."""

import re
from collections.abc import Mapping, Sequence

import pytest

from tests.bpmn.dmn.decisions import decision, dmn, function, knows, needs, table, text
from tests.bpmn.playground import io_mapping
from tests.differential.comparison import Comparison
from tests.differential.models import END, RUN, START, path, process, task
from tests.differential.play import Play


def decides(
    element_id: str,
    decision_id: str,
    *,
    binding: str = "",
    inputs: dict[str, str] | None = None,
    outputs: dict[str, str] | None = None,
) -> str:
    """A business rule task whose result is the variable `result`."""
    called = f'<zeebe:calledDecision decisionId="{RUN}{decision_id}" resultVariable="result" {binding}/>'
    return (
        f'<businessRuleTask id="{element_id}"><extensionElements>{called}{io_mapping(inputs, outputs)}'
        "</extensionElements></businessRuleTask>"
    )


TWO = (["< 10", "1"], ["< 20", "2"])
CALLING = process(
    START + decides("decide", "grade") + task("after") + END + path("start", "decide", "after", "end")
)


def file(*decisions: str) -> bytes:
    return dmn("".join(decisions), id=f"{RUN}drg", camunda=True)


def one(name: str, logic: str, *, requires: Sequence[str] = (), **more: str) -> str:
    """A decision; all ids in it begin with its name, as ids of a file must differ."""
    logic = re.sub(r'id="([ior][0-9])"', rf'id="{name}_\1"', logic)
    needed = needs(*(f"{RUN}{required}" for required in requires))
    return decision(f"{RUN}{name}", logic, requires=needed, name=name, **more)


def hit(name: str, hit_policy: str, *rules: list[str], **more: str) -> str:
    return one(name, table(hit_policy, ["x"], ["o"], *(rules or TWO), **more))


async def evaluated(compare: Comparison, content: bytes, *asked: tuple[str, Mapping[str, object]]) -> None:
    async def script(play: Play) -> None:
        await play.deploy(content, names=["a.dmn"])
        for name, variables in asked:
            await play.evaluate(name, dict(variables))

    await compare(script)


@pytest.mark.representative
async def test_every_hit_policy(compare: Comparison) -> None:
    content = file(
        hit("unique", "UNIQUE"),
        hit("any", "ANY"),
        hit("agree", "ANY", ["< 10", "1"], ["< 20", "1"]),
        hit("first", "FIRST"),
        hit("order", "RULE ORDER"),
        hit("collect", "COLLECT"),
        hit("sum", "COLLECT", aggregation="SUM"),
        hit("min", "COLLECT", aggregation="MIN"),
        hit("max", "COLLECT", aggregation="MAX"),
        hit("count", "COLLECT", aggregation="COUNT"),
        hit("priority", "PRIORITY", allowed="2,1"),
        hit("outputs", "OUTPUT ORDER", allowed="2,1"),
        hit("words", "COLLECT", ["< 10", '"a"'], aggregation="SUM"),
        hit("default", "FIRST", default='"none"'),
    )
    policies = ("unique", "any", "agree", "first", "order", "collect", "priority", "outputs")
    names = (*policies, "sum", "min", "max", "count", "words", "default")
    asked = [(name, {"x": x}) for name in names for x in (5, 15, 50)]
    await evaluated(compare, content, *asked)


async def test_what_tables_come_to_with_defaults_nulls_and_other_types(compare: Comparison) -> None:
    policies = ("UNIQUE", "ANY", "FIRST", "RULE ORDER", "COLLECT", "PRIORITY", "OUTPUT ORDER")
    values = {
        "nulls": ("null", "1"),
        "words": ('"a"', '"b"'),
        "days": ('date("2020-01-01")', 'date("2021-01-01")'),
        "lengths": ('duration("P1D")', 'duration("P2D")'),
        "truths": ("true", "false"),
        "lists": ("[1,2]", "3"),
    }
    pair = (["< 10", "1", '"x"'], ["< 20", "2", '"y"'])
    tables = {f"default{at}": hit(f"default{at}", name, default='"d"') for at, name in enumerate(policies)}
    for at, name in enumerate(policies):
        tables[f"one{at}"] = one(
            f"one{at}", table(name, ["x"], ["a", "b"], *pair, default="9", allowed="2,1")
        )
        tables[f"empty{at}"] = one(f"empty{at}", table(name, ["x"], ["o"]))
    for name in ("SUM", "MIN", "MAX", "COUNT"):
        for kind, (first, second) in values.items():
            id = f"{name}_{kind}"
            tables[id] = hit(id, "COLLECT", ["< 10", first], ["< 20", second], aggregation=name)
    asked = [(name, {"x": x}) for name in tables for x in (5, 50)]
    await evaluated(compare, file(*tables.values()), *asked)


async def test_unary_tests(compare: Comparison) -> None:
    """Not among them: `?` where a function takes any type or within a list, which Zeebe 8.6.0 gets wrong."""
    cells = (
        *(
            "-",
            "",
            "5",
            "<5",
            ">=5",
            "[1..5]",
            "(1..5)",
            "]1..5[",
            "1,2,5",
            "not(5)",
            "not(1,2)",
            "not([1..5])",
        ),
        *('"a"', '"a","b"', 'not("a")', "null", "not(null)", "true", "false", "flag", "noflag", "not(flag)"),
        *(
            "? > 3",
            "? > 3 and ? < 6",
            "? = true",
            "? != true",
            "? in [1..5]",
            "? != null",
            "? between 1 and 6",
        ),
        *(
            "?",
            'starts with(?, "a")',
            "not(? > 3)",
            "if ? > 3 then true else false",
            "some e in ? satisfies e = 1",
        ),
        *(
            "y = 7",
            "y = 8",
            "y > 5",
            "z = null",
            "true or false",
            "y",
            "x, y",
            "list",
            "[1,2,5]",
            "ctx.a",
            "nosuch.a",
        ),
        *(
            '< date("2020-01-01")',
            'duration("P1D")',
            "[x..y]",
            "5 + 1",
            "-5",
            "{a:1}",
            "list[1]",
            "not(<5, >10)",
        ),
    )
    subjects: tuple[object, ...] = (5, 3, "a", "abc", None, True, False, [1, 5], [], {"a": 1}, 0.5, -5)
    around = {"y": 7, "list": [1, 5], "ctx": {"a": 5}, "z": None, "flag": True, "noflag": False}
    names = [f"cell{at}" for at in range(len(cells))]
    decisions = [hit(name, "FIRST", [cell, "1"]) for name, cell in zip(names, cells, strict=True)]
    asked = [(name, {**around, "x": subject}) for name in names for subject in subjects]
    await evaluated(compare, file(*decisions), *asked)


@pytest.mark.representative
async def test_required_decisions_and_the_names_of_their_results(compare: Comparison) -> None:
    content = file(
        one("base", "x + 1", variable="base_result"),
        one("plain", "x + 2"),
        one("top", "base_result * 2", requires=["base"]),
        one(
            "table",
            table("FIRST", ["base_result", "x"], ["a", "b"], ["-", "1", "x", "base_result"]),
            requires=["base"],
        ),
        one("unrequired", "base_result"),
    )
    names = ("base", "plain", "top", "table", "unrequired")
    await evaluated(compare, content, *((name, {"x": 1, "base_result": 50}) for name in names))


async def test_types_of_results(compare: Comparison) -> None:
    content = file(
        one("wrong", "5", type_ref="string"),
        one("right", "5", type_ref="number"),
        one("day", 'date("2020-02-29")', type_ref="date"),
        one("length", 'duration("P1DT2H")'),
        one("range", "[1..2]"),
        one("text", "x"),
    )
    names = ("wrong", "right", "day", "length", "range", "text")
    await evaluated(compare, content, *((name, {"x": "a"}) for name in names))


async def test_failures(compare: Comparison) -> None:
    content = file(
        one("fails", "assert(x, false)"),
        one("above", "1", requires=["fails"]),
        one("input", table("UNIQUE", ["x", "assert(1, false)"], ["o"], ["1", "-", "1"])),
        one("nothing", "y.z"),
        one("unknown", "nope(1)"),
    )
    names = ("fails", "above", "input", "nothing", "unknown")
    await evaluated(compare, content, *((name, {"x": 1}) for name in names))


async def test_boxed_expressions(compare: Comparison) -> None:
    entries = (
        f'<contextEntry><variable name="a"/>{text("1")}</contextEntry>'
        f'<contextEntry><variable name="b"/>{text("a + x")}</contextEntry>'
    )
    content = file(
        one("context", f"<context>{entries}</context>"),
        one("list", f"<list>{text('x')}</list>"),
    )
    await evaluated(compare, content, ("context", {"x": 2}), ("list", {"x": 2}))


async def test_versions(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        for content, name in ((b"1", "a.dmn"), (b"1", "a.dmn"), (b"2", "a.dmn"), (b"2", "b.dmn")):
            await play.deploy(file(one("grade", content.decode())), names=[name])
            await play.evaluate("grade")

    await compare(script)


@pytest.mark.parametrize(
    "content",
    [
        file(one("d", "1 +")),
        file(one("d", table("COLLECT", ["x"], ["a", "b"], ["1", "1", "1"], aggregation="SUM"))),
        file(one("a", "1", requires=["b"]), one("b", "1", requires=["a"])),
        file(one("a", "1", requires=["nope"])),
        file(one("a", "1"), one("a", "2")),
        b"nothing",
    ],
    ids=["syntax", "compound sum", "cycle", "missing", "twice", "no DMN"],
)
async def test_what_is_refused(compare: Comparison, content: bytes) -> None:
    async def script(play: Play) -> None:
        await play.deploy(content, names=["a.dmn"])

    await compare(script)


@pytest.mark.representative
async def test_a_business_rule_task_puts_the_result_into_a_variable(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        await play.deploy(file(hit("grade", "FIRST")), names=["a.dmn"])
        await play.deploy(CALLING)
        instance = await play.create({"x": 5})
        await play.work("after")
        await play.ends(instance)

    await compare(script)


async def test_mappings_of_a_business_rule_task(compare: Comparison) -> None:
    model = process(
        START
        + decides("decide", "grade", inputs={"x": "=y"}, outputs={"out": "=result"})
        + task("after")
        + END
        + path("start", "decide", "after", "end")
    )

    async def script(play: Play) -> None:
        await play.deploy(file(hit("grade", "COLLECT")), names=["a.dmn"])
        await play.deploy(model)
        instance = await play.create({"y": 5})
        await play.work("after")
        await play.ends(instance)

    await compare(script)


@pytest.mark.representative
async def test_a_decision_that_fails_is_an_incident(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        await play.deploy(file(hit("grade", "UNIQUE")), names=["a.dmn"])
        await play.deploy(CALLING)
        instance = await play.create({"x": 5})
        incident = await play.incident(instance, "DECISION_EVALUATION_ERROR")
        await play.set_variables(instance, {"x": 15})
        await play.resolve(incident)
        await play.work("after")
        await play.ends(instance)

    await compare(script)


async def test_a_decision_that_is_not_there_is_an_incident(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create({"x": 5})
        incident = await play.incident(instance, "CALLED_DECISION_ERROR")
        await play.deploy(file(hit("grade", "FIRST")), names=["a.dmn"])
        await play.resolve(incident)
        await play.work("after")
        await play.ends(instance)

    await compare(script, CALLING)


async def test_the_binding_deployment(compare: Comparison) -> None:
    model = process(
        START
        + decides("decide", "grade", binding='bindingType="deployment"')
        + task("after")
        + END
        + path("start", "decide", "after", "end")
    )

    async def script(play: Play) -> None:
        await play.deploy(file(one("grade", "1")), model, names=["a.dmn", "1.bpmn"])
        await play.deploy(file(one("grade", "2")), names=["a.dmn"])
        instance = await play.create()
        await play.work("after")
        await play.ends(instance)

    await compare(script)


async def test_knowledge(compare: Comparison) -> None:
    """Zeebe also lists the knowledge among the decisions, though it is none and has no key."""
    twice = function(f"{RUN}twice", ["n"], "n * 2").replace(f'name="{RUN}twice"', 'name="twice"')
    content = file(twice, decision(f"{RUN}d", "twice(x)", requires=knows(f"{RUN}twice"), name="d"))

    async def script(play: Play) -> None:
        await play.deploy(content, names=["a.dmn"])
        await play.evaluate("d", {"x": 3}, with_tree=False)

    await compare(script)
