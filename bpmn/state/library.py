"""Deployed files other than processes: all their versions, and the latest of each."""

from collections.abc import Iterator
from typing import final

import msgspec

from bpmnd.bpmn.state.cold import ColdStore
from bpmnd.bpmn.state.journal import Journal
from bpmnd.bpmn.state.table import Table


class DeployedFile(msgspec.Struct, frozen=True, array_like=True):
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
    is_deleted: bool = False
    """Then the content is gone, but its version is not given again."""


@final
class Library:
    """Files by their keys, and by tenant, id and version."""

    __slots__ = ("_versions", "table")

    def __init__(self, prefix: bytes, store: ColdStore) -> None:
        self.table = Table(prefix, DeployedFile, store)
        self._versions: dict[tuple[str, str], dict[int, int]] = {}
        for file in self.table.items.values():
            self._versions.setdefault((file.tenant_id, file.id), {})[file.version] = file.key

    def get(self, key: int) -> DeployedFile | None:
        """The file, unless it is deleted."""
        file = self.table.get(key)
        return None if file is None or file.is_deleted else file

    def add(self, file: DeployedFile, journal: Journal) -> None:
        self.table.put(file.key, file, journal)
        versions = self._versions.get((file.tenant_id, file.id))
        if versions is None:
            versions = dict[int, int]()
            journal.put(self._versions, (file.tenant_id, file.id), versions)
        journal.put(versions, file.version, file.key)

    def delete(self, key: int, journal: Journal) -> None:
        file = self.table.items[key]
        gone = msgspec.structs.replace(file, content=b"", is_deleted=True)
        self.table.put(key, gone, journal)

    def versions_of(self, tenant_id: str, id: str) -> Iterator[DeployedFile]:
        """Those that are not deleted, the latest first."""
        versions = self._versions.get((tenant_id, id), {})
        for version in sorted(versions, reverse=True):
            file = self.get(versions[version])
            if file is not None:
                yield file

    def latest(self, tenant_id: str, id: str) -> DeployedFile | None:
        return next(self.versions_of(tenant_id, id), None)

    def last_version(self, tenant_id: str, id: str) -> int:
        """The highest version that was ever given; 0 if there was none."""
        return max(self._versions.get((tenant_id, id), {}), default=0)
