"""Process instances that migrate to another definition."""

import pytest

from tests.bpmn.events import on_message, on_signal
from tests.differential.comparison import Comparison
from tests.differential.models import (
    END,
    START,
    calls,
    catches,
    fork,
    many,
    message,
    path,
    process,
    receives,
    rings,
    signal,
    start,
    sub_process,
    task,
    timer,
    waits,
)
from tests.differential.play import UNKNOWN_KEY, Play

BESIDE = (
    message("go", "go", "=k")
    + message("stop", "stop", "=k")
    + message("lost", "lost", "=nothing")
    + signal("bell", "bell")
)
VARIABLES = {"k": "1", "x": 5}


def first(body: str) -> bytes:
    return process(START + body, beside=BESIDE)


def second(body: str) -> bytes:
    return process(START + body, beside=BESIDE, process_id="second")


async def begin(play: Play, *models: bytes) -> tuple[int, int]:
    """An instance of the first model, and the key of the second."""
    source, target = await play.deploy(*models)
    return await play.create(VARIABLES, processDefinitionKey=str(source)), target


async def finish(play: Play) -> None:
    """Work whatever there is, until nothing is left."""
    for _ in range(4):
        for job_type in ("a", "b", "c", "other", "next", "after-m", "after-n", "after-t", "after-u"):
            for job in await play.activate_if_any(job_type):
                await play.complete(job, {"r": 1})


SOURCE = first(task("a") + path("start", "a"))


@pytest.mark.representative
async def test_a_task_goes_on_in_another_process(compare: Comparison) -> None:
    target = task("b", "other", inputs={"in": "=x"}, outputs={"out": "=r"}) + task("next")

    async def script(play: Play) -> None:
        instance, definition = await begin(play, SOURCE, second(target + path("start", "b", "next")))
        await play.happens("a", "ELEMENT_ACTIVATED")
        await play.migrate(instance, definition, a="b")
        await finish(play)
        await play.ends(instance)

    await compare(script)


async def test_a_job_that_is_lent_is_completed_after_the_migration(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance, definition = await begin(play, SOURCE, second(task("b") + path("start", "b")))
        (job,) = await play.activate("a")
        await play.migrate(instance, definition, a="b")
        await play.complete(job, {"r": 1})
        await play.ends(instance)

    await compare(script)


async def test_sub_processes_go_along(compare: Comparison) -> None:
    def nested(outer: str, inner: str, work: str) -> str:
        body = start(f"s_{inner}") + task(work) + path(f"s_{inner}", work)
        around = start(f"s_{outer}") + sub_process(inner, body) + path(f"s_{outer}", inner)
        return sub_process(outer, around) + task("next") + path("start", outer, "next")

    async def script(play: Play) -> None:
        instance, definition = await begin(
            play, first(nested("outer", "inner", "a")), second(nested("around", "within", "b"))
        )
        await play.happens("a", "ELEMENT_ACTIVATED")
        await play.migrate(instance, definition, outer="around", inner="within")
        await play.migrate(instance, definition, inner="within", a="b")
        await play.migrate(instance, definition, outer="around", inner="within", a="b")
        await finish(play)
        await play.ends(instance)

    await compare(script)


async def test_incidents_go_along(compare: Comparison) -> None:
    source = task("a", inputs={"in": "=assert(later, later != null)"}) + path("start", "a")

    async def script(play: Play) -> None:
        instance, definition = await begin(
            play, first(source), second(task("b", inputs={"in": "=x"}) + path("start", "b"))
        )
        incident = await play.incident(instance, "IO_MAPPING_ERROR")
        await play.migrate(instance, definition, a="b")
        await play.resolve(incident)
        await finish(play)
        await play.ends(instance)

    await compare(script)


async def test_an_incident_of_a_job_goes_along(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance, definition = await begin(play, SOURCE, second(task("b") + path("start", "b")))
        (job,) = await play.activate("a")
        await play.fail(job, 0)
        incident = await play.incident(instance, "JOB_NO_RETRIES")
        await play.migrate(instance, definition, a="b")
        await play.update(job, retries=1)
        await play.resolve(incident)
        await finish(play)
        await play.ends(instance)

    await compare(script)


def bounded(activity: str, events: str) -> str:
    return task(activity) + events + path("start", activity)


@pytest.mark.parametrize("mappings", [{"a": "b"}, {"a": "b", "m": "n"}, {"a": "b", "m": "n", "t": "u"}])
@pytest.mark.parametrize("interrupting", [True, False])
async def test_boundary_events_are_kept_closed_and_opened(
    compare: Comparison, mappings: dict[str, str], interrupting: bool
) -> None:
    source = rings("m", "a", on_message("go")) + rings("t", "a", timer("timeDuration", "PT1H"))
    target = rings("n", "b", on_message("stop"), interrupting=interrupting)
    target += rings("u", "b", timer("timeDuration", "PT2H"))

    async def script(play: Play) -> None:
        instance, definition = await begin(play, first(bounded("a", source)), second(bounded("b", target)))
        await play.waits_for("message", "go")
        await play.migrate(instance, definition, **mappings)
        if "m" not in mappings:
            await play.waits_for("message", "stop")
        for name in ("go", "stop"):
            await play.publish(name, "1", {"v": 1})
        await play.work("after-n")
        await finish(play)
        await play.ends(instance)

    await compare(script)


@pytest.mark.parametrize("mappings", [{"a": "b"}, {"a": "b", "m": "n"}])
async def test_signals_are_kept_closed_and_opened(compare: Comparison, mappings: dict[str, str]) -> None:
    async def script(play: Play) -> None:
        instance, definition = await begin(
            play,
            first(bounded("a", rings("m", "a", on_signal("bell"), interrupting=False))),
            second(bounded("b", rings("n", "b", on_signal("bell")))),
        )
        await play.waits_for("signal", "bell")
        await play.migrate(instance, definition, **mappings)
        await play.broadcast("bell")
        await play.work("after-n")
        await play.ends(instance)

    await compare(script)


@pytest.mark.parametrize("element", [waits("a", on_message("go")), receives("a", "go")])
async def test_what_waits_for_a_message_goes_on_waiting(compare: Comparison, element: str) -> None:
    target = element.replace('id="a"', 'id="b"').replace('Ref="go"', 'Ref="stop"')
    target += task("next") + path("start", "b", "next")

    async def script(play: Play) -> None:
        instance, definition = await begin(play, first(element + path("start", "a")), second(target))
        await play.waits_for("message", "go")
        await play.migrate(instance, definition, a="b")
        await play.publish("stop", "1")
        await play.publish("go", "1", {"v": 1})
        await play.work("next")
        await play.ends(instance)

    await compare(script)


async def test_a_timer_goes_on(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance, definition = await begin(
            play,
            first(waits("a", timer("timeDuration", "PT1S")) + path("start", "a")),
            second(waits("b", timer("timeDuration", "PT2H")) + task("next") + path("start", "b", "next")),
        )
        await play.happens("a", "ELEMENT_ACTIVATED")
        await play.migrate(instance, definition, a="b")
        await play.work("next")
        await play.ends(instance)

    await compare(script)


async def test_an_event_based_gateway_goes_on_waiting(compare: Comparison) -> None:
    def either(gateway: str, one: str, other: str) -> str:
        return (
            f'<eventBasedGateway id="{gateway}"/>'
            + waits(one, on_message("go"))
            + waits(other, timer("timeDuration", "PT1H"))
            + task("next")
            + path("start", gateway, one, "next")
            + path(gateway, other)
        )

    async def script(play: Play) -> None:
        instance, definition = await begin(play, first(either("g", "a", "b")), second(either("h", "c", "e")))
        await play.waits_for("message", "go")
        await play.migrate(instance, definition, g="h", a="c", b="e")
        await play.publish("go", "1")
        await play.work("next")
        await play.ends(instance)

    await compare(script)


async def test_errors_are_caught_as_the_target_says(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance, definition = await begin(play, SOURCE, second(bounded("b", catches("n", "b", error="e1"))))
        (job,) = await play.activate("a")
        await play.migrate(instance, definition, a="b")
        await play.throw(job, "E1")
        await play.work("after-n")
        await play.ends(instance)

    await compare(script)


async def test_a_token_at_a_join(compare: Comparison) -> None:
    """Zeebe 8.6 cannot migrate it; later versions can."""
    body = fork("f") + fork("j") + task("a") + task("b") + path("start", "f", "a", "j") + path("f", "b", "j")

    async def script(play: Play) -> None:
        instance, definition = await begin(play, first(body), second(body))
        await play.work("a")
        await play.migrate(instance, definition, b="b")
        await play.work("b")
        await play.ends(instance)

    await compare(script)


@pytest.mark.parametrize(
    "mappings",
    [
        {"b": "b"},
        {"a": "c"},
        {"none": "b"},
        {"a": "none"},
        {"a": "inner"},
        {"a": "start_b"},
        {"a": "RUN-second"},
        {"a": "sub"},
        {},
        {"a": ""},
        {"a": "b", "m": "far"},
        {"a": "b", "m": "u"},
        {"a": "b", "m": "n", "l": "n"},
        {"a": "b", "l": "n"},
        {"a": "b", "m": "b"},
    ],
)
async def test_what_can_be_mapped(compare: Comparison, mappings: dict[str, str]) -> None:
    source = task("a") + rings("m", "a", on_message("go")) + rings("l", "a", on_message("stop"))
    target = (
        task("b")
        + rings("n", "b", on_message("go"))
        + rings("u", "b", timer("timeDuration", "PT1H"))
        + waits("c", on_message("go"))
        + sub_process("sub", start("s") + task("inner") + path("s", "inner"))
        + rings("far", "sub", on_message("go"))
        + path("start", "b", "c", "sub")
    )

    async def script(play: Play) -> None:
        instance, definition = await begin(play, first(source + path("start", "a")), second(target))
        await play.waits_for("message", "go")
        await play.waits_for("message", "stop")
        await play.migrate(instance, definition, **mappings)

    await compare(script)


async def test_what_the_target_cannot_wait_for(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance, definition = await begin(
            play, SOURCE, second(bounded("b", rings("n", "b", on_message("lost"))))
        )
        await play.activate("a")
        await play.migrate(instance, definition, a="b")

    await compare(script)


async def test_the_same_message_waited_for_anew(compare: Comparison) -> None:
    """Zeebe cannot wait for a message again that it has not ceased to wait for."""
    source, target = rings("m", "a", on_message("go")), rings("n", "b", on_message("go"))

    async def script(play: Play) -> None:
        instance, definition = await begin(play, first(bounded("a", source)), second(bounded("b", target)))
        await play.waits_for("message", "go")
        await play.migrate(instance, definition, a="b", m="n")
        await play.migrate(instance, definition, b="b", n="n")
        await play.publish("go", "1")
        await play.work("after-n")
        await play.ends(instance)

    await compare(script)


async def test_instances_and_definitions_must_be_known(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance, definition = await begin(play, SOURCE, second(task("b") + END + path("start", "b", "end")))
        await play.activate("a")
        await play.migrate(instance, UNKNOWN_KEY, a="b")
        await play.migrate(UNKNOWN_KEY, definition, a="b")
        await play.migrate(instance, definition, a="b")
        await play.migrate(instance, definition, b="b")

    await compare(script)


async def test_call_activities_go_along(compare: Comparison) -> None:
    called = process(START + task("c") + END + path("start", "c", "end"), process_id="called")

    async def script(play: Play) -> None:
        instance, definition = await begin(
            play,
            first(calls("a", "called") + path("start", "a")),
            second(calls("b", "other") + task("next") + path("start", "b", "next")),
        )
        await play.activate("c")
        await play.migrate(instance, definition, a="b")
        await play.none("c")
        await play.cancel(instance)
        await play.ends(instance, "terminated")

    await compare(script, called)


async def test_a_called_instance_goes_on_in_another_process(compare: Comparison) -> None:
    called = process(START + task("c") + END + path("start", "c", "end"), process_id="called")
    target = process(START + task("b") + task("last") + path("start", "b", "last"), process_id="other")
    caller = process(START + calls("call", "called") + task("next") + path("start", "call", "next"))

    async def script(play: Play) -> None:
        (definition,) = await play.deploy(target)
        await play.create(VARIABLES)
        (job,) = await play.activate("c")
        await play.migrate(job.instance, definition, c="b")
        await play.complete(job)
        await play.work("last")
        await play.work("next")

    await compare(script, called, caller)


def handler(name: str, definition: str) -> str:
    return (
        f'<subProcess id="{name}" triggeredByEvent="true">'
        f'<startEvent id="{name}-on">{definition}</startEvent>'
        f"{task(f'{name}-task')}{path(f'{name}-on', f'{name}-task')}</subProcess>"
    )


@pytest.mark.parametrize("mappings", [{"a": "a"}, {"a": "a", "es-on": "et-on"}])
async def test_event_sub_processes(compare: Comparison, mappings: dict[str, str]) -> None:
    async def script(play: Play) -> None:
        body = task("a") + path("start", "a")
        instance, definition = await begin(
            play,
            first(body + handler("es", on_message("go"))),
            second(body + handler("et", on_message("stop"))),
        )
        await play.waits_for("message", "go")
        await play.migrate(instance, definition, **mappings)

    await compare(script)


async def test_activities_with_many_instances(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        body = many(task("a"), "=[1, 2]") + path("start", "a")
        instance, definition = await begin(play, first(body), second(body))
        await play.activate("a", 2)
        await play.migrate(instance, definition, a="a")

    await compare(script, concurrent="many instances")
