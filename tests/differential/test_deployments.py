"""Deployments: new, repeated, changed, refused."""

import pytest

from tests.differential.comparison import Comparison
from tests.differential.models import END, START, choice, end, flow, path, process, start, sub_process, task
from tests.differential.play import Play

A = process(START + task("a") + path("start", "a"))
A_CHANGED = process(START + task("a") + END + path("start", "a", "end"))
OTHER = process(START + task("b") + path("start", "b"), process_id="other")
OTHER_CHANGED = process(START + task("b") + END + path("start", "b", "end"), process_id="other")


@pytest.mark.representative
async def test_a_repeated_deployment_keeps_its_versions(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        first = await play.deploy(A, OTHER)
        again = await play.deploy(A, OTHER)
        play.say("the same keys", first == again)
        part = await play.deploy(OTHER, names=["2.bpmn"])
        play.say("the same key", part == first[1:])

    await compare(script)


async def test_one_changed_resource_of_two(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        first = await play.deploy(A, OTHER)
        second = await play.deploy(A_CHANGED, OTHER)
        play.say("which keys stay", [key in first for key in second])
        third = await play.deploy(A_CHANGED, OTHER_CHANGED)
        play.say("which keys stay", [key in second for key in third])
        fourth = await play.deploy(A_CHANGED, OTHER)
        play.say("which keys stay", [key in first + second + third for key in fourth])

    await compare(script)


async def test_going_back_to_an_older_version_makes_a_new_one(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        first = await play.deploy(A)
        await play.deploy(A_CHANGED)
        third = await play.deploy(A)
        play.say("the same key", first == third)

    await compare(script)


async def test_another_resource_name_makes_a_new_version(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        await play.deploy(A, names=["one.bpmn"])
        await play.deploy(A, names=["two.bpmn"])
        await play.deploy(A, names=["one.bpmn"])

    await compare(script)


async def test_instances_stay_with_their_version(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        await play.deploy(A)
        old = await play.create()
        await play.deploy(process(START + task("a") + task("then") + path("start", "a", "then")))
        new = await play.create()
        await play.work("a", owner=old)
        await play.work("a", owner=new)
        await play.ends(old)
        await play.work("then")
        await play.ends(new)

    await compare(script)


async def test_two_processes_in_one_file(compare: Comparison) -> None:
    other = 'process id="RUN-other" isExecutable="true"><startEvent id="begin"/>'
    inner = f"{other}{task('b')}{path('begin', 'b')}</process><"
    both = process(START + task("a") + path("start", "a") + f"</process><{inner}process id='p'>")

    async def script(play: Play) -> None:
        await play.deploy(both)
        await play.create()
        await play.create(processDefinitionId="RUN-other")
        await play.work("a")
        await play.work("b")
        await play.deploy(both)

    await compare(script)


REFUSED = {
    "no XML": b"this is no XML",
    "no start event": process(task("a")),
    "two none start events": process(
        START + start("second") + task("a") + path("start", "a") + path("second", "a")
    ),
    "a task without a type": process(START + '<serviceTask id="a"/>' + path("start", "a")),
    "an expression that cannot be read": process(
        START + task("a", inputs={"x": "=1 +"}) + path("start", "a")
    ),
    "a condition that cannot be read": process(
        START + choice("c") + task("a") + path("start", "c") + flow("c", "a", "=x &gt;")
    ),
    "a choice without a condition": process(
        START + choice("c") + task("a") + task("b") + path("start", "c", "a") + flow("c", "b", "=true")
    ),
    "a mapping to no name": process(START + task("a", inputs={"": "=1"}) + path("start", "a")),
    "a mapping from nothing": process(START + task("a", inputs={"x": ""}) + path("start", "a")),
    "an output from a text": process(START + task("a", outputs={"x": "text"}) + path("start", "a")),
    "a flow to nowhere": process(START + path("start", "nowhere")),
    "an outgoing flow of an end event": process(START + END + task("a") + path("start", "end", "a")),
    "a sub-process without a start event": process(START + sub_process("s", task("a")) + path("start", "s")),
    "an error end event without an error": process(
        START + '<endEvent id="e"><errorEventDefinition/></endEvent>' + path("start", "e")
    ),
    "an unknown error": process(START + end("e", error="e9") + path("start", "e")),
    "no executable process": A.replace(b'isExecutable="true"', b'isExecutable="false"'),
    "the same id twice": process(START + task("a") + task("a", "other") + path("start", "a")),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_a_model_that_cannot_run_is_refused(compare: Comparison, what: str) -> None:
    async def script(play: Play) -> None:
        await play.deploy(REFUSED[what])

    await compare(script)


async def test_one_bad_resource_keeps_out_all(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        await play.deploy(A, REFUSED["no start event"])
        await play.create()
        await play.deploy(A)
        await play.create()
        await play.work("a")

    await compare(script)


async def test_one_process_id_in_two_resources(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        await play.deploy(A, A_CHANGED)

    await compare(script)


@pytest.mark.parametrize("name", ["model", "model.xml", "model.bpmn.xml", "MODEL.BPMN"])
async def test_resource_names(compare: Comparison, name: str) -> None:
    async def script(play: Play) -> None:
        await play.deploy(A, names=[name])

    await compare(script)
