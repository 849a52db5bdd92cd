"""Time zones: a fixed offset, or a place whose rules are read from the system's time zone data.

The only module of FEEL that looks outside: `zoneinfo` reads a zone's file once and keeps it.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, final
from zoneinfo import ZoneInfo

import msgspec

OFFSET_SECONDS_MAX: Final = 18 * 60 * 60
_EPOCH: Final = datetime(1970, 1, 1)
_EPOCH_UTC: Final = datetime(1970, 1, 1, tzinfo=UTC)
# The calendar repeats after 400 years, and so do the rules of a zone where Python's calendar ends.
_CYCLE: Final = 146097 * 24 * 60 * 60
_FIRST: Final = -62_000_000_000
_LAST: Final = 253_000_000_000
_NAME_SIZE_MAX: Final = 64


@final
class Zone(msgspec.Struct, frozen=True, gc=False):
    """Either an IANA `name` or, where that is None, a fixed `offset` in seconds."""

    name: str | None
    offset: int = 0

    def offset_of_instant(self, seconds: int) -> int:
        if self.name is None:
            return self.offset
        moment = _EPOCH_UTC + timedelta(seconds=_within(seconds))
        return _offset(moment.astimezone(_info(self.name)))


def offset_at(zone: Zone, local: int) -> tuple[int, int]:
    """The offset at a local moment, and how far a clock is put forward if there is no such moment.

    Where a moment happens twice, its first time is meant.
    """
    if zone.name is None:
        return zone.offset, 0
    info = _info(zone.name)
    moment = (_EPOCH + timedelta(seconds=_within(local))).replace(tzinfo=info)
    before, after = _offset(moment), _offset(moment.replace(fold=1))
    if before < after:
        return after, after - before
    return before, 0


@lru_cache(maxsize=1024)
def zone_named(name: str) -> Zone | None:
    """The zone of that name, as long as the system knows it."""
    if len(name) > _NAME_SIZE_MAX or not name.isascii() or not name.replace("_", "").strip("/+-"):
        return None
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return None
    return Zone(name)


@lru_cache(maxsize=1024)
def _info(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _offset(moment: datetime) -> int:
    offset = moment.utcoffset()
    assert offset is not None, f"{moment} has a zone without an offset"
    return int(offset.total_seconds())


def _within(seconds: int) -> int:
    """The same time of year within the years that Python knows."""
    if seconds < _FIRST:
        return seconds + ((_FIRST - seconds) // _CYCLE + 1) * _CYCLE
    if seconds > _LAST:
        return seconds - ((seconds - _LAST) // _CYCLE + 1) * _CYCLE
    return seconds
