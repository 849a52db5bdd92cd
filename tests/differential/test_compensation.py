"""Compensation: what has completed is undone by handlers, as the throw event wants it."""

import pytest

from tests.bpmn.events import compensable, on_compensation
from tests.differential.comparison import Comparison
from tests.differential.models import (
    START,
    catches,
    choice,
    event,
    event_sub_process,
    flow,
    fork,
    message,
    path,
    process,
    start,
    sub_process,
    task,
)
from tests.differential.play import Play

AT_ONCE = "the order of what happens at once"
TERMINATE = "<terminateEventDefinition/>"


def undone(activity: str) -> str:
    handler = task(f"undo-{activity}").replace("<serviceTask", '<serviceTask isForCompensation="true"')
    return compensable(activity, handler, f"undo-{activity}")


def throws(activity: str = "", *, kind: str = "intermediateThrowEvent") -> str:
    return event(kind, "throw", on_compensation("throw", activity), outputs={"z": "=1"})


def with_sub_process(inside: str, *elements: str, beside: str = "") -> bytes:
    body = START + task("x") + undone("x") + sub_process("sub", start("s") + inside) + "".join(elements)
    return process(body + path("start", "x", "sub"), beside=beside)


INNER = task("a") + undone("a") + path("s", "a")


@pytest.mark.representative
@pytest.mark.parametrize("kind", ["intermediateThrowEvent", "endEvent"])
async def test_all_handlers_work_before_the_throw_event_goes_on(compare: Comparison, kind: str) -> None:
    body = START + task("a", inputs={"own": "=1"}) + task("b") + undone("a") + undone("b") + throws(kind=kind)
    if kind == "intermediateThrowEvent":
        body += task("after") + path("throw", "after")
    model = process(body + path("start", "a", "b", "throw"))

    async def script(play: Play) -> None:
        instance = await play.create({"v": 1})
        await play.work("a", {"a": 1})
        await play.work("b")
        await play.work("undo-a", {"v": 2})
        await play.none("after")
        await play.work("undo-b")
        if kind == "intermediateThrowEvent":
            await play.work("after")
        await play.ends(instance)

    await compare(script, model)


async def test_one_activity_is_undone_by_name(compare: Comparison) -> None:
    body = START + task("a") + task("b") + undone("a") + undone("b") + throws("a")
    model = process(body + path("start", "a", "b", "throw"))

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("a")
        await play.work("b")
        await play.none("undo-b")
        await play.work("undo-a")
        await play.ends(instance)

    await compare(script, model)


async def test_nothing_to_undo(compare: Comparison) -> None:
    model = process(START + task("a") + undone("a") + throws() + path("start", "throw", "a"))

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("a")
        await play.ends(instance)

    await compare(script, model)


async def test_each_completion_is_undone_once(compare: Comparison) -> None:
    body = START + choice("merge") + task("a") + undone("a") + choice("x", default="x_throw") + throws()
    model = process(body + path("start", "merge", "a", "x", "throw") + flow("x", "merge", "=more"))

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("a", {"more": True})
        await play.work("a", {"more": False})
        await play.work("undo-a")
        await play.work("undo-a")
        await play.ends(instance)

    await compare(script, model)


@pytest.mark.representative
@pytest.mark.parametrize("activity", ["", "sub"])
@pytest.mark.parametrize("handler", ["", undone("sub")])
async def test_a_completed_sub_process_is_undone(compare: Comparison, activity: str, handler: str) -> None:
    model = with_sub_process(INNER, handler, throws(activity), path("sub", "throw"))

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("x")
        await play.work("a")
        for name in ("undo-a", *(["undo-sub"] if handler else []), *(["undo-x"] if not activity else [])):
            await play.work(name)
        await play.ends(instance)

    await compare(script, model)


async def test_who_throws_inside_undoes_what_is_inside(compare: Comparison) -> None:
    model = with_sub_process(INNER + throws() + path("a", "throw"))

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("x")
        await play.work("a")
        await play.none("undo-x")
        await play.work("undo-a")
        await play.ends(instance)

    await compare(script, model)


async def test_an_error_out_of_a_handler(compare: Comparison) -> None:
    model = with_sub_process(INNER + throws() + path("a", "throw"), catches("caught", "sub", error="e1"))

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("x")
        await play.work("a")
        (job,) = await play.activate("undo-a")
        await play.throw(job, "E1")
        await play.work("after-caught")
        await play.ends(instance)

    await compare(script, model, concurrent=AT_ONCE)


async def test_an_interrupted_sub_process_is_not_undone(compare: Comparison) -> None:
    model = with_sub_process(
        INNER + task("b") + path("a", "b"),
        catches("caught", "sub", error="e1"),
        throws() + path("after-caught", "throw"),
    )

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("x")
        await play.work("a")
        (job,) = await play.activate("b")
        await play.throw(job, "E1")
        await play.work("after-caught")
        await play.none("undo-a")
        await play.work("undo-x")
        await play.ends(instance)

    await compare(script, model)


@pytest.mark.parametrize("interrupting", [True, False])
async def test_an_event_sub_process_undoes_what_its_scope_has_done(
    compare: Comparison, interrupting: bool
) -> None:
    inside = throws() + path("in-es", "throw")
    definition = '<messageEventDefinition messageRef="m"/>'
    events = event_sub_process("es", definition, inside, interrupting=interrupting)
    body = START + task("a") + undone("a") + task("b") + path("start", "a", "b") + events
    model = process(body, beside=message("m", "go", "=k"))

    async def script(play: Play) -> None:
        instance = await play.create({"k": "1"})
        await play.work("a")
        await play.waits_for("process_message", "go")
        await play.publish("go", "1")
        await play.work("in-es")
        await play.work("undo-a")
        for job in await play.activate_if_any("b"):
            await play.complete(job)
        await play.ends(instance)

    await compare(script, model)


async def test_a_handler_that_is_a_sub_process(compare: Comparison) -> None:
    handler = sub_process("h", start("hs") + task("u") + path("hs", "u"))
    handler = handler.replace("<subProcess", '<subProcess isForCompensation="true"')
    body = START + task("a") + compensable("a", handler, "h") + throws()
    model = process(body + path("start", "a", "throw"))

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("a")
        await play.work("u")
        await play.ends(instance)

    await compare(script, model)


async def test_a_terminate_end_event_ends_compensation(compare: Comparison) -> None:
    body = START + task("a") + undone("a") + fork("fork") + throws() + task("b")
    body += event("endEvent", "halt", TERMINATE) + path("start", "a", "fork", "throw")
    model = process(body + path("fork", "b", "halt"))

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("a")
        await play.activate("undo-a")
        await play.work("b")
        await play.ends(instance)

    await compare(script, model, concurrent=AT_ONCE)


@pytest.mark.parametrize(
    "body",
    [
        task("a") + undone("a").split("<association")[0],
        task("a") + undone("a") + task("b") + path("undo-a", "b"),
        task("a") + undone("a") + catches("x", "undo-a", error="e1"),
        task("a") + undone("a") + throws("nothing"),
        task("a") + undone("a") + task("b") + throws("b"),
        task("a") + sub_process("sub", start("s") + task("b") + undone("b") + path("s", "b")) + throws("b"),
        task("a") + event_sub_process("es", on_compensation("es")),
        task("a") + undone("a") + throws("a"),
    ],
)
async def test_models_that_are_refused(compare: Comparison, body: str) -> None:
    async def script(play: Play) -> None:
        await play.deploy(process(START + body + path("start", "a")))

    await compare(script)


LOOP = (
    "<multiInstanceLoopCharacteristics><extensionElements>"
    '<zeebe:loopCharacteristics inputCollection="=[1, 2]"/>'
    "</extensionElements></multiInstanceLoopCharacteristics>"
)


async def test_a_multi_instance_activity_is_undone_once(compare: Comparison) -> None:
    many = task("a").replace("</serviceTask>", f"{LOOP}</serviceTask>")
    model = process(START + many + undone("a") + throws() + task("b") + path("start", "a", "throw", "b"))

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("a")
        await play.work("a")
        await play.work("undo-a")
        for job in await play.activate_if_any("undo-a"):
            await play.complete(job)
        await play.work("b")
        await play.ends(instance)

    await compare(script, model, concurrent=AT_ONCE)


async def test_what_a_multi_instance_sub_process_has_done_is_undone(compare: Comparison) -> None:
    many = sub_process("sub", LOOP + start("s") + INNER)
    model = process(START + many + throws() + task("b") + path("start", "sub", "throw", "b"))

    async def script(play: Play) -> None:
        instance = await play.create()
        for job_type in ("a", "a", "undo-a", "undo-a", "b"):
            await play.work(job_type)
        await play.ends(instance)

    await compare(script, model, concurrent=AT_ONCE)


async def test_a_call_activity_is_undone(compare: Comparison) -> None:
    call = '<callActivity id="a"><extensionElements><zeebe:calledElement processId="RUN-called"/>'
    call += "</extensionElements></callActivity>"
    model = process(START + call + undone("a") + throws() + path("start", "a", "throw"))
    called = process(START + task("b") + path("start", "b"), process_id="called")

    async def script(play: Play) -> None:
        await play.create()
        await play.work("b")
        await play.work("undo-a")

    await compare(script, model, called)
