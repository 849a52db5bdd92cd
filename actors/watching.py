"""Who waits for jobs of which type, and when to tell them."""

from typing import Protocol, final


class JobWatcher(Protocol):
    """Told after commit that a type has jobs to lend; must return at once."""

    def jobs_available(self, partition_id: int, job_type: str) -> None: ...


@final
class JobWatching:
    """Tells each watcher once when a type it subscribed to goes from empty to non-empty.

    A type is told again only after somebody has claimed jobs of it, or has subscribed anew. Watchers are the
    gateways of this node and of others, so there are as many as the cluster has nodes.
    """

    def __init__(self, partition_id: int) -> None:
        self._partition_id = partition_id
        self._told: dict[str, dict[JobWatcher, bool]] = {}
        """Type -> who subscribed to it, and whether it was told since."""

    def subscribe(self, watcher: JobWatcher, job_type: str) -> None:
        self._told.setdefault(job_type, {})[watcher] = False

    def unsubscribe(self, watcher: JobWatcher, job_type: str) -> None:
        watchers = self._told.get(job_type)
        if watchers is not None:
            watchers.pop(watcher, None)
            if not watchers:
                del self._told[job_type]

    def forget(self, watcher: JobWatcher) -> None:
        """The watcher is gone, with all that it subscribed to."""
        for job_type in list(self._told):
            self.unsubscribe(watcher, job_type)

    def claimed(self, job_type: str) -> None:
        watchers = self._told.get(job_type)
        if watchers is not None:
            for watcher in watchers:
                watchers[watcher] = False

    def offered(self, job_types: set[str]) -> None:
        """Jobs of these types are committed and may be lent."""
        for job_type in job_types:
            watchers = self._told.get(job_type)
            if watchers is not None:
                for watcher, was_told in list(watchers.items()):
                    if not was_told:
                        watchers[watcher] = True
                        watcher.jobs_available(self._partition_id, job_type)
