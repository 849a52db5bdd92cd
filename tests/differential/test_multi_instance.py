"""Activities with many instances."""

import pytest

from tests.differential.comparison import Comparison
from tests.differential.models import (
    END,
    START,
    calls,
    catches,
    end,
    many,
    message,
    path,
    process,
    receives,
    rings,
    script,
    start,
    sub_process,
    task,
    timer,
)
from tests.differential.play import Play

ITEMS = {"items": [10, "b", {"c": 1}]}


@pytest.mark.representative
@pytest.mark.parametrize("sequential", [False, True])
@pytest.mark.parametrize(
    "outputs",
    [
        None,
        ("results", "=r"),
        ("results", "=item"),
        ("results", "=r.x"),
        ("results", "= (r)"),
        ("results", "=r + 1"),
    ],
)
async def test_a_task_for_each_item(
    compare: Comparison, sequential: bool, outputs: tuple[str, str] | None
) -> None:
    activity = many(task("work"), "=items", sequential=sequential, outputs=outputs)
    model = process(START + activity + task("after") + END + path("start", "work", "after", "end"))

    async def script(play: Play) -> None:
        instance = await play.create(ITEMS)
        for number in range(3):
            await play.work("work", {"r": number, "item": 5} if number < 2 else {})
        await play.work("after")
        await play.ends(instance)

    await compare(script, model)


@pytest.mark.parametrize("sequential", [False, True])
@pytest.mark.parametrize(
    ("items", "jobs"),
    [([], 0), ([None], 1), ([[1], []], 2), *((none, 1) for none in (None, 5, "x", {"a": 1}))],
)
async def test_all_kinds_of_collections(
    compare: Comparison, sequential: bool, items: object, jobs: int
) -> None:
    activity = many(task("work"), "=items", sequential=sequential, outputs=("results", "=loopCounter"))
    model = process(START + activity + task("after") + END + path("start", "work", "after", "end"))

    async def script(play: Play) -> None:
        instance = await play.create({"items": items})
        if not isinstance(items, list):
            incident = await play.incident(instance, "EXTRACT_VALUE_ERROR")
            await play.set_variables(instance, {"items": [1]})
            await play.resolve(incident)
        for _ in range(jobs):
            await play.work("work")
        await play.work("after")
        await play.ends(instance)

    await compare(script, model)


@pytest.mark.parametrize("sequential", [False, True])
@pytest.mark.parametrize(
    "until",
    [
        "=numberOfCompletedInstances >= 2",
        "=numberOfInstances = 3 and numberOfActiveInstances = 1 and numberOfTerminatedInstances = 0",
        "=loopCounter = 2",
        "=r = 1",
        "=count(results[item != null]) = 2",
    ],
)
async def test_a_completion_condition(compare: Comparison, sequential: bool, until: str) -> None:
    outputs = ("results", "=loopCounter")
    activity = many(task("work"), "=items", sequential=sequential, outputs=outputs, until=until)
    model = process(START + activity + task("after") + END + path("start", "work", "after", "end"))

    async def script(play: Play) -> None:
        instance = await play.create(ITEMS | {"r": 0})
        if sequential:
            for number in range(3):
                for job in await play.activate_if_any("work"):
                    await play.complete(job, {"r": number})
        else:
            for number, job in enumerate((await play.activate("work", 3))[:2]):
                await play.complete(job, {"r": number})
        await play.work("after")
        await play.ends(instance)

    await compare(
        script, model, concurrent="Zeebe looks for what is left to terminate in an order of its own"
    )


@pytest.mark.parametrize("until", ["=nothing", "=5", "true"])
async def test_a_completion_condition_that_is_none(compare: Comparison, until: str) -> None:
    activity = many(task("work"), "=items", until=until)
    model = process(START + activity + task("after") + END + path("start", "work", "after", "end"))

    async def script(play: Play) -> None:
        instance = await play.create({"items": [1, 2]})
        await play.work("work")
        incident = await play.incident(instance, "EXTRACT_VALUE_ERROR")
        await play.set_variables(instance, {"nothing": True})
        await play.resolve(incident)

    await compare(script, model)


async def test_an_output_that_cannot_be_computed(compare: Comparison) -> None:
    activity = many(task("work"), "=items", outputs=("results", "=assert(missing, missing != null)"))
    model = process(START + activity + task("after") + END + path("start", "work", "after", "end"))

    async def script(play: Play) -> None:
        instance = await play.create({"items": [1]})
        await play.work("work")
        incident = await play.incident(instance, "EXTRACT_VALUE_ERROR")
        await play.set_variables(instance, {"missing": True})
        await play.resolve(incident)
        await play.work("after")
        await play.ends(instance)

    await compare(script, model)


@pytest.mark.parametrize("sequential", [False, True])
async def test_mappings_are_those_of_each_instance(compare: Comparison, sequential: bool) -> None:
    work = task("work", inputs={"x": "=item + 1", "y": "=loopCounter"}, outputs={"z": "=x + r"})
    activity = many(work, "=items", sequential=sequential, outputs=("results", "=z"))
    model = process(START + activity + task("after") + END + path("start", "work", "after", "end"))

    async def script(play: Play) -> None:
        instance = await play.create({"items": [1, 2]})
        await play.work("work", {"r": 10})
        await play.work("work", {"r": 20})
        await play.work("after")
        await play.ends(instance)

    await compare(script, model)


@pytest.mark.parametrize("sequential", [False, True])
async def test_a_sub_process_for_each_item(compare: Comparison, sequential: bool) -> None:
    body = start("s") + task("a") + task("b") + path("s", "a", "b")
    sub = many(sub_process("sub", body), "=items", sequential=sequential, outputs=("results", "=r"))
    model = process(START + sub + task("after") + END + path("start", "sub", "after", "end"))

    async def script(play: Play) -> None:
        instance = await play.create({"items": [1, 2]})
        for number in range(2):
            await play.work("a", {"r": number})
            await play.work("b")
        await play.work("after")
        await play.ends(instance)

    await compare(script, model, concurrent="both at once")


async def test_many_in_many_in_a_sub_process_that_has_the_output_already(compare: Comparison) -> None:
    inner = start("s") + many(task("work"), "=item", item="i", outputs=("sums", "=i + 1")) + path("s", "work")
    middle = many(sub_process("sub", inner), "=items", outputs=("all", "=sums"))
    outer = sub_process("outer", start("o") + middle + task("then") + path("o", "sub", "then"))
    model = process(START + outer + task("after") + path("start", "outer", "after"))

    async def script(play: Play) -> None:
        instance = await play.create({"items": [[1, 2], [], [3]], "all": 0, "sums": 0})
        for job in await play.activate("work", 3):
            await play.complete(job)
        await play.work("then")
        await play.work("after")
        await play.ends(instance)

    await compare(script, model, concurrent="three at once")


async def test_an_error_out_of_one_instance_interrupts_all(compare: Comparison) -> None:
    activity = many(task("work"), "=items")
    model = process(START + activity + path("start", "work") + catches("caught", "work", error="e1"))

    async def script(play: Play) -> None:
        instance = await play.create({"items": [1, 2, 3]})
        job, *_ = await play.activate("work", 3)
        await play.throw(job, "E1")
        await play.work("after-caught")
        await play.ends(instance)

    await compare(script, model, concurrent="Zeebe terminates in an order of its own")


async def test_a_timer_on_the_body_is_there_once(compare: Comparison) -> None:
    late = rings("late", "work", timer("timeDuration", "PT0.5S"), interrupting=False)
    model = process(START + many(task("work"), "=items") + path("start", "work") + late)

    async def script(play: Play) -> None:
        instance = await play.create({"items": [1, 2]})
        await play.work("after-late")
        for job in await play.activate("work", 2):
            await play.complete(job)
        await play.ends(instance)

    await compare(script, model)


async def test_a_receive_task_for_each_item(compare: Comparison) -> None:
    activity = many(receives("got", "m"), "=items", outputs=("results", "=v"))
    model = process(
        START + activity + task("after") + path("start", "got", "after"), beside=message("m", "m", "=item")
    )

    async def script(play: Play) -> None:
        instance = await play.create({"items": ["1", "2"]})
        await play.waits_for("message", "m", 2)
        await play.publish("m", "2", {"v": "two"})
        await play.happens("got", "ELEMENT_COMPLETED")
        await play.publish("m", "1", {"v": "one"})
        await play.work("after")
        await play.ends(instance)

    await compare(script, model)


async def test_a_call_for_each_item(compare: Comparison) -> None:
    child = process(START + task("inner") + path("start", "inner"), process_id="child")
    called = calls("call", "child", child=False, outputs={"r": "=r"})
    activity = many(called, "=items", outputs=("results", "=r"))
    model = process(START + activity + task("after") + path("start", "call", "after"))

    async def script(play: Play) -> None:
        instance = await play.create({"items": [1, 2]})
        for job in await play.activate("inner", 2):
            await play.complete(job, {"r": job.element})
        await play.work("after")
        await play.ends(instance)

    await compare(script, child, model)


async def test_tasks_that_nobody_does(compare: Comparison) -> None:
    one = many('<task id="one"/>', "=items", outputs=("a", "=item * 2"))
    two = many('<manualTask id="two"/>', "=items", sequential=True, outputs=("b", "=item * 3"))
    model = process(START + one + two + task("after") + path("start", "one", "two", "after"))

    async def script(play: Play) -> None:
        instance = await play.create({"items": [1, 2]})
        await play.work("after")
        await play.ends(instance)

    await compare(script, model, concurrent="in parallel")


async def test_cancelling_terminates_all(compare: Comparison) -> None:
    sub = many(sub_process("sub", start("s") + task("a") + path("s", "a")), "=items")

    async def script(play: Play) -> None:
        instance = await play.create({"items": [1, 2]})
        await play.activate("a", 2)
        await play.cancel(instance)
        await play.ends(instance, "terminated")

    await compare(script, process(START + sub + path("start", "sub")), concurrent="an order of Zeebe's own")


async def test_an_error_end_event_in_an_instance_is_caught_at_the_body(compare: Comparison) -> None:
    sub = many(sub_process("sub", start("s") + end("thrown", error="e1") + path("s", "thrown")), "=items")
    model = process(START + sub + path("start", "sub") + catches("caught", "sub", error="e1"))

    async def script(play: Play) -> None:
        instance = await play.create({"items": [1]})
        await play.work("after-caught")
        await play.ends(instance)

    await compare(script, model)


async def test_all_begin_before_the_first_completes(compare: Comparison) -> None:
    """So the completion condition cannot keep the last from beginning."""
    each = many(script("each", "=loopCounter", "done"), "=items", until="=numberOfCompletedInstances > 0")

    async def play_it(play: Play) -> None:
        instance = await play.create({"items": [1, 2, 3]})
        await play.ends(instance)

    await compare(play_it, process(START + each + path("start", "each")), concurrent="items")
