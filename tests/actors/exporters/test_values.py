"""How moments are written."""

from datetime import datetime

import pytest

from bpmnd.actors.exporters.values import moment


@pytest.mark.parametrize(
    ("time_ms", "written"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (1_795_727_384_142, "2026-11-26T21:09:44.142Z"),
        (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"),
        (-(2**63), "0001-01-01T00:00:00.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (253_402_300_800_000, "9999-12-31T23:59:59.999Z"),
        (2**63 - 1, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_what_no_calendar_has_is_its_beginning_or_end(time_ms: int, written: str) -> None:
    """A message that is to live for ever must not hold up exports, trails and searches."""
    assert moment(time_ms) == written
    datetime.fromisoformat(written)
