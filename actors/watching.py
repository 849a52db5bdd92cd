"""Who waits for jobs of which type, and when to tell them."""

from collections.abc import Iterable, Set
from typing import Final, Protocol, final

from bpmnd.actors.clock import Clock, Scheduler

FAR_SECONDS: Final = 0.1
"""So much later than those on the node of the leader others hear of jobs that are left."""


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
    """

    def __init__(self, partition_id: int, scheduler: Scheduler, clock: Clock) -> None:
        self._partition_id = partition_id
        self._scheduler = scheduler
        self._clock = clock
        self._told: dict[str, dict[JobWatcher, bool]] = {}
        """Type -> who subscribed to it, and whether it was told since."""
        self._far: set[JobWatcher] = set()
        self._left: dict[tuple[str, str], float] = {}
        """(tenant, type) of jobs that the far watchers have not been told of -> since when there are some."""
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

    def claimed(self, job_type: str, emptied: Iterable[str] = ()) -> None:
        """Somebody has claimed jobs of the type, of these tenants all there were."""
        for tenant_id in emptied:
            self._left.pop((tenant_id, job_type), None)
        watchers = self._told.get(job_type)
        if watchers is not None:
            for watcher in watchers:
                watchers[watcher] = False

    def offered(self, jobs: Set[tuple[str, str]]) -> None:
        """Jobs of these tenants and types are committed and may be lent."""
        for tenant_id, job_type in sorted(jobs):
            watchers = self._told.get(job_type)
            if watchers is None:
                continue
            far = self._far.intersection(watchers) if self._far else None
            if far and len(far) < len(watchers):
                self._left.setdefault((tenant_id, job_type), self._clock.monotonic())
                self._look_later()
            else:
                far = None
            for watcher in list(watchers):
                if far is None or watcher not in far:
                    self._tell(watcher, job_type)

    def _look_later(self) -> None:
        if not self._is_looking:
            self._is_looking = True
            self._scheduler.call_later(FAR_SECONDS, self._look)

    def _look(self) -> None:
        """Tell the far watchers of what nobody near has taken for so long."""
        self._is_looking = False
        until = self._clock.monotonic() - FAR_SECONDS
        for tenant_id, job_type in [jobs for jobs, since in self._left.items() if since <= until]:
            del self._left[tenant_id, job_type]
            far = self._far.intersection(self._told.get(job_type, ()))
            for watcher in list(self._told[job_type]) if far else ():
                if watcher in far:
                    self._tell(watcher, job_type)
        if self._left:
            self._look_later()

    def _tell(self, watcher: JobWatcher, job_type: str) -> None:
        watchers = self._told.get(job_type, {})
        if watchers.get(watcher) is False:
            watchers[watcher] = True
            watcher.jobs_available(self._partition_id, job_type)
