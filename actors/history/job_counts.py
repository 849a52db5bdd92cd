"""How many open jobs there are of each type, and at each element: waiting, with a worker, or stuck."""

from collections.abc import Mapping
from typing import Final, final

from bpmnd.actors.history.cached import Rows
from bpmnd.actors.history.figures import Figures
from bpmnd.actors.history.names import JOB_STATE
from bpmnd.actors.history.rows import ElementRow, JobRow

OVER: Final = 0
WAITING: Final = 1
ACTIVE: Final = 2
FAILING: Final = 3
_ERROR_THROWN: Final = JOB_STATE["ERROR_THROWN"]


def place_of(job: JobRow) -> int:
    """A job that has no retries, or has thrown an error that nothing caught, is failing."""
    if job.ended is not None:
        return OVER
    if job.state == _ERROR_THROWN or job.retries <= 0:
        return FAILING
    return WAITING if job.deadline is None else ACTIVE


@final
class JobCounts:
    def __init__(
        self, element_of: Mapping[tuple[int, int], ElementRow], elements: Rows[ElementRow], figures: Figures
    ) -> None:
        self._element_of = element_of
        self._elements = elements
        self._figures = figures

    def moved(self, job: JobRow, before: int) -> None:
        """A job has changed that was in another place before, or in the same."""
        after = place_of(job)
        if after != before:
            self._count(job, before, -1)
            self._count(job, after, 1)

    def count(self, job: JobRow, by: int) -> None:
        self._count(job, place_of(job), by)

    def _count(self, job: JobRow, place: int, by: int) -> None:
        if place == OVER:
            return
        of_type = self._figures.job_type(job.type)
        element = self._element_of.get((job.definition_key, job.element))
        if element is not None:
            self._elements.changed[element.key] = element
        if place == WAITING:
            of_type.waiting += by
            if element is not None:
                element.jobs_waiting += by
        elif place == ACTIVE:
            of_type.active += by
            if element is not None:
                element.jobs_active += by
        else:
            of_type.failing += by
            if element is not None:
                element.jobs_failing += by
