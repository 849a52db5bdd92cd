"""Who waits for jobs of which type, and when to tell them."""

from typing import Protocol, final


class JobWatcher(Protocol):
    """Told after commit that a type has jobs to lend; must return at once."""

    def jobs_available(self, partition_id: int, job_type: str) -> None: ...


@final
class JobWatching:
    """Tells watchers once when a subscribed type goes from empty to non-empty.

    A type is told again only after somebody has claimed jobs of it, or has subscribed anew.
    """

    def __init__(self, partition_id: int) -> None:
        self._partition_id = partition_id
        self._watchers: list[JobWatcher] = []
        self._subscribed: set[str] = set()
        self._told: set[str] = set()

    def watch(self, watcher: JobWatcher) -> None:
        self._watchers.append(watcher)

    def subscribe(self, job_type: str) -> None:
        self._subscribed.add(job_type)
        self._told.discard(job_type)

    def unsubscribe(self, job_type: str) -> None:
        self._subscribed.discard(job_type)
        self._told.discard(job_type)

    def claimed(self, job_type: str) -> None:
        self._told.discard(job_type)

    def offered(self, job_types: set[str]) -> None:
        """Jobs of these types are committed and may be lent."""
        for job_type in job_types & self._subscribed:
            if job_type not in self._told:
                self._told.add(job_type)
                for watcher in self._watchers:
                    watcher.jobs_available(self._partition_id, job_type)
