"""The trail of an instance tells who, what, when, and what was before."""

from typing import Any

import msgspec
import pytest

from bpmnd.actors.exporters.lines import line_of
from bpmnd.actors.exporters.records import Record, Records
from bpmnd.actors.exporters.trail import Trail
from bpmnd.bpmn.codec import decode_frame
from bpmnd.bpmn.commands import (
    AssignUserTask,
    CancelProcessInstance,
    CompleteJob,
    FailJob,
    Origin,
    SetVariables,
    UpdateJob,
)
from bpmnd.bpmn.events import UserTaskCreating
from tests.bpmn.people import user_task
from tests.bpmn.playground import END, ONE_TASK, START, Playground, path, process

ANN = Origin(user="ann")
CALLED = process(START + user_task("ask") + END + path("start", "ask", "end"), process_id="called")
CALLING = process(
    START
    + '<callActivity id="call"><extensionElements><zeebe:calledElement processId="called"/>'
    + "</extensionElements></callActivity>"
    + END
    + path("start", "call", "end"),
    process_id="calling",
)


def trail_of(play: Playground, key: int, *, with_called: bool = False) -> list[Record]:
    records, trail, found = Records(1), Trail(key, with_called=with_called), list[Record]()
    for index, payload in enumerate(play.frames, 1):
        found += trail.of(records.of(index, decode_frame(payload)))
    return found


def values(records: list[Record], value_type: str, intent: str) -> list[dict[str, Any]]:
    return [record.value for record in records if (record.value_type, record.intent) == (value_type, intent)]


def with_failed_job() -> tuple[Playground, int]:
    play = Playground()
    play.deploy(ONE_TASK)
    key = play.create({"amount": b"1"})
    play.create({"amount": b"7"})
    (job, _) = play.jobs("work", 2)
    play.do(FailJob(job.key, 2, 0, "broken", {}))
    play.do(UpdateJob(job.key, retries=5, origin=ANN))
    play.do(SetVariables(key, {"amount": b"2"}, origin=ANN))
    return play, key


def test_a_variable_that_changes_has_the_value_it_had() -> None:
    play, key = with_failed_job()
    (value,) = values(trail_of(play, key), "VARIABLE", "UPDATED")
    assert (bytes(value["value"]), {name: bytes(was) for name, was in value["before"].items()}) == (
        b"2",
        {"value": b"1"},
    )


def test_a_job_that_changes_has_the_state_it_was_in() -> None:
    play, key = with_failed_job()

    trail = trail_of(play, key)

    ((lent,),) = (value["jobs"] for value in values(trail, "JOB_BATCH", "ACTIVATED"))
    (failed,) = values(trail, "JOB", "FAILED")
    (updated,) = values(trail, "JOB", "RETRIES_UPDATED")
    assert lent["before"] == {"state": "CREATED", "retries": 3}
    assert failed["before"] == {"state": "ACTIVATED", "retries": 3, "worker": "worker"}
    assert (failed["retries"], updated["retries"]) == (2, 5)
    assert updated["before"] == {"state": "FAILED", "retries": 2}


def test_a_job_that_is_over_says_what_it_was() -> None:
    play = Playground()
    play.deploy(ONE_TASK)
    key = play.create()
    (job,) = play.jobs("work", 1)
    play.do(CompleteJob(job.key))
    (value,) = values(trail_of(play, key), "JOB", "COMPLETED")
    assert value["before"]["state"] == "ACTIVATED"


def test_called_instances_belong_to_it_only_if_that_is_wanted() -> None:
    play = Playground()
    play.deploy(CALLED, CALLING)
    key = play.create(process_id="calling")
    task = play.happened(UserTaskCreating)[0]

    alone, with_called = trail_of(play, key), trail_of(play, key, with_called=True)

    assert not values(alone, "USER_TASK", "CREATING")
    assert [value["processInstanceKey"] for value in values(with_called, "USER_TASK", "CREATING")] == [
        str(task.instance_key)
    ]
    assert values(with_called, "PROCESS_INSTANCE_CREATION", "CALLED")


def test_a_trail_is_over_when_its_instance_has_ended_and_not_before() -> None:
    play = Playground()
    play.deploy(ONE_TASK)
    key, other = play.create(), play.create()
    trail = Trail(key)
    assert key in trail.keys
    play.do(CancelProcessInstance(other))
    play.do(CancelProcessInstance(key))

    records, over = Records(1), list[bool]()
    for index, payload in enumerate(play.frames, 1):
        list(trail.of(records.of(index, decode_frame(payload))))
        over.append(trail.is_over)

    assert over == [False] * (len(play.frames) - 1) + [True]


def test_lines_name_the_user_and_what_was_before() -> None:
    play, key = with_failed_job()

    lines = [line_of(record).split(maxsplit=2) for record in trail_of(play, key)]

    assert lines[-2][1:] == [
        "ann",
        f"work                  {'JOB RETRIES_UPDATED':<38}  type=work retries=5 (was 2)",
    ]
    assert lines[-1][1] == "ann"
    assert lines[-1][2].endswith("amount = 2 (was 1)")


@pytest.mark.parametrize("name", ["ann\n2026-11-26T10:00:00.000Z  bob", "\x1b[2J", "\u2028\u202e", "\x85\0"])
def test_nobody_forges_a_line_by_a_name(name: str) -> None:
    value = {"name": name, "value": msgspec.Raw(b'"' + "\u2029".encode() + b'"'), "elementId": name}
    written = line_of(
        Record((1, 1), "2026-11-26T10:00:00.000Z", 1, "VARIABLE", "CREATED", "7", value, user=name)
    )
    assert written.isprintable()
    assert written.count(name.encode("unicode_escape").decode()) == 3


def test_a_line_names_who_had_a_task_and_who_has_it() -> None:
    play = Playground()
    play.deploy(CALLED)
    key = play.create(process_id="called")
    task = play.happened(UserTaskCreating)[0].key
    play.do(AssignUserTask(task, "bob", origin=ANN))
    play.do(AssignUserTask(task, "eve", origin=Origin(user="bob")))

    lines = [line_of(record) for record in trail_of(play, key) if record.intent == "ASSIGNED"]

    assert [line.split()[1] for line in lines] == ["ann", "bob"]
    assert lines[1].endswith("assignee=eve (was bob)")
