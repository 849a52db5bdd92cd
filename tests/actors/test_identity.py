"""Who a node is, whatever its disk has gone through."""

from pathlib import Path

import pytest

from bpmnd.actors.identity import Identity, NotThisNode
from bpmnd.cluster.membership import Member, found
from bpmnd.storage.disk import Disk
from bpmnd.storage.errors import DamageError
from bpmnd.storage.memory_disk import MemoryDisk
from tests.actors.stage import Seeded
from tests.storage.power import after_every_call

DIRECTORY = Path("/data")
CLUSTER = found("c1", [Member(1, 5, "here", "127.0.0.1:9001")], 1, 1)


def identity(disk: Disk, *, node: int = 1, seed: int = 1) -> Identity:
    return Identity.open(disk, DIRECTORY, node, Seeded(seed))


def test_a_node_is_who_it_was() -> None:
    disk = MemoryDisk()
    first = identity(disk, seed=1)

    assert identity(disk.crash(), seed=2).incarnation == first.incarnation


def test_on_an_empty_disk_it_is_somebody_else() -> None:
    assert identity(MemoryDisk(), seed=1).incarnation != identity(MemoryDisk(), seed=2).incarnation


def test_the_cluster_that_it_has_heard_of_is_known_again() -> None:
    disk = MemoryDisk()
    identity(disk).note(CLUSTER)

    assert identity(disk.crash()).cluster == CLUSTER


def test_the_directory_of_another_node_is_refused() -> None:
    disk = MemoryDisk()
    identity(disk, node=1)

    with pytest.raises(NotThisNode, match="belongs to node 1, not 2"):
        identity(disk, node=2)


@pytest.mark.parametrize("name", ["identity", "cluster"])
@pytest.mark.parametrize("offset", [0, 4, -1])
def test_damage_is_found(name: str, offset: int) -> None:
    disk = MemoryDisk()
    identity(disk).note(CLUSTER)
    disk.bytes_of(DIRECTORY / name)[offset] ^= 1

    with pytest.raises(DamageError):
        identity(disk)


def test_a_member_that_has_forgotten_who_it_is_does_not_make_up_another() -> None:
    disk = MemoryDisk()
    identity(disk).note(CLUSTER)
    disk.remove(DIRECTORY / "identity")

    with pytest.raises(DamageError, match="missing"):
        identity(disk)


def test_a_power_failure_leaves_no_half_identity() -> None:
    for when, disk in after_every_call(MemoryDisk, lambda failing: identity(failing)):
        assert identity(disk, seed=9).incarnation == identity(disk, seed=10).incarnation, when


def test_a_power_failure_leaves_the_old_state_of_the_cluster_or_the_new_one() -> None:
    def known() -> MemoryDisk:
        disk = MemoryDisk()
        identity(disk)
        return disk

    seen = {
        identity(disk).cluster is None
        for _, disk in after_every_call(known, lambda failing: identity(failing).note(CLUSTER))
    }
    assert seen == {True, False}


def test_only_news_is_noted() -> None:
    disk = MemoryDisk()
    known = identity(disk)
    known.note(CLUSTER)

    with pytest.raises(AssertionError):
        known.note(CLUSTER)
