"""Histories of partitions that a test has played, as a gateway reads them."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from bpmnd.actors.errors import AnswerTooLarge, NoLeader
from bpmnd.actors.history.folding import fold, fold_operations
from bpmnd.actors.history.queries import Found, Query, TrailOf
from bpmnd.actors.history.reading import HistoryFile
from bpmnd.actors.history.tables import Tables
from bpmnd.bpmn.codec import Frame, decode_frame
from bpmnd.storage.entry import ORIGIN, Position
from bpmnd.storage.history import HistoryWriter, Progress, TooLargeError
from tests.bpmn.test_partitions import Cluster


def frames_of(cluster: Cluster) -> dict[int, list[Frame]]:
    """What each partition has logged."""
    return {number: [decode_frame(frame) for frame in one.frames] for number, one in cluster.all.items()}


def write_history(
    path: Path, partition: int, frames: Sequence[Frame], *, per_transaction: int = 7, known_max: int = 14
) -> None:
    """Fold frames into a new file, with little memory and many transactions."""
    writer = HistoryWriter(path)
    writer.begin_anew(ORIGIN)
    tables = Tables(partition, writer)
    for index, frame in enumerate(frames, 1):
        fold(tables, index, frame.time, frame.events)
        fold_operations(tables, frame)
        if index % per_transaction == 0 or index == len(frames):
            with writer.transaction():
                writer.write(
                    tables.take(), tables.take_expired(), Progress(Position(index, 1, bytes(32)), frame.time)
                )
            tables.forget(known_max)
    writer.close()


class LocalHistory:
    """Answers queries from files, at once."""

    def __init__(self, files: Mapping[int, Path]) -> None:
        self._files = {partition: HistoryFile(path) for partition, path in files.items()}
        self.leaderless: set[int] = set()
        self.trails: list[TrailOf] = []
        self.trail = Found([])
        """What is answered to who asks for a trail: there is no log here."""

    def read(self, partition: int, query: Query) -> asyncio.Future[Found]:
        if partition in self.leaderless:
            raise NoLeader(f"partition {partition} has no leader that can be reached")
        future: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        if isinstance(query, TrailOf):
            self.trails.append(query)
            future.set_result(self.trail)
        else:
            try:
                future.set_result(self._files[partition].run(query)[1])
            except TooLargeError as error:
                future.set_exception(AnswerTooLarge(str(error)))
        return future

    def close(self) -> None:
        for file in self._files.values():
            file.close()
