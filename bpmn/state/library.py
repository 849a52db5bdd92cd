"""Deployed files other than processes and decisions: all their versions, and the latest of each."""

from collections.abc import Iterator
from typing import Generic, TypeVar, final

import msgspec

from bpmnd.bpmn.state.cold import ColdStore
from bpmnd.bpmn.state.journal import Journal
from bpmnd.bpmn.state.table import Table


class DeployedFile(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """One version of a file. `id` is what it calls itself."""

    key: int
    deployment_key: int
    id: str
    version: int
    version_tag: str
    resource_name: str
    checksum: bytes
    tenant_id: str
    content: bytes


@final
class Form(DeployedFile, frozen=True, array_like=True, tag=3):
    """A form for user tasks and start events."""


@final
class PlainFile(DeployedFile, frozen=True, array_like=True, tag=4):
    """A file that the engine keeps for others."""


F = TypeVar("F", Form, PlainFile)


@final
class Library(Generic[F]):
    """Files of one kind by their keys, and by tenant, id and version. Nothing new uses those that are
    `deleted`, but their versions are not given again, and what has used them can see them."""

    __slots__ = ("_deleted", "_versions", "table")

    def __init__(self, prefix: bytes, record: type[F], store: ColdStore, deleted: Table[int]) -> None:
        self.table: Table[F] = Table(prefix, record, store)
        self._deleted = deleted
        self._versions: dict[tuple[str, str], dict[int, int]] = {}
        for file in self.table.items.values():
            self._versions.setdefault((file.tenant_id, file.id), {})[file.version] = file.key

    def get(self, key: int) -> F | None:
        """The file, unless it is deleted."""
        return None if self._deleted.get(key) else self.table.get(key)

    def add(self, file: F, journal: Journal) -> None:
        self.table.put(file.key, file, journal)
        versions = self._versions.get((file.tenant_id, file.id))
        if versions is None:
            versions = dict[int, int]()
            journal.put(self._versions, (file.tenant_id, file.id), versions)
        journal.put(versions, file.version, file.key)

    def versions_of(self, tenant_id: str, id: str) -> Iterator[F]:
        """Those that are not deleted, the latest first."""
        versions = self._versions.get((tenant_id, id), {})
        for version in sorted(versions, reverse=True):
            file = self.get(versions[version])
            if file is not None:
                yield file

    def latest(self, tenant_id: str, id: str) -> F | None:
        return next(self.versions_of(tenant_id, id), None)

    def last_version(self, tenant_id: str, id: str) -> int:
        """The highest version that was ever given; 0 if there was none."""
        return max(self._versions.get((tenant_id, id), {}), default=0)
