"""What a partition counts for its metrics, in plain numbers and with bounded sets of labels."""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Final, final

from bpmnd.bpmn.turn import InstanceNote, JobNote, Note

DURATION_BOUNDS: Final = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 3600.0, 21600.0, 86400.0)
"""Seconds."""
LABELS_MAX: Final = 200
"""Job types and processes that are told apart; expressions can make as many job types as they like."""
OTHERS: Final = "(others)"


@final
class Durations:
    """How long the instances of one process took: a count for each bound and one beyond, and the sum."""

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        self.counts = [0] * (len(DURATION_BOUNDS) + 1)
        self.seconds = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(DURATION_BOUNDS, seconds)] += 1
        self.seconds += seconds


@final
class PartitionCounts:
    """Since this partition began to lead here. Nothing is decided by these numbers."""

    def __init__(self) -> None:
        self.jobs: dict[tuple[str, str], int] = {}
        """(type, what happened) -> how often."""
        self.durations: dict[str, Durations] = {}
        """Process id -> how long its ended instances took."""
        self._types: set[str] = set()

    def note(self, notes: Iterable[Note]) -> None:
        for note in notes:
            match note:
                case JobNote(job_type, what, count):
                    name = (self._bounded(job_type), what)
                    self.jobs[name] = self.jobs.get(name, 0) + count
                case InstanceNote(process_id, milliseconds):
                    self._durations_of(process_id).add(milliseconds / 1000)

    def _bounded(self, job_type: str) -> str:
        if job_type not in self._types:
            if len(self._types) >= LABELS_MAX:
                return OTHERS
            self._types.add(job_type)
        return job_type

    def _durations_of(self, process_id: str) -> Durations:
        durations = self.durations.get(process_id)
        if durations is None:
            if len(self.durations) >= LABELS_MAX:
                process_id = OTHERS
            durations = self.durations.setdefault(process_id, Durations())
        return durations
