"""Tells a web address of incidents, and of user tasks that are overdue."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final, final

import msgspec

from bpmnd.actors.exporters.protocol import Source
from bpmnd.actors.exporters.records import Record
from bpmnd.actors.exporters.settings import settings_as
from bpmnd.actors.exporters.values import moment
from bpmnd.actors.exporters.webhook.overdue import Due, OpenTasks
from bpmnd.actors.exporters.webhook.sending import Sender, secret_of

EVENTS: Final = ("incident-created", "incident-resolved", "user-task-overdue")
_DEFAULT: Final = "incident-created,user-task-overdue"
_LOOK_SECONDS: Final = 1.0
"""So often it is looked what is overdue."""
_AT_ONCE: Final = 10


class WebhookSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    url: str
    events: str | tuple[str, ...] = _DEFAULT
    teams: dict[str, str] = {}
    """Candidate group -> where its overdue user tasks are told instead."""
    remind_hours: float = 0.0
    """An overdue user task is told of again so often, as long as it is open; 0: once."""
    secret_file: str = ""
    """Where the secret stands that messages are signed with; empty: they are not signed."""
    request_seconds: float = 10.0
    """So long one request may take."""


@final
class WebhookExporter:
    """At least once, each message with an id that repeats share."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = given = settings_as(WebhookSettings, settings)
        events = given.events.split(",") if isinstance(given.events, str) else given.events
        self._events = frozenset(event.strip() for event in events)
        if unknown := sorted(self._events - set(EVENTS)):
            raise ValueError(f"events: there is no {unknown[0]!r}; there are {', '.join(EVENTS)}")
        for url in (given.url, *given.teams.values()):
            if not url.startswith(("http://", "https://")):
                raise ValueError(f"{url!r} is no address of the web")
        self._tasks = OpenTasks(round(given.remind_hours * 3_600_000))
        self._alone = asyncio.Lock()
        """Records and the clock must not both be told of at a time."""
        self._source: Source | None = None
        self._sender: Sender | None = None
        self._watching: asyncio.Task[None] | None = None
        self._position = 0
        self._is_unmarked = False
        """Something was told of that the mark does not say yet."""

    # What it has to know of the past: the open user tasks

    def recall(self, memory: bytes) -> None:
        self._tasks.recall(memory)

    def remember(self, record: Record) -> None:
        self._tasks.note(record)

    def memory(self) -> bytes:
        return self._tasks.memory()

    async def open(self, source: Source) -> None:
        secret = None
        if self._settings.secret_file:
            secret = secret_of(await asyncio.to_thread(Path(self._settings.secret_file).read_text))
        self._source, self._position = source, source.position
        self._sender = Sender(secret, self._settings.request_seconds)
        self._tasks.told_up_to(source.mark)
        if "user-task-overdue" in self._events:
            self._watching = asyncio.create_task(self._watch(source))

    async def export(self, records: Sequence[Record]) -> None:
        source = self._source
        assert source is not None, "it is opened first"
        async with self._alone:
            for entry, of_entry in groupby(records, lambda record: record.position[0]):
                for record in of_entry:
                    self._tasks.note(record)
                    await self._tell_incident(record)
                    await self._tell_if_overdue(record)
                self._position = entry
                source.acknowledge(entry)

    async def close(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        if self._sender is not None:
            await self._sender.close()

    async def _watch(self, source: Source) -> None:
        """Tell what becomes overdue, some at a time: records must not wait for long."""
        try:
            while True:
                async with self._alone:
                    now = _now_ms()
                    found = self._tasks.due(now, _AT_ONCE)
                    for due in found:
                        await self._tell_overdue(due)
                        self._tasks.told(due.key, now)
                    more = self._tasks.due(now, 1)
                    if found or self._is_unmarked:
                        source.acknowledge(self._position, min(self._tasks.soonest - 1, now))
                        self._is_unmarked = bool(more)
                await asyncio.sleep(0 if more else _LOOK_SECONDS)
        except Exception as error:
            source.failed(error)  # It ends here, and the exporter is begun anew.

    async def _tell_incident(self, record: Record) -> None:
        event = f"incident-{record.intent.lower()}"
        if record.value_type != "INCIDENT" or event not in self._events:
            return
        entry, number = record.position
        id = f"{record.partition_id}-{entry}-{number}"
        await self._send(
            self._settings.url,
            id,
            {"type": event, "time": record.time, "incidentKey": record.key, **record.value},
        )

    async def _tell_if_overdue(self, record: Record) -> None:
        """A date may be past when it is set. It is told of before that is acknowledged, for the mark that was
        set before would speak for it, too."""
        if record.value_type != "USER_TASK" or record.key is None or self._watching is None:
            return
        now = _now_ms()
        due = self._tasks.is_due(int(record.key), now)
        if due is not None:
            await self._tell_overdue(due)
            self._tasks.told(due.key, now)
            self._is_unmarked = True

    async def _tell_overdue(self, due: Due) -> None:
        for url in self._urls_of(due):
            await self._send(url, f"overdue-{due.key}-{due.moment}", _message_of(due))

    def _urls_of(self, due: Due) -> list[str]:
        """Of all teams that could do it; of nobody in particular if there is none."""
        groups: Sequence[str] = due.value.get("candidateGroupsList", ())
        teams = {self._settings.teams[group]: None for group in groups if group in self._settings.teams}
        return list(teams) or [self._settings.url]

    async def _send(self, url: str, id: str, message: Mapping[str, Any]) -> None:
        assert self._sender is not None, "it is opened first"
        await self._sender.send(url, id, message)


def _message_of(due: Due) -> dict[str, Any]:
    value = dict(due.value)
    value["candidateGroups"] = value.pop("candidateGroupsList", [])
    value["candidateUsers"] = value.pop("candidateUsersList", [])
    return {"type": "user-task-overdue", "time": moment(due.moment), "reminder": due.reminder, **value}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
