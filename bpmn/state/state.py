"""The state of one partition and its checkpoints."""

from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from itertools import chain, islice
from struct import Struct
from typing import final

import msgspec

from bpmnd.bpmn.keys import first_key
from bpmnd.bpmn.state.changes import Row
from bpmnd.bpmn.state.cold import ColdStore
from bpmnd.bpmn.state.decisions import Decisions
from bpmnd.bpmn.state.deployed import (
    Continuation,
    Definition,
    ExporterPosition,
    Inbox,
    PendingDeployment,
    StartPart,
    StartTimer,
)
from bpmnd.bpmn.state.instances import INSTANCES, Instances
from bpmnd.bpmn.state.journal import Journal
from bpmnd.bpmn.state.library import Form, Library, PlainFile
from bpmnd.bpmn.state.messages import Messages
from bpmnd.bpmn.state.noted import NotedCommands
from bpmnd.bpmn.state.ordered import OrderedIndex
from bpmnd.bpmn.state.outbox import Outbox
from bpmnd.bpmn.state.owners import OWNERS, Owners
from bpmnd.bpmn.state.records import ProcessInstance
from bpmnd.bpmn.state.series import prefix_free, split_prefix_free
from bpmnd.bpmn.state.slots import Slots
from bpmnd.bpmn.state.table import Table
from bpmnd.bpmn.user_tasks import GlobalListener

_META = b"m"
_DUE = b"u"
_ACTIVATABLE = b"a"
_DUE_WIDTH = 16
_JOB_WIDTH = 8
_NUMBER_BITS = 64
_END = b"\xff"
"""Behind all rows."""
_LENGTHS = Struct(">iq")


class _Meta(msgspec.Struct, frozen=True, array_like=True):
    last_key: int
    last_time: int
    started: int
    completed: int
    incidents: int


@final
class Capture:
    """A checkpoint in the making: all rows stand at the moment of `State.begin_capture`."""

    __slots__ = ("_source", "rows")

    def __init__(self, source: Iterator[Row]) -> None:
        self._source = source
        self.rows: list[Row] = []

    def advance(self, rows_max: int) -> bool:
        """Encode up to `rows_max` more rows, between two turns. False when all are there."""
        before = len(self.rows)
        self.rows.extend(islice(self._source, rows_max))
        return len(self.rows) - before == rows_max


@final
class State:
    """What the events of a partition add up to. Only appliers change it, all through `journal`."""

    def __init__(self, partition_id: int, store: ColdStore) -> None:
        self.partition_id = partition_id
        self.journal: Journal = Journal()
        self._store = store
        row = store.get(_META)
        meta = msgspec.msgpack.decode(row, type=_Meta) if row else _Meta(first_key(partition_id), 0, 0, 0, 0)
        self.last_key = meta.last_key
        """The last key given out."""
        self.last_time = meta.last_time
        """Log time, epoch milliseconds; never goes back."""
        self.started = meta.started
        """Process instances ever started here."""
        self.completed = meta.completed
        """Process instances ever ended here, completed or terminated."""
        self.incidents = meta.incidents
        """Incidents that are open."""

        self.owners = Owners(store)
        self.instances = Instances(store, self.owners)
        self.definitions = Table(b"d", Definition, store)
        self.deleted = Table(b"z", int, store)
        """Keys of what was deployed and is deleted: nothing new uses it. What runs by it goes on."""
        self.decisions = Decisions(store, self.deleted)
        self.start_timers = Table(b"T", StartTimer, store)
        self.start_parts = Table(b"j", StartPart, store)
        self.forms = Library(b"f", Form, store, self.deleted)
        self.plain_files = Library(b"r", PlainFile, store, self.deleted)
        self.global_listeners = Table(b"g", GlobalListener, store)
        """Those to all user tasks."""
        self.pending_deployments = Table(b"p", PendingDeployment, store)
        self.continuations = Table(b"c", Continuation, store)
        self.outbox = Outbox(store)
        self.inbox = Table(b"y", Inbox, store)
        self.exporters = Table(b"e", ExporterPosition, store)
        self.messages = Messages(partition_id, store)
        self.noted = NotedCommands(store)
        self.slots = Slots(store)
        self.messages.has_taken = self.slots.last_taken > 0
        self._cold = (*self.messages.cold, self.outbox.payloads, *self.noted.cold, self.slots.held)
        self._tables = (
            self.definitions,
            *self.decisions.tables,
            self.start_timers,
            self.start_parts,
            self.deleted,
            self.forms.table,
            self.plain_files.table,
            self.global_listeners,
            self.pending_deployments,
            self.continuations,
            self.outbox.last_numbers,
            self.inbox,
            self.exporters,
            self.messages.starts.table,
            self.messages.signal_starts.table,
            self.messages.conditional_starts.table,
            self.messages.pending,
            *self.slots.tables,
        )
        self.latest: dict[tuple[str, str], dict[int, int]] = {}
        """(tenant, process id) -> version -> definition key."""
        for key in sorted(self.definitions.items):
            definition = self.definitions.items[key]
            versions = self.latest.setdefault((definition.tenant_id, definition.process_id), {})
            if not self.deleted.get(key):
                versions[definition.version] = key
        self._in_store = row is not None
        self._due = OrderedIndex(_DUE, _DUE_WIDTH, in_store=self._in_store)
        self._activatable: dict[tuple[str, str], OrderedIndex] = {}
        self._row_readers: dict[bytes, Callable[[bytes], bytes | None]] = {
            INSTANCES: self.instances.row,
            OWNERS: self.owners.row,
            **{table.prefix: table.row for table in (*self._tables, *self._cold)},
        }
        """By the first byte of a row's key. None of them leads back here: a cycle would never be freed."""

    def last_version(self, tenant_id: str, process_id: str) -> int:
        """The highest version of a process that was ever given; 0 if there was none."""
        deleted = (self.definitions.get(key) for key in self.deleted.items)
        versions = [
            definition.version
            for definition in deleted
            if definition is not None
            and (definition.tenant_id, definition.process_id) == (tenant_id, process_id)
        ]
        return max([*versions, *self.latest.get((tenant_id, process_id), {})], default=0)

    # Instances

    def touch(self, instance_key: int) -> ProcessInstance:
        return self.instances.touch(instance_key, self.journal)

    def owner_of(self, key: int) -> ProcessInstance | None:
        """The instance that an element instance, job, timer or incident belongs to."""
        owner = self.owners.get(key)
        return None if owner is None else self.instances.get(owner)

    # Indexes

    def add_due(self, moment: int, key: int) -> None:
        self._due.add(moment << _NUMBER_BITS | key, self.journal)

    def remove_due(self, moment: int, key: int) -> None:
        self._due.remove(moment << _NUMBER_BITS | key, self.journal)

    def next_due(self) -> int | None:
        """When the next timer, deadline or back-off is over."""
        entry = self._due.first(self._store)
        return None if entry is None else entry >> _NUMBER_BITS

    def due(self, now: int, count: int) -> list[int]:
        """Up to `count` keys of timers and jobs whose moment has come, the oldest first."""
        keys: list[int] = []
        for entry in self._due.take_first(count, self._store):
            moment, key = entry >> _NUMBER_BITS, entry & ((1 << _NUMBER_BITS) - 1)
            if moment > now:
                break
            keys.append(key)
        return keys

    def activatable(self, tenant_id: str, job_type: str) -> OrderedIndex:
        """Keys of the jobs that may be lent, the oldest first."""
        name = (tenant_id, job_type)
        index = self._activatable.get(name)
        if index is None:
            prefix = _ACTIVATABLE + prefix_free(tenant_id) + prefix_free(job_type)
            index = OrderedIndex(prefix, _JOB_WIDTH, in_store=self._in_store)
            self._activatable[name] = index
        return index

    def first_activatable(self, tenant_id: str, job_type: str, count: int) -> list[int]:
        """The oldest jobs that may be lent. Asking for a type that has none leaves nothing behind."""
        name = (tenant_id, job_type)
        is_known = name in self._activatable
        index = self.activatable(tenant_id, job_type)
        keys = index.take_first(count, self._store)
        if not keys and not is_known:
            del self._activatable[name]
        return keys

    # Rows

    def row(self, key: bytes) -> bytes | None:
        """What a checkpoint of this moment would have under a key; None if there is no such row."""
        prefix = key[:1]
        if prefix == _META:
            return self._meta()
        if prefix == _DUE:
            return self._due.row(key, self._store)
        if prefix == _ACTIVATABLE:
            return self._activatable_row(key)
        reader = self._row_readers.get(prefix)
        return None if reader is None else reader(key)

    def stored_keys(self, start: bytes, count: int) -> list[bytes]:
        """Keys of the next rows of the store, from `start` on; fewer than `count` where it ends."""
        return [key for key, _ in self._store.range(start, _END, count)]

    def digest(self, keys: Iterable[bytes]) -> bytes:
        """A hash over these rows: the same wherever the state is, whatever of it is in memory."""
        hash = blake2b(digest_size=16)
        for key in keys:
            value = self.row(key)
            size = -1 if value is None else len(value)
            hash.update(_LENGTHS.pack(len(key), size))
            hash.update(key)
            hash.update(value or b"")
        return hash.digest()

    def _meta(self) -> bytes:
        meta = _Meta(self.last_key, self.last_time, self.started, self.completed, self.incidents)
        return msgspec.msgpack.encode(meta)

    def _activatable_row(self, key: bytes) -> bytes | None:
        tenant_id, rest = split_prefix_free(key[len(_ACTIVATABLE) :])
        job_type, _ = split_prefix_free(rest)
        index = self._activatable.get((tenant_id, job_type))
        return self._store.get(key) if index is None else index.row(key, self._store)

    # Checkpoints

    def begin_capture(self) -> Capture:
        """Fix the state as it stands now, without stopping the partition."""
        self.instances.begin_capture()
        at_once: list[Row] = [(_META, self._meta())]
        for table in self._tables:
            at_once.extend(table.capture())
        indexes = [self._due.capture(), *(index.capture() for index in self._activatable.values())]
        cold = [table.capture() for table in self._cold]
        return Capture(chain(self.instances.capture(), at_once, self.owners.capture(), *indexes, *cold))

    def readable(self, *, instances_in_memory_max: int, index_head_max: int) -> None:
        """What was captured can be read from the store: let go of it in memory, within the given bounds."""
        self._in_store = True
        self.instances.readable(instances_in_memory_max)
        self.owners.readable()
        for table in self._cold:
            table.readable()
        self._due.readable(index_head_max)
        for name, index in list(self._activatable.items()):
            index.readable(index_head_max)
            if index.is_idle():
                del self._activatable[name]
