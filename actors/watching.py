"""Who waits for jobs of which type, and when to tell them."""

from collections.abc import Callable, Set
from typing import Final, Protocol, final

from bpmnd.actors.clock import Scheduler

FAR_SECONDS: Final = 0.1
"""So much later than those on the node of the leader others hear of jobs, if there still are any."""


class JobWatcher(Protocol):
    """Told after commit that a type has jobs to lend; must return at once."""

    def jobs_available(self, partition_id: int, job_type: str) -> None: ...


@final
class JobWatching:
    """Tells each watcher once when a type it subscribed to goes from empty to non-empty.

    A type is told again only after somebody has claimed jobs of it, or has subscribed anew. Watchers are the
    gateways of this node and of others, so there are as many as the cluster has nodes.

    Where a gateway of this node waits for the type, those of other nodes (the far ones) are told only of what
    it leaves: what it takes costs no way over the network, neither now nor when the job is completed.

    `has_jobs` tells whether there are jobs of a tenant and a type to lend.
    """

    def __init__(self, partition_id: int, scheduler: Scheduler, has_jobs: Callable[[str, str], bool]) -> None:
        self._partition_id = partition_id
        self._scheduler = scheduler
        self._has_jobs = has_jobs
        self._told: dict[str, dict[JobWatcher, bool]] = {}
        """Type -> who subscribed to it, and whether it was told since."""
        self._far: set[JobWatcher] = set()
        self._left: set[tuple[str, str]] = set()
        """(tenant, type) of jobs of which the far watchers have not been told."""
        self._is_looking = False

    def subscribe(self, watcher: JobWatcher, job_type: str, *, is_far: bool = False) -> None:
        self._told.setdefault(job_type, {})[watcher] = False
        if is_far:
            self._far.add(watcher)

    def unsubscribe(self, watcher: JobWatcher, job_type: str) -> None:
        watchers = self._told.get(job_type)
        if watchers is not None:
            watchers.pop(watcher, None)
            if not watchers:
                del self._told[job_type]

    def forget(self, watcher: JobWatcher) -> None:
        """The watcher is gone, with all that it subscribed to."""
        self._far.discard(watcher)
        for job_type in list(self._told):
            self.unsubscribe(watcher, job_type)

    def claimed(self, job_type: str) -> None:
        watchers = self._told.get(job_type)
        if watchers is not None:
            for watcher in watchers:
                watchers[watcher] = False

    def offered(self, jobs: Set[tuple[str, str]]) -> None:
        """Jobs of these tenants and types are committed and may be lent."""
        for tenant_id, job_type in jobs:
            watchers = self._told.get(job_type)
            if watchers is None:
                continue
            far = self._far.intersection(watchers) if self._far else None
            if far and len(far) < len(watchers):
                self._left.add((tenant_id, job_type))
                if not self._is_looking:
                    self._is_looking = True
                    self._scheduler.call_later(FAR_SECONDS, self._look)
            else:
                far = None
            for watcher in list(watchers):
                if far is None or watcher not in far:
                    self._tell(watcher, job_type)

    def _look(self) -> None:
        """Tell the far watchers of what is still there."""
        self._is_looking = False
        left, self._left = self._left, set()
        for tenant_id, job_type in sorted(left):
            far = self._far.intersection(self._told.get(job_type, ()))
            if far and self._has_jobs(tenant_id, job_type):
                for watcher in list(self._told[job_type]):
                    if watcher in far:
                        self._tell(watcher, job_type)

    def _tell(self, watcher: JobWatcher, job_type: str) -> None:
        watchers = self._told.get(job_type, {})
        if watchers.get(watcher) is False:
            watchers[watcher] = True
            watcher.jobs_available(self._partition_id, job_type)
