"""User tasks: what is worked out of them, and what becomes of what people do."""

from typing import Any

import pytest

from bpmnd.bpmn.model.timers import rfc3339
from tests.bpmn.people import assigned, formed, prioritized, scheduled, user_task
from tests.differential.comparison import Comparison
from tests.differential.models import END, START, path, process, rings, timer
from tests.differential.play import UNKNOWN_KEY, Play
from tests.differential.records import Record

_TOLD = (
    "action",
    "assignee",
    "candidateGroupsList",
    "candidateUsersList",
    "priority",
    "changedAttributes",
)


def model(*extensions: str, native: bool = True, beside: str = "") -> bytes:
    body = START + user_task("do", *extensions, native=native) + END + path("start", "do", "end")
    return process(body + beside)


async def task_of(play: Play, instance: int) -> int:
    """The key of the only user task of an instance."""

    def found(records: Any) -> int | None:
        keys = [
            record.key
            for record in records
            if record.kind == "USER_TASK" and record.value["processInstanceKey"] == instance
        ]
        return keys[0] if keys else None

    return await play.until(found, "a user task")


async def ask(play: Play, method: str, task: int, path: str, body: Any) -> None:
    await play.request(f"{method} {path} {body}", method, f"user-tasks/{task}{path}", body)


def say_tasks(play: Play, instance: int) -> None:
    """What is written down of the tasks of an instance that is over, or waits."""
    for record in play.records():
        if record.kind != "USER_TASK" or record.value["processInstanceKey"] != instance:
            continue
        if record.intent in ("CREATED", "ASSIGNED", "UPDATED", "COMPLETED", "CANCELED"):
            play.say(record.intent, _told(record))


def _told(record: Record) -> dict[str, Any]:
    """Empty texts and lists are left out; dates are compared as moments."""
    told: dict[str, Any] = {name: record.value[name] for name in _TOLD if record.value.get(name)}
    for name in ("candidateGroupsList", "candidateUsersList"):
        if name in told:
            told[name] = list(told[name])
    for name in ("dueDate", "followUpDate"):
        if text := record.value.get(name):
            told[name] = rfc3339(text)
    if record.intent in ("CREATED", "CANCELED", "COMPLETED"):
        told.pop("action", None)
    if record.intent != "UPDATED":
        told.pop("changedAttributes", None)
    else:
        told["changedAttributes"] = sorted(record.value["changedAttributes"])
    return dict(sorted(told.items()))


@pytest.mark.representative
async def test_a_task_is_assigned_updated_and_completed(compare: Comparison) -> None:
    people = assigned(assignee="=who", candidateGroups='=["g", who]', candidateUsers="x, y")
    dates = scheduled(dueDate='=date and time("2024-05-05T10:00:00+02:00")', followUpDate="2024-01-01T10:00Z")

    async def script(play: Play) -> None:
        instance = await play.create({"who": "ann", "p": 33})
        task = await task_of(play, instance)
        await ask(play, "POST", task, "/assignment", {"assignee": "bob", "allowOverride": False})
        await ask(play, "POST", task, "/assignment", {"assignee": "ann", "allowOverride": False})
        await ask(play, "POST", task, "/assignment", {"assignee": "bob", "action": "give"})
        await ask(play, "DELETE", task, "/assignee", {})
        changes: dict[str, Any] = {"priority": 3, "dueDate": "", "candidateUsers": []}
        await ask(play, "PATCH", task, "", {"changeset": changes})
        await ask(play, "PATCH", task, "", {"action": "look"})
        await ask(play, "PATCH", task, "", {"changeset": {"followUpDate": "2025-01-01T00:00:00Z"}})
        await ask(play, "POST", task, "/completion", {"variables": {"r": 1}, "action": "done"})
        await ask(play, "POST", task, "/completion", {})
        await play.ends(instance)
        say_tasks(play, instance)

    await compare(script, model(people, dates, prioritized("=p"), formed(externalReference="f")))


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/assignment", {}),
        ("POST", "/assignment", {"assignee": ""}),
        ("PATCH", "", {}),
        ("PATCH", "", {"changeset": {"other": 1}}),
        ("PATCH", "", {"changeset": {"priority": 300}}),
        ("PATCH", "", {"changeset": {"dueDate": "x"}}),
        ("PATCH", "", {"changeset": {"dueDate": "2024-01-01T10:00Z"}}),
        ("PATCH", "", {"changeset": {"dueDate": "2024-01-01T10:00:00"}}),
        ("PATCH", "", {"changeset": {"dueDate": "2024-02-30T10:00:00Z"}}),
        ("PATCH", "", {"changeset": {"dueDate": "2024-01-01T10:00:00+01:00[Europe/Berlin]"}}),
        ("POST", "/completion", {"variables": 1}),
    ],
)
async def test_what_is_not_acceptable(compare: Comparison, method: str, path: str, body: Any) -> None:
    async def script(play: Play) -> None:
        instance = await play.create()
        await ask(play, method, await task_of(play, instance), path, body)
        await ask(play, method, UNKNOWN_KEY, path, body)
        await play.cancel(instance)
        await play.ends(instance, "terminated")
        say_tasks(play, instance)

    await compare(script, model())


@pytest.mark.parametrize(
    "extension",
    [
        assigned(assignee="=1"),
        assigned(assignee="=null"),
        assigned(assignee='=""'),
        assigned(candidateGroups="=1"),
        assigned(candidateGroups="=null"),
        assigned(candidateUsers='=["a", 1]'),
        assigned(candidateUsers="a b , c"),
        scheduled(dueDate="=1"),
        scheduled(dueDate="=null"),
        scheduled(dueDate='=""'),
        scheduled(dueDate='=date("2024-01-01")'),
        scheduled(dueDate='=date and time("2024-01-01T10:00:00")'),
        scheduled(dueDate='=date and time("2024-01-01T10:00:00@Europe/Berlin")'),
        scheduled(followUpDate='="x"'),
        scheduled(followUpDate='="2024-01-01T10:00Z"'),
        scheduled(followUpDate="2024-01-01T10:00:00.120+01:00[Europe/Berlin]"),
        prioritized("=101"),
        prioritized("=5.7"),
        prioritized("=null"),
        prioritized('="5"'),
        formed(externalReference="=1"),
        formed(formId="none"),
        formed(formId="none", bindingType="deployment"),
        formed(formId="none", bindingType="versionTag", versionTag="v"),
        formed(formId="=1"),
    ],
)
@pytest.mark.parametrize("native", [True, False])
async def test_what_is_worked_out(compare: Comparison, extension: str, native: bool) -> None:
    if not native and ("externalReference" in extension or "priority" in extension):
        return

    async def script(play: Play) -> None:
        instance = await play.create()

        def stands(records: Any) -> str | None:
            for record in records:
                if record.value.get("processInstanceKey") != instance or record.intent != "CREATED":
                    continue
                if record.kind in ("USER_TASK", "INCIDENT", "JOB"):
                    return str(record.kind)
            return None

        play.say("there is", await play.until(stands, "a task or an incident"))
        say_tasks(play, instance)
        await play.cancel(instance)

    await compare(script, model(extension, native=native))


async def test_a_job_for_others_has_all_in_its_headers(compare: Comparison) -> None:
    people = assigned(assignee="ann", candidateGroups="b, c", candidateUsers='=["u"]')
    headers = '<zeebe:taskHeaders><zeebe:header key="h" value="v"/></zeebe:taskHeaders>'

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.happens("do", "ELEMENT_ACTIVATED")
        await play.cancel(instance)
        await play.ends(instance, "terminated")
        (created,) = (
            record.value
            for record in play.records()
            if (record.kind, record.intent) == ("JOB", "CREATED")
            and record.value["processInstanceKey"] == instance
        )
        play.say("headers", sorted(created["customHeaders"].items()))

    await compare(script, model(people, headers, formed(formKey="camunda-forms:bpmn:f"), native=False))


async def test_a_boundary_event_cancels_the_task(compare: Comparison) -> None:
    late = rings("late", "do", timer("timeDuration", "PT0.1S"))

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("after-late")
        await play.ends(instance)
        say_tasks(play, instance)

    await compare(script, model(beside=late))
