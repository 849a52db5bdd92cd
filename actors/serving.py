"""The other end of an installation: copies of a replica's checkpoint, handed out piece by piece."""

import hashlib
from collections.abc import Callable
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
from bpmnd.storage.archive import Archive
from bpmnd.storage.disk import Disk
from bpmnd.storage.errors import DamageError, StorageError
from bpmnd.storage.layout import ARCHIVE, FROZEN, remove_directory

CHUNK_BYTES: Final = 1 << 20
IDLE_SECONDS_MAX: Final = 60.0
_READING_MAX: Final = 4


@final
class Serving:
    """Serves one copy at a time, made of links, to all who ask while it is of use.

    `damaged` is told when what is asked for cannot be read because it is not what was written.
    """

    def __init__(
        self, replica: Replica, scheduler: Scheduler, damaged: Callable[[DamageError], None]
    ) -> None:
        self._replica = replica
        self._scheduler = scheduler
        self._damaged = damaged
        self._disk: Disk = replica.files.disk
        self._directory = replica.files.directory / FROZEN
        self._archive = Archive(self._disk, replica.files.directory / ARCHIVE)
        self._manifest: InstallManifest | None = None
        self._install = 0
        self._freezing = False
        self._reading = 0
        self._timer: Timer | None = None
        self._closed = False

    def asked(self, request: InstallRequest, answer: Callable[[InstallAnswer], None]) -> None:
        """Read aside what is asked for, and answer. Who is not heard asks again."""
        if self._freezing or self._closed or self._reading >= _READING_MAX:
            return
        manifest = self._manifest
        match request:
            case RequestInstall():
                if manifest is not None and self._serves(manifest):
                    self._stay_active()
                    answer(manifest)
                elif not self._reading:
                    self._freezing = True
                    self._read(request, self._freeze, answer)
            case _ if manifest is None or request.install != manifest.install:
                answer(InstallRefused(request.partition, "this copy is not there any more"))
            case ReadFile():
                self._read(request, lambda: self._chunk(request, manifest.files), answer)
            case ReadEntries():
                try:
                    work = self._entries(request)
                except StorageError as error:
                    answer(InstallRefused(request.partition, str(error)))
                else:
                    self._read(request, work, answer)

    def _serves(self, manifest: InstallManifest) -> bool:
        """With the copy a replica could go on by the log."""
        return manifest.index + 1 >= self._replica.log.first_index

    def _read(
        self,
        request: InstallRequest,
        work: Callable[[], InstallAnswer],
        answer: Callable[[InstallAnswer], None],
    ) -> None:
        self._reading += 1
        self._stay_active()

        def done(result: InstallAnswer | None, error: BaseException | None) -> None:
            self._reading -= 1
            if isinstance(request, RequestInstall):
                self._freezing = False
                self._manifest = result if isinstance(result, InstallManifest) else None
            if error is not None:
                answer(InstallRefused(request.partition, str(error)))
                if isinstance(error, DamageError):
                    self._damaged(error)
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
        self._manifest = None
        if not self._closed and not self._reading:
            self._freezing = True
            self._scheduler.run_blocking(self._remove, self._let_go_of)

    def _let_go_of(self, _: None, error: BaseException | None) -> None:
        self._freezing = False

    def _remove(self) -> None:
        """Also what a crash left."""
        remove_directory(self._disk, self._directory)

    def _freeze(self) -> InstallManifest:
        self._remove()
        self._replica.store.freeze(self._directory)
        position = self._replica.files.stores.position(self._directory)
        if position is None:
            raise StorageError("there is no checkpoint yet")
        files = tuple(self._described(name) for name in self._disk.names(self._directory))
        self._install += 1
        return InstallManifest(
            self._replica.partition_id,
            self._install,
            position.index,
            position.term,
            position.hash,
            self._archive.head().index,
            files,
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

    def _chunk(self, request: ReadFile, files: tuple[FrozenFile, ...]) -> InstallChunk:
        if not 0 <= request.file < len(files):
            raise StorageError(f"there is no file {request.file} of {len(files)}")
        file = self._disk.open(self._directory / files[request.file].name)
        try:
            data = file.read(CHUNK_BYTES, request.offset)
        finally:
            file.close()
        return InstallChunk(request.partition, request.install, request.file, request.offset, data)

    def _entries(self, request: ReadEntries) -> Callable[[], InstallEntries]:
        log = self._replica.log.log
        if request.first < log.first_index:
            source = self._archive.entries(request.first, min(request.last, log.first_index - 1))
        else:
            source = log.entries(request.first, request.last)

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
