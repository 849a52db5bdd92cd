"""Blocks of a two-level map: `blocks[key >> shift][key]`."""

from sys import getsizeof
from typing import Final, TypeVar

V = TypeVar("V")

_ROOM_PER_ENTRY_MAX: Final = 256
_ROOM_MAX: Final = 4096


def give_back_room(blocks: dict[int, dict[int, V]]) -> None:
    """Drop empty blocks, and make those anew of which little is left: a dictionary keeps the room of what is
    gone, so that one instance that stays would hold on to the room of hundreds."""
    for number, block in list(blocks.items()):
        if not block:
            del blocks[number]
        elif getsizeof(block) > _ROOM_PER_ENTRY_MAX * len(block) + _ROOM_MAX:
            blocks[number] = dict(block)
