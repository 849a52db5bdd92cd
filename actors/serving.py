"""The other end of an installation: copies of a replica's checkpoint, handed out piece by piece."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final, final

from bpmnd.actors.clock import Scheduler, Timer
from bpmnd.actors.peer_messages import (
    FrozenFile,
    InstallAnswer,
    InstallChunk,
    InstallEntries,
    InstallManifest,
    InstallRefused,
    InstallRequest,
    ReadEntries,
    ReadFile,
    RequestInstall,
)
from bpmnd.actors.replica import Replica
from bpmnd.cluster.raft import Entry, EntryKind
from bpmnd.storage.archive import Archive, entries_from
from bpmnd.storage.disk import Disk
from bpmnd.storage.errors import StorageError
from bpmnd.storage.layout import ARCHIVE, empty_directory

CHUNK_BYTES: Final = 1 << 20
IDLE_SECONDS_MAX: Final = 60.0
_FROZEN: Final = "frozen"


@final
class Serving:
    """Serves one copy at a time: of who comes next, the one before is let go of. A copy is made of links."""

    def __init__(self, replica: Replica, scheduler: Scheduler) -> None:
        self._replica = replica
        self._scheduler = scheduler
        self._disk: Disk = replica.files.disk
        self._directory = replica.files.directory / _FROZEN
        self._archive = Archive(self._disk, replica.files.directory / ARCHIVE)
        self._install = 0
        self._files: tuple[FrozenFile, ...] = ()
        self._busy = False
        self._timer: Timer | None = None
        self._closed = False

    @property
    def is_active(self) -> bool:
        """Somebody is fetching: what the log has is still needed."""
        return self._timer is not None

    def asked(self, request: InstallRequest, answer: Callable[[InstallAnswer], None]) -> None:
        """Read aside what is asked for, and answer. While one reading is under way others are not heard."""
        if self._busy or self._closed:
            return
        work: Callable[[], InstallAnswer]
        match request:
            case RequestInstall():
                work = self._freeze
            case ReadFile(install=install) | ReadEntries(install=install) if install != self._install:
                answer(InstallRefused(request.partition, "this copy is not there any more"))
                return
            case ReadFile():
                work = lambda: self._chunk(request)  # noqa: E731
            case ReadEntries():
                work = self._entries(request)
        self._busy = True
        self._stay_active()

        def done(result: InstallAnswer | None, error: BaseException | None) -> None:
            self._busy = False
            if error is not None:
                answer(InstallRefused(request.partition, str(error)))
            elif result is not None:
                answer(result)

        self._scheduler.run_blocking(work, done)

    def close(self) -> None:
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()

    def _stay_active(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._scheduler.call_later(IDLE_SECONDS_MAX, self._let_go)

    def _let_go(self) -> None:
        self._timer = None
        self._install += 1
        if not self._closed and not self._busy:
            self._scheduler.run_blocking(self._remove, lambda _, error: None)

    def _remove(self) -> None:
        """Also what a crash left."""
        if _FROZEN in self._disk.names(self._directory.parent):
            empty_directory(self._disk, self._directory)
            self._disk.remove_directory(self._directory)

    def _freeze(self) -> InstallManifest:
        self._remove()
        self._replica.store.freeze(self._directory)
        position = self._replica.files.stores.position(self._directory)
        if position is None:
            raise StorageError("there is no checkpoint yet")
        self._files = tuple(self._described(name) for name in self._disk.names(self._directory))
        self._install += 1
        return InstallManifest(
            self._replica.partition_id,
            self._install,
            position.index,
            position.term,
            position.hash,
            self._archive.head().index,
            self._files,
        )

    def _described(self, name: str) -> FrozenFile:
        digest = hashlib.sha256()
        file = self._disk.open(self._directory / name)
        try:
            offset = 0
            while data := file.read(CHUNK_BYTES, offset):
                digest.update(data)
                offset += len(data)
        finally:
            file.close()
        return FrozenFile(name, offset, digest.digest())

    def _chunk(self, request: ReadFile) -> InstallChunk:
        file = self._disk.open(_file_in(self._directory, self._files, request.file))
        try:
            data = file.read(CHUNK_BYTES, request.offset)
        finally:
            file.close()
        return InstallChunk(request.partition, request.install, request.file, request.offset, data)

    def _entries(self, request: ReadEntries) -> Callable[[], InstallEntries]:
        source = entries_from(self._archive, self._replica.log.log, request.first, request.last)

        def work() -> InstallEntries:
            found: list[Entry] = []
            size = 0
            for entry in source:
                found.append(Entry(entry.index, entry.term, EntryKind(entry.kind), entry.payload))
                size += len(entry.payload)
                if size >= CHUNK_BYTES:
                    break
            return InstallEntries(request.partition, request.install, request.first, tuple(found))

        return work


def _file_in(directory: Path, files: tuple[FrozenFile, ...], number: int) -> Path:
    if not 0 <= number < len(files):
        raise ValueError(f"there is no file {number} of {len(files)}")
    return directory / files[number].name
