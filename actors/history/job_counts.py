"""How many open jobs there are of each type, and at each element: waiting, with a worker, or stuck."""

from collections.abc import Mapping
from typing import Final, TypeAlias, final

from bpmnd.actors.history.cached import Rows
from bpmnd.actors.history.figures import Figures
from bpmnd.actors.history.names import JOB_STATE
from bpmnd.actors.history.rows import ElementRow, JobRow

_OVER: Final = 0
_WAITING: Final = 1
_ACTIVE: Final = 2
_FAILING: Final = 3
_ERROR_THROWN: Final = JOB_STATE["ERROR_THROWN"]
_Place: TypeAlias = tuple[int, int, int]
"""Where a job is: over or waiting or so, and its definition and element."""
_NOWHERE: Final[_Place] = (_OVER, 0, 0)


@final
class JobCounts:
    """Remembers where jobs were when rows were written at last: what comes and goes in between costs less."""

    def __init__(
        self,
        jobs: Rows[JobRow],
        elements: Rows[ElementRow],
        element_of: Mapping[tuple[int, int], ElementRow],
        figures: Figures,
    ) -> None:
        self._jobs = jobs
        self._elements = elements
        self._element_of = element_of
        self._figures = figures
        self._before: dict[int, _Place] = {}

    def add(self, job: JobRow) -> None:
        self._jobs.add(job)
        self._before[job.key] = _NOWHERE
        self._figures.job_type(job.type)  # It gets its number now, whenever the rows are written.

    def change(self, key: int) -> JobRow | None:
        """The row of a job, to be changed."""
        job = self._jobs.change(key)
        if job is not None and key not in self._before:
            self._before[key] = _place_of(job)
        return job

    def flush(self) -> None:
        """The rows are about to be written."""
        for key, before in self._before.items():
            job = self._jobs.known[key]
            after = _place_of(job)
            if after != before:
                self._count(job.type, before, -1)
                self._count(job.type, after, 1)
        self._before.clear()

    def _count(self, job_type: str, place: _Place, by: int) -> None:
        where, definition_key, element = place
        if where == _OVER:
            return
        of_type = self._figures.job_type(job_type)
        row = self._element_of.get((definition_key, element))
        if row is not None:
            self._elements.changed[row.key] = row
        if where == _WAITING:
            of_type.waiting += by
            if row is not None:
                row.jobs_waiting += by
        elif where == _ACTIVE:
            of_type.active += by
            if row is not None:
                row.jobs_active += by
        else:
            of_type.failing += by
            if row is not None:
                row.jobs_failing += by


def _place_of(job: JobRow) -> _Place:
    """A job that has no retries, or has thrown an error that nothing caught, is failing."""
    if job.ended is not None:
        return _NOWHERE
    if job.state == _ERROR_THROWN or job.retries <= 0:
        where = _FAILING
    else:
        where = _WAITING if job.deadline is None else _ACTIVE
    return where, job.definition_key, job.element
