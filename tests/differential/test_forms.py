"""Forms: their deployment, which one a user task is bound to, and their deletion."""

import json

import pytest

from tests.bpmn.people import formed, user_task
from tests.differential.comparison import Comparison
from tests.differential.models import RUN, START, path, process
from tests.differential.play import Play
from tests.differential.test_user_tasks import task_of

_ID = f"{RUN}form"


def form(**more: object) -> bytes:
    return json.dumps({"id": _ID, "components": [], **more}).encode()


def model(**attributes: str) -> bytes:
    return process(START + user_task("do", formed(formId=_ID, **attributes)) + path("start", "do"))


async def deploy(play: Play, **files: bytes) -> dict[str, int]:
    """The keys of the forms in the answer by the names of their files; versions are written down."""
    names = [name.replace("_", ".") for name in files]
    answer = await play.deploy_any(dict(zip(names, files.values(), strict=True)))
    keys: dict[str, int] = {}
    for entry in answer.get("deployments", ()):
        if found := entry.get("form"):
            play.say("form", f"{found['resourceName']} {found['formId']} version {found['version']}")
            keys[found["resourceName"]] = int(found["formKey"])
    return keys


async def say_form(play: Play, known: dict[str, int]) -> None:
    """By which name the form that a new task has is known."""
    instance = await play.create()
    task = await task_of(play, instance)
    (key,) = {record.value.get("formKey") for record in play.records() if record.key == task} - {None}
    play.say("its form", [name for name, form_key in known.items() if form_key == key])
    await play.cancel(instance)


@pytest.mark.representative
async def test_a_task_has_the_form_that_its_binding_says(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        for attributes in (
            {},
            {"bindingType": "deployment"},
            {"bindingType": "versionTag", "versionTag": "v"},
        ):
            known = await deploy(play, a_form=form(x=1), p_bpmn=model(**attributes))
            known |= await deploy(play, b_form=form(versionTag="v", x=2))
            known |= await deploy(play, c_form=form(versionTag="v", x=3))
            known |= await deploy(play, d_form=form(x=4))
            await deploy(play, d_form=form(x=4))
            await say_form(play, known)

    await compare(script)


async def test_a_form_that_is_deleted_is_not_used_any_more(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        known = await deploy(play, a_form=form(), p_bpmn=model())
        known |= await deploy(play, b_form=form(x=2))
        await play.request("delete", "POST", f"resources/{known['b.form']}/deletion", {})
        await play.request("delete again", "POST", f"resources/{known['b.form']}/deletion", {})
        await say_form(play, known)
        await deploy(play, b_form=form(x=2))
        await deploy(play, a_form=form())

    # Since 8.9 a deletion is answered with what was deleted, before that with nothing.
    await compare(script, known={"delete -> 200": "delete -> 204"})


@pytest.mark.parametrize("content", [b"x", b"[]", b"{}", b'{"id":""}', b'{"id":" "}', b'{"id":null}', b""])
async def test_what_is_no_form(compare: Comparison, content: bytes) -> None:
    async def script(play: Play) -> None:
        await deploy(play, a_form=content)

    await compare(script)


async def test_two_forms_with_one_id(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        await deploy(play, a_form=form(), b_form=form(x=1))

    await compare(script)
