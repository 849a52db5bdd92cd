"""Process instances that are modified by hand."""

from typing import Any, Final

import pytest

from tests.bpmn.events import on_message
from tests.differential.comparison import Comparison
from tests.differential.models import (
    END,
    START,
    calls,
    fork,
    many,
    message,
    path,
    process,
    rings,
    start,
    sub_process,
    task,
    timer,
    waits,
)
from tests.differential.play import UNKNOWN_KEY, Play

INNER = sub_process("inner", start("s2") + task("e") + path("s2", "e"), inputs={"own": "=x"})
NESTED = process(
    START
    + task("a")
    + task("b", inputs={"in": "=x"})
    + sub_process(
        "outer",
        start("s1") + task("c") + INNER + path("s1", "c", "inner"),
        inputs={"mine": "=x"},
        outputs={"y": "=mine"},
    )
    + rings("late", "outer", timer("timeDuration", "PT1H"))
    + rings("told", "outer", on_message("go"))
    + task("last")
    + END
    + path("start", "a", "b", "outer", "last", "end"),
    beside=message("go", "go", "=k"),
)
JOIN = process(
    START
    + fork("fork")
    + fork("join")
    + task("a")
    + task("b")
    + task("c")
    + END
    + path("start", "fork", "a", "join", "c", "end")
    + path("fork", "b", "join")
)
EITHER = process(
    START
    + task("a")
    + '<eventBasedGateway id="either"/>'
    + waits("soon", timer("timeDuration", "PT1H"))
    + waits("told", on_message("go"))
    + path("start", "a", "either", "soon")
    + path("either", "told"),
    beside=message("go", "go", "=k"),
)
APART = "what ends and what begins are steps side by side"
VARIABLES = {"x": 1, "k": "1"}


async def finish(play: Play) -> None:
    """Work whatever there is, until nothing is left."""
    for _ in range(3):
        for job_type in ("a", "b", "c", "e", "last"):
            for job in await play.activate_if_any(job_type):
                await play.complete(job, {"mine": 5})


@pytest.mark.representative
async def test_an_element_is_activated_instead_of_another(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create(VARIABLES)
        (job,) = await play.activate("a")
        await play.modify(instance, "b", end=[job.element_instance])
        await play.complete(job)
        await play.work("b")
        await finish(play)

    await compare(script, NESTED)


@pytest.mark.parametrize(
    "elements", [["e"], ["c"], ["inner"], ["outer"], ["e", "c"], ["e", "e"], ["end"], ["last", "e"]]
)
async def test_elements_are_activated_wherever_they_stand(compare: Comparison, elements: list[str]) -> None:
    async def script(play: Play) -> None:
        instance = await play.create(VARIABLES)
        (job,) = await play.activate("a")
        await play.modify(instance, *elements, end=[job.element_instance])
        await finish(play)

    await compare(script, NESTED)


async def test_variables_are_set_where_they_are_named(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create(VARIABLES)
        await play.activate("a")
        variables = [
            {"variables": {"g": 1, "x": 2}},
            {"variables": {"s": 1, "mine": 3}, "scopeId": "outer"},
            {"variables": {"t": 1, "own": 4}, "scopeId": "inner"},
            {"variables": {"u": 1}, "scopeId": "e"},
        ]
        await play.modify(instance, {"elementId": "e", "variableInstructions": variables})
        await play.modify(instance, {"elementId": "e", "variableInstructions": variables[:3]})
        await play.modify(
            instance,
            {"elementId": "b", "variableInstructions": [{"variables": {"in": 7}, "scopeId": "b"}]},
        )
        await finish(play)

    await compare(script, NESTED)


async def test_an_ancestor_gets_new_scopes(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create(VARIABLES)
        await play.activate("a")
        within = {"elementId": "e", "ancestorElementInstanceKey": str(instance)}
        await play.modify(instance, within, within)
        outer = await play.happens("outer", "ELEMENT_ACTIVATED", 2)
        inner = await play.happens("inner", "ELEMENT_ACTIVATED", 2)
        await play.modify(instance, "c")
        await play.modify(
            instance,
            {"elementId": "c", "ancestorElementInstanceKey": str(outer)},
            {"elementId": "e", "ancestorElementInstanceKey": str(outer)},
            {"elementId": "e", "ancestorElementInstanceKey": str(inner)},
        )
        await finish(play)

    await compare(script, NESTED)


async def test_what_an_opened_scope_waits_for_happens(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create(VARIABLES)
        (job,) = await play.activate("a")
        await play.modify(instance, "e", end=[job.element_instance])
        await play.waits_for("message", "go")
        await play.activate("e")
        await play.publish("go", "1", {"v": 1})
        await play.work("after-told")

    await compare(script, NESTED)


async def test_a_scope_that_cannot_wait_is_not_opened(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create({"x": 1})
        await play.activate("a")
        await play.modify(instance, "e")
        keys = [{"variables": {"k": "2"}}]
        await play.modify(instance, {"elementId": "e", "variableInstructions": keys})
        await play.create({"x": 1}, startInstructions=[{"elementId": "e"}])
        await finish(play)

    await compare(script, NESTED)


async def test_scopes_left_empty_are_terminated(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        starts = [{"elementId": each} for each in ("e", "c", "a")]
        instance = await play.create(VARIABLES, startInstructions=starts)
        (e,) = await play.activate("e")
        (c,) = await play.activate("c")
        (a,) = await play.activate("a")
        await play.modify(instance, end=[e.element_instance])
        await play.modify(instance, "c", end=[c.element_instance])
        (c,) = await play.activate("c")
        await play.modify(instance, "b", end=[c.element_instance])
        await play.modify(instance, end=[a.element_instance])
        await play.work("b")

    await compare(script, NESTED, concurrent=APART)


async def test_with_its_last_element_an_instance_is_terminated(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create(VARIABLES, startInstructions=[{"elementId": "e"}])
        (job,) = await play.activate("e")
        await play.modify(instance, end=[job.element_instance, job.element_instance])
        await play.ends(instance, "terminated")
        await play.modify(instance, "a")

    await compare(script, NESTED)


async def test_a_scope_is_terminated_with_what_is_in_it(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        starts = [{"elementId": each} for each in ("e", "c")]
        instance = await play.create(VARIABLES, startInstructions=starts)
        (job,) = await play.activate("e")
        outer = await play.happens("outer", "ELEMENT_ACTIVATED")
        inner = await play.happens("inner", "ELEMENT_ACTIVATED")
        await play.modify(instance, "b", end=[job.element_instance, outer, inner])
        await play.work("b")

    await compare(script, NESTED, concurrent=APART)


async def test_an_instance_is_terminated_by_its_own_key(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create(VARIABLES)
        await play.activate("a")
        await play.modify(instance, "b", end=[instance])
        await play.ends(instance, "terminated")

    await compare(script, NESTED)


async def test_a_token_keeps_its_scope(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create()
        (b,) = await play.activate("b")
        await play.work("a")
        await play.modify(instance, end=[b.element_instance])
        await play.modify(instance, "b")
        await play.work("b")
        await play.work("c")
        await play.ends(instance)

    await compare(script, JOIN)


async def test_a_join_activated_by_hand_takes_no_token(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("a")
        await play.modify(instance, "join")
        await play.work("c")
        await play.work("b")
        await play.work("c")
        await play.ends(instance)

    await compare(script, JOIN)


async def test_an_incident_is_left_by_hand(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create(VARIABLES)
        (job,) = await play.activate("a")
        await play.fail(job, 0)
        incident = await play.incident(instance, "JOB_NO_RETRIES")
        await play.modify(instance, "b", end=[job.element_instance])
        await play.resolve(incident)
        await play.work("b")

    await compare(script, NESTED)


BODIES: Final[list[Any]] = [
    {},
    {"activateInstructions": [{"elementId": "none"}]},
    {"activateInstructions": [{"elementId": ""}]},
    {"activateInstructions": [{}]},
    {"activateInstructions": [{"elementId": "start"}]},
    {"activateInstructions": [{"elementId": "start_a"}]},
    {"activateInstructions": [{"elementId": "late"}]},
    {"activateInstructions": [{"elementId": "b", "variableInstructions": [{"variables": {}}]}]},
    {
        "activateInstructions": [
            {"elementId": "b", "variableInstructions": [{"variables": {"x": 1}, "scopeId": "none"}]}
        ]
    },
    {
        "activateInstructions": [
            {"elementId": "b", "variableInstructions": [{"variables": {"x": 1}, "scopeId": "outer"}]}
        ]
    },
    {"activateInstructions": [{"elementId": "b", "ancestorElementInstanceKey": "1"}]},
    {"activateInstructions": [{"elementId": "b", "ancestorElementInstanceKey": "x"}]},
    {"activateInstructions": [{"elementId": "b", "ancestorElementInstanceKey": "-1"}]},
    {"terminateInstructions": [{}]},
    {"terminateInstructions": [{"elementInstanceKey": "1"}]},
    {"terminateInstructions": [{"elementInstanceKey": "x"}]},
    {"operationReference": 0},
    {"operationReference": 7},
    "{",
]


@pytest.mark.parametrize("body", BODIES)
async def test_what_can_be_modified(compare: Comparison, body: dict[str, object] | str) -> None:
    async def script(play: Play) -> None:
        instance = await play.create(VARIABLES)
        await play.activate("a")
        await play.send("POST", f"process-instances/{instance}/modification", body, called="modify")
        await finish(play)

    await compare(script, NESTED)


async def test_an_ancestor_must_be_one(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create(VARIABLES)
        (job,) = await play.activate("a")
        other = await play.create(VARIABLES)
        for ancestor in (job.element_instance, other):
            await play.modify(instance, {"elementId": "b", "ancestorElementInstanceKey": str(ancestor)})

    await compare(script, NESTED)


async def test_several_scopes_are_ambiguous(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create(VARIABLES)
        for number in (1, 2):
            await play.modify(instance, "outer")
            await play.happens("c", "ELEMENT_ACTIVATED", number)
        await play.modify(instance, "e")
        await play.modify(instance, "c", "b")
        await play.modify(instance, "b")
        await play.work("b")

    await compare(script, NESTED, concurrent="two sub-processes begin and end side by side")


async def test_an_event_behind_a_gateway_cannot_be_activated(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create({"k": "1"})
        await play.activate("a")
        await play.modify(instance, "soon")
        await play.create(startInstructions=[{"elementId": "soon"}])
        await play.modify(instance, "either")
        await play.waits_for("message", "go")

    await compare(script, EITHER)


async def test_an_unknown_instance_cannot_be_modified(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        await play.modify(UNKNOWN_KEY, "a")

    await compare(script, NESTED)


MANY = process(
    START
    + task("a")
    + many(sub_process("many", start("s") + task("c") + path("s", "c")), "=[1, 2]")
    + path("start", "a", "many")
)


async def test_one_of_many_instances_must_be_named(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create()
        await play.activate("a")
        await play.modify(instance, "c")
        await play.create(startInstructions=[{"elementId": "c"}])
        await play.modify(instance, "many")
        await play.activate("c", 2)
        keys = [await play.happens("many", "ELEMENT_ACTIVATED", number) for number in (1, 2, 3)]
        for key in keys[:2]:
            await play.modify(instance, {"elementId": "c", "ancestorElementInstanceKey": str(key)})
        await play.activate("c")

    await compare(script, MANY, concurrent="many instances end side by side")


HANDLED = process(
    START
    + task("a")
    + task("b")
    + '<subProcess id="es" triggeredByEvent="true">'
    + f'<startEvent id="es_start">{on_message("go")}</startEvent>'
    + task("in-es")
    + path("es_start", "in-es")
    + "</subProcess>"
    + path("start", "a", "b"),
    beside=message("go", "go", "=k"),
)


@pytest.mark.parametrize("elements", [["es"], ["in-es"], ["a"]])
async def test_event_sub_processes_begin_by_hand(compare: Comparison, elements: list[str]) -> None:
    async def script(play: Play) -> None:
        instance = await play.create(VARIABLES)
        (job,) = await play.activate("a")
        await play.modify(instance, *elements, end=[job.element_instance])
        for job_type in ("in-es", "a", "b"):
            for job in await play.activate_if_any(job_type):
                await play.complete(job)
        starts = [{"elementId": each} for each in elements]
        await play.create(VARIABLES, startInstructions=starts)
        await play.create(startInstructions=starts)

    await compare(script, HANDLED)


async def test_an_interrupted_process_is_entered_again(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create(VARIABLES)
        await play.waits_for("message", "go")
        await play.publish("go", "1")
        (job,) = await play.activate("in-es")
        await play.modify(instance, "a", end=[job.element_instance])
        await play.work("a")
        await play.work("b")
        await play.ends(instance)

    await compare(script, HANDLED, concurrent=APART)


async def test_a_called_instance_is_not_terminated_by_hand(compare: Comparison) -> None:
    caller = process(START + calls("call", "process") + path("start", "call"), process_id="caller")

    async def script(play: Play) -> None:
        await play.create({"k": "1"}, processDefinitionId="RUN-caller")
        (job,) = await play.activate("a")
        await play.modify(job.instance, end=[job.element_instance])
        await play.modify(job.instance, "b", end=[job.element_instance])
        await play.work("b")

    await compare(script, HANDLED, caller)


@pytest.mark.parametrize("sequential", [True, False])
@pytest.mark.parametrize("items", [1, 2])
@pytest.mark.parametrize("target", ["b", "deep", "sub"])
async def test_what_is_activated_in_many_instances(
    compare: Comparison, target: str, items: int, sequential: bool
) -> None:
    deep = sub_process("deep", start("in") + task("a") + task("b") + path("in", "a", "b"))
    sub = sub_process("sub", start("begin") + deep + path("begin", "deep"))
    model = process(START + many(sub, "=items", sequential=sequential) + path("start", "sub"))

    async def script(play: Play) -> None:
        instance = await play.create({"items": [1, 2][:items]})
        await play.happens("a", "ELEMENT_ACTIVATED", 1 if sequential else items)
        await play.modify(instance, target)
        await play.cancel(instance)
        await play.ends(instance, "terminated")

    await compare(script, model, concurrent="many instances end side by side")


async def test_the_only_scope_does_not_do_if_there_are_many_around_it(
    compare: Comparison,
) -> None:
    deep = sub_process("deep", start("in") + task("a") + path("in", "a"))
    sub = sub_process("sub", start("begin") + deep + task("b") + path("begin", "deep", "b"))
    model = process(START + many(sub, "=[1, 2]") + path("start", "sub"))

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("a")
        await play.activate("b")
        await play.modify(instance, "a")
        await play.cancel(instance)
        await play.ends(instance, "terminated")

    await compare(script, model, concurrent="many instances end side by side")
