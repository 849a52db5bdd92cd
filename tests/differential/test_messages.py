"""Messages: who gets them, with which variables, what is buffered, and what is refused."""

import asyncio
from typing import Any

import pytest

from tests.bpmn.events import on_message
from tests.differential.comparison import Comparison
from tests.differential.models import (
    START,
    end,
    event,
    flow,
    message,
    path,
    process,
    receives,
    rings,
    start,
    sub_process,
    task,
    timer,
)
from tests.differential.play import Play

HOUR_MS = 3_600_000
GO = message("m", "go", "=key")


def catching(*, key: str = "=key", name: str = "go", process_id: str = "process", **mappings: Any) -> bytes:
    wait = event("intermediateCatchEvent", "wait", on_message("m"), **mappings)
    body = START + wait + task("after") + path("start", "wait", "after")
    return process(body, process_id=process_id, beside=message("m", name, key))


def starting(process_id: str = "process", **mappings: Any) -> bytes:
    begin = event("startEvent", "begin", on_message("m"), **mappings)
    return process(
        begin + task("work") + path("begin", "work"), process_id=process_id, beside=message("m", "go")
    )


@pytest.mark.representative
async def test_a_catch_event_gets_its_message(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create({"key": "1", "x": 1})
        await play.waits_for("message", "go")
        await play.publish("go", "2", {"x": 2})
        await play.publish("go", "1", {"x": 3, "y": 4})
        await play.work("after")
        await play.ends(instance)

    await compare(script, catching())


@pytest.mark.parametrize(
    "mappings",
    [
        {"outputs": {"z": "=y + 1"}},
        {"inputs": {"x": "=5"}},
        {"inputs": {"key": '="1"'}, "outputs": {"z": "=x"}},
        {"outputs": {"z": "=assert(y, y != null)"}},
    ],
)
async def test_mappings_of_a_catch_event(compare: Comparison, mappings: Any) -> None:
    async def script(play: Play) -> None:
        instance = await play.create({"key": "1", "x": 1})
        await play.waits_for("message", "go")
        await play.publish("go", "1", {"x": 3, "y": 4})
        await play.work("after")
        await play.ends(instance)

    await compare(script, catching(**mappings))


async def test_an_output_that_fails_after_the_message_has_come(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create({"key": "1"})
        await play.waits_for("message", "go")
        await play.publish("go", "1", {"y": 4})
        incident = await play.incident(instance, "IO_MAPPING_ERROR")
        await play.publish("go", "1", {"y": 5})
        await play.set_variables(instance, {"no": 1})
        await play.resolve(incident)
        await play.work("after")
        await play.ends(instance)

    await compare(script, catching(outputs={"z": "=assert(no, no != null) + y"}))


@pytest.mark.parametrize("key", ["a", "", "größe €", 7, 1.9, -0.5, 1000.0])
async def test_correlation_keys(compare: Comparison, key: Any) -> None:
    async def script(play: Play) -> None:
        instance = await play.create({"key": key})
        await play.waits_for("message", "go")
        await play.publish("go", key if isinstance(key, str) else str(int(key)))
        await play.work("after")
        await play.ends(instance)

    await compare(script, catching())


@pytest.mark.parametrize("key", [None, True, [1], {"a": 1}])
async def test_correlation_keys_that_are_none(compare: Comparison, key: Any) -> None:
    async def script(play: Play) -> None:
        instance = await play.create({"key": key})
        incident = await play.incident(instance, "EXTRACT_VALUE_ERROR")
        await play.set_variables(instance, {"key": "1"})
        await play.resolve(incident)
        await play.waits_for("message", "go")
        await play.publish("go", "1")
        await play.work("after")
        await play.ends(instance)

    await compare(script, catching())


async def test_a_name_that_is_computed(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create({"key": "1", "run": play.run})
        await play.waits_for("message", "gone")
        await play.publish("gone", "1")
        await play.work("after")
        await play.ends(instance)

    await compare(script, catching(name='=run + "gone"'))


async def test_a_name_that_is_no_text(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create({"key": "1"})
        await play.incident(instance, "EXTRACT_VALUE_ERROR")

    await compare(script, catching(name="=5"))


@pytest.mark.representative
async def test_buffered_messages_come_in_order_and_once(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        for number in range(2):
            await play.publish("go", "1", {"n": number}, live_ms=HOUR_MS)
        await play.publish("go", "1", {"n": 2})
        first = await play.create({"key": "1"})
        second = await play.create({"key": "1"})
        await play.work("after", owner=first)
        await play.work("after", owner=second)
        await play.ends(first)
        await play.ends(second)
        await play.create({"key": "1"})
        await play.waits_for("message", "go", 3)
        await play.none("after")

    await compare(script, catching())


async def test_a_message_goes_to_one_instance_of_each_process(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        for _ in range(2):
            await play.create({"key": "1"})
            await play.create({"key": "1"}, processDefinitionId="RUN-other")
        await play.waits_for("message", "go", 4)
        await play.publish("go", "1", {"n": 1}, live_ms=HOUR_MS)
        for _ in range(2):
            await play.work("after")
        await play.none("after")
        await play.publish("go", "1", {"n": 2})
        for _ in range(2):
            await play.work("after")

    await compare(
        script, catching(), catching(process_id="other"), concurrent="two instances go on at the same time"
    )


async def test_a_message_goes_to_another_version_of_the_same_process_only_once(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        first = await play.create({"key": "1"})
        await play.waits_for("message", "go")
        await play.deploy(catching().replace(b"after", b"renewed"))
        await play.create({"key": "1"})
        await play.waits_for("message", "go", 2)
        await play.publish("go", "1", live_ms=HOUR_MS)
        await play.work("after")
        await play.none("renewed")
        await play.ends(first)

    await compare(script, catching())


async def test_a_message_that_expires(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        await play.publish("go", "1", live_ms=200)
        await asyncio.sleep(0.5)
        await play.create({"key": "1"})
        await play.waits_for("message", "go")
        await play.none("after")

    await compare(script, catching())


@pytest.mark.representative
async def test_what_is_refused_of_a_publication(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        await play.publish("go", "1", live_ms=HOUR_MS, messageId="id")
        await play.publish("go", "1", live_ms=HOUR_MS, messageId="id")
        await play.publish("go", "1", messageId="id")
        await play.publish("go", "2", live_ms=HOUR_MS, messageId="id")
        await play.publish("other", "1", live_ms=HOUR_MS, messageId="id")
        await play.publish("go", "1", messageId="other")
        await play.publish("go", "1", messageId="other")
        await play.publish("go", "1", messageId="", live_ms=-5)
        for body in ({}, {"name": ""}, {"name": "x", "tenantId": "t"}):
            await play.send("POST", "messages/publication", body)
        for body in ({}, {"name": ""}, {"name": "x", "tenantId": "t"}):
            await play.send("POST", "messages/correlation", body)

    await compare(script)


@pytest.mark.parametrize("interrupting", [True, False])
@pytest.mark.parametrize("outputs", [None, {"z": "=y + 1"}])
async def test_a_boundary_event_at_a_task(compare: Comparison, interrupting: bool, outputs: Any) -> None:
    model = process(
        START
        + task("a", inputs={"key": '="inner"', "y": "=7"})
        + rings("ring", "a", on_message("m"), interrupting=interrupting, outputs=outputs)
        + end("done")
        + path("start", "a", "done"),
        beside=GO,
    )

    async def script(play: Play) -> None:
        instance = await play.create({"key": "1", "x": 1})
        await play.waits_for("message", "go")
        await play.publish("go", "inner", {"x": 2})
        await play.none("after-ring")
        await play.publish("go", "1", {"x": 3, "y": 4})
        await play.work("after-ring")
        if not interrupting:
            await play.publish("go", "1", {"x": 5, "y": 6})
            await play.work("after-ring")
            await play.work("a")
        await play.ends(instance)

    await compare(script, model)


async def test_the_name_at_a_boundary_event_sees_the_inputs(compare: Comparison) -> None:
    model = process(
        START
        + task("a", inputs={"name": '=run + "go"'})
        + rings("ring", "a", on_message("m"))
        + path("start", "a"),
        beside=message("m", "=name", "=key"),
    )

    async def script(play: Play) -> None:
        instance = await play.create({"key": "1", "run": play.run})
        await play.waits_for("message", "go")
        await play.publish("go", "1")
        await play.work("after-ring")
        await play.ends(instance)

    await compare(script, model)


async def test_a_boundary_event_at_a_sub_process(compare: Comparison) -> None:
    model = process(
        START
        + sub_process("sub", start("s") + task("a") + path("s", "a"), inputs={"own": "=1"})
        + rings("ring", "sub", on_message("m"))
        + path("start", "sub"),
        beside=GO,
    )

    async def script(play: Play) -> None:
        instance = await play.create({"key": "1"})
        await play.waits_for("message", "go")
        await play.publish("go", "1", {"x": 3, "own": 2})
        await play.work("after-ring")
        await play.ends(instance)

    await compare(script, model)


async def test_buffered_messages_at_a_boundary_event(compare: Comparison) -> None:
    model = process(
        START
        + task("a")
        + rings("ring", "a", on_message("m"), interrupting=False)
        + end("done")
        + path("start", "a", "done"),
        beside=GO,
    )

    async def script(play: Play) -> None:
        for number in range(3):
            await play.publish("go", "1", {"n": number}, live_ms=HOUR_MS)
        instance = await play.create({"key": "1"})
        await play.activate("after-ring", 3)
        await play.work("a")
        await play.cancel(instance)

    await compare(script, model, concurrent="a buffered message comes in a step of its own")


@pytest.mark.representative
async def test_a_receive_task_with_a_boundary_event(compare: Comparison) -> None:
    model = process(
        START
        + receives("wait", "m", inputs={"own": "=1"}, outputs={"z": "=y"})
        + rings("stop", "wait", on_message("m2"))
        + task("after")
        + path("start", "wait", "after"),
        beside=GO + message("m2", "stop", "=key"),
    )

    async def script(play: Play) -> None:
        for name in ("go", "stop"):
            instance = await play.create({"key": name})
            await play.waits_for("message", name, 1 if name == "go" else 2)
            await play.publish(name, name, {"y": 4})
            await play.work("after" if name == "go" else "after-stop")
            await play.ends(instance)

    await compare(script, model)


@pytest.mark.representative
@pytest.mark.parametrize("mappings", [{}, {"outputs": {"z": "=x + 1"}}])
async def test_a_message_starts_an_instance(compare: Comparison, mappings: Any) -> None:
    async def script(play: Play) -> None:
        await play.publish("go", variables={"x": 1})
        await play.publish("go", variables={"x": 2})
        for instance in await play.started(2):
            await play.work("work", owner=instance)
            await play.ends(instance)

    await compare(script, starting(**mappings))


async def test_one_instance_for_each_correlation_key(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        for number in range(3):
            await play.publish("go", "1", {"n": number}, live_ms=HOUR_MS)
        await play.publish("go", "1", {"n": 3})
        for number in range(3):
            instance = (await play.started(number + 1))[number]
            if number == 1:
                await play.cancel(instance)
                await play.ends(instance, "terminated")
            else:
                await play.activate("work")
                await play.cancel(instance)
        await play.none("work")
        assert await play.correlate("go", "1")
        await play.started(4)

    await compare(script, starting())


async def test_a_new_version_takes_over_the_start(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        await play.publish("go", "1", live_ms=HOUR_MS)
        await play.work("work")
        await play.deploy(starting().replace(b"work", b"renewed"))
        await play.publish("go", "1", {"n": 2}, live_ms=HOUR_MS)
        await play.work("renewed")
        await play.deploy(process(START))
        await play.publish("go", "1", {"n": 3}, live_ms=HOUR_MS)
        await play.none("renewed")

    await compare(script, starting())


async def test_a_message_that_was_buffered_before_the_process_was_deployed(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        await play.publish("go", "1", {"n": 1}, live_ms=HOUR_MS)
        await play.deploy(starting())
        await play.publish("go", "1", {"n": 2}, live_ms=HOUR_MS)
        for _ in range(2):
            await play.work("work")
        await play.none("work")

    await compare(script)


async def test_a_message_for_a_start_event_and_a_catch_event_of_one_process(compare: Comparison) -> None:
    model = process(
        event("startEvent", "begin", on_message("m"))
        + event("intermediateCatchEvent", "wait", on_message("m2"))
        + task("after")
        + path("begin", "wait", "after"),
        beside=message("m", "go") + message("m2", "go", "=key"),
    )

    async def script(play: Play) -> None:
        await play.publish("go", "1", {"key": "1"}, live_ms=HOUR_MS)
        await play.waits_for("message", "go")
        await play.none("after")
        await play.publish("go", "1", {"n": 2}, live_ms=HOUR_MS)
        await play.work("after")
        await play.none("after")

    await compare(script, model)


async def test_several_start_events(compare: Comparison) -> None:
    model = process(
        START
        + event("startEvent", "one", on_message("m1"))
        + event("startEvent", "two", on_message("m2"))
        + task("a")
        + task("b")
        + task("c")
        + flow("start", "a")
        + flow("one", "b")
        + flow("two", "c"),
        beside=message("m1", "one") + message("m2", "two"),
    )

    async def script(play: Play) -> None:
        await play.create()
        await play.publish("one")
        await play.publish("two")
        await play.started(3)
        for job_type in "abc":
            await play.work(job_type)

    await compare(script, model)


@pytest.mark.representative
async def test_a_correlation(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        assert not await play.correlate("go", "1")
        instance = await play.create({"key": "1"})
        await play.waits_for("message", "go")
        assert await play.correlate("go", "1", {"x": 1}) == instance
        assert not await play.correlate("go", "1")
        await play.work("after")
        await play.ends(instance)
        await play.create({"key": "1"})
        await play.waits_for("message", "go", 2)
        await play.none("after")

    await compare(script, catching())


async def test_a_correlation_that_starts_an_instance(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        found = await play.correlate("go", "1", {"x": 1})
        assert [found] == await play.started()
        assert not await play.correlate("go", "1")
        assert await play.correlate("go")
        await play.started(2)
        await play.work("work", owner=found)

    await compare(script, starting())


GATEWAY = process(
    START
    + '<eventBasedGateway id="gateway"/>'
    + event("intermediateCatchEvent", "one", on_message("m1"))
    + event("intermediateCatchEvent", "two", on_message("m2"), outputs={"z": "=x"})
    + event("intermediateCatchEvent", "late", timer("timeDuration", "=delay"))
    + task("a")
    + task("b")
    + task("c")
    + path("start", "gateway", "one", "a")
    + path("gateway", "two", "b")
    + path("gateway", "late", "c"),
    beside=message("m1", "one", "=key") + message("m2", "two", "=key"),
)


@pytest.mark.parametrize(("name", "job_type"), [("one", "a"), ("two", "b")])
async def test_an_event_based_gateway_with_a_message(compare: Comparison, name: str, job_type: str) -> None:
    async def script(play: Play) -> None:
        instance = await play.create({"key": "1", "delay": "PT1H"})
        await play.waits_for("message", "one")
        await play.waits_for("message", "two")
        await play.publish(name, "1", {"x": 1})
        await play.work(job_type)
        await play.ends(instance)

    await compare(script, GATEWAY)


async def test_an_event_based_gateway_with_a_timer(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create({"key": "1", "delay": "PT0.2S"})
        await play.work("c")
        await play.publish("one", "1")
        await play.ends(instance)

    await compare(script, GATEWAY)


async def test_an_event_based_gateway_that_cannot_wait(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create({"delay": "PT1H"})
        incident = await play.incident(instance, "EXTRACT_VALUE_ERROR")
        await play.set_variables(instance, {"key": "1"})
        await play.resolve(incident)
        await play.waits_for("message", "one")
        await play.cancel(instance)

    await compare(script, GATEWAY)


@pytest.mark.parametrize("kind", ["intermediateThrowEvent", "endEvent"])
async def test_a_message_thrown_by_a_worker(compare: Comparison, kind: str) -> None:
    throw = event(
        kind, "throw", on_message("m"), job="send", inputs={"text": '="hello"'}, outputs={"sent": "=r"}
    )
    model = process(START + throw + path("start", "throw"), beside=message("m", "go"))

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("send", {"r": 1})
        await play.ends(instance)

    await compare(script, model)


CATCHES = event("intermediateCatchEvent", "e", on_message("m"))
BEHIND = (
    '<eventBasedGateway id="e"/>'
    + event("intermediateCatchEvent", "c1", on_message("m"))
    + event("intermediateCatchEvent", "c2", on_message("m2"))
)
OTHER = message("m2", "other", "=key")


@pytest.mark.parametrize(
    ("body", "beside"),
    [
        (CATCHES, ""),
        (event("intermediateCatchEvent", "e", "<messageEventDefinition/>"), GO),
        (CATCHES, message("m", "go")),
        (CATCHES, message("m", "go", "static")),
        (CATCHES, message("m", "go", "=")),
        (CATCHES, message("m", "go", "=a b c")),
        (CATCHES, GO.replace('name="RUN-go"', "")),
        ('<receiveTask id="e"/>', GO),
        ('<receiveTask id="e" messageRef="m"/>', message("m", "go")),
        (receives("e", "m") + rings("f", "e", on_message("m")), GO),
        (task("e") + rings("f", "e", on_message("m")) + rings("g", "e", on_message("m")), GO),
        (sub_process("e", event("startEvent", "f", on_message("m"))), GO),
        (event("startEvent", "e", on_message("m")) + event("startEvent", "f", on_message("m")), GO),
        (event("startEvent", "e", on_message("m")), message("m", "=x")),
        (event("startEvent", "e", on_message("m")), message("m", "=1")),
        (event("intermediateThrowEvent", "e", on_message("m")), GO),
        (event("endEvent", "e", on_message("m")), GO),
        (BEHIND + flow("e", "c1"), GO + OTHER),
        (BEHIND + flow("e", "c1") + flow("e", "c2") + task("a") + flow("a", "c2"), GO + OTHER),
        (BEHIND + flow("e", "c1") + flow("e", "c2"), GO + message("m2", "go", "=key")),
        (BEHIND + flow("e", "c1") + task("a") + flow("e", "a"), GO + OTHER),
        # These are not refused.
        (BEHIND + flow("e", "c1") + flow("e", "c2"), GO + OTHER),
        (event("startEvent", "e", on_message("m")), message("m", '="constant"')),
        (event("intermediateThrowEvent", "e", "<messageEventDefinition/>", job="send"), ""),
        (event("endEvent", "e", on_message("m"), job="send"), GO),
    ],
)
async def test_models_that_are_refused_and_some_that_are_not(
    compare: Comparison, body: str, beside: str
) -> None:
    async def script(play: Play) -> None:
        reaches = '<sequenceFlow id="reaches" sourceRef="start" targetRef="e"/>'
        has_start = body.startswith("<startEvent")
        await play.deploy(process(body if has_start else START + body + reaches, beside=beside))

    await compare(script)
