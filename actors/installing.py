"""How a replica gets what its leader's log no longer has: a copy of the checkpoint, and all entries up to it.

The receiver asks for one piece after the other and writes each down before it asks for the next, so a
transfer never holds more than a piece in memory, goes on where it stopped when messages are lost, and is
simulated like all else. The log is kept and goes on: its entries come from the sender's archive and log, so
that the chain of hashes is whole here too, and is checked against the position of the checkpoint.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from bpmnd.actors.clock import Scheduler, Timer
from bpmnd.actors.entry_log import EntryLog
from bpmnd.actors.peer_messages import (
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
from bpmnd.actors.replica import ReplicaFiles
from bpmnd.cluster.raft import Entry
from bpmnd.storage.disk import File
from bpmnd.storage.entry import Position
from bpmnd.storage.layout import empty_directory, next_checkpoint_directory

PATIENCE_SECONDS: Final = 3.0
TRIES_MAX: Final = 10


class InstallFailed(Exception):  # noqa: N818  says what happened
    """What came is not what was announced. It is asked for anew."""


class DivergedError(Exception):
    """What is committed here is not what the others have at `index`."""

    def __init__(self, index: int) -> None:
        super().__init__(f"entry {index} is another one at the sender of a checkpoint")
        self.index = index


@final
@dataclass(frozen=True, slots=True)
class Installed:
    """A copy is here, checked and synced, and so are the entries up to it, unless the log `begins_anew`."""

    manifest: InstallManifest
    source: int
    directory: Path
    begins_anew: bool


@final
class Installation:
    """One transfer to a replica that runs, but cannot go on by its leader's log."""

    def __init__(
        self,
        partition_id: int,
        files: ReplicaFiles,
        log: EntryLog,
        committed: int,
        source: int,
        ask: Callable[[InstallRequest], None],
        scheduler: Scheduler,
        ended: Callable[["Installed | None", BaseException | None], None],
    ) -> None:
        self.source: Final = source
        """The member that sends."""
        self._partition = partition_id
        self._files = files
        self._directory = next_checkpoint_directory(files.disk, files.directory)
        self._log = log
        self._next_entry = committed + 1
        self._ask = ask
        self._scheduler = scheduler
        self._ended = ended
        self._manifest: InstallManifest | None = None
        self._file = 0
        self._offset = 0
        self._open: File | None = None
        self._digest = hashlib.sha256()
        self._asked: InstallRequest | None = None
        self._timer: Timer | None = None
        self._tries = 0
        self._over = False
        self._begins_anew = False

    @property
    def progress(self) -> str:
        """Where it stands, for people."""
        manifest = self._manifest
        if manifest is None:
            return "asking for a checkpoint"
        if self._file < len(manifest.files):
            return f"file {self._file + 1} of {len(manifest.files)}"
        return f"entry {self._next_entry} of {manifest.index}"

    def start(self) -> None:
        self._request(RequestInstall(self._partition))

    def stop(self) -> None:
        """Let go of all. What is on the disk is overwritten by the next one."""
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        if self._open is not None:
            self._open.close()
            self._open = None

    def give_up(self, reason: str) -> None:
        """Nothing more will come."""
        self._end(None, InstallFailed(reason))

    def received(self, answer: InstallAnswer) -> None:
        """Take in a piece, if it is the one that was asked for."""
        asked, manifest = self._asked, self._manifest
        match answer, asked:
            case InstallManifest(), RequestInstall():
                self._asked = None
                self._begin(answer)
            case InstallChunk(), ReadFile() if (answer.install, answer.file, answer.offset) == (
                asked.install,
                asked.file,
                asked.offset,
            ):
                self._asked = None
                self._blocking(lambda: self._write(answer.data), self._next_chunk)
            case InstallEntries(), ReadEntries() if (answer.install, answer.first) == (
                asked.install,
                asked.first,
            ):
                self._asked = None
                assert manifest is not None, "entries were asked for without a manifest"
                self._append(answer, manifest)
            case InstallRefused(), _ if asked is not None:
                self._end(None, InstallFailed(answer.reason))
            case _:
                pass  # The answer to a question that was asked twice.

    def synced(self) -> None:
        """The log has more on disk: all of it, perhaps."""
        manifest = self._manifest
        if manifest is None or self._over or self._next_entry <= manifest.index:
            return
        log = self._log.log
        if log.synced_index >= manifest.index:
            if log.hash_at(manifest.index) != manifest.hash:
                self._end(None, DivergedError(manifest.index))
            else:
                self._end(Installed(manifest, self.source, self._directory, begins_anew=False), None)

    # The steps

    def _begin(self, manifest: InstallManifest) -> None:
        self._manifest = manifest
        if manifest.begins_after >= self._next_entry:
            # The sender's retention dropped entries that are missing here: this log begins anew, with the
            # checkpoint, and its archive with it.
            self._begins_anew = True
        self._blocking(self._prepare, self._next_file)

    def _prepare(self) -> None:
        self._files.disk.make_directory(self._directory)
        empty_directory(self._files.disk, self._directory)

    def _next_file(self) -> None:
        manifest = self._manifest
        assert manifest is not None, "no manifest to go by"
        if self._file == len(manifest.files):
            self._blocking(lambda: self._check_copy(manifest), self._next_entries)
            return
        self._digest = hashlib.sha256()
        self._offset = 0
        name = manifest.files[self._file].name
        path = self._directory / name

        def create() -> None:
            self._open = self._files.disk.create(path, 0)

        self._blocking(create, self._next_chunk)

    def _check_copy(self, manifest: InstallManifest) -> None:
        position = self._files.stores.position(self._directory)
        if position != Position(manifest.index, manifest.term, manifest.hash):
            raise InstallFailed(f"the copy stands at {position}, not at {manifest.index}")

    def _next_chunk(self) -> None:
        manifest = self._manifest
        assert manifest is not None, "no manifest to go by"
        file = manifest.files[self._file]
        if self._offset < file.size:
            self._request(ReadFile(self._partition, manifest.install, self._file, self._offset))
        elif self._digest.digest() != file.sha256:
            self._end(None, InstallFailed(f"{file.name} did not arrive as it was sent"))
        else:
            self._blocking(self._close_file, self._file_done)

    def _write(self, data: bytes) -> None:
        assert self._open is not None, "no file is open"
        self._open.write([data], self._offset, durable=False)
        self._digest.update(data)
        self._offset += len(data)

    def _close_file(self) -> None:
        assert self._open is not None, "no file is open"
        self._open.sync()
        self._open.close()
        self._open = None

    def _file_done(self) -> None:
        self._file += 1
        self._next_file()

    def _next_entries(self) -> None:
        manifest = self._manifest
        assert manifest is not None, "no manifest to go by"
        if self._begins_anew:
            self._end(Installed(manifest, self.source, self._directory, begins_anew=True), None)
            return
        if self._next_entry > manifest.index:
            self.synced()
            return
        self._request(ReadEntries(self._partition, manifest.install, self._next_entry, manifest.index))

    def _append(self, answer: InstallEntries, manifest: InstallManifest) -> None:
        entries = answer.entries
        if not entries or entries[0].index != self._next_entry:
            self._end(None, InstallFailed(f"entry {self._next_entry} is missing in what was sent"))
            return
        self.take(entries)
        self._next_entry = entries[-1].index + 1
        self._next_entries()

    def take(self, entries: Sequence[Entry]) -> None:
        """Append what is not here yet. What is stays: it may be acknowledged, and must not be missing for a
        moment."""
        new = next((at for at, entry in enumerate(entries) if not self._has(entry)), len(entries))
        if new < len(entries):
            self._log.store(None, entries[new:])

    def _has(self, entry: Entry) -> bool:
        """Entries of the same index and term are the same, and so are all before them (Raft, §5.3)."""
        return self._log.term_at(entry.index) == entry.term

    # Asking, writing, ending

    def _request(self, request: InstallRequest) -> None:
        if self._over:
            return
        self._asked = request
        self._tries = 0
        self._ask_again(request)

    def _ask_again(self, request: InstallRequest) -> None:
        if self._over or self._asked is not request:
            return
        self._tries += 1
        if self._tries > TRIES_MAX:
            self._end(None, InstallFailed("the leader does not answer"))
            return
        self._ask(request)
        self._timer = self._scheduler.call_later(PATIENCE_SECONDS, self._ask_again, request)

    def _blocking(self, work: Callable[[], None], then: Callable[[], None]) -> None:
        def done(_: None, error: BaseException | None) -> None:
            if self._over:
                return
            if error is not None:
                self._end(None, error)
            else:
                then()

        if self._timer is not None:
            self._timer.cancel()
        self._scheduler.run_blocking(work, done)

    def _end(self, installed: "Installed | None", error: BaseException | None) -> None:
        if not self._over:
            self.stop()
            self._ended(installed, error)
