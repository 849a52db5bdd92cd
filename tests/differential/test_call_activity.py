"""Call activities: what goes to the called process, and what comes back."""

import pytest

from tests.differential.comparison import Comparison
from tests.differential.models import (
    END,
    START,
    calls,
    catches,
    end,
    event,
    many,
    message,
    path,
    process,
    rings,
    start,
    sub_process,
    task,
    timer,
)
from tests.differential.play import Play

CHILD = process(START + task("inner") + END + path("start", "inner", "end"), process_id="child")


@pytest.mark.representative
@pytest.mark.parametrize("parent", [True, False])
@pytest.mark.parametrize("child", [True, False])
@pytest.mark.parametrize("inputs", [None, {"x": "=1", "a": "=5"}])
@pytest.mark.parametrize("outputs", [None, {"o": "=r"}])
async def test_variables_go_to_the_called_process_and_come_back(
    compare: Comparison,
    parent: bool,
    child: bool,
    inputs: dict[str, str] | None,
    outputs: dict[str, str] | None,
) -> None:
    called = calls("call", "child", parent=parent, child=child, inputs=inputs, outputs=outputs)
    model = process(START + called + task("after") + END + path("start", "call", "after", "end"))

    async def script(play: Play) -> None:
        instance = await play.create({"a": 1, "b": 2})
        await play.work("inner", {"r": 7, "a": 9, "x": 3})
        await play.work("after")
        await play.ends(instance)

    await compare(script, CHILD, model)


async def test_an_error_of_the_called_process_is_caught_at_the_call_activity(compare: Comparison) -> None:
    child = process(START + task("inner") + path("start", "inner"), process_id="child")
    model = process(
        START + calls("call", "child") + path("start", "call") + catches("caught", "call", error="e1")
    )

    async def script(play: Play) -> None:
        instance = await play.create()
        (job,) = await play.activate("inner")
        await play.throw(job, "E1", "no", {"v": 1})
        await play.work("after-caught")
        await play.ends(instance)

    await compare(script, child, model)


async def test_an_error_end_event_of_the_called_process(compare: Comparison) -> None:
    child = process(START + end("thrown", error="e1") + path("start", "thrown"), process_id="child")
    inner = start("s") + calls("call", "child") + path("s", "call")
    model = process(
        START + sub_process("sub", inner) + path("start", "sub") + catches("caught", "sub", error="e1")
    )

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("after-caught")
        await play.ends(instance)

    await compare(script, child, model)


async def test_an_error_that_nobody_catches_is_an_incident_in_the_called_process(compare: Comparison) -> None:
    model = process(START + calls("call", "child") + path("start", "call"))

    async def script(play: Play) -> None:
        await play.create()
        (job,) = await play.activate("inner")
        await play.throw(job, "E1", "no")
        _, child = await play.started(2)
        await play.incident(child, "UNHANDLED_ERROR_EVENT")

    await compare(script, CHILD, model)


async def test_cancelling_the_caller_terminates_what_it_called(compare: Comparison) -> None:
    model = process(START + calls("call", "child") + path("start", "call"))

    async def script(play: Play) -> None:
        instance = await play.create()
        _, child = await play.started(2)
        await play.activate("inner")
        await play.cancel(child)
        await play.cancel(instance)
        await play.ends(instance, "terminated")

    await compare(script, CHILD, model)


async def test_a_boundary_event_interrupts_the_call_activity(compare: Comparison) -> None:
    late = rings("late", "call", timer("timeDuration", "PT0.5S"))
    model = process(START + calls("call", "child") + path("start", "call") + late)

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("after-late")
        await play.ends(instance)

    await compare(script, CHILD, model)


@pytest.mark.parametrize("called", ["missing", "=1", "=RUN", "=&quot;RUN-&quot; + what"])
async def test_what_cannot_be_called_is_an_incident(compare: Comparison, called: str) -> None:
    model = process(START + calls("call", called) + path("start", "call"))

    async def script(play: Play) -> None:
        instance = await play.create()
        error = "CALLED_ELEMENT_ERROR" if called == "missing" else "EXTRACT_VALUE_ERROR"
        incident = await play.incident(instance, error)
        await play.set_variables(instance, {"what": "child"})
        await play.resolve(incident)
        if "what" in called:
            await play.work("inner")
            await play.ends(instance)

    await compare(script, CHILD, model)


async def test_the_latest_version_is_called_or_that_of_the_deployment(compare: Comparison) -> None:
    newer = process(START + task("newer") + path("start", "newer"), process_id="child")
    body = START + calls("one", "child") + calls("two", "child", binding="deployment")
    model = process(body + path("start", "one", "two"))

    async def script(play: Play) -> None:
        await play.deploy(CHILD, model)
        await play.deploy(newer)
        instance = await play.create()
        await play.work("newer")
        await play.work("inner")
        await play.ends(instance)

    await compare(script)


async def test_a_version_is_called_by_its_tag(compare: Comparison) -> None:
    tag = '<extensionElements><zeebe:versionTag value="{}"/></extensionElements>'
    old = process(tag.format("v1") + START + task("old") + path("start", "old"), process_id="child")
    new = process(tag.format("v2") + START + task("new") + path("start", "new"), process_id="child")
    body = START + calls("one", "child", binding="versionTag", tag="v1")
    body += calls("two", "child", binding="versionTag", tag="v3")
    model = process(body + path("start", "one", "two"))

    async def script(play: Play) -> None:
        await play.deploy(old)
        await play.deploy(new)
        await play.deploy(model)
        instance = await play.create()
        await play.work("old")
        await play.incident(instance, "CALLED_ELEMENT_ERROR")

    await compare(script)


async def test_a_deployment_that_lacks_the_called_process_is_an_incident(compare: Comparison) -> None:
    model = process(START + calls("call", "child", binding="deployment") + path("start", "call"))

    async def script(play: Play) -> None:
        await play.deploy(CHILD)
        await play.deploy(model)
        instance = await play.create()
        await play.incident(instance, "CALLED_ELEMENT_ERROR")

    await compare(script)


async def test_a_called_process_without_a_none_start_event_is_an_incident(compare: Comparison) -> None:
    child = process(
        event("startEvent", "start", '<messageEventDefinition messageRef="m"/>') + END + path("start", "end"),
        process_id="child",
        beside=message("m", "m"),
    )
    model = process(START + calls("call", "child") + path("start", "call"))

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.incident(instance, "CALLED_ELEMENT_ERROR")

    await compare(script, child, model)


@pytest.mark.parametrize("inputs", [None, {"x": "=item"}])
@pytest.mark.parametrize("sequential", [True, False])
async def test_an_item_goes_to_the_called_process_only_with_mappings(
    compare: Comparison, sequential: bool, inputs: dict[str, str] | None
) -> None:
    called = many(calls("call", "child", parent=False, inputs=inputs), "=[7]", sequential=sequential)
    model = process(START + called + task("after") + path("start", "call", "after"))

    async def script(play: Play) -> None:
        instance = await play.create({"y": 1})
        await play.work("inner", {"r": 2})
        await play.work("after")
        await play.ends(instance)

    await compare(script, CHILD, model)
