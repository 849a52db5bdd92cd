"""Script tasks that evaluate an expression."""

import pytest

from tests.differential.comparison import Comparison
from tests.differential.models import START, many, path, process, script, task
from tests.differential.play import Play


@pytest.mark.representative
@pytest.mark.parametrize(
    "expression", ["=a + 1", "={x: a, y: [a]}", "=missing", "=if a = 1 then null else 2"]
)
@pytest.mark.parametrize("outputs", [None, {"o": "=r"}])
@pytest.mark.parametrize("inputs", [None, {"a": "=10", "r": "=0"}])
async def test_the_result_is_a_variable(
    compare: Comparison, expression: str, outputs: dict[str, str] | None, inputs: dict[str, str] | None
) -> None:
    model = process(
        START
        + script("script", expression, "r", inputs=inputs, outputs=outputs)
        + task("after")
        + path("start", "script", "after")
    )

    async def play_it(play: Play) -> None:
        instance = await play.create({"a": 1})
        await play.work("after")
        await play.ends(instance)

    await compare(play_it, model)


async def test_a_script_that_fails_is_an_incident(compare: Comparison) -> None:
    model = process(
        START
        + script("script", "=assert(x, x != null)", "r")
        + task("after")
        + path("start", "script", "after")
    )

    async def play_it(play: Play) -> None:
        instance = await play.create()
        incident = await play.incident(instance, "EXTRACT_VALUE_ERROR")
        await play.set_variables(instance, {"x": 1})
        await play.resolve(incident)
        await play.work("after")
        await play.ends(instance)

    await compare(play_it, model)


async def test_a_script_for_each_item(compare: Comparison) -> None:
    activity = many(script("script", "=item * 2", "r"), "=items", sequential=True, outputs=("all", "=r"))
    model = process(START + activity + task("after") + path("start", "script", "after"))

    async def play_it(play: Play) -> None:
        instance = await play.create({"items": [1, 2, 3]})
        await play.work("after")
        await play.ends(instance)

    await compare(play_it, model)
