"""Timers. They are real and short, so a little time passes in each of these."""

import pytest

from tests.differential.comparison import Comparison
from tests.differential.models import START, end, path, process, rings, start, sub_process, task, timer, waits
from tests.differential.play import Play


def catch(kind: str, value: str) -> bytes:
    return process(START + waits("wait", timer(kind, value)) + task("a") + path("start", "wait", "a"))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("timeDuration", "PT0.2S"),
        ("timeDuration", "PT0S"),
        ("timeDuration", "-PT5S"),
        ("timeDuration", "=delay"),
        ("timeDuration", '=duration("PT0.2S")'),
        ("timeDuration", '="PT0." + string(2) + "S"'),
        ("timeDate", "2020-01-01T00:00:00Z"),
        ("timeDate", "2020-01-01T00:00:00+02:00[Europe/Berlin]"),
        ("timeDate", '=date and time("2020-01-01T00:00:00Z")'),
        ("timeDate", '=date and time("2020-01-01T00:00:00")'),
        ("timeDate", "=when"),
        ("timeDate", '=now() + duration("PT0.2S")'),
    ],
)
async def test_a_catch_event_waits_for_its_time(compare: Comparison, kind: str, value: str) -> None:
    async def script(play: Play) -> None:
        instance = await play.create({"delay": "PT0.2S", "when": "2020-01-01T00:00:00Z"})
        await play.work("a")
        await play.ends(instance)

    await compare(script, catch(kind, value))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("timeDuration", "=none"),
        ("timeDuration", '="soon"'),
        ("timeDuration", "=5"),
        ("timeDuration", "=fixed.too"),
        ("timeDate", '="tomorrow"'),
        ("timeDate", '=duration("PT1S")'),
        ("timeDate", "=none"),
    ],
)
async def test_a_time_that_cannot_be_read_is_an_incident(compare: Comparison, kind: str, value: str) -> None:
    async def script(play: Play) -> None:
        instance = await play.create()
        await play.incident(instance, "EXTRACT_VALUE_ERROR")

    await compare(script, catch(kind, value))


async def test_a_time_that_can_be_read_after_all(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create({"delay": "soon"})
        incident = await play.incident(instance, "EXTRACT_VALUE_ERROR")
        await play.set_variables(instance, {"delay": "PT0.1S"})
        await play.resolve(incident)
        await play.work("a")
        await play.ends(instance)

    await compare(script, catch("timeDuration", "=delay"))


async def test_a_waiting_timer_is_cancelled_with_its_instance(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create()
        await play.happens("wait", "ELEMENT_ACTIVATED")
        await play.cancel(instance)
        await play.ends(instance, "terminated")

    await compare(script, catch("timeDuration", "PT1H"))


def at_task(definition: str, *, interrupting: bool = True) -> bytes:
    return process(
        START
        + task("a", inputs={"own": "=1"})
        + rings("ring", "a", definition, interrupting=interrupting)
        + end("done")
        + path("start", "a", "done")
    )


@pytest.mark.representative
async def test_an_interrupting_timer_takes_the_task_away(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create({"x": 1})
        (job,) = await play.activate("a")
        await play.work("after-ring")
        await play.complete(job)
        await play.ends(instance)

    await compare(script, at_task(timer("timeDuration", "PT0.3S")))


async def test_a_timer_ends_with_its_task(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("a")
        await play.ends(instance)

    await compare(script, at_task(timer("timeDuration", "PT1H")))


async def test_a_timer_that_does_not_interrupt_leaves_the_task_alone(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("after-ring")
        await play.work("a", {"own": 2, "y": 3})
        await play.ends(instance)

    await compare(script, at_task(timer("timeDuration", "PT0.2S"), interrupting=False))


@pytest.mark.parametrize("cycle", ["R3/PT0.2S", "R1/PT0.2S", "=c", "R2/2020-01-01T00:00:00Z/PT0.2S"])
async def test_a_cycle_goes_off_as_often_as_it_says(compare: Comparison, cycle: str) -> None:
    times = {"R3": 3, "R1": 1, "=c": 2, "R2": 2}[cycle[:2]]

    async def script(play: Play) -> None:
        instance = await play.create({"c": "R2/PT0.2S"})
        for _ in range(times):
            await play.work("after-ring")
        await play.work("a")
        await play.ends(instance)

    await compare(script, at_task(timer("timeCycle", cycle), interrupting=False))


async def test_an_endless_cycle_ends_with_its_task(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("after-ring")
        await play.work("after-ring")
        await play.cancel(instance)
        await play.ends(instance, "terminated")

    await compare(script, at_task(timer("timeCycle", "R/PT0.7S"), interrupting=False))


async def test_a_timer_at_a_sub_process_takes_everything_in_it_away(compare: Comparison) -> None:
    inner = start("s") + task("a") + waits("wait", timer("timeDuration", "PT1H")) + path("s", "a", "wait")
    model = process(
        START
        + sub_process("sub", inner, inputs={"own": "=1"})
        + rings("ring", "sub", timer("timeDuration", "PT0.7S"))
        + task("after")
        + path("start", "sub", "after")
    )

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("a", {"own": 2, "y": 1})
        await play.work("after-ring")
        await play.none("after")
        await play.ends(instance)

    await compare(script, model)


async def test_a_boundary_timer_that_cannot_be_read(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create({"delay": 5})
        incident = await play.incident(instance, "EXTRACT_VALUE_ERROR")
        await play.none("a")
        await play.set_variables(instance, {"delay": "PT1H"})
        await play.resolve(incident)
        await play.work("a")
        await play.ends(instance)

    await compare(script, at_task(timer("timeDuration", "=delay")))


async def test_a_boundary_timer_sees_the_inputs(compare: Comparison) -> None:
    model = process(
        START
        + task("a", inputs={"delay": '="PT0.2S"'})
        + rings("ring", "a", timer("timeDuration", "=delay"))
        + path("start", "a")
    )

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("after-ring")
        await play.ends(instance)

    await compare(script, model)


async def test_two_timers_at_one_task(compare: Comparison) -> None:
    model = process(
        START
        + task("a")
        + rings("first", "a", timer("timeDuration", "PT0.2S"), interrupting=False)
        + rings("second", "a", timer("timeDuration", "PT0.8S"))
        + path("start", "a")
    )

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("after-first")
        await play.work("after-second")
        await play.ends(instance)

    await compare(script, model)
