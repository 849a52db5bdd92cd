"""Records as an audit trail to read: when, who, where, what."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from bpmnd.actors.exporters.records import Record

_VALUE_LENGTH_MAX: Final = 60
_BY_WORKERS: Final = frozenset({"JOB/COMPLETE", "JOB/FAIL", "JOB/THROW_ERROR"})
_BY_THE_ENGINE: Final = frozenset({"DUE_DATE/FIRE", "CONTINUATION/CONTINUE"})
_DETAILS: Final = (
    "type",
    "retries",
    "deadline",
    "errorType",
    "errorCode",
    "errorMessage",
    "recurringTime",
    "dueDate",
    "jobKey",
    "businessId",
    "version",
    "resourceName",
)
"""What is shown of a value, in this order."""
_SHOWN_IN: Final = {
    "version": {"PROCESS", "PROCESS_INSTANCE_CREATION"},
    "retries": {"JOB"},
    "type": {"JOB", "JOB_BATCH"},
}
"""What is repeated in many records is shown in these only."""


def heading() -> str:
    return _line("TIME", "WHO", "ELEMENT", "WHAT", "")


def line_of(record: Record) -> str:
    value = record.value
    elements = [value.get("elementId")] + [job.get("elementId") for job in value.get("jobs", ())]
    element = next((element for element in elements if element), value.get("bpmnProcessId", ""))
    what = f"{record.value_type} {record.intent}"
    return _line(record.time, _who(record), element, what, " ".join(_details(record)))


def _line(time: str, who: str, element: str, what: str, detail: str) -> str:
    return _plain(f"{time:<24}  {who:<16}  {element:<20}  {what:<38}  {detail}").rstrip()


def _plain(text: str) -> str:
    """Names are others': with a line break they could forge a line, or tell the terminal what to do."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def _who(record: Record) -> str:
    """The user or the worker if they are known, else whether it was a client or the engine itself."""
    user = record.user or (record.value.get("user") if record.value_type == "USER_TASK" else None)
    if user:
        return str(user)
    worker = record.value.get("worker")
    if record.cause is None or record.cause in _BY_THE_ENGINE or record.cause.startswith("CHANNEL"):
        return "engine"
    if record.cause in _BY_WORKERS or record.value_type == "JOB_BATCH":
        return str(worker or "worker")
    return "client"


def _details(record: Record) -> Iterator[str]:
    value = record.value
    if record.value_type == "VARIABLE":
        before = value.get("before")
        was = "" if before is None else f" (was {_short(before['value'])})"
        yield f"{value['name']} = {_short(value['value'])}{was}"
        return
    for name in _DETAILS:
        detail = value.get(name)
        earlier = value.get("before", {}).get(name) if name == "retries" else None
        if earlier not in (None, detail) and detail is not None:
            yield f"{name}={_short(detail)} (was {_short(earlier)})"
        elif detail is not None and record.value_type in _SHOWN_IN.get(name, {record.value_type}):
            yield f"{name}={_short(detail)}"
    changes: dict[str, Any] = value.get("before", {}) if record.value_type == "USER_TASK" else {}
    for name, before in changes.items():
        yield f"{name}={_short(value.get(name))} (was {_short(before)})"
    for name, variable in value.get("variables", {}).items():
        yield f"{name}={_short(variable)}"


def _short(value: Any) -> str:
    """On one line, and not too long of it."""
    if not isinstance(value, str):
        text = msgspec.json.format(msgspec.json.encode(value), indent=-1).decode()
    elif value.isprintable():
        text = value
    else:
        text = msgspec.json.encode(value).decode()
    return text if len(text) <= _VALUE_LENGTH_MAX else f"{text[:_VALUE_LENGTH_MAX]}…"
