"""Which user tasks are open, and when each is to be told of: when it is due, and perhaps again after that.

Pure: time is an argument. All moments up to a *mark* have been told of, for all tasks that were known when it
was set; so the mark is all that has to be kept with the tasks to know what was told.
"""

from collections.abc import Mapping
from heapq import nsmallest
from typing import Any, Final, NamedTuple, final

import msgspec

from bpmnd.actors.exporters.records import Record
from bpmnd.actors.exporters.values import moment_of

_NEVER: Final = 1 << 62
_BEGINS: Final = "CREATED"
_CHANGES: Final = ("ASSIGNED", "UPDATED", "CORRECTED")
_ENDS: Final = ("COMPLETED", "CANCELED")
_KEPT: Final = (
    "processInstanceKey",
    "processDefinitionKey",
    "bpmnProcessId",
    "version",
    "tenantId",
    "elementId",
    "elementInstanceKey",
    "userTaskKey",
    "assignee",
    "candidateGroupsList",
    "candidateUsersList",
    "dueDate",
    "priority",
)


class Task(msgspec.Struct):
    """An open user task."""

    value: dict[str, Any]
    """What is told of it."""
    due: int | None
    """Epoch milliseconds."""
    next: int | None = None
    """When it is to be told of next; None: never."""


class Due(NamedTuple):
    """A user task that is to be told of."""

    key: int
    moment: int
    reminder: int
    """0 when it has just become due, else for the how many-th time after that."""
    value: Mapping[str, Any]


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(dict[int, Task]).decode


@final
class OpenTasks:
    """The open user tasks of one partition."""

    def __init__(self, remind_ms: int = 0) -> None:
        """Told of again so often; 0: once."""
        self._remind_ms = remind_ms
        self._tasks: dict[int, Task] = {}
        self.soonest = 0
        """Nothing is to be told of before. Exact when `due` has just been asked."""

    def memory(self) -> bytes:
        return _encode(self._tasks)

    def recall(self, memory: bytes) -> None:
        self._tasks = _decode(memory)

    def note(self, record: Record) -> None:
        """Take in a record of a user task. What it changes is to be told of, also if it is past."""
        if record.value_type != "USER_TASK" or record.key is None:
            return
        key = int(record.key)
        if record.intent in _ENDS:
            self._tasks.pop(key, None)
            return
        known = self._tasks.get(key)
        if record.intent != _BEGINS and (known is None or record.intent not in _CHANGES):
            return
        value = {} if known is None else dict(known.value)
        value |= {name: record.value[name] for name in _KEPT if name in record.value}
        date = moment_of(value.get("dueDate"))
        due = None if date is None else round(date.timestamp() * 1000)
        if known is not None and known.due == due:
            known.value = value
        else:
            self._tasks[key] = Task(value, due, due)
            if due is not None:
                self.soonest = min(self.soonest, due)

    def told_up_to(self, mark: int) -> None:
        """All that is known now was told of up to this moment."""
        for task in self._tasks.values():
            if task.due is not None:
                task.next = self._first_after(task.due, mark)
        self.soonest = 0

    def due(self, now: int, count_max: int) -> list[Due]:
        """What is to be told now, the oldest first."""
        if now < self.soonest:
            return []
        waiting = [(task.next, key) for key, task in self._tasks.items() if task.next is not None]
        found = nsmallest(count_max, waiting)
        self.soonest = found[0][0] if found else _NEVER
        return [self._due(key, now) for moment, key in found if moment <= now]

    def is_due(self, key: int, now: int) -> Due | None:
        """Whether one of them is to be told of."""
        task = self._tasks.get(key)
        if task is None or task.next is None or task.next > now:
            return None
        return self._due(key, now)

    def told(self, key: int, now: int) -> None:
        task = self._tasks[key]
        assert task.due is not None, f"{task} was due"
        task.next = self._first_after(task.due, now)

    def _due(self, key: int, now: int) -> Due:
        """What was not told in time is told once, not for each time that was missed."""
        task = self._tasks[key]
        assert task.due is not None, f"{task} is due"
        reminder = (now - task.due) // self._remind_ms if self._remind_ms else 0
        return Due(key, task.due + reminder * self._remind_ms, reminder, task.value)

    def _first_after(self, due: int, moment: int) -> int | None:
        if moment < due:
            return due
        if not self._remind_ms:
            return None
        return due + ((moment - due) // self._remind_ms + 1) * self._remind_ms
