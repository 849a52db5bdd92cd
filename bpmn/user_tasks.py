"""What commands, events and state all say of user tasks."""

from typing import Final, TypeAlias

import msgspec

PRIORITY_DEFAULT: Final = 50
PRIORITY_MAX: Final = 100

Names: TypeAlias = tuple[str, ...]


class TaskAttributes(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What may be changed of a user task. Dates are texts (RFC 3339); what is not set is empty."""

    assignee: str = ""
    candidate_groups: Names = ()
    candidate_users: Names = ()
    due_date: str = ""
    follow_up_date: str = ""
    priority: int = PRIORITY_DEFAULT


class TaskChanges(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """New values; None leaves an attribute as it is."""

    assignee: str | None = None
    candidate_groups: Names | None = None
    candidate_users: Names | None = None
    due_date: str | None = None
    follow_up_date: str | None = None
    priority: int | None = None


class GlobalListener(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A listener to all user tasks. `event_types` are named as in models, or are `all`. Those of the highest
    priority work first; before the listeners of the model, or after them."""

    id: str
    type: str
    event_types: Names
    retries: int = 3
    after_non_global: bool = False
    priority: int = 50

    def hears_of(self, event: str) -> bool:
        """Whether it listens to an event such as COMPLETING."""
        return "all" in self.event_types or event.lower() in self.event_types


_RECORD_NAMES: Final = {
    "assignee": "assignee",
    "candidate_groups": "candidateGroupsList",
    "candidate_users": "candidateUsersList",
    "due_date": "dueDate",
    "follow_up_date": "followUpDate",
    "priority": "priority",
}
"""Attributes by the names of Zeebe's records, in which changes are told."""


def with_changes(attributes: TaskAttributes, changes: TaskChanges) -> TaskAttributes:
    given = {name: value for name, value in msgspec.structs.asdict(changes).items() if value is not None}
    return msgspec.structs.replace(attributes, **given)


def changed(before: TaskAttributes, after: TaskAttributes) -> Names:
    """The names of the attributes that differ, as they are told outside."""
    return tuple(
        shown for name, shown in _RECORD_NAMES.items() if getattr(before, name) != getattr(after, name)
    )
