"""How single values are written in records."""

from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import msgspec

from bpmnd.bpmn.commands import Variables

Value: TypeAlias = dict[str, Any]
"""Names as in Zeebe's records; keys are decimal strings, moments are ISO 8601, variables are JSON."""

_TIME_MIN: Final = -62_135_596_800_000
_TIME_MAX: Final = 253_402_300_799_999
_LINE_BREAKS: Final = bytes.maketrans(b"\r\n", b"  ")


def moment(time_ms: int) -> str:
    """A moment of log time, in UTC. Beyond the years 1 to 9999 it is their beginning or end: somebody may ask
    for a message to live for ever."""
    time_ms = min(max(time_ms, _TIME_MIN), _TIME_MAX)
    stamp = datetime.fromtimestamp(time_ms // 1000, UTC)
    return f"{stamp.isoformat()[:19]}.{time_ms % 1000:03d}Z"


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
