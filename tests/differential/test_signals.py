"""Signals: broadcast by a client, and thrown by a process."""

from typing import Any

import pytest

from tests.bpmn.events import on_signal
from tests.differential.comparison import Comparison
from tests.differential.models import (
    START,
    calls,
    end,
    event,
    event_sub_process,
    path,
    process,
    rings,
    signal,
    start,
    sub_process,
    task,
)
from tests.differential.play import Play

BELL = signal("s", "bell")


def catching(*, name: str = "bell", process_id: str = "process", **mappings: Any) -> bytes:
    wait = event("intermediateCatchEvent", "wait", on_signal("s"), **mappings)
    body = START + wait + task("after") + path("start", "wait", "after")
    return process(body, process_id=process_id, beside=signal("s", name))


@pytest.mark.representative
async def test_everybody_who_waits_is_reached(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        await play.broadcast("bell")
        instances = [await play.create({"x": 1}) for _ in range(2)]
        await play.waits_for("signal", "bell", 2)
        await play.broadcast("other")
        await play.broadcast("bell", {"x": 2, "y": 3})
        for instance in instances:
            await play.work("after", owner=instance)
            await play.ends(instance)

    await compare(script, catching())


@pytest.mark.parametrize("mappings", [{"outputs": {"z": "=y + 1"}}, {"inputs": {"x": "=5"}}])
async def test_mappings_of_a_catch_event(compare: Comparison, mappings: Any) -> None:
    async def script(play: Play) -> None:
        instance = await play.create({"x": 1})
        await play.waits_for("signal", "bell")
        await play.broadcast("bell", {"x": 2, "y": 3})
        await play.work("after")
        await play.ends(instance)

    await compare(script, catching(**mappings))


async def test_a_name_that_is_computed(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create({"run": play.run})
        await play.waits_for("signal", "bells")
        await play.broadcast("bells")
        await play.work("after")
        await play.ends(instance)

    await compare(script, catching(name='=run + "bells"'))


async def test_a_name_that_is_no_text(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create()
        await play.incident(instance, "EXTRACT_VALUE_ERROR")

    await compare(script, catching(name="=5"))


@pytest.mark.parametrize("interrupting", [True, False])
@pytest.mark.parametrize("outputs", [None, {"z": "=y + 1"}])
async def test_a_boundary_event(compare: Comparison, interrupting: bool, outputs: Any) -> None:
    model = process(
        START
        + sub_process("sub", start("s1") + task("a") + path("s1", "a"), inputs={"y": "=7"})
        + rings("ring", "sub", on_signal("s"), interrupting=interrupting, outputs=outputs)
        + end("done")
        + path("start", "sub", "done"),
        beside=BELL,
    )

    async def script(play: Play) -> None:
        instance = await play.create({"x": 1})
        await play.waits_for("signal", "bell")
        await play.broadcast("bell", {"x": 3, "y": 4})
        await play.work("after-ring")
        if not interrupting:
            await play.broadcast("bell", {"x": 5, "y": 6})
            await play.work("after-ring")
            await play.work("a")
        await play.ends(instance)

    await compare(script, model)


@pytest.mark.representative
@pytest.mark.parametrize("mappings", [{}, {"outputs": {"z": "=x + 1"}}])
async def test_a_signal_starts_an_instance(compare: Comparison, mappings: Any) -> None:
    begin = event("startEvent", "begin", on_signal("s"), **mappings)
    model = process(begin + task("work") + path("begin", "work"), beside=BELL)

    async def script(play: Play) -> None:
        await play.broadcast("bell", {"x": 1})
        (instance,) = await play.started()
        await play.work("work")
        await play.ends(instance)
        await play.deploy(model.replace(b"work", b"renewed"))
        await play.broadcast("bell", {"x": 1})
        await play.work("renewed")
        await play.none("work")

    await compare(script, model)


@pytest.mark.representative
@pytest.mark.parametrize("kind", ["intermediateThrowEvent", "endEvent"])
async def test_a_signal_that_a_process_throws(compare: Comparison, kind: str) -> None:
    throw = event(kind, "throw", on_signal("s"), inputs={"y": "=x + 1"}, outputs={"z": "=y"})
    thrower = process(
        START + task("a") + throw + path("start", "a", "throw"), process_id="thrower", beside=BELL
    )

    async def script(play: Play) -> None:
        waiting = await play.create()
        await play.waits_for("signal", "bell")
        throwing = await play.create({"x": 1}, processDefinitionId="RUN-thrower")
        await play.work("a")
        await play.work("after")
        await play.ends(throwing)
        await play.ends(waiting)

    await compare(script, catching(), thrower)


async def test_an_event_that_throws_nothing(compare: Comparison) -> None:
    milestone = event("intermediateThrowEvent", "milestone", "", outputs={"z": "=1"}, inputs={"y": "=2"})
    model = process(START + milestone + task("a") + path("start", "milestone", "a"))

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("a")
        await play.ends(instance)

    await compare(script, model)


async def test_a_gateway_with_a_signal(compare: Comparison) -> None:
    model = process(
        START
        + '<eventBasedGateway id="gateway"/>'
        + event("intermediateCatchEvent", "one", on_signal("s1"), inputs={"own": "=1"})
        + event("intermediateCatchEvent", "two", on_signal("s2"))
        + task("a")
        + task("b")
        + path("start", "gateway", "one", "a")
        + path("gateway", "two", "b"),
        beside=signal("s1", "one") + signal("s2", "two"),
    )

    async def script(play: Play) -> None:
        for name, job_type, times in (("one", "a", 1), ("two", "b", 2)):
            instance = await play.create()
            await play.waits_for("signal", "one", times)
            await play.waits_for("signal", "two", times)
            await play.broadcast(name, {"x": 1})
            await play.work(job_type)
            await play.ends(instance)

    await compare(script, model)


async def test_what_is_refused_of_a_broadcast(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        for body in ({}, {"signalName": ""}, {"signalName": "x", "tenantId": "t"}):
            await play.send("POST", "signals/broadcast", body)

    await compare(script)


@pytest.mark.parametrize(
    ("body", "beside"),
    [
        (event("intermediateCatchEvent", "e", on_signal("s")), ""),
        (event("intermediateCatchEvent", "e", "<signalEventDefinition/>"), BELL),
        (event("intermediateCatchEvent", "e", on_signal("s")), '<signal id="s"/>'),
        (event("startEvent", "e", on_signal("s")), signal("s", "=x")),
        (event("startEvent", "e", on_signal("s")) + event("startEvent", "f", on_signal("s")), BELL),
        (sub_process("e", event("startEvent", "f", on_signal("s"))), BELL),
        (
            task("e") + rings("f", "e", on_signal("s")) + rings("g", "e", on_signal("s")),
            BELL,
        ),
    ],
)
async def test_models_that_are_refused(compare: Comparison, body: str, beside: str) -> None:
    async def script(play: Play) -> None:
        reaches = '<sequenceFlow id="reaches" sourceRef="start" targetRef="e"/>'
        has_start = "<startEvent" in body.split("<subProcess")[0]
        await play.deploy(process(body if has_start else START + body + reaches, beside=beside))

    await compare(script)


THROW = event("intermediateThrowEvent", "throw", on_signal("s"))


@pytest.mark.representative
@pytest.mark.parametrize("interrupting", [True, False])
@pytest.mark.parametrize("inside", [True, False])
async def test_a_scope_catches_what_is_thrown_in_it_before_it_ends(
    compare: Comparison, inside: bool, interrupting: bool
) -> None:
    inner = start("in") + THROW + '<manualTask id="next"/>' + end("out") + path("in", "throw", "next", "out")
    if inside:
        inner += event_sub_process("aside", on_signal("s"), interrupting=interrupting)
    body = START + sub_process("sub", inner) + end("done") + path("start", "sub", "done")
    if not inside:
        body += rings("edge", "sub", on_signal("s"), interrupting=interrupting)

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("in-aside" if inside else "after-edge")
        await play.ends(instance)

    await compare(script, process(body, beside=BELL), concurrent="what is thrown, and what goes on")


async def test_a_caller_catches_what_is_thrown_in_what_it_calls(compare: Comparison) -> None:
    called = process(start("in") + THROW + path("in", "throw"), process_id="called", beside=BELL)
    body = START + calls("call", "called") + rings("edge", "call", on_signal("s"), interrupting=False)

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("after-edge")
        await play.ends(instance)

    model = process(body + path("start", "call"), beside=BELL)
    await compare(script, called, model, concurrent="what is thrown, and what goes on")


async def test_two_who_wait_in_one_instance_are_reached_together(compare: Comparison) -> None:
    wait = event("intermediateCatchEvent", "wait", on_signal("s"))
    inner = start("in") + wait + end("out") + path("in", "wait", "out")
    edge = rings("edge", "sub", on_signal("s"))
    body = START + sub_process("sub", inner) + edge + path("start", "sub")

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.waits_for("signal", "bell", 2)
        await play.broadcast("bell")
        await play.work("after-edge")
        await play.ends(instance)

    await compare(script, process(body, beside=BELL), concurrent="both are reached")
