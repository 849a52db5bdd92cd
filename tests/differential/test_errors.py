"""BPMN errors: thrown by workers and by end events, caught at every level, or by nobody."""

import pytest

from tests.differential.comparison import Comparison
from tests.differential.models import START, catches, end, fork, path, process, start, sub_process, task
from tests.differential.play import Play

UNHANDLED = "UNHANDLED_ERROR_EVENT"


def nested(*boundaries: str) -> bytes:
    """A task in a sub-process in a sub-process."""
    inner = start("s2") + task("a") + path("s2", "a")
    outer = start("s1") + sub_process("inner", inner) + path("s1", "inner")
    at = {
        name: "".join(b for b in boundaries if f'attachedToRef="{name}"' in b)
        for name in ("a", "inner", "outer")
    }
    inner += at["a"]
    outer = start("s1") + sub_process("inner", inner) + at["inner"] + path("s1", "inner")
    return process(
        START + sub_process("outer", outer) + at["outer"] + task("after") + path("start", "outer", "after")
    )


@pytest.mark.parametrize(
    ("code", "boundaries", "caught"),
    [
        ("E1", [catches("x", "a", error="e1")], "x"),
        ("E1", [catches("x", "inner", error="e1")], "x"),
        ("E1", [catches("x", "outer", error="e1")], "x"),
        ("E1", [catches("x", "a", error="e2"), catches("y", "outer", error="e1")], "y"),
        ("E1", [catches("x", "a"), catches("y", "outer", error="e1")], "x"),
        ("E1", [catches("x", "a"), catches("y", "a", error="e1")], "y"),
        ("E1", [catches("y", "a", error="e1"), catches("x", "a")], "y"),
        ("E3", [catches("y", "a", error="e1"), catches("x", "inner")], "x"),
        ("E2", [catches("y", "inner", error="e1"), catches("x", "inner", error="e2")], "x"),
    ],
)
async def test_the_innermost_catching_event_takes_the_error(
    compare: Comparison, code: str, boundaries: list[str], caught: str
) -> None:
    async def script(play: Play) -> None:
        instance = await play.create({"x": 1})
        (job,) = await play.activate("a")
        await play.throw(job, code, "it happened", {"reason": "r", "x": 2})
        await play.complete(job)
        await play.work(f"after-{caught}")
        for job in await play.activate_if_any("after"):
            await play.complete(job)
        await play.ends(instance)

    await compare(script, nested(*boundaries))


@pytest.mark.representative
@pytest.mark.parametrize(
    "boundaries", [[], [catches("x", "a", error="e1"), catches("y", "outer", error="e2")]]
)
async def test_an_error_that_nobody_catches_is_an_incident(
    compare: Comparison, boundaries: list[str]
) -> None:
    async def script(play: Play) -> None:
        instance = await play.create({"x": 1})
        (job,) = await play.activate("a")
        await play.throw(job, "E9", "unknown here", {"x": 2, "y": 3})
        incident = await play.incident(instance, UNHANDLED)
        await play.none("a")
        await play.complete(job)
        await play.fail(job, 3)
        await play.throw(job, "E1")
        await play.update(job, retries=5)
        await play.resolve(incident)
        jobs = await play.activate_if_any("a")
        for job in jobs:
            await play.complete(job)
        if not jobs:
            await play.incident(instance, UNHANDLED)
            await play.cancel(instance)

    await compare(script, nested(*boundaries))


async def test_an_error_takes_the_other_branches_of_its_scope_away(compare: Comparison) -> None:
    inner = start("s") + fork("fork") + task("a") + task("b") + path("s", "fork", "a") + path("fork", "b")
    model = process(
        START
        + sub_process("sub", inner)
        + catches("x", "sub", error="e1")
        + task("after")
        + path("start", "sub", "after")
    )

    async def script(play: Play) -> None:
        instance = await play.create()
        (other,) = await play.activate("b")
        (job,) = await play.activate("a")
        await play.throw(job, "E1")
        await play.complete(other)
        await play.work("after-x")
        await play.ends(instance)

    await compare(script, model)


async def test_outputs_of_the_catching_event_choose_from_the_errors_variables(compare: Comparison) -> None:
    model = nested(catches("x", "outer", error="e1", outputs={"why": "=reason", "old": "=x"}))

    async def script(play: Play) -> None:
        instance = await play.create({"x": 1})
        (job,) = await play.activate("a")
        await play.throw(job, "E1", variables={"reason": {"deep": [1]}, "noise": 1})
        await play.work("after-x")
        await play.ends(instance)

    await compare(script, model)


async def test_outputs_of_the_catching_event_that_fail(compare: Comparison) -> None:
    model = nested(catches("x", "outer", error="e1", outputs={"why": "=assert(reason, reason != null)"}))

    async def script(play: Play) -> None:
        instance = await play.create()
        (job,) = await play.activate("a")
        await play.throw(job, "E1")
        incident = await play.incident(instance, "IO_MAPPING_ERROR")
        await play.set_variables(instance, {"reason": 1})
        await play.resolve(incident)
        await play.work("after-x")
        await play.ends(instance)

    await compare(script, model)


@pytest.mark.parametrize(
    "boundary", [catches("x", "sub", error="e1"), catches("x", "sub"), catches("x", "sub", error="e2"), ""]
)
async def test_an_error_end_event_throws_out_of_its_scope(compare: Comparison, boundary: str) -> None:
    inner = (
        start("s")
        + fork("fork")
        + task("a")
        + task("b")
        + end("boom", error="e1")
        + path("s", "fork", "a", "boom")
        + path("fork", "b")
    )
    model = process(
        START + sub_process("sub", inner) + boundary + task("after") + path("start", "sub", "after")
    )

    async def script(play: Play) -> None:
        instance = await play.create({"x": 1})
        await play.work("a", {"x": 2})
        if boundary and "e2" not in boundary:
            await play.none("b", "after")
            await play.work("after-x")
            await play.ends(instance)
        else:
            incident = await play.incident(instance, UNHANDLED)
            await play.resolve(incident)
            await play.incident(instance, UNHANDLED)
            await play.work("b")
            await play.cancel(instance)
            await play.ends(instance, "terminated")

    await compare(script, model)


async def test_an_error_end_event_of_the_process_itself(compare: Comparison) -> None:
    model = process(START + end("boom", error="e1") + path("start", "boom"))

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.incident(instance, UNHANDLED)

    await compare(script, model)


async def test_an_error_caught_at_a_task_with_inputs(compare: Comparison) -> None:
    """Its local variables are gone; those of the error are seen behind the event."""
    model = process(
        START + task("a", inputs={"own": "=1"}) + catches("x", "a", error="e1") + path("start", "a")
    )

    async def script(play: Play) -> None:
        instance = await play.create({"y": 1})
        (job,) = await play.activate("a")
        await play.throw(job, "E1", variables={"own": 2, "y": 3, "z": 4})
        await play.work("after-x")
        await play.ends(instance)

    await compare(script, model)
