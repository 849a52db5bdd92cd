"""Escalations, terminate end events, links and computed error codes."""

import pytest

from tests.differential.comparison import Comparison
from tests.differential.models import (
    START,
    catches,
    end,
    event,
    event_sub_process,
    fork,
    path,
    process,
    rings,
    start,
    sub_process,
    task,
    timer,
    waits,
)
from tests.differential.play import Play

ESCALATIONS = (
    '<escalation id="c1" escalationCode="C1"/><escalation id="c2" escalationCode="C2"/>'
    '<escalation id="cx" escalationCode="=code"/><escalation id="c0"/>'
)
LINK = '<linkEventDefinition id="there-link" name="L"/>'
AT_ONCE = "the order of what happens at once"
TERMINATE = "<terminateEventDefinition/>"


def escalation(reference: str = "") -> str:
    attribute = f' escalationRef="{reference}"' if reference else ""
    return f"<escalationEventDefinition{attribute}/>"


def link(kind: str, element_id: str, name: str) -> str:
    definition = f'<linkEventDefinition id="{element_id}-link" name="{name}"/>'
    return event(kind, element_id, definition)


def throwing(
    *inside: str, kind: str = "intermediateThrowEvent", outside: str = "", reference: str = "c1"
) -> bytes:
    """A sub-process that throws an escalation out of it."""
    inner = start("begin") + event(kind, "throw", escalation(reference), outputs={"z": "=1"})
    if kind == "endEvent":
        inner += task("b") + fork("fork") + path("begin", "fork", "throw") + path("fork", "b")
    else:
        inner += task("b") + path("begin", "throw", "b")
    body = START + sub_process("sub", inner + "".join(inside)) + outside + task("after")
    return process(body + path("start", "sub", "after"), beside=ESCALATIONS)


async def work_all(play: Play, *job_types: str) -> None:
    for job_type in job_types:
        for job in await play.activate_if_any(job_type):
            await play.complete(job, {f"done-{job_type}": True})


@pytest.mark.representative
@pytest.mark.parametrize("interrupting", [True, False])
@pytest.mark.parametrize("kind", ["intermediateThrowEvent", "endEvent"])
@pytest.mark.parametrize("reference", ["c1", ""])
async def test_a_boundary_event_catches_an_escalation(
    compare: Comparison, kind: str, reference: str, interrupting: bool
) -> None:
    outside = rings("x", "sub", escalation(reference), interrupting=interrupting, outputs={"y": "=2"})

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("after-x")
        await work_all(play, "b")
        if not interrupting:
            await play.work("after")
        await play.ends(instance)

    await compare(script, throwing(kind=kind, outside=outside))


@pytest.mark.parametrize("interrupting", [True, False])
@pytest.mark.parametrize("kind", ["intermediateThrowEvent", "endEvent"])
async def test_an_event_sub_process_catches_an_escalation(
    compare: Comparison, kind: str, interrupting: bool
) -> None:
    inside = event_sub_process("es", escalation("c1"), interrupting=interrupting, outputs={"y": "=2"})

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("in-es")
        await work_all(play, "b")
        await play.work("after")
        await play.ends(instance)

    await compare(script, throwing(inside, kind=kind), concurrent=AT_ONCE)


@pytest.mark.parametrize("kind", ["intermediateThrowEvent", "endEvent"])
@pytest.mark.parametrize("outside", ["", rings("x", "sub", escalation("c2"))])
async def test_an_escalation_that_nobody_catches_is_no_incident(
    compare: Comparison, kind: str, outside: str
) -> None:
    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("b")
        await play.work("after")
        await play.ends(instance)

    await compare(script, throwing(kind=kind, outside=outside))


@pytest.mark.parametrize(
    ("inside", "outside", "caught"),
    [
        (event_sub_process("es", escalation()), rings("x", "sub", escalation("c1")), "after-x"),
        (event_sub_process("es", escalation("c2")), rings("x", "sub", escalation()), "after-x"),
        (
            event_sub_process("es", escalation()) + event_sub_process("et", escalation("c1")),
            "",
            "in-et",
        ),
        ("", rings("x", "sub", escalation()) + rings("y", "sub", escalation("c1")), "after-y"),
        ("", rings("y", "sub", escalation("c1")) + rings("x", "sub", escalation()), "after-y"),
        ("", event_sub_process("es", escalation("c1")), "in-es"),
    ],
)
async def test_who_catches_an_escalation(compare: Comparison, inside: str, outside: str, caught: str) -> None:
    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work(caught)
        await work_all(play, "b", "after")
        await play.ends(instance)

    await compare(script, throwing(inside, outside=outside))


async def test_a_code_that_is_computed(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        for code in ("C1", "C2"):
            await play.create({"code": code})
            await work_all(play, "after-x", "b", "after")
        instance = await play.create({"code": 5})
        await play.incident(instance, "EXTRACT_VALUE_ERROR")

    await compare(script, throwing(outside=rings("x", "sub", escalation("c1")), reference="cx"))


async def test_an_escalation_in_the_process_itself(compare: Comparison) -> None:
    throw = event("intermediateThrowEvent", "throw", escalation("c1"))
    events = event_sub_process("es", escalation("c1"), interrupting=False)
    model = process(START + throw + task("a") + events + path("start", "throw", "a"), beside=ESCALATIONS)

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("a")
        await play.work("in-es")
        await play.ends(instance)

    await compare(script, model, concurrent=AT_ONCE)


async def test_an_escalation_out_of_the_event_sub_process_that_does_not_interrupt(
    compare: Comparison,
) -> None:
    """It goes to the boundary event; the event sub-process itself could catch it again."""
    throw = event("endEvent", "throw", escalation("c2"))
    body = throw + path("in-es", "throw")
    inside = event_sub_process("es", escalation("c1"), body, interrupting=False)
    outside = rings("x", "sub", escalation("c2"), interrupting=False)

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("in-es")
        await play.work("after-x")
        await play.work("b")
        await play.work("after")
        await play.ends(instance)

    inner = start("begin") + event("intermediateThrowEvent", "first", escalation("c1")) + task("b")
    inner += path("begin", "first", "b") + inside
    body = START + sub_process("sub", inner) + outside + task("after") + path("start", "sub", "after")
    await compare(script, process(body, beside=ESCALATIONS), concurrent=AT_ONCE)


@pytest.mark.parametrize("kind", ["intermediateThrowEvent", "endEvent", "boundaryEvent"])
@pytest.mark.parametrize("reference", ["", "c0", "cx"])
async def test_codes_that_are_refused(compare: Comparison, kind: str, reference: str) -> None:
    async def script(play: Play) -> None:
        thrown = rings("e", "a", escalation(reference)).replace('"a"', '"sub"')
        if kind != "boundaryEvent":
            thrown = event(kind, "e", escalation(reference)) + path("sub", "e")
        body = START + sub_process("sub", start("s") + task("b") + path("s", "b")) + thrown
        await play.deploy(process(body + path("start", "sub"), beside=ESCALATIONS))

    await compare(script)


@pytest.mark.parametrize(
    "events",
    [
        rings("x", "sub", escalation("c1")) + rings("y", "sub", escalation("c1")),
        rings("x", "sub", escalation()) + rings("y", "sub", escalation()),
        rings("x", "sub", escalation()) + rings("y", "sub", escalation("c1")),
        rings("x", "a", escalation("c1")),
        waits("w", escalation("c1")) + path("sub", "w"),
    ],
)
async def test_events_that_are_refused(compare: Comparison, events: str) -> None:
    async def script(play: Play) -> None:
        inner = start("s") + task("b") + path("s", "b")
        body = START + sub_process("sub", inner) + task("a") + path("start", "sub", "a") + events
        await play.deploy(process(body, beside=ESCALATIONS))

    await compare(script)


@pytest.mark.representative
@pytest.mark.parametrize("place", ["sub", "process"])
async def test_a_terminate_end_event_ends_its_scope(compare: Comparison, place: str) -> None:
    inner = (
        fork("fork")
        + task("a")
        + task("b")
        + waits("w", timer("timeDuration", "PT1H"))
        + fork("join")
        + event("endEvent", "halt", TERMINATE)
        + path("begin", "fork", "a", "halt")
        + path("fork", "b", "join")
        + path("fork", "w", "join")
    )
    if place == "sub":
        inner = (
            START + sub_process("sub", start("begin") + inner) + task("after") + path("start", "sub", "after")
        )
    else:
        inner = start("begin") + inner

    async def script(play: Play) -> None:
        instance = await play.create()
        (other,) = await play.activate("b")
        await play.work("a")
        await play.complete(other)
        await work_all(play, "after")
        await play.ends(instance)

    await compare(script, process(inner), concurrent="the order of what is terminated")


async def test_a_terminate_end_event_alone(compare: Comparison) -> None:
    inner = start("begin") + event("endEvent", "halt", TERMINATE, outputs={"z": "=1"}) + path("begin", "halt")
    body = START + sub_process("sub", inner) + task("after") + path("start", "sub", "after")

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("after")
        await play.ends(instance)

    await compare(script, process(body))


async def test_a_terminate_end_event_in_an_event_sub_process(compare: Comparison) -> None:
    halt = event("endEvent", "halt", TERMINATE) + path("in-es", "halt")
    events = event_sub_process("es", escalation("c1"), halt, interrupting=False)

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("in-es")
        await play.work("b")
        await play.work("after")
        await play.ends(instance)

    await compare(script, throwing(events), concurrent=AT_ONCE)


async def test_a_terminate_end_event_ends_event_sub_processes(compare: Comparison) -> None:
    halt = event("endEvent", "halt", TERMINATE) + path("b", "halt")
    events = event_sub_process("es", escalation("c1"), interrupting=False)

    async def script(play: Play) -> None:
        instance = await play.create()
        (job,) = await play.activate("in-es")
        await play.work("b")
        await play.complete(job)
        await play.work("after")
        await play.ends(instance)

    await compare(script, throwing(events, halt), concurrent=AT_ONCE)


@pytest.mark.representative
async def test_links_lead_to_the_event_of_their_name(compare: Comparison) -> None:
    model = process(
        START
        + fork("fork")
        + task("a")
        + event(
            "intermediateThrowEvent", "there", '<linkEventDefinition id="d1" name="L"/>', outputs={"z": "=1"}
        )
        + link("intermediateThrowEvent", "also", "L")
        + link("intermediateThrowEvent", "elsewhere", "M")
        + link("intermediateCatchEvent", "here", "L")
        + link("intermediateCatchEvent", "other", "M")
        + task("b")
        + task("c")
        + path("start", "fork", "a", "there")
        + path("fork", "also")
        + path("fork", "elsewhere")
        + path("here", "b")
        + path("other", "c")
    )

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("b")
        await play.work("a")
        await play.work("b")
        await play.work("c")
        await play.ends(instance)

    await compare(script, model, concurrent=AT_ONCE)


THERE = link("intermediateThrowEvent", "there", "L") + path("a", "there")


@pytest.mark.parametrize(
    "events",
    [
        THERE,
        THERE + link("intermediateCatchEvent", "x", "L") + link("intermediateCatchEvent", "y", "L"),
        THERE + sub_process("sub", start("s") + link("intermediateCatchEvent", "x", "L")),
        THERE + link("intermediateCatchEvent", "x", "M"),
        link("intermediateCatchEvent", "x", "L"),
        THERE + link("intermediateCatchEvent", "x", "L") + link("intermediateThrowEvent", "z", "L"),
        link("intermediateThrowEvent", "there", ""),
    ],
)
async def test_links_that_are_refused(compare: Comparison, events: str) -> None:
    async def script(play: Play) -> None:
        await play.deploy(process(START + task("a") + path("start", "a") + events))

    await compare(script)


async def test_an_error_code_that_is_computed(compare: Comparison) -> None:
    inner = start("begin") + end("boom", error="ex") + path("begin", "boom")
    body = START + sub_process("sub", inner) + catches("x", "sub", error="e1") + path("start", "sub")
    model = process(body, beside='<error id="ex" errorCode="=code"/>')

    async def script(play: Play) -> None:
        instance = await play.create({"code": "E1"})
        await play.work("after-x")
        await play.ends(instance)
        instance = await play.create({"code": "E2"})
        await play.incident(instance, "UNHANDLED_ERROR_EVENT")
        instance = await play.create({"code": 5})
        await play.incident(instance, "EXTRACT_VALUE_ERROR")

    await compare(script, model)


def called(*, kind: str, reference: str) -> bytes:
    """The process that a call activity starts: it throws, and goes on with a task."""
    throw = event(kind, "throw", escalation(reference)) + path("start", "throw")
    more = task("b") + path("throw", "b") if kind == "intermediateThrowEvent" else ""
    return process(START + throw + more, process_id="called", beside=ESCALATIONS)


CALL = (
    '<callActivity id="call"><extensionElements><zeebe:calledElement processId="RUN-called"/>'
    "</extensionElements></callActivity>"
)


@pytest.mark.parametrize(
    ("events", "caught"),
    [
        (rings("x", "call", escalation("c1"), interrupting=False), "after-x"),
        (rings("x", "call", escalation("c1")), "after-x"),
        (event_sub_process("es", escalation("c1"), interrupting=False), "in-es"),
        (event_sub_process("es", escalation()), "in-es"),
    ],
)
async def test_an_escalation_out_of_a_called_process(compare: Comparison, events: str, caught: str) -> None:
    inner = start("begin") + CALL + events + path("begin", "call")
    body = START + sub_process("sub", inner) + task("after") + path("start", "sub", "after")

    async def script(play: Play) -> None:
        await play.create()
        await play.work(caught)
        await work_all(play, "b", "after")

    thrower = called(kind="intermediateThrowEvent", reference="c1")
    await compare(script, process(body, beside=ESCALATIONS), thrower, concurrent=AT_ONCE)


async def test_an_error_out_of_a_called_process_triggers_an_event_sub_process(compare: Comparison) -> None:
    inner = start("begin") + CALL + path("begin", "call")
    inner += event_sub_process("es", '<errorEventDefinition errorRef="e1"/>')
    body = START + sub_process("sub", inner) + task("after") + path("start", "sub", "after")
    thrower = process(START + task("b") + path("start", "b"), process_id="called")

    async def script(play: Play) -> None:
        instance = await play.create()
        (job,) = await play.activate("b")
        await play.throw(job, "E1", variables={"v": 1})
        await play.work("in-es")
        await play.work("after")
        await play.ends(instance)

    await compare(script, process(body, beside=ESCALATIONS), thrower, concurrent=AT_ONCE)
