"""How single values are written in records."""

from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import msgspec

from bpmnd.bpmn.commands import Variables

Value: TypeAlias = dict[str, Any]
"""Names as in Zeebe's records; keys are decimal strings, moments are ISO 8601, variables are JSON."""

_LINE_BREAKS: Final = bytes.maketrans(b"\r\n", b"  ")


def moment(time_ms: int) -> str:
    """A moment of log time, in UTC."""
    stamp = datetime.fromtimestamp(time_ms // 1000, UTC)
    return f"{stamp:%Y-%m-%dT%H:%M:%S}.{time_ms % 1000:03d}Z"


def json_values(variables: Variables) -> dict[str, msgspec.Raw]:
    """Values as they are. Between their parts they may have line breaks, which end a line of an export."""
    return {name: msgspec.Raw(value.translate(_LINE_BREAKS)) for name, value in variables.items()}


def moment_of(text: str | None) -> datetime | None:
    """A date that people wrote, perhaps with the name of a zone behind it; in UTC if it does not say."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text.partition("[")[0])
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
