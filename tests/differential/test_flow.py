"""Sequences, choices, sub-processes: where a token goes, and in which order."""

import pytest

from tests.differential.comparison import Comparison
from tests.differential.models import (
    END,
    START,
    choice,
    end,
    flow,
    fork,
    path,
    process,
    start,
    sub_process,
    task,
)
from tests.differential.play import Play


@pytest.mark.representative
async def test_a_sequence_of_tasks(compare: Comparison) -> None:
    model = process(START + task("a") + task("b") + END + path("start", "a", "b", "end"))

    async def script(play: Play) -> None:
        instance = await play.create({"x": 1})
        await play.none("b")
        await play.work("a", {"y": 2})
        await play.work("b")
        await play.ends(instance)

    await compare(script, model)


async def test_a_process_that_never_waits(compare: Comparison) -> None:
    body = START + '<task id="t"/><manualTask id="m"/>' + END + path("start", "t", "m", "end")

    async def script(play: Play) -> None:
        await play.ends(await play.create({"x": 1}))

    await compare(script, process(body))


async def test_paths_that_end_without_an_end_event(compare: Comparison) -> None:
    model = process(START + task("a") + '<task id="t"/>' + path("start", "a", "t"))

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("a")
        await play.ends(instance)

    await compare(script, model)


async def test_the_start_event_alone(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        await play.ends(await play.create())

    await compare(script, process(START))


async def test_a_task_with_two_outgoing_flows_takes_both(compare: Comparison) -> None:
    body = START + task("a") + task("b") + task("c") + path("start", "a", "b") + path("a", "c")

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("a")
        await play.work("b")
        await play.work("c")
        await play.ends(instance)

    await compare(script, process(body))


async def test_a_task_with_two_incoming_flows_is_activated_for_each(compare: Comparison) -> None:
    body = START + fork("fork") + task("a") + path("start", "fork", "a") + flow("fork", "a", flow_id="again")

    async def script(play: Play) -> None:
        instance = await play.create()
        for job in await play.activate("a", 2):
            await play.complete(job)
        await play.ends(instance)

    await compare(script, process(body))


@pytest.mark.representative
@pytest.mark.parametrize("amount", [5, 100, 100.5, 2000])
async def test_a_flow_whose_condition_holds_is_taken_or_else_the_default(
    compare: Comparison, amount: float
) -> None:
    model = process(
        START
        + choice("choice", default="choice_small")
        + task("small", "any")
        + task("big", "any")
        + task("huge", "any")
        + flow("start", "choice")
        + flow("choice", "small")
        + flow("choice", "big", "=amount &gt; 100")
        + flow("choice", "huge", "=amount &gt; 1000")
    )

    async def script(play: Play) -> None:
        instance = await play.create({"amount": amount})
        await play.work("any")
        await play.ends(instance)

    await compare(script, model)


@pytest.mark.parametrize("order", [("one", "two"), ("two", "one")])
async def test_of_two_conditions_that_hold_one_wins_by_the_order_in_the_document(
    compare: Comparison, order: tuple[str, str]
) -> None:
    model = process(
        START
        + choice("choice")
        + task("one", "either")
        + task("two", "either")
        + flow("start", "choice")
        + "".join(flow("choice", target, "=true") for target in order)
    )

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("either")
        await play.ends(instance)

    await compare(script, model)


async def test_an_exclusive_gateway_with_one_flow_without_a_condition(compare: Comparison) -> None:
    model = process(START + choice("choice") + task("a") + path("start", "choice", "a"))

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("a")
        await play.ends(instance)

    await compare(script, model)


async def test_an_exclusive_gateway_at_the_end_of_a_path(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        await play.ends(await play.create())

    await compare(script, process(START + choice("choice") + path("start", "choice")))


@pytest.mark.representative
async def test_sub_processes_within_each_other(compare: Comparison) -> None:
    inner = start("s2") + task("a") + end("end2") + path("s2", "a", "end2")
    outer = (
        start("s1") + sub_process("inner", inner) + task("b") + end("end1") + path("s1", "inner", "b", "end1")
    )
    model = process(
        START + sub_process("outer", outer) + task("c") + END + path("start", "outer", "c", "end")
    )

    async def script(play: Play) -> None:
        instance = await play.create({"x": 1})
        await play.work("a", {"x": 2, "new": True})
        await play.work("b")
        await play.work("c")
        await play.ends(instance)

    await compare(script, model)


async def test_an_empty_sub_process(compare: Comparison) -> None:
    model = process(
        START
        + sub_process("sub", start("s") + end("e") + path("s", "e"))
        + task("a")
        + path("start", "sub", "a")
    )

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("a")
        await play.ends(instance)

    await compare(script, model)


async def test_a_long_chain_without_a_wait_state(compare: Comparison) -> None:
    ids = [f"t{number}" for number in range(250)]
    tasks = "".join(f'<task id="{element_id}"/>' for element_id in ids)
    model = process(START + tasks + task("last") + path("start", *ids, "last"))

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("last")
        await play.ends(instance)

    await compare(script, model)
