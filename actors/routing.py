"""Partitions as a gateway sees them: commands go to the leader, here or on another node."""

import asyncio
from typing import Final, final

from bpmnd.actors.errors import NoLeader
from bpmnd.actors.hosted import HostedPartition
from bpmnd.actors.network import Network
from bpmnd.actors.peer_messages import JobsAvailable, SubscribeJobs, UnsubscribeJobs, encode_peer_message
from bpmnd.actors.peers import Peers
from bpmnd.actors.requests import Requests
from bpmnd.actors.watching import JobWatcher
from bpmnd.bpmn.commands import ClientCommand
from bpmnd.bpmn.outcomes import Outcome


@final
class RoutedPartition:
    """One partition of the cluster, wherever its leader is."""

    def __init__(self, partition_id: int, peers: Peers, requests: Requests, network: Network) -> None:
        self.id: Final = partition_id
        self.hosted: HostedPartition | None = None
        """The replica on this node, if there is one."""
        self.watchers: list[JobWatcher] = []
        self.is_serving = True
        """Whether new process instances may begin here."""
        self._peers = peers
        self._requests = requests
        self._network = network
        self._subscribed_at: dict[str, int] = {}
        """Type -> the node that was told last."""

    @property
    def has_leader(self) -> bool:
        return self.is_near or self._peers.leader_of(self.id) is not None

    @property
    def is_near(self) -> bool:
        """It is led by this node."""
        return self.hosted is not None and self.hosted.leads

    @property
    def live(self) -> int:
        """Process instances that are under way in it, as far as is known here."""
        hosted = self.hosted
        if hosted is not None and hosted.actor is not None and hosted.actor.leads:
            return hosted.actor.live
        return self._peers.live_in(self.id)

    def submit(self, command: ClientCommand) -> asyncio.Future[Outcome]:
        """Raises Refused or NoLeader when the command was not taken; the future may end with either."""
        hosted = self.hosted
        if hosted is not None and hosted.leads:
            return hosted.submit(command)
        leader = self._peers.leader_of(self.id)
        if leader is None:
            raise NoLeader(f"partition {self.id} has no leader that can be reached")
        return self._requests.submit(leader[1], self.id, command)

    def watch_jobs(self, watcher: JobWatcher) -> None:
        self.watchers.append(watcher)

    def subscribe_jobs(self, job_type: str) -> None:
        """Tell whoever leads now; gateways renew this every second, and so find a new leader."""
        if self.hosted is not None:
            for watcher in self.watchers:
                self.hosted.subscribe_jobs(watcher, job_type)
        leader = self._peers.leader_of(self.id)
        if leader is not None:
            self._subscribed_at[job_type] = leader[1]
            self._network.send(leader[1], encode_peer_message(SubscribeJobs(self.id, job_type)))

    def unsubscribe_jobs(self, job_type: str) -> None:
        if self.hosted is not None:
            for watcher in self.watchers:
                self.hosted.unsubscribe_jobs(watcher, job_type)
        node = self._subscribed_at.pop(job_type, None)
        if node is not None:
            self._network.send(node, encode_peer_message(UnsubscribeJobs(self.id, job_type)))


@final
class RemoteGateway:
    """The gateway of another node, as a watcher of partitions here."""

    def __init__(self, node: int, network: Network) -> None:
        self.node: Final = node
        self._network = network

    def jobs_available(self, partition_id: int, job_type: str) -> None:
        self._network.send(self.node, encode_peer_message(JobsAvailable(partition_id, job_type)))
