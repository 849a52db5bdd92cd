"""Execution listeners: when they work, what they see, and what becomes of their variables."""

import pytest

from tests.bpmn.events import on_signal
from tests.bpmn.people import user_task
from tests.differential.comparison import Comparison
from tests.differential.models import (
    RUN,
    calls,
    fork,
    path,
    process,
    rings,
    signal,
    start,
    sub_process,
    task,
    timer,
)
from tests.differential.play import Play
from tests.differential.test_user_tasks import ask, task_of


def listeners(*of: tuple[str, str], retries: str = "3") -> str:
    inner = "".join(
        f'<zeebe:executionListener eventType="{event}" type="{RUN}{job}" retries="{retries}"/>'
        for event, job in of
    )
    return f"<zeebe:executionListeners>{inner}</zeebe:executionListeners>"


def listened(element: str, *of: tuple[str, str], retries: str = "3") -> str:
    """The first element of the text with listeners."""
    found = listeners(*of, retries=retries)
    if "<extensionElements>" in element:
        return element.replace("</extensionElements>", f"{found}</extensionElements>", 1)
    head, _, rest = element.partition(">")
    if not head.endswith("/"):
        return f"{head}><extensionElements>{found}</extensionElements>{rest}"
    name = head.split()[0].removeprefix("<")
    return f"{head[:-1]}><extensionElements>{found}</extensionElements></{name}>{rest}"


@pytest.mark.representative
async def test_they_work_around_a_process_and_a_task(compare: Comparison) -> None:
    work = task("a", inputs={"inner": "=x"}, outputs={"made": "=done"})
    late = rings("late", "a", timer("timeDuration", "PT1H"))
    body = (
        f"<extensionElements>{listeners(('start', 'opens'), ('end', 'closes'))}</extensionElements>"
        + listened(start("start"), ("end", "begun"))
        + listened(work, ("start", "before"), ("start", "again"), ("end", "after"), ("end", "last"))
        + late
        + listened('<endEvent id="end"/>', ("start", "ending"), ("end", "ended"))
        + path("start", "a", "end")
    )

    async def script(play: Play) -> None:
        instance = await play.create({"x": 1})
        await play.work("opens", {"x": 2, "opened": True})
        await play.work("begun", {"begun": True})
        await play.work("before", {"inner": 3, "local": 1})
        await play.work("again")
        await play.work("a", {"done": 4, "local": 2})
        await play.work("after", {"local": 5, "new": 6})
        await play.work("last")
        await play.work("ending", {"e": 1})
        await play.work("ended", {"e": 2})
        await play.work("closes", {"x": 9})
        await play.ends(instance)

    await compare(script, process(body))


async def test_variables_at_an_end_go_no_further_than_the_scope_around(compare: Comparison) -> None:
    inner = start("in") + listened(task("a"), ("end", "after")) + path("in", "a")
    body = start("start") + sub_process("sub", inner) + path("start", "sub")

    async def script(play: Play) -> None:
        instance = await play.create({"x": 1})
        await play.work("a")
        await play.work("after", {"x": 2, "y": 3})
        await play.ends(instance)

    await compare(script, process(body))


async def test_a_failure_is_an_incident_and_an_error_is_refused(compare: Comparison) -> None:
    body = start("start") + listened(task("a"), ("start", "before"), retries="1") + path("start", "a")

    async def script(play: Play) -> None:
        instance = await play.create()
        (job,) = await play.activate("before")
        await play.throw(job, "E1")
        await play.fail(job, 0, message="no")
        incident = await play.incident(instance, "EXECUTION_LISTENER_NO_RETRIES")
        await play.update(job, retries=1)
        await play.resolve(incident)
        await play.work("before")
        await play.work("a")
        await play.ends(instance)

    await compare(script, process(body))


async def test_gateways_and_sub_processes_wait_for_them(compare: Comparison) -> None:
    inner = start("in") + listened('<endEvent id="out"/>', ("end", "inner")) + path("in", "out")
    sub = sub_process("sub", inner).replace(
        '<subProcess id="sub">',
        f'<subProcess id="sub"><extensionElements>{listeners(("start", "opens"), ("end", "closes"))}'
        "</extensionElements>",
    )
    body = (
        start("start")
        + listened(fork("fork"), ("start", "forks"))
        + task("b")
        + sub
        + listened(fork("join"), ("start", "joins"))
        + listened(task("a"), ("start", "before"))
        + path("start", "fork", "sub", "join", "a")
        + path("fork", "b", "join")
    )

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("forks")
        await play.work("opens", {"s": 1})
        await play.work("inner", {"i": 1})
        await play.work("closes", {"c": 1})
        await play.work("b")
        await play.work("joins")
        await play.work("before")
        await play.cancel(instance)
        await play.ends(instance, "terminated")

    await compare(script, process(body))


BOTH = (("start", "before"), ("end", "after"))


async def _goes_through(compare: Comparison, body: str, *others: bytes, beside: str = "", works: str) -> None:
    """An instance whose workers are asked for these jobs in turn; each leaves a variable named like it."""

    async def script(play: Play) -> None:
        instance = await play.create({"k": "1", "items": [1, 2]})
        for job_type in works.split():
            await play.work(job_type, {job_type: 1})
        await play.ends(instance)

    await compare(script, process(body, beside=beside), *others)


async def test_around_a_call_activity(compare: Comparison) -> None:
    called = listened(calls("call", "called"), *BOTH)
    body = start("start") + called + path("start", "call")
    other = process(start("in") + task("work") + path("in", "work"), process_id="called")
    await _goes_through(compare, body, other, works="before work after")


async def test_around_a_user_task(compare: Comparison) -> None:
    body = start("start") + listened(user_task("do"), *BOTH) + path("start", "do")

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("before", {"x": 1})
        await ask(play, "POST", await task_of(play, instance), "/completion", {"variables": {"y": 1}})
        await play.work("after", {"z": 1})
        await play.ends(instance)

    await compare(script, process(body))


async def test_around_each_item_of_a_collection(compare: Comparison) -> None:
    loop = (
        '<multiInstanceLoopCharacteristics isSequential="true"><extensionElements>'
        '<zeebe:loopCharacteristics inputCollection="=items" inputElement="item"/></extensionElements>'
        "</multiInstanceLoopCharacteristics>"
    )
    work = listened(task("a"), *BOTH).replace("</serviceTask>", f"{loop}</serviceTask>")
    body = start("start") + work + path("start", "a")
    await _goes_through(compare, body, works="before a after before a after")


async def test_around_an_event_sub_process(compare: Comparison) -> None:
    inner = start("in") + task("a") + path("in", "a")
    begin = f'<startEvent id="happens" isInterrupting="false">{on_signal("s")}</startEvent>'
    inside = (
        f"<extensionElements>{listeners(*BOTH)}</extensionElements>"
        + begin
        + task("b")
        + path("happens", "b")
    )
    body = inner + f'<subProcess id="event" triggeredByEvent="true">{inside}</subProcess>'

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.waits_for("signal", "go")
        await play.broadcast("go", {"x": 1})
        await play.work("before", {"y": 1})
        await play.work("b")
        await play.work("after", {"z": 1})
        await play.work("a")
        await play.ends(instance)

    await compare(script, process(body, beside=signal("s", "go")))


async def test_around_an_event_behind_a_gateway(compare: Comparison) -> None:
    now, later = timer("timeDuration", "PT0.1S"), timer("timeDuration", "PT1H")
    body = (
        start("start")
        + listened('<eventBasedGateway id="which"/>', ("start", "asks"))
        + listened(f'<intermediateCatchEvent id="now">{now}</intermediateCatchEvent>', *BOTH)
        + f'<intermediateCatchEvent id="later">{later}</intermediateCatchEvent>'
        + task("a")
        + path("start", "which", "now", "a")
        + path("which", "later")
    )
    await _goes_through(compare, body, works="asks after a")
