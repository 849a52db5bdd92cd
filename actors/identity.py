"""Who a node is: what it made up for itself, and what the cluster told it. Two small files on its disk."""

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol, TypeVar, final

import msgspec

from bpmnd.cluster.membership import ClusterState, member_id
from bpmnd.storage.disk import Disk, read_file, replace_file
from bpmnd.storage.errors import DamageError

T = TypeVar("T")

_IDENTITY: Final = "identity"
_CLUSTER: Final = "cluster"
_INCARNATIONS: Final = (1 << 32) - 1


class Entropy(Protocol):
    """Chance."""

    def below(self, limit: int) -> int:
        """A number from 0 up to but without `limit`."""
        ...


class _Identity(msgspec.Struct, frozen=True, array_like=True):
    node: int
    incarnation: int


class NotThisNode(Exception):  # noqa: N818  says what is wrong
    """The data directory belongs to another node."""


@final
class Identity:
    """Node id, incarnation, and the newest state of the cluster that the node has heard of."""

    def __init__(self, disk: Disk, directory: Path, node: int, incarnation: int) -> None:
        self.node: Final = node
        self.incarnation: Final = incarnation
        self.cluster: ClusterState | None = None
        self._disk = disk
        self._directory = directory

    @property
    def member(self) -> int:
        return member_id(self.node, self.incarnation)

    @staticmethod
    def open(disk: Disk, directory: Path, node: int, entropy: Entropy) -> "Identity":
        """Read who this node is, or make it up on an empty disk (blocking).

        Raises NotThisNode when the directory is another node's, StorageError.
        """
        disk.make_directory(directory)
        names = disk.names(directory)
        if _IDENTITY not in names and _CLUSTER in names:
            what = f"the file is missing, but {_CLUSTER} is there"
            raise DamageError("identity", directory / _IDENTITY, None, None, what)
        if _IDENTITY in names:
            known = _read(
                disk, directory / _IDENTITY, lambda data: msgspec.msgpack.decode(data, type=_Identity)
            )
            if known.node != node:
                raise NotThisNode(f"{directory} belongs to node {known.node}, not {node}")
        else:
            known = _Identity(node, 1 + entropy.below(_INCARNATIONS))
            _write(disk, directory / _IDENTITY, msgspec.msgpack.encode(known))
        identity = Identity(disk, directory, node, known.incarnation)
        identity.cluster = known_cluster(disk, directory)
        return identity

    def note(self, cluster: ClusterState) -> None:
        """Keep a newer state of the cluster, durably (blocking, some milliseconds, rare)."""
        assert self.cluster is None or cluster.version > self.cluster.version, f"{cluster} is not newer"
        _write(self._disk, self._directory / _CLUSTER, cluster.to_bytes())
        self.cluster = cluster


def known_cluster(disk: Disk, directory: Path) -> ClusterState | None:
    """The newest state of the cluster that the node of a data directory has heard of. Raises StorageError."""
    if _CLUSTER not in disk.names(directory):
        return None
    return _read(disk, directory / _CLUSTER, ClusterState.from_bytes)


def _write(disk: Disk, path: Path, data: bytes) -> None:
    replace_file(disk, path, zlib.crc32(data).to_bytes(4, "little") + data)


def _read(disk: Disk, path: Path, decode: Callable[[bytes], T]) -> T:
    content = read_file(disk, path)
    data = content[4:]
    if zlib.crc32(data).to_bytes(4, "little") != content[:4]:
        raise DamageError("checksum", path, None, None, "its checksum is wrong")
    try:
        return decode(data)
    except msgspec.DecodeError as error:
        raise DamageError("format", path, None, None, str(error)) from error
