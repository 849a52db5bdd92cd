"""The log's writer on the simulated scheduler: every round takes its time, and reports later."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import final

from bpmnd.storage.disk import File
from bpmnd.storage.errors import StorageError
from bpmnd.storage.tail import Helper, Job
from bpmnd.storage.writer import Channel
from tests.simulation.world import Life, World


@final
class SimulatedWriter:
    """Does one write batch of a channel at a time, after `seconds()`."""

    def __init__(self, world: World, life: Life, seconds: Callable[[], float]) -> None:
        self._world = world
        self._life = life
        self._seconds = seconds
        self._busy: dict[Channel, None] = {}

    @property
    def helper(self) -> Helper:
        return _at_once

    @property
    def busy(self) -> list[Channel]:
        """The channels with a write under way."""
        return list(self._busy)

    def put(self, channel: Channel, job: Job) -> None:
        channel.jobs.append(job)
        if channel not in self._busy:
            self._busy[channel] = None
            self._world.after(self._seconds(), self._life, self._round, channel)

    def finish(self, channel: Channel) -> None:
        while channel.jobs:
            channel.round(None)
        self._busy.pop(channel, None)
        try:
            channel.tail.close()
        except StorageError as error:
            channel.error = channel.error or error

    def _round(self, channel: Channel) -> None:
        if channel not in self._busy:
            return  # Finished meanwhile.
        channel.round(None)
        if channel.jobs:
            self._world.after(self._seconds(), self._life, self._round, channel)
        else:
            del self._busy[channel]


def _at_once(make: Callable[[], File | None]) -> "Future[File | None]":
    future: Future[File | None] = Future()
    try:
        future.set_result(make())
    except StorageError as error:
        future.set_exception(error)
    return future
