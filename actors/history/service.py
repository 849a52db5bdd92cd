"""The histories of a node's replicas, as the node has them.

It says what is committed, knows how far they are, and answers queries for the partitions that it leads; for
the others it asks the nodes that do.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, final

from bpmnd.actors.beside.lag import Lag
from bpmnd.actors.clock import Clock, Scheduler, Timer
from bpmnd.actors.errors import AnswerTooLarge, HistoryUnavailable, NoLeader
from bpmnd.actors.history.projector import (
    Drop,
    Follow,
    FromProjector,
    Projected,
    Stuck,
    ToProjector,
    history_path,
    partition_directory,
)
from bpmnd.actors.history.queries import Found, Query, TrailOf
from bpmnd.actors.history.reading import HistoryFile
from bpmnd.actors.history.trails import read_trail
from bpmnd.actors.hosted import HostedPartition
from bpmnd.actors.network import Network
from bpmnd.actors.peer_messages import (
    HistoryFailed,
    HistoryMessage,
    HistoryReply,
    HistoryRequest,
    encode_peer_message,
)
from bpmnd.actors.peers import Peers
from bpmnd.storage.disk import RealDisk
from bpmnd.storage.history import TooLargeError

TELL_SECONDS: Final = 0.2
"""Each time is a transaction, which writes every page that it touches: the fewer, the cheaper. A search that
waits does not wait for it."""
WAIT_SECONDS_MAX: Final = 1.0
_START_SECONDS_MAX: Final = 5.0
"""A projector that has just been started may take as long as this to say something."""
_RUNNING_MAX: Final = 4
_QUEUED_MAX: Final = 1000
_REMOTE_SECONDS_MAX: Final = 8.0


class Channel(Protocol):
    """The way to the projector."""

    def send(self, message: ToProjector) -> None:
        """What is sent while it is not there is lost: when it comes, it is told all anew."""


@final
class Standing:
    """How far the history of one partition is."""

    __slots__ = ("lag", "rebuilds", "stuck", "told")

    def __init__(self) -> None:
        self.told = 0
        """What the projector was told of; 0 when a new one has begun."""
        self.lag = Lag()
        self.rebuilds = 0
        self.stuck: str | None = None


@final
class History:
    """Lives on the event loop."""

    def __init__(
        self,
        data_directory: Path,
        hosted: Mapping[int, HostedPartition],
        peers: Peers,
        network: Network,
        scheduler: Scheduler,
        clock: Clock,
        channel: Channel,
        new_future: Callable[[], asyncio.Future[Found]],
    ) -> None:
        self._directory = data_directory
        self._hosted = hosted
        self._peers = peers
        self._network = network
        self._scheduler = scheduler
        self._clock = clock
        self._channel = channel
        self._new_future = new_future
        self.standings: dict[int, Standing] = {}
        self._files: dict[int, HistoryFile] = {}
        self._waiting: dict[int, list[tuple[int, Callable[[bool], None]]]] = {}
        """Partition -> (entry, who is told that it is there, or that it did not come in time)."""
        self._running = 0
        self._queued: list[Callable[[], None]] = []
        self._asked: dict[int, dict[int, asyncio.Future[Found]]] = {}
        """Node -> number -> who waits."""
        self._last_number = 0
        self._timer: Timer | None = None
        self._is_starting = True
        """The projector has not said anything yet."""
        self._stopped = False

    # Life

    def start(self) -> None:
        """Begin to tell the projector what is committed."""
        self.tell()
        if not self._stopped:
            self._timer = self._scheduler.call_later(TELL_SECONDS, self.start)

    def stop(self) -> None:
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
        for waiting in self._waiting.values():
            for _, then in waiting:
                then(False)
        self._waiting.clear()
        for file in self._files.values():
            file.close()

    def tell(self) -> None:
        """Tell what has been committed since the last time."""
        for partition, hosted in self._hosted.items():
            actor = hosted.actor
            position = None if actor is None else actor.mending.position()
            if position is None or position.index == 0:
                continue
            standing = self.standings.get(partition)
            if standing is None:
                standing = self.standings[partition] = Standing()
            if position.index > standing.told:
                standing.told = position.index
                standing.lag.tell(position.index, self._clock.monotonic())
                self._channel.send(Follow(partition, position.index, position.term, position.hash))
        for partition in self.standings.keys() - self._hosted.keys():
            del self.standings[partition]
            file = self._files.pop(partition, None)
            if file is not None:
                file.close()
            self._channel.send(Drop(partition))

    def projector_began(self) -> None:
        """It is new, and knows nothing."""
        self._is_starting = True
        for standing in self.standings.values():
            standing.told = 0
        self.tell()

    def heard(self, message: FromProjector) -> None:
        """What the projector says."""
        self._is_starting = False
        standing = self.standings.get(message.partition)
        if standing is None:
            return
        match message:
            case Projected(partition, index, rebuilds):
                standing.lag.reach(index, self._clock.monotonic())
                standing.rebuilds, standing.stuck = rebuilds, None
                hosted = self._hosted.get(partition)
                if hosted is not None and hosted.actor is not None:
                    hosted.actor.is_projected(index)
                self._reached(partition, index)
            case Stuck(_, reason):
                standing.stuck = reason

    def lag_seconds(self, partition: int) -> float:
        """How long ago the oldest entry was committed that is not in the history; 0 if all is."""
        standing = self.standings.get(partition)
        return 0.0 if standing is None else standing.lag.seconds(self._clock.monotonic())

    # Queries

    def read(self, partition: int, query: Query) -> asyncio.Future[Found]:
        """Ask the leader of a partition. What was committed there when it was asked is in the answer.

        Raises NoLeader; the future may end with that, with HistoryUnavailable or AnswerTooLarge.
        """
        hosted = self._hosted.get(partition)
        future = self._new_future()
        if hosted is not None and hosted.leads:
            self._read_here(hosted, query, partial(_settle, future))
            return future
        leader = self._peers.leader_of(partition)
        if leader is None:
            raise _no_leader(partition)
        node = leader[1]
        self._last_number = number = self._last_number + 1
        request = encode_peer_message(HistoryRequest(number, partition, query))
        if not self._network.send(node, request):
            raise NoLeader(f"partition {partition} is led by node {node}, which cannot be reached")
        self._asked.setdefault(node, {})[number] = future
        timer = self._scheduler.call_later(_REMOTE_SECONDS_MAX, self._give_up, node, number)
        future.add_done_callback(lambda _: timer.cancel())
        return future

    def led(self) -> list[int]:
        """The partitions that are led here."""
        return [partition for partition, hosted in sorted(self._hosted.items()) if hosted.leads]

    def glance(self, partition: int, query: Query) -> asyncio.Future[Found]:
        """What the history here says now, however far it is. The future may end with HistoryUnavailable."""
        future = self._new_future()
        self._run(partition, query, 0, partial(_settle, future))
        return future

    def received(self, node: int, message: HistoryMessage) -> None:
        """What other nodes ask, and answer."""
        match message:
            case HistoryRequest(number, partition, query):

                def answer(found: Found | None, error: Exception | None) -> None:
                    reply: HistoryMessage
                    if found is None:
                        is_led_elsewhere = isinstance(error, NoLeader)
                        is_too_large = isinstance(error, AnswerTooLarge)
                        reply = HistoryFailed(number, str(error), is_led_elsewhere, is_too_large)
                    else:
                        reply = HistoryReply(number, found)
                    self._network.send(node, encode_peer_message(reply))

                hosted = self._hosted.get(partition)
                if hosted is None or not hosted.leads:
                    answer(None, _no_leader(partition))
                else:
                    self._read_here(hosted, query, answer)
            case HistoryReply(number, found):
                _settle(self._asked.get(node, {}).pop(number, None), found, None)
            case HistoryFailed(number, reason, is_led_elsewhere, is_too_large):
                future = self._asked.get(node, {}).pop(number, None)
                kind = (
                    NoLeader if is_led_elsewhere else AnswerTooLarge if is_too_large else HistoryUnavailable
                )
                _settle(future, None, kind(reason))

    def disconnected(self, node: int) -> None:
        """Nobody there answers any more."""
        for future in self._asked.pop(node, {}).values():
            _settle(future, None, NoLeader(f"the connection to node {node} broke before it answered"))

    def _give_up(self, node: int, number: int) -> None:
        future = self._asked.get(node, {}).pop(number, None)
        _settle(future, None, HistoryUnavailable(f"node {node} did not answer in time"))

    def _read_here(
        self, hosted: HostedPartition, query: Query, then: Callable[[Found | None, Exception | None], None]
    ) -> None:
        """Not before a majority has confirmed that this still leads: another may have answered since."""
        actor = hosted.actor
        assert actor is not None, "a partition that leads has an actor"

        def confirmed(leads: bool) -> None:
            if leads and not self._stopped:
                self._read_up_to(hosted, actor.committed, query, then)
            else:
                then(None, _no_leader(hosted.id))

        actor.confirm(confirmed)

    def _read_up_to(
        self,
        hosted: HostedPartition,
        index: int,
        query: Query,
        then: Callable[[Found | None, Exception | None], None],
    ) -> None:
        """Once the history has all entries up to there."""
        self.tell()
        standing = self.standings.get(hosted.id)
        if standing is not None and standing.lag.done >= index:
            self._run(hosted.id, query, index, then)
            return

        def came(in_time: bool) -> None:
            if in_time:
                self._run(hosted.id, query, index, then)
            else:
                reason = standing.stuck if standing is not None and standing.stuck else "it is behind"
                then(None, HistoryUnavailable(f"the history of partition {hosted.id} is not there: {reason}"))

        self._await(hosted.id, index, came)

    def _await(self, partition: int, index: int, then: Callable[[bool], None]) -> None:
        waiting = self._waiting.setdefault(partition, [])
        if len(waiting) >= _QUEUED_MAX:
            then(False)
            return
        entry = (index, then)
        waiting.append(entry)

        def too_late() -> None:
            if entry in waiting:
                waiting.remove(entry)
                then(False)

        seconds = _START_SECONDS_MAX if self._is_starting else WAIT_SECONDS_MAX
        self._scheduler.call_later(seconds, too_late)

    def _reached(self, partition: int, index: int) -> None:
        waiting = self._waiting.get(partition, [])
        there = [entry for entry in waiting if entry[0] <= index]
        for entry in there:
            waiting.remove(entry)
            entry[1](True)

    def _run(
        self,
        partition: int,
        query: Query,
        index: int,
        then: Callable[[Found | None, Exception | None], None],
    ) -> None:
        """In a thread; so many at a time, the others wait for their turn. What is found in a history that has
        not come to `index` does not count: it is being made anew, which its projector has yet to say."""
        if self._running >= _RUNNING_MAX:
            if len(self._queued) >= _QUEUED_MAX:
                then(None, HistoryUnavailable("too many queries wait"))
            else:
                self._queued.append(lambda: self._run(partition, query, index, then))
            return
        self._running += 1
        file = self._files.get(partition)
        if file is None:
            file = self._files[partition] = HistoryFile(history_path(self._directory, partition))

        def done(result: tuple[int, Found] | None, error: BaseException | None) -> None:
            self._running -= 1
            if self._queued:
                self._queued.pop(0)()
            if isinstance(error, TooLargeError):
                then(None, AnswerTooLarge(f"partition {partition} has {error} of what is asked for"))
            elif result is None:
                then(None, HistoryUnavailable(f"the history of partition {partition}: {error}"))
            elif result[0] < index:
                then(None, HistoryUnavailable(f"the history of partition {partition} is being made anew"))
            else:
                then(result[1], None)

        work: Callable[[], tuple[int, Found]]
        if isinstance(query, TrailOf):
            directory = partition_directory(self._directory, partition)
            work = partial(read_trail, RealDisk(), directory, file, partition, query)
        else:
            work = partial(file.run, query)
        self._scheduler.run_blocking(work, done)


def _no_leader(partition: int) -> NoLeader:
    return NoLeader(f"partition {partition} has no leader that can be reached")


def _settle(future: "asyncio.Future[Any] | None", found: Found | None, error: Exception | None) -> None:
    if future is None or future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(found)
