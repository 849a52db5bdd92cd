"""Replicas compared by their states: the same rows, looked at where each stands at the same entry of the log.

The leader chooses rows and names them in the log (`StateSampled`). Every replica hashes them when it has
applied that entry, and tells the others. So a fault that is in no log is found: of the code, of the memory.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, final

from bpmnd.bpmn.events import Event, StateSampled
from bpmnd.bpmn.state import State

_logger = logging.getLogger(__name__)

CHANGED_ROWS: Final = 32
"""Of those that the last checkpoint has written: where faults come in,"""
RESTING_ROWS: Final = 32
"""and of the others so many, each time the next ones: in the end all."""
BYTES_MAX: Final = 256 << 10
"""Rows after that many bytes are left for the next time: a sample is taken in one go."""
SECONDS_MIN: Final = 1.0
"""Between two samples."""
RESTING_SECONDS: Final = 5.0
"""Between two where nothing changes."""
_KEPT: Final = 64
_COMPARED: Final = 8
"""Samples of which what others told is kept."""
_FIRST_ROW: Final = b"\1"


@dataclass(frozen=True, slots=True)
class SampleTold:
    """A member saw this in the rows that the entry `index` names, when its state stood there."""

    member: int
    leads: bool
    index: int
    digest: bytes


def sampled_rows(events: Sequence[Event]) -> tuple[bytes, ...] | None:
    """The rows to look at after a frame with these events, if it names any."""
    last = events[-1] if events else None
    return last.rows if type(last) is StateSampled else None


@final
class SampleChoice:
    """Which rows the leader names next."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._next_row = _FIRST_ROW
        self._last_at: float | None = None
        self._ends_to_come = 0
        """How often the end of the rows is to be reached until all were looked at since the last change."""

    @property
    def rests(self) -> bool:
        """Nothing has changed for a while, and not all rows were looked at since."""
        return (
            self._ends_to_come > 0
            and self._last_at is not None
            and self._monotonic() - self._last_at >= RESTING_SECONDS
        )

    def choose(self, state: State, changed: Sequence[bytes]) -> tuple[bytes, ...]:
        """Some rows, those of `changed` first; none if the last ones were chosen just now."""
        now = self._monotonic()
        if changed:
            self._ends_to_come = 2  # That of the round which is under way, and of a whole one.
        if self._last_at is not None and now - self._last_at < SECONDS_MIN:
            return ()
        self._last_at = now
        resting = state.stored_keys(self._next_row, RESTING_ROWS)
        chosen = _up_to(BYTES_MAX, state, [*changed, *resting])
        reached = [key for key in resting if key in chosen]
        is_over = len(reached) == len(resting) < RESTING_ROWS
        if is_over:
            self._next_row = _FIRST_ROW
            self._ends_to_come = max(self._ends_to_come - 1, 0)
        elif reached:
            self._next_row = reached[-1] + b"\0"
        return tuple(chosen)


def _up_to(bytes_max: int, state: State, keys: Iterable[bytes]) -> dict[bytes, None]:
    """The first of these rows, at least one, until they are that many bytes."""
    chosen: dict[bytes, None] = {}
    size = 0
    for key in keys:
        size += len(state.row(key) or b"")
        if chosen and size > bytes_max:
            break
        chosen[key] = None
    return chosen


@final
class Samples:
    """What one replica has seen: the newest digests, by the entry at which its state stood."""

    def __init__(self) -> None:
        self._digests: dict[int, bytes] = {}

    def note(self, index: int, digest: bytes) -> None:
        self._digests[index] = digest
        if len(self._digests) > _KEPT:
            del self._digests[next(iter(self._digests))]

    def at(self, index: int) -> bytes | None:
        return self._digests.get(index)

    def newest(self, committed: int) -> tuple[int, bytes] | None:
        """(index, digest) of the last one that stands for good."""
        return next(
            ((index, one) for index, one in reversed(self._digests.items()) if index <= committed), None
        )


@final
class StateComparison:
    """What the other members saw, against what was seen here."""

    def __init__(self, name: str, member: int) -> None:
        self._name = name
        self._member = member
        self._told: dict[int, dict[int, SampleTold]] = {}
        """Index -> member -> what it saw."""
        self._compared: set[tuple[int, int]] = set()
        """(index, member), of those in `_told`."""
        self.agreed = 0
        """How often another member saw the same,"""
        self.differed = 0
        """and how often something else."""

    def told(self, sample: SampleTold) -> None:
        """A member says what it saw at an entry that is committed."""
        self._told.setdefault(sample.index, {})[sample.member] = sample
        while len(self._told) > _COMPARED:
            oldest = min(self._told)
            del self._told[oldest]
            self._compared = {one for one in self._compared if one[0] != oldest}

    def contradiction(self, own: Samples, committed: int, voters: Sequence[int]) -> SampleTold | None:
        """What the others saw, if so many saw the same that the state here must be the wrong one.

        A majority of the voters must have seen it. Of two, and for who does not vote, the leader is believed.
        """
        for index, told in self._told.items():
            digest = own.at(index)
            if digest is None or index > committed:
                continue
            self._note(index, digest, told)
            against = {member: one for member, one in told.items() if one.digest != digest}
            if not against:
                continue
            if len(voters) <= 2 or self._member not in voters:
                wrong = next((one for one in against.values() if one.leads), None)
            else:
                wrong = _of_majority(against, voters)
            if wrong is not None:
                return wrong
        return None

    def _note(self, index: int, digest: bytes, told: Mapping[int, SampleTold]) -> None:
        for member, one in told.items():
            if (index, member) in self._compared:
                continue
            self._compared.add((index, member))
            if one.digest == digest:
                self.agreed += 1
            else:
                self.differed += 1
                _logger.error("%s: at entry %d the state of %d is another", self._name, index, member)


def _of_majority(told: Mapping[int, SampleTold], voters: Sequence[int]) -> SampleTold | None:
    """What more than half of the voters saw."""
    seen: dict[bytes, list[SampleTold]] = {}
    for member, one in told.items():
        if member in voters:
            seen.setdefault(one.digest, []).append(one)
    return next((same[0] for same in seen.values() if 2 * len(same) > len(voters)), None)
