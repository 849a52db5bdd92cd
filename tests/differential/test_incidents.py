"""Conditions that cannot be decided, and instances that are cancelled while they wait for help."""

import pytest

from tests.differential.comparison import Comparison
from tests.differential.models import END, START, choice, flow, fork, path, process, start, sub_process, task
from tests.differential.play import Play


def deciding(condition: str, *, default: str = "") -> bytes:
    return process(
        START
        + choice("choice", default=default)
        + task("yes")
        + task("no")
        + END
        + flow("start", "choice")
        + flow("choice", "no", "" if default else "=false")
        + flow("choice", "yes", condition)
    )


@pytest.mark.representative
@pytest.mark.parametrize("x", [None, 5, "true", [], {"a": 1}])
async def test_a_condition_that_is_not_boolean(compare: Comparison, x: object) -> None:
    async def script(play: Play) -> None:
        instance = await play.create({"x": x})
        incident = await play.incident(instance, "EXTRACT_VALUE_ERROR")
        await play.resolve(incident)
        incident = await play.incident(instance, "EXTRACT_VALUE_ERROR")
        await play.set_variables(instance, {"x": True})
        await play.resolve(incident)
        await play.work("yes")
        await play.ends(instance)

    await compare(script, deciding("=x", default="choice_no"))


CONDITIONS = [
    "=x &gt; 3",
    "=none &gt; 3",
    "=none = null",
    "=text &gt; 3",
    "=x = 5 and none",
    "=x = 6 and none",
    "=x = 5 or none",
    "=not(none)",
    '=text in ("t", "u")',
    "=x in [1..5]",
    "=x between 5 and 6",
    "=deep.er.value = 7",
    "=deep.none.value = 7",
    "=list[1] = 1",
    "=list[-1] = 3",
    "=list[9] = null",
    "=count(list) = 3",
    "=some i in list satisfies i &gt; 2",
    "=every i in list satisfies i &gt; 2",
    '=contains(text, "t")',
    "=if x = 5 then true else false",
    "=is defined(none)",
    "=is defined(x)",
    "=x / 0 = null",
    "=10.1 = 10.10",
    "=0.1 + 0.2 = 0.3",
    '=date("2026-01-02") &gt; date("2026-01-01")',
    '="5" = x',
    '=text = "T"',
    "=list = [1, 2, 3]",
    "=deep = {er: {value: 7}}",
    "=assert(none, none != null)",
    "=x instance of number",
    '=matches(text, "[")',
    "=null",
]


@pytest.mark.parametrize("condition", CONDITIONS)
async def test_what_a_condition_comes_to(compare: Comparison, condition: str) -> None:
    variables = {"x": 5, "text": "t", "deep": {"er": {"value": 7}}, "list": [1, 2, 3]}

    async def script(play: Play) -> None:
        await play.create(variables)
        await play.activate_if_any("yes")
        await play.activate_if_any("no")

    await compare(script, deciding(condition, default="choice_no"))


async def test_no_condition_holds(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create({"x": 1})
        incident = await play.incident(instance, "CONDITION_ERROR")
        await play.set_variables(instance, {"x": 2})
        await play.resolve(incident)
        await play.work("yes")
        await play.ends(instance)

    await compare(script, deciding("=x = 2"))


async def test_a_gateway_that_fails_beside_a_branch_that_goes_on(compare: Comparison) -> None:
    model = process(
        START
        + fork("fork")
        + choice("choice")
        + task("a")
        + task("b")
        + task("c")
        + path("start", "fork", "choice")
        + path("fork", "a", "c")
        + flow("choice", "b", "=x = 1")
        + flow("choice", "c", "=x = 2")
    )

    async def script(play: Play) -> None:
        instance = await play.create()
        incident = await play.incident(instance, "CONDITION_ERROR")
        await play.work("a", {"x": 1})
        await play.work("c")
        await play.resolve(incident)
        await play.work("b")
        await play.ends(instance)

    await compare(script, model)


async def test_a_sub_process_is_cancelled_with_incidents_in_it(compare: Comparison) -> None:
    inner = start("s") + fork("f") + choice("choice") + task("a") + task("b") + task("c")
    inner += path("s", "f", "choice") + path("f", "a") + flow("choice", "b", "=x") + flow("choice", "c", "=y")
    model = process(START + sub_process("sub", inner) + END + path("start", "sub", "end"))

    async def script(play: Play) -> None:
        instance = await play.create()
        incident = await play.incident(instance, "EXTRACT_VALUE_ERROR")
        (job,) = await play.activate("a")
        await play.fail(job, 0)
        await play.incident(instance, "JOB_NO_RETRIES")
        await play.cancel(instance)
        await play.ends(instance, "terminated")
        await play.resolve(incident)

    await compare(script, model)


@pytest.mark.representative
@pytest.mark.parametrize("local", [True, False])
@pytest.mark.parametrize(
    ("retries", "inputs"),
    [("=x + 1", {"x": "=x"}), ("=y", {"x": "=1"}), ("=y", {"y": "=x"}), ("=x", {"z": "=x", "w": "=z"})],
)
async def test_what_is_put_right_in_the_scope_of_an_element_is_seen_when_it_is_tried_again(
    compare: Comparison, retries: str, inputs: dict[str, str], local: bool
) -> None:
    model = process(START + task("a", retries=retries, inputs=inputs) + path("start", "a"))

    async def script(play: Play) -> None:
        instance = await play.create({"x": None})
        incident = await play.incident(instance, "EXTRACT_VALUE_ERROR")
        await play.set_variables(await play.happens("a", "ELEMENT_ACTIVATING"), {"x": 2, "y": 3}, local=local)
        await play.resolve(incident)
        await play.work("a")
        await play.ends(instance)

    await compare(script, model)
