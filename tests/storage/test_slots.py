"""Two slots, of which one is on disk at any time."""

from pathlib import Path

from bpmnd.storage.memory_disk import MemoryDisk
from bpmnd.storage.slots import SlotFile, read_slots

PATH = Path("/slots")
MAGIC = b"BPMNDTST"


def opened(disk: MemoryDisk) -> SlotFile:
    return SlotFile.open(disk, PATH, MAGIC, 5)[0]


def made() -> MemoryDisk:
    disk = MemoryDisk()
    SlotFile.create(disk, PATH, MAGIC, b"begin")
    return disk


def slots_not_on_disk(disk: MemoryDisk) -> set[int]:
    return {sector * 512 // 4096 for sector in disk.unsynced(PATH)}


def value(disk: MemoryDisk) -> bytes:
    return read_slots(disk, PATH, MAGIC, 5)[1]


def test_the_newest_value_is_read_synced_or_not() -> None:
    disk = made()
    slots = opened(disk)
    for number in range(6):
        slots.write_one(b"%05d" % number, durable=number % 4 == 3)
        assert value(disk) == b"%05d" % number
    assert value(disk.crash()) == b"00003"


def test_what_is_not_synced_is_replaced_before_what_is() -> None:
    disk = made()
    slots = opened(disk)
    for number in range(20):
        slots.write_one(b"%05d" % number, durable=number % 5 == 4)
        assert len(slots_not_on_disk(disk)) == int(number % 5 != 4)


def test_what_the_end_of_a_process_left_unsynced_is_replaced_first() -> None:
    for synced in range(3):
        disk = made()
        slots = opened(disk)
        for number in range(synced):
            slots.write_one(b"%05d" % number, durable=True)
        slots.write_one(b"later", durable=False)

        left = disk.killed()
        write = opened(left).next_write(b"anew!")

        assert {write.offset // 4096} == slots_not_on_disk(left)
        write.file.write([write.data], write.offset, durable=True)
        assert value(left.crash()) == b"anew!"


def test_a_damaged_slot_is_replaced_first() -> None:
    for slot in (0, 1):
        disk = made()
        disk.flip(PATH, slot * 4096 + 3, 1)
        assert opened(disk).next_write(b"anew!").offset == slot * 4096
