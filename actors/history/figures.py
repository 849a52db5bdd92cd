"""Counts over slots of time: what elements did, and what happened to jobs, instances, decisions and tasks.

What happens is added up in plain objects, and from there to the rows of the minute and of the hour when these
are written. Minutes are kept for some hours, hours for some months, by the time of the log.
"""

from collections.abc import Mapping
from typing import Any, Final, Generic, TypeVar, cast, final

import msgspec

from bpmnd.actors.history.cached import Rows, RowSource
from bpmnd.actors.history.durations import add_durations, bucket_of, decode_durations, encode_durations
from bpmnd.actors.history.rows import (
    ActivityHourRow,
    ActivityRow,
    JobTypeRow,
    SubjectRow,
    TallyHourRow,
    TallyRow,
)
from bpmnd.storage.history_schema import SLOT_BITS

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
MINUTES_KEPT: Final = 6 * 60
HOURS_KEPT: Final = 90 * 24
SUBJECTS_MAX: Final = 10_000
"""So many workers, errors, users and so on are told apart; the others are counted as one of each kind."""
JOB_TYPES_MAX: Final = 5_000
"""The others are one. Those that have been seen once stay: so what is counted on is counted off there."""
OTHERS: Final = "(others)"
NAME_MAX: Final = 500
"""Longer names and messages are cut off."""

_encode: Final = msgspec.json.Encoder().encode
_names: Final = msgspec.json.Decoder(tuple[str, ...]).decode
Subject = tuple[int, *tuple[str, ...]]
"""A kind, and names."""
M = TypeVar("M", ActivityRow, TallyRow)
H = TypeVar("H", ActivityHourRow, TallyHourRow)


@final
class Activity:
    """What the instances of one element did since the rows were last written."""

    __slots__ = ("begun", "incidents", "terminated", "took")

    def __init__(self) -> None:
        self.begun = 0
        self.terminated = 0
        self.incidents = 0
        self.took: dict[int, int] = {}
        """Milliseconds -> how many took so long to be completed."""

    def add_to(self, *rows: ActivityRow) -> None:
        completed = sum(self.took.values())
        milliseconds = sum(duration * count for duration, count in self.took.items())
        durations: dict[int, int] = {}
        for duration, count in self.took.items():
            add_durations(durations, {bucket_of(duration): count})
        for row in rows:
            row.begun += self.begun
            row.completed += completed
            row.terminated += self.terminated
            row.incidents += self.incidents
            row.milliseconds += milliseconds
            if durations:
                counts = decode_durations(row.durations)
                add_durations(counts, durations)
                row.durations = encode_durations(counts)


@final
class _Slots(Generic[M, H]):
    """The rows of the minute and the hour that it is."""

    def __init__(self, source: RowSource, minute_type: type[M], hour_type: type[H]) -> None:
        self._minute_type: type[M] = minute_type
        self._hour_type: type[H] = hour_type
        self.minutes: Rows[M] = Rows(source, minute_type.TABLE, minute_type)
        self.hours: Rows[H] = Rows(source, hour_type.TABLE, hour_type)

    def rows_of(self, minute: int, subject: int) -> tuple[M, H]:
        key = minute << SLOT_BITS | subject
        row = self.minutes.change(key)
        if row is None:
            row = self._minute_type(key)
            self.minutes.add(row)
        key = minute // 60 << SLOT_BITS | subject
        hour = self.hours.change(key)
        if hour is None:
            hour = self._hour_type(key)
            self.hours.add(hour)
        return row, hour

    def forget(self, minute: int) -> None:
        """All is written: only the slots that it is now will change again."""
        first, first_hour = minute << SLOT_BITS, minute // 60 << SLOT_BITS
        self.minutes.drop(lambda row: row.key < first)
        self.hours.drop(lambda row: row.key < first_hour)


@final
class Figures:
    """All counts over time of the history of one partition."""

    def __init__(self, source: RowSource) -> None:
        self._source = source
        self._activities = _Slots(source, ActivityRow, ActivityHourRow)
        self._tallies = _Slots(source, TallyRow, TallyHourRow)
        self.subjects: Rows[SubjectRow] = Rows(source, "subjects", SubjectRow)
        self.job_types: Rows[JobTypeRow] = Rows(source, "job_types", JobTypeRow)
        self._active: dict[int, Activity] = {}
        """Key of an element -> what it did since the last flush."""
        self._tallied: dict[int, list[int]] = {}
        """Key of a subject -> how often it happened since, and when at last."""
        self._minute = source.log_time() // MINUTE_MS
        self._known: dict[Subject, SubjectRow] = {}
        for row in source.all("subjects"):
            subject = SubjectRow(*cast(Any, row))
            self._known[subject.kind, *_names(subject.names)] = self.subjects.known[subject.key] = subject
        self._last_subject = source.last_key("subjects")
        self._types: dict[str, JobTypeRow] = {}
        for row in source.all("job_types"):
            job_type = JobTypeRow(*cast(Any, row))
            self._types[job_type.type] = self.job_types.known[job_type.key] = job_type
        self._expired_subjects: list[int] = []
        self._expired_before = 0
        self._time = 0
        self.all: tuple[Rows[Any], ...] = (
            self._activities.minutes,
            self._activities.hours,
            self._tallies.minutes,
            self._tallies.hours,
            self.subjects,
            self.job_types,
        )

    def begin(self, time: int) -> None:
        """What comes now happens at a moment of log time. Slots do not go back, even if that should."""
        minute = time // MINUTE_MS
        self._time = time
        if minute > self._minute:
            self.flush()
            is_next_hour = minute // 60 > self._minute // 60
            self._minute = minute
            if is_next_hour:
                self._expire(minute // 60)

    def activity(self, element_key: int) -> Activity:
        activity = self._active.get(element_key)
        if activity is None:
            activity = self._active[element_key] = Activity()
        return activity

    def tally(self, subject: Subject, count: int = 1) -> None:
        """It happened so often."""
        row = self._known.get(subject)
        if row is None:
            row = self._subject(subject)
        tallied = self._tallied.get(row.key)
        if tallied is None:
            self._tallied[row.key] = [count, self._time]
        else:
            tallied[0] += count
            tallied[1] = self._time

    def job_type(self, name: str) -> JobTypeRow:
        """The row of a type, to be changed."""
        row = self._types.get(name)
        if row is None:
            if len(self._types) >= JOB_TYPES_MAX:
                name = OTHERS
            row = self._types.get(name)
        if row is None:
            row = self._types[name] = JobTypeRow(len(self._types) + 1, name)
            self.job_types.add(row)
        self.job_types.changed[row.key] = row
        return row

    def _subject(self, subject: Subject) -> SubjectRow:
        kind, *names = subject
        cut = [name[:NAME_MAX] for name in names]
        if cut == names and len(self._known) >= SUBJECTS_MAX:
            cut = [OTHERS for _ in names]
        if cut != names:
            subject = (kind, *cut)
            known = self._known.get(subject)
            if known is not None:
                return known
            if len(self._known) >= SUBJECTS_MAX:
                subject = (kind, *(OTHERS for _ in names))
                known = self._known.get(subject)
                if known is not None:
                    return known
        self._last_subject += 1
        row = self._known[subject] = SubjectRow(self._last_subject, kind, _encode(subject[1:]).decode())
        self.subjects.add(row)
        return row

    def _expire(self, hour: int) -> None:
        """Subjects that were not seen for as long as hours are kept are not known any more. The newest stays,
        so that no number is given twice."""
        self._expired_before = hour
        before = (hour - HOURS_KEPT) * HOUR_MS
        for subject, row in list(self._known.items()):
            if row.last < before and row.key != self._last_subject:
                del self._known[subject]
                self.subjects.known.pop(row.key, None)
                self.subjects.changed.pop(row.key, None)
                self._expired_subjects.append(row.key)

    def flush(self) -> None:
        """Add what happened to the rows of the slots."""
        minute = self._minute
        for key, activity in self._active.items():
            activity.add_to(*self._activities.rows_of(minute, key))
        self._active.clear()
        for key, (count, last) in self._tallied.items():
            subject = self.subjects.change(key)
            assert subject is not None, f"subject {key} is counted but not there"
            for tally in (*self._tallies.rows_of(minute, key), subject):
                tally.count += count
                tally.last = max(tally.last, last)
        self._tallied.clear()

    def take_expired(self) -> Mapping[str, tuple[int, list[int]]]:
        """Table -> the first key to be kept, and single ones that are not."""
        if not self._expired_before:
            return {}
        hour = self._expired_before
        minutes = (hour * 60 - MINUTES_KEPT) << SLOT_BITS
        hours = (hour - HOURS_KEPT) << SLOT_BITS
        subjects, self._expired_subjects, self._expired_before = self._expired_subjects, [], 0
        return {
            "activity_minutes": (minutes, []),
            "activity_hours": (hours, []),
            "tally_minutes": (minutes, []),
            "tally_hours": (hours, []),
            "subjects": (0, subjects),
        }

    def forget(self) -> None:
        """All is written."""
        self._activities.forget(self._minute)
        self._tallies.forget(self._minute)
