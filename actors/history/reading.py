"""Running queries on the files of the histories, in threads."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar, final

from bpmnd.actors.history.compiling import FEW, count_sql, first_count_sql, search_sql
from bpmnd.actors.history.queries import Found, Report, Search
from bpmnd.actors.history.reports import run_report
from bpmnd.storage.history import HistoryReader, Progress

QUERY_SECONDS_MAX: Final = 5.0
T = TypeVar("T")
_IDLE_MAX: Final = 4
_COUNT_SECONDS: Final = 0.01
"""If the first matches took longer to count, no more are."""


@final
class HistoryFile:
    """One file and the connections to it that nobody uses now. Blocking; several threads may run queries."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[tuple[int, HistoryReader]] = []
        """With the number of the file that it was opened on: a history that is made anew is another."""

    def run(self, query: Search | Report, seconds_max: float = QUERY_SECONDS_MAX) -> tuple[int, Found]:
        """The entry that the history had come to, and what was found.

        Raises StorageError, and TooSlowError.
        """
        progress, found = self.read(lambda reader: run_query(reader, query), seconds_max)
        return progress.position.index, found

    def read(
        self, use: Callable[[HistoryReader], T], seconds_max: float = QUERY_SECONDS_MAX
    ) -> tuple[Progress, T]:
        """How far the history had come, and what was made of its rows."""
        inode, reader = self._take()
        try:
            with reader.snapshot(seconds_max) as progress:
                found = use(reader)
        except BaseException:
            reader.close()
            raise
        if len(self._idle) < _IDLE_MAX:
            self._idle.append((inode, reader))
        else:
            reader.close()
        return progress, found

    def close(self) -> None:
        while self._idle:
            self._idle.pop()[1].close()

    def _take(self) -> tuple[int, HistoryReader]:
        try:
            inode = self._path.stat().st_ino
        except OSError:
            inode = 0  # Opening it will say what is wrong.
        while self._idle:
            opened_on, reader = self._idle.pop()
            if opened_on == inode:
                return inode, reader
            reader.close()
        return inode, HistoryReader(self._path)


def count(reader: HistoryReader, search: Search) -> tuple[int, bool]:
    """How many rows a search has, and whether there are more: many are counted only if that is quick."""
    started = time.monotonic()
    count_max = min(FEW, search.count_max)
    ((total,),) = reader.rows(*first_count_sql(search, reader.rows))
    if total > count_max and time.monotonic() - started < _COUNT_SECONDS:
        count_max = search.count_max
        ((total,),) = reader.rows(*count_sql(search, reader.rows))
    return min(int(total), count_max), total > count_max


def run_query(reader: HistoryReader, query: Search | Report) -> Found:
    """Inside of a snapshot."""
    match query:
        case Search():
            rows = reader.rows(*search_sql(query, reader.rows)) if query.limit else []
            if not query.count_max:
                return Found(rows)
            return Found(rows, *count(reader, query))
        case Report():
            return Found(run_report(reader, query))
