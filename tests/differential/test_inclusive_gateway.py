"""Inclusive gateways: which flows are taken, and what a join waits for."""

import pytest

from tests.differential.comparison import Comparison
from tests.differential.models import (
    START,
    flow,
    inclusive,
    path,
    process,
    start,
    sub_process,
    task,
)
from tests.differential.play import Play


@pytest.mark.representative
@pytest.mark.parametrize("a", [True, False])
@pytest.mark.parametrize("b", [True, False])
@pytest.mark.parametrize("default", ["fork_c", ""])
async def test_all_whose_conditions_hold_are_taken_and_joined(
    compare: Comparison, a: bool, b: bool, default: str
) -> None:
    body = START + inclusive("fork", default=default) + task("a") + task("b") + task("c")
    body += path("start", "fork") + flow("fork", "a", "=a") + flow("fork", "b", "=b")
    body += flow("fork", "c", "" if default else "=c") + inclusive("join") + task("after")
    body += "".join(flow(each, "join") for each in "abc") + flow("join", "after")

    async def script(play: Play) -> None:
        instance = await play.create({"a": a, "b": b, "c": False})
        if not (a or b or default):
            incident = await play.incident(instance, "CONDITION_ERROR")
            await play.set_variables(instance, {"c": True})
            await play.resolve(incident)
        taken = [*("a" * a), *("b" * b)] or ["c"]
        for each in taken:
            await play.work(each)
        await play.work("after")
        await play.ends(instance)

    await compare(script, process(body))


@pytest.mark.parametrize("x", [5, "a", None])
async def test_a_condition_that_is_not_boolean(compare: Comparison, x: object) -> None:
    body = START + inclusive("fork", default="fork_c") + task("a") + task("c") + path("start", "fork")
    body += flow("fork", "a", "=x") + flow("fork", "c")

    async def script(play: Play) -> None:
        instance = await play.create({"x": x})
        await play.incident(instance, "EXTRACT_VALUE_ERROR")

    await compare(script, process(body))


@pytest.mark.parametrize("condition", ["", "=true", "=false"])
async def test_one_flow(compare: Comparison, condition: str) -> None:
    body = START + inclusive("fork") + task("a") + path("start", "fork") + flow("fork", "a", condition)

    async def script(play: Play) -> None:
        instance = await play.create()
        if condition == "=false":
            await play.incident(instance, "CONDITION_ERROR")
        else:
            await play.work("a")
            await play.ends(instance)

    await compare(script, process(body))


async def test_no_flow_at_all(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        await play.ends(await play.create())

    await compare(script, process(START + inclusive("fork") + path("start", "fork")))


async def test_the_condition_of_the_default_flow_does_not_count(compare: Comparison) -> None:
    body = START + inclusive("fork", default="fork_b") + task("a") + task("b") + path("start", "fork")
    body += flow("fork", "a", "=true") + flow("fork", "b", "=true")

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("a")
        await play.none("b")
        await play.ends(instance)

    await compare(script, process(body))


async def test_a_join_in_a_sub_process(compare: Comparison) -> None:
    inner = start("s") + inclusive("f", default="f_y") + task("x") + task("y") + inclusive("j")
    inner += path("s", "f") + flow("f", "x", "=x") + flow("f", "y") + path("x", "j") + path("y", "j")
    body = START + sub_process("sub", inner) + task("after") + path("start", "sub", "after")

    async def script(play: Play) -> None:
        instance = await play.create({"x": True})
        await play.work("x")
        await play.work("after")
        await play.ends(instance)

    await compare(script, process(body))
