"""Event sub-processes: what triggers them, what they interrupt, and what becomes of the variables."""

from typing import Any

import pytest

from tests.bpmn.events import on_message, on_signal
from tests.differential.comparison import Comparison
from tests.differential.models import (
    START,
    catches,
    end,
    event,
    event_sub_process,
    fork,
    message,
    path,
    process,
    rings,
    signal,
    start,
    sub_process,
    task,
    timer,
    waits,
)
from tests.differential.play import Play

GO = message("m", "go", "=k")
BELL = signal("s", "bell")
ON_ERROR = '<errorEventDefinition errorRef="e1"/>'
ON_ANY_ERROR = "<errorEventDefinition/>"


def in_process(*events: str, body: str = "", beside: str = "") -> bytes:
    main = START + task("a") + task("after") + end("done") + path("start", "a", "after", "done")
    return process(main + body + "".join(events), beside=beside)


def in_sub_process(*events: str, outside: str = "", beside: str = "", inputs: Any = None) -> bytes:
    inner = start("begin") + task("a") + path("begin", "a") + "".join(events)
    body = START + sub_process("sub", inner, inputs=inputs) + outside + task("after") + end("done")
    return process(body + path("start", "sub", "after", "done"), beside=beside)


@pytest.mark.representative
@pytest.mark.parametrize("interrupting", [True, False])
@pytest.mark.parametrize("outputs", [None, {"z": "=v + 1"}])
@pytest.mark.parametrize("place", [in_process, in_sub_process])
async def test_a_message_triggers_it(
    compare: Comparison, place: Any, interrupting: bool, outputs: Any
) -> None:
    model = place(
        event_sub_process("es", on_message("m"), interrupting=interrupting, outputs=outputs), beside=GO
    )

    async def script(play: Play) -> None:
        instance = await play.create({"k": "1", "v": 0})
        await play.waits_for("process_message", "go")
        await play.publish("go", "1", {"v": 2, "w": 3})
        await play.work("in-es", {"v": 9, "q": 1})
        if not interrupting:
            await play.publish("go", "1", {"v": 4})
            await play.work("in-es")
            await play.work("a")
        if not interrupting or place is in_sub_process:
            await play.work("after")
        await play.ends(instance)

    await compare(script, model)


async def test_variables_of_the_sub_process_are_the_nearest(compare: Comparison) -> None:
    events = event_sub_process("es", on_message("m"), interrupting=False)
    model = in_sub_process(events, beside=GO, inputs={"v": "=1", "k": '="2"'})

    async def script(play: Play) -> None:
        instance = await play.create({"k": "1", "v": 0})
        await play.waits_for("process_message", "go")
        await play.publish("go", "1")
        await play.publish("go", "2", {"v": 2, "w": 3})
        await play.work("in-es", {"v": 5, "k": "x", "q": 6})
        await play.work("a")
        await play.work("after")
        await play.ends(instance)

    await compare(script, model)


@pytest.mark.parametrize("interrupting", [True, False])
async def test_a_signal_triggers_it(compare: Comparison, interrupting: bool) -> None:
    model = in_sub_process(event_sub_process("es", on_signal("s"), interrupting=interrupting), beside=BELL)

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.waits_for("signal", "bell")
        await play.broadcast("bell", {"v": 1})
        await play.work("in-es")
        await play.broadcast("bell", {"v": 2})
        if not interrupting:
            await play.work("in-es")
            await play.work("a")
        await play.work("after")
        await play.ends(instance)

    await compare(script, model)


@pytest.mark.representative
@pytest.mark.parametrize(
    ("interrupting", "definition"),
    [
        (True, timer("timeDuration", "PT0.1S")),
        (False, timer("timeDuration", "PT0.1S")),
        (False, timer("timeCycle", "R2/PT0.1S")),
        (True, timer("timeDate", "2020-01-01T00:00:00Z")),
    ],
)
async def test_a_timer_triggers_it(compare: Comparison, interrupting: bool, definition: str) -> None:
    model = in_process(event_sub_process("es", definition, interrupting=interrupting))

    async def script(play: Play) -> None:
        instance = await play.create()
        for job in await play.activate("in-es", 2 if "R2" in definition else 1):
            await play.complete(job)
        if not interrupting:
            await play.work("a")
            await play.work("after")
        await play.ends(instance)

    await compare(script, model)


@pytest.mark.parametrize("place", [in_process, in_sub_process])
@pytest.mark.parametrize("definition", [ON_ERROR, ON_ANY_ERROR])
async def test_an_error_triggers_it(compare: Comparison, place: Any, definition: str) -> None:
    model = place(event_sub_process("es", definition, outputs={"z": "=reason"}))

    async def script(play: Play) -> None:
        instance = await play.create()
        (job,) = await play.activate("a")
        await play.throw(job, "E1", "it happened", {"reason": "r"})
        await play.work("in-es")
        if place is in_sub_process:
            await play.work("after")
        await play.ends(instance)

    await compare(script, model)


@pytest.mark.parametrize(
    ("events", "outside", "caught"),
    [
        ([event_sub_process("es", ON_ERROR)], catches("x", "sub", error="e1"), "in-es"),
        ([event_sub_process("es", ON_ANY_ERROR)], catches("x", "sub", error="e1"), "after-x"),
        ([event_sub_process("es", ON_ERROR)], catches("x", "sub"), "in-es"),
        ([event_sub_process("es", ON_ANY_ERROR)], catches("x", "sub"), "in-es"),
        ([event_sub_process("es", ON_ANY_ERROR), event_sub_process("et", ON_ERROR)], "", "in-et"),
        ([event_sub_process("es", '<errorEventDefinition errorRef="e2"/>')], catches("x", "sub"), "after-x"),
        ([], event_sub_process("es", ON_ERROR), "in-es"),
        ([catches("x", "a", error="e1"), event_sub_process("es", ON_ERROR)], "", "after-x"),
    ],
)
async def test_who_catches_an_error(
    compare: Comparison, events: list[str], outside: str, caught: str
) -> None:
    async def script(play: Play) -> None:
        instance = await play.create()
        (job,) = await play.activate("a")
        await play.throw(job, "E1", variables={"reason": "r"})
        for name in ("in-es", "in-et", "after-x", "after"):
            for job in await play.activate_if_any(name):
                await play.complete(job)
        await play.ends(instance)

    await compare(script, in_sub_process(*events, outside=outside))


async def test_an_error_out_of_the_event_sub_process_itself(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create()
        (job,) = await play.activate("a")
        await play.throw(job, "E1")
        (job,) = await play.activate("in-es")
        await play.throw(job, "E1")
        await play.incident(instance, "UNHANDLED_ERROR_EVENT")
        await play.cancel(instance)
        await play.ends(instance, "terminated")

    await compare(script, in_sub_process(event_sub_process("es", ON_ERROR)))


async def test_an_error_out_of_one_that_does_not_interrupt(compare: Comparison) -> None:
    model = in_sub_process(
        event_sub_process("es", on_message("m"), interrupting=False),
        event_sub_process("et", ON_ERROR),
        beside=GO,
    )

    async def script(play: Play) -> None:
        instance = await play.create({"k": "1"})
        await play.waits_for("process_message", "go")
        await play.publish("go", "1")
        (job,) = await play.activate("in-es")
        await play.throw(job, "E1")
        await play.work("in-et")
        await play.work("after")
        await play.ends(instance)

    await compare(script, model)


@pytest.mark.parametrize("kind", ["boundary", "other"])
async def test_what_an_interruption_leaves_to_wait_for(compare: Comparison, kind: str) -> None:
    """The other event sub-processes of the scope wait no more, the boundary events on it do."""
    model = in_sub_process(
        event_sub_process("es", on_message("m")),
        event_sub_process("et", on_message("n"), interrupting=False),
        outside=rings("x", "sub", on_signal("s")),
        beside=GO + BELL + message("n", "other", "=k"),
    )

    async def script(play: Play) -> None:
        instance = await play.create({"k": "1"})
        await play.waits_for("process_message", "go")
        await play.waits_for("process_message", "other")
        await play.publish("go", "1")
        (job,) = await play.activate("in-es")
        await play.publish("other", "1")
        if kind == "boundary":
            await play.broadcast("bell")
            await play.work("after-x")
        else:
            await play.none("in-et")
            await play.complete(job)
            await play.work("after")
        await play.ends(instance)

    await compare(script, model)


async def test_one_that_does_not_interrupt_holds_its_scope(compare: Comparison) -> None:
    model = in_sub_process(event_sub_process("es", on_message("m"), interrupting=False), beside=GO)

    async def script(play: Play) -> None:
        instance = await play.create({"k": "1"})
        await play.waits_for("process_message", "go")
        await play.publish("go", "1")
        (job,) = await play.activate("in-es")
        await play.work("a")
        await play.none("after")
        await play.publish("go", "1")
        (again,) = await play.activate("in-es")
        await play.complete(again)
        await play.none("after")
        await play.complete(job)
        await play.work("after")
        await play.ends(instance)

    await compare(script, model)


async def test_an_interruption_takes_everything_in_the_scope_away(compare: Comparison) -> None:
    inner = (
        start("begin")
        + fork("fork")
        + sub_process("deep", start("t") + task("b") + path("t", "b"))
        + task("a")
        + fork("join")
        + waits("w", timer("timeDuration", "PT1H"))
        + path("begin", "fork", "a", "join")
        + path("fork", "deep", "join")
        + path("fork", "w", "join")
        + event_sub_process("es", on_message("m"))
        + event_sub_process("et", on_signal("s"), interrupting=False)
    )
    model = process(
        START + sub_process("sub", inner) + task("after") + path("start", "sub", "after"), beside=GO + BELL
    )

    async def script(play: Play) -> None:
        instance = await play.create({"k": "1"})
        await play.work("a")
        await play.broadcast("bell")
        (other,) = await play.activate("in-et")
        await play.publish("go", "1")
        await play.none("b")
        await play.complete(other)
        await play.work("in-es")
        await play.work("after")
        await play.ends(instance)

    await compare(script, model, concurrent="the order of what is terminated")


async def test_event_sub_processes_in_one_another(compare: Comparison) -> None:
    inner = event_sub_process("et", on_signal("s"), interrupting=False)
    model = in_process(event_sub_process("es", on_message("m"), inner, interrupting=False), beside=GO + BELL)

    async def script(play: Play) -> None:
        instance = await play.create({"k": "1"})
        await play.waits_for("process_message", "go")
        await play.publish("go", "1")
        await play.waits_for("signal", "bell")
        await play.broadcast("bell")
        await play.work("in-et")
        await play.work("in-es")
        await play.work("a")
        await play.work("after")
        await play.ends(instance)

    await compare(script, model)


async def test_what_it_waits_for_cannot_be_worked_out(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create({"v": 1})
        incident = await play.incident(instance, "EXTRACT_VALUE_ERROR")
        await play.none("a")
        await play.set_variables(instance, {"k": "1"})
        await play.resolve(incident)
        await play.work("a")
        await play.work("after")
        await play.ends(instance)

    # Zeebe takes it for one of the start event that it would have gone on to.
    known = {"# instance 1, incidents of RUN-process": "# instance 1, incidents of start"}
    await compare(script, in_process(event_sub_process("es", on_message("m")), beside=GO), known=known)


async def test_a_process_that_a_message_starts(compare: Comparison) -> None:
    begin = event("startEvent", "begin", on_message("n"))
    model = process(
        begin + task("a") + path("begin", "a") + event_sub_process("es", on_message("m"), interrupting=False),
        beside=message("m", "go", '="1"') + message("n", "begin"),
    )

    async def script(play: Play) -> None:
        await play.publish("begin", variables={"k": "1"})
        (instance,) = await play.started()
        await play.waits_for("process_message", "go")
        await play.publish("go", "1")
        await play.work("in-es")
        await play.work("a")
        await play.ends(instance)

    await compare(script, model)


async def test_cancellation_ends_it(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create({"k": "1"})
        await play.waits_for("process_message", "go")
        await play.publish("go", "1")
        await play.activate("in-es")
        await play.cancel(instance)
        await play.ends(instance, "terminated")

    await compare(script, in_sub_process(event_sub_process("es", on_message("m")), beside=GO))


def wrong(inner: str, attributes: str = "") -> str:
    return f'<subProcess id="es" triggeredByEvent="true"{attributes}>{inner}</subProcess>'


def begin(definition: str, *, element_id: str = "es-start", flag: str = "true") -> str:
    return f'<startEvent id="{element_id}" isInterrupting="{flag}">{definition}</startEvent>'


@pytest.mark.parametrize(
    "body",
    [
        wrong(""),
        wrong(start("es-start")),
        wrong(begin(ON_ERROR) + begin(on_signal("s"), element_id="other")),
        wrong(begin(ON_ERROR, flag="false")),
        wrong(begin(timer("timeCycle", "R2/PT1S"))),
        wrong(begin(timer("timeDuration", "PT1S"))),
        wrong(begin(timer("timeCycle", "R2/PT1S"), flag="false")),
        wrong(begin("<terminateEventDefinition/>")),
        wrong(begin(ON_ERROR)) + event_sub_process("et", ON_ERROR),
        wrong(begin(ON_ANY_ERROR)) + event_sub_process("et", ON_ANY_ERROR),
        wrong(begin(ON_ANY_ERROR)) + event_sub_process("et", ON_ERROR),
        wrong(begin(on_message("m"))) + event_sub_process("et", on_message("m")),
        wrong(begin(on_signal("s"))) + event_sub_process("et", on_signal("s")),
        wrong(begin(on_message("m"))) + event("startEvent", "begin", on_message("m")),
        wrong(begin(on_message("nokey"))),
        wrong(begin(ON_ERROR)) + catches("x", "es"),
    ],
)
async def test_models_that_are_refused(compare: Comparison, body: str) -> None:
    async def script(play: Play) -> None:
        main = START + task("a") + path("start", "a")
        await play.deploy(process(main + body, beside=GO + BELL + message("nokey", "nokey")))

    await compare(script)
