"""Process instances: created, awaited, cancelled."""

import pytest

from tests.differential.comparison import Comparison
from tests.differential.models import END, START, fork, path, process, start, sub_process, task, timer, waits
from tests.differential.play import UNKNOWN_KEY, Awaited, Play

ONE_TASK = process(START + task("a") + END + path("start", "a", "end"))


@pytest.mark.representative
async def test_the_result_is_awaited(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        result = play.create_awaiting({"x": 1})
        await play.work("a", {"y": {"z": [1, None, "t"]}})
        await play.result(result)

    await compare(script, ONE_TASK)


@pytest.mark.parametrize("names", [["y"], ["y", "none"], ["none"], [], ["x", "x"]])
async def test_of_the_result_only_some_variables_are_fetched(compare: Comparison, names: list[str]) -> None:
    async def script(play: Play) -> None:
        result = play.create_awaiting({"x": 1}, fetchVariables=names)
        await play.work("a", {"y": 2})
        await play.result(result)

    await compare(script, ONE_TASK)


async def test_local_variables_are_not_part_of_the_result(compare: Comparison) -> None:
    model = process(START + task("a", inputs={"own": "=1"}) + path("start", "a"))

    async def script(play: Play) -> None:
        result = play.create_awaiting({"x": 1})
        await play.work("a", {"own": 2, "y": 3})
        await play.result(result)

    await compare(script, model)


async def test_an_awaited_instance_that_is_cancelled(compare: Comparison) -> None:
    """Zeebe does not answer at all, until the time is over."""

    async def script(play: Play) -> None:
        result = play.create_awaiting(requestTimeout=1000)
        (job,) = await play.activate("a")
        await play.cancel(job.instance)
        await play.result(result)

    known = {"await the result -> 409 INVALID_STATE": "await the result -> 504 Gateway Timeout"}
    await compare(script, ONE_TASK, known=known)


async def test_a_result_that_takes_too_long(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        result = play.create_awaiting(requestTimeout=500)
        (job,) = await play.activate("a")
        await play.result(result)
        await play.complete(job)
        await play.ends(job.instance)

    await compare(script, ONE_TASK)


async def test_an_instance_is_cancelled_at_a_task(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create()
        (job,) = await play.activate("a")
        await play.cancel(instance)
        await play.ends(instance, "terminated")
        await play.complete(job)
        await play.fail(job, 1)
        await play.cancel(instance)
        await play.cancel(job.element_instance)

    await compare(script, ONE_TASK)


async def test_an_instance_is_cancelled_in_its_sub_processes(compare: Comparison) -> None:
    inner = start("s2") + fork("f") + task("a") + waits("wait", timer("timeDuration", "PT1H"))
    inner += path("s2", "f", "a") + path("f", "wait")
    outer = start("s1") + sub_process("inner", inner) + path("s1", "inner")
    model = process(START + sub_process("outer", outer) + path("start", "outer"))

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.activate("a")
        await play.happens("wait", "ELEMENT_ACTIVATED")
        await play.cancel(await play.happens("outer", "ELEMENT_ACTIVATED"))
        await play.cancel(instance)
        await play.ends(instance, "terminated")

    await compare(script, model)


async def test_an_instance_is_cancelled_at_a_join(compare: Comparison) -> None:
    model = process(
        START
        + fork("fork")
        + fork("join")
        + task("a")
        + task("b")
        + path("start", "fork", "a", "join")
        + path("fork", "b", "join")
    )

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("a")
        await play.cancel(instance)
        await play.ends(instance, "terminated")

    await compare(script, model)


async def test_an_instance_that_is_over_cannot_be_cancelled(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("a")
        await play.ends(instance)
        await play.cancel(instance)
        await play.set_variables(instance, {"x": 1})

    await compare(script, ONE_TASK)


@pytest.mark.parametrize(
    "what",
    [
        {"processDefinitionId": "RUN-process", "processDefinitionVersion": 1},
        {"processDefinitionId": "RUN-process", "processDefinitionVersion": -1},
        {"processDefinitionId": "RUN-process", "processDefinitionVersion": 0},
        {"processDefinitionId": "RUN-process", "processDefinitionVersion": 2},
        {"processDefinitionId": "RUN-process", "processDefinitionVersion": -2},
        {"processDefinitionId": "RUN-unknown"},
        {"processDefinitionId": "RUN-unknown", "awaitCompletion": True},
        {"processDefinitionId": ""},
        {"processDefinitionKey": str(UNKNOWN_KEY)},
        {"processDefinitionKey": str(UNKNOWN_KEY), "processDefinitionId": "RUN-process"},
        {"processDefinitionId": "RUN-process", "tenantId": "other"},
        {"processDefinitionId": "RUN-process", "tenantId": "<default>"},
        {"processDefinitionId": "RUN-process", "variables": None},
        {"processDefinitionId": "RUN-process", "variables": {}},
        {"processDefinitionId": "RUN-process", "startInstructions": [{"elementId": "a"}]},
        {"processDefinitionId": "RUN-process", "startInstructions": [{"elementId": "none"}]},
        {"processDefinitionId": "RUN-process", "startInstructions": [{"elementId": "start_a"}]},
        {"processDefinitionId": "RUN-process", "startInstructions": [{"elementId": "start"}]},
        {"processDefinitionId": "RUN-process", "operationReference": 7},
        {"processDefinitionId": "RUN-process", "operationReference": 0},
    ],
)
async def test_what_can_be_created(compare: Comparison, what: dict[str, object]) -> None:
    async def script(play: Play) -> None:
        status = await play.send("POST", "process-instances", what)
        if status == 200:
            await play.work("a")

    await compare(script, ONE_TASK)


async def test_a_definition_is_named_by_its_key(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        (first,) = await play.deploy(ONE_TASK)
        await play.deploy(process(START + task("b") + path("start", "b")))
        instance = await play.create(processDefinitionKey=str(first))
        await play.work("a")
        await play.ends(instance)
        await play.create()
        await play.work("b")

    await compare(script)


INNER_STARTS = process(
    START
    + task("a", inputs={"in": "=x"})
    + sub_process(
        "sub",
        start("s") + task("b") + task("c") + path("s", "b", "c"),
        inputs={"own": "=x"},
        outputs={"y": "=own"},
    )
    + END
    + path("start", "a", "sub", "end")
)


@pytest.mark.parametrize("elements", [["b"], ["sub"], ["c", "a"], ["b", "c"], ["end"], ["s"], ["b", "none"]])
async def test_an_instance_starts_in_the_middle(compare: Comparison, elements: list[str]) -> None:
    async def script(play: Play) -> None:
        instructions = [{"elementId": element} for element in elements]
        instance = await play.create({"x": 1}, startInstructions=instructions)
        if not instance:
            return
        for _ in range(2):
            for job_type in ("a", "b", "c"):
                for job in await play.activate_if_any(job_type):
                    await play.complete(job, {"own": 5})

    await compare(script, INNER_STARTS)


async def test_many_instances_at_once(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        for number in range(20):
            await play.create({"n": number})
        for job in await play.activate("a", 20):
            await play.complete(job)

    await compare(script, ONE_TASK)


async def test_awaiting_a_process_that_never_waits(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        await play.result(play.create_awaiting({"x": 1}))

    await compare(script, process(START + END + path("start", "end")))


async def test_several_results_are_awaited_at_once(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        awaited: list[tuple[int, Awaited]] = []
        for number in range(3):
            result = play.create_awaiting({"n": number})
            awaited.append((await play.happens("a", "ELEMENT_ACTIVATED", number + 1), result))
        first, second, third = awaited
        for task_instance, result in (second, third, first):
            await play.work("a", {"done": True}, owner=task_instance)
            await play.result(result)

    await compare(script, ONE_TASK)
