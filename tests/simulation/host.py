"""A machine that a node runs on: what outlives the node's process, and what a crash leaves of it."""

from pathlib import Path
from typing import Final, final

from bpmnd.storage.layout import LOG
from bpmnd.storage.memory_disk import MemoryDisk
from tests.simulation.store import KeptRows
from tests.simulation.world import World

DIRECTORY: Final = Path("/data")
PARTITIONS: Final = DIRECTORY / "partitions"
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
        self.tears_anywhere = False
        """Of a torn write also the end may be there without the rest, which cannot be told from damage."""
        self.damaged = False
        """Something on the disk is not what was written, or it was lost."""
        self._world = world

    def wall_ms(self) -> int:
        return _EPOCH_MS + self.wall_offset_ms + int(self._world.now * 1000 * self.rate)

    def lose_power(self) -> None:
        """Only what was synced is sure to be left. Of the rest any sector may be, whatever came before it."""
        world, disk = self._world, self.disk
        share = world.chance.choice((0.0, 0.5, 0.9, 1.0))
        kept: dict[Path, set[int]] = {}

        def keep(path: Path, sector: int) -> bool:
            if path not in kept:
                sectors = disk.unsynced(path)
                kept[path] = {one for one in sectors if world.chance.random() < share}
                if len(kept[path]) < len(sectors):
                    if self.tears_anywhere:
                        self.damaged = True
                    else:
                        kept[path].discard(sectors[-1])
            return sector in kept[path]

        self.disk = disk.crash(keep)

    def flip(self) -> bool:
        """Damage one bit of a log, or a row of a checkpoint. False if there is nothing yet."""
        chance = self._world.chance
        logs = [
            (PARTITIONS / number / LOG / name)
            for number in self.disk.names(PARTITIONS)
            for name in self.disk.names(PARTITIONS / number / LOG)
            if name.endswith(".log")
        ]
        stores = [path for path in sorted(self.stores) if self.stores[path].position is not None]
        if stores and chance.random() < 0.3:
            kept = self.stores[chance.choice(stores)]
            rows = kept.rows.range(b"", b"\xff", 1 << 40)
            kept.damaged = chance.choice(rows)[0] if rows else None
            self.damaged = True
            return bool(rows)
        if not logs:
            return False
        path = chance.choice(logs)
        written = len(bytes(self.disk.bytes_of(path)).rstrip(b"\0"))
        if written:
            self.disk.flip(path, chance.randrange(written), 1 << chance.randrange(8))
            self.damaged = True
        return bool(written)

    def lose_process(self) -> None:
        """The kernel keeps what it was given, synced or not."""
        self.disk = self.disk.killed()

    def wipe(self) -> None:
        self.disk = MemoryDisk()
        self.stores = {}
        self.damaged = True
