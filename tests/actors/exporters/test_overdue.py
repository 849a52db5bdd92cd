"""Which user tasks are to be told of, and when."""

from typing import Any

from bpmnd.actors.exporters.records import Record
from bpmnd.actors.exporters.webhook.overdue import OpenTasks

SECOND = 1000
NOON = 1_796_040_000_000
HOUR = 3_600_000


def record(intent: str, key: int = 7, **value: Any) -> Record:
    value = {"userTaskKey": str(key), **value}
    return Record((1, 1), "2026-11-30T12:00:00.000Z", 1, "USER_TASK", intent, str(key), value)


def created(key: int = 7, due: str = "2026-11-30T12:00:00Z", **value: Any) -> Record:
    return record("CREATED", key, dueDate=due, **value)


def keys(tasks: OpenTasks, now: int) -> list[int]:
    return [due.key for due in tasks.due(now, 10)]


def test_a_task_is_due_at_its_date_and_told_once() -> None:
    tasks = OpenTasks()
    tasks.note(created(assignee="ada"))
    assert keys(tasks, NOON - 1) == []
    (due,) = tasks.due(NOON, 10)
    assert (due.moment, due.reminder, due.value["assignee"]) == (NOON, 0, "ada")
    tasks.told(7, NOON)
    assert keys(tasks, NOON + 1000 * HOUR) == []


def test_who_has_ended_or_has_no_date_is_not_told_of() -> None:
    tasks = OpenTasks()
    tasks.note(created(1))
    tasks.note(created(2))
    tasks.note(created(3, due=""))
    tasks.note(created(4, due="no date"))
    tasks.note(record("COMPLETED", 1))
    tasks.note(record("CANCELED", 2))
    assert keys(tasks, NOON) == []


def test_a_date_may_be_of_another_zone_and_name_it() -> None:
    tasks = OpenTasks()
    tasks.note(created(1, due="2026-11-30T13:00:00+01:00[Europe/Berlin]"))
    assert keys(tasks, NOON - 1) == []
    assert keys(tasks, NOON) == [1]


def test_another_date_is_told_of_anew_and_another_assignee_is_not() -> None:
    tasks = OpenTasks()
    tasks.note(created())
    tasks.told(7, NOON)
    tasks.note(record("ASSIGNED", assignee="bob", dueDate="2026-11-30T12:00:00Z"))
    assert keys(tasks, NOON) == []
    tasks.note(record("UPDATED", assignee="bob", dueDate="2026-11-30T13:00:00Z"))
    (due,) = tasks.due(NOON + HOUR, 10)
    assert due.value["assignee"] == "bob"


def test_the_oldest_are_told_first_so_many_at_a_time() -> None:
    tasks = OpenTasks()
    for key, minute in ((1, 30), (2, 10), (3, 20)):
        tasks.note(created(key, due=f"2026-11-30T11:{minute}:00Z"))
    assert [due.key for due in tasks.due(NOON, 2)] == [2, 3]
    assert tasks.soonest == NOON - 50 * 60 * SECOND


def test_reminders_come_again_and_missed_ones_once() -> None:
    tasks = OpenTasks(remind_ms=HOUR)
    tasks.note(created())
    tasks.told(7, NOON)
    assert keys(tasks, NOON + HOUR - 1) == []
    (due,) = tasks.due(NOON + 3 * HOUR + 5, 10)
    assert (due.moment, due.reminder) == (NOON + 3 * HOUR, 3)
    tasks.told(7, NOON + 3 * HOUR + 5)
    assert keys(tasks, NOON + 4 * HOUR - 1) == []
    assert keys(tasks, NOON + 4 * HOUR) == [7]


def test_the_mark_tells_what_was_told_of_to_who_begins_anew() -> None:
    tasks = OpenTasks()
    tasks.note(created(1, due="2026-11-30T11:00:00Z"))
    tasks.note(created(2, due="2026-11-30T12:00:00Z"))
    again = OpenTasks()
    again.recall(tasks.memory())
    again.told_up_to(NOON - HOUR)
    assert keys(again, NOON) == [2]

    again.note(created(3, due="2026-11-30T09:00:00Z"))
    assert keys(again, NOON) == [3, 2], "what comes after is not covered by the mark"
