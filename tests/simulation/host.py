"""A machine that a node runs on: what outlives the node's process, and what a crash leaves of it."""

from pathlib import Path
from typing import Final, final

from bpmnd.storage.memory_disk import MemoryDisk
from tests.simulation.store import KeptRows
from tests.simulation.world import World

_EPOCH_MS: Final = 1_700_000_000_000


@final
class Host:
    """Disk, checkpoint stores and clocks of one node."""

    def __init__(self, world: World, number: int) -> None:
        self.number: Final = number
        self.disk = MemoryDisk()
        self.stores: dict[Path, KeptRows] = {}
        self.wall_offset_ms = world.below(200) - 100
        self.rate: Final = world.between(0.999, 1.001)
        """How fast its clocks run."""
        self.slow_disk = 1.0
        """By how much more a write takes."""
        self._world = world

    def wall_ms(self) -> int:
        return _EPOCH_MS + self.wall_offset_ms + int(self._world.now * 1000 * self.rate)

    def lose_power(self) -> None:
        """Only what was synced is sure to be left. Of the rest any sector may be, in any order."""
        world = self._world
        share = world.chance.choice((0.0, 0.5, 0.9, 1.0))
        self.disk = self.disk.crash(lambda path, sector: world.chance.random() < share)

    def lose_process(self) -> None:
        """The kernel keeps what it was given, synced or not."""
        self.disk = self.disk.killed()

    def wipe(self) -> None:
        self.disk = MemoryDisk()
        self.stores = {}
