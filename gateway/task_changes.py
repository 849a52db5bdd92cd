"""New values for attributes of a user task, as its users and its listeners send them."""

import re
from datetime import datetime
from typing import Final

import msgspec

from bpmnd.bpmn.user_tasks import PRIORITY_MAX, TaskChanges
from bpmnd.gateway.bodies import Int32
from bpmnd.gateway.errors import invalid_argument

_DATE_TIME: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?:\.[0-9]{1,9})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})(?:\[[A-Za-z0-9~/._:+-]+\])?",
    re.ASCII,
)


class Changeset(msgspec.Struct, frozen=True, rename="camel"):
    """What is null or missing stays as it is; other attributes are ignored."""

    due_date: str | None = None
    follow_up_date: str | None = None
    candidate_users: list[str] | None = None
    candidate_groups: list[str] | None = None
    priority: Int32 | None = None


class Corrections(Changeset, frozen=True, rename="camel"):
    """A listener may correct the assignee, too."""

    assignee: str | None = None


def changes_of(changeset: Changeset | None) -> TaskChanges:
    """Raises a problem for what is no date or out of range."""
    if changeset is None:
        return TaskChanges()
    complaints: list[str] = []
    for what, text in (("due date", changeset.due_date), ("follow-up date", changeset.follow_up_date)):
        if text and not _is_date_time(text):
            complaints.append(
                f"The provided {what} '{text}' cannot be parsed as a date according to RFC 3339, section 5.6."
            )
    if changeset.priority is not None and not 0 <= changeset.priority <= PRIORITY_MAX:
        complaints.append(
            f"The value for priority is '{changeset.priority}' but must be within the"
            f" [0,{PRIORITY_MAX}] range."
        )
    if complaints:
        raise invalid_argument(complaints)
    return TaskChanges(
        assignee=changeset.assignee if isinstance(changeset, Corrections) else None,
        candidate_groups=_names(changeset.candidate_groups),
        candidate_users=_names(changeset.candidate_users),
        due_date=changeset.due_date,
        follow_up_date=changeset.follow_up_date,
        priority=changeset.priority,
    )


def _names(names: list[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)


def _is_date_time(text: str) -> bool:
    """A moment of the calendar, with an offset. As in Zeebe, the seconds may be left out, and the name of a
    zone may stand behind."""
    found = _DATE_TIME.fullmatch(text)
    if found is None:
        return False
    try:
        datetime.fromisoformat(found[1].upper() + found[2].upper())
    except ValueError:
        return False
    return True
