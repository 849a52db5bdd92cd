"""What stands in a websocket message: many items, the urgent ones first. docs/transport.md has the bytes."""

import struct
from collections import deque
from typing import Final, final

from bpmnd.cluster.errors import FrameError

ENTRY_SIZE: Final = 4
"""Of an item's length in the table of a message."""
HEADER_SIZE: Final = 12

_HEADER: Final = struct.Struct("<III")  # control items, bulk items, whether the last of these goes on


@final
class Outbox:
    """The items that wait for one connection, in two lanes with a bound each.

    An item is charged its entry in the table of a message, too, so that empty ones are bounded.
    """

    def __init__(
        self, *, item_size_max: int, message_size_max: int, control_size_max: int, bulk_size_max: int
    ) -> None:
        self.control_size = 0
        self.bulk_size = 0
        self.items_taken = 0
        """Those that are wholly in the messages taken since this was last set to 0."""
        self._charge_max = item_size_max + ENTRY_SIZE
        self._message_size_max = message_size_max
        self._control_size_max = control_size_max
        self._bulk_size_max = bulk_size_max
        self._control: deque[bytes] = deque()
        self._bulk: deque[bytes] = deque()
        self._sent_of_first = 0

    @property
    def is_empty(self) -> bool:
        return not self._control and not self._bulk

    def put(self, item: bytes, control: bool) -> bool:
        """Whether there was room."""
        charge = len(item) + ENTRY_SIZE
        if control:
            assert charge <= self._message_size_max, f"a control item of {len(item)} bytes"
            size = self.control_size + charge
            if size > self._control_size_max:
                return False
            self.control_size = size
            self._control.append(item)
        else:
            assert charge <= self._charge_max, f"an item of {len(item)} bytes"
            size = self.bulk_size + charge
            if size > self._bulk_size_max:
                return False
            self.bulk_size = size
            self._bulk.append(item)
        return True

    def take(self) -> bytes | None:
        """The next message: all that waits, as far as it fits. None if nothing does."""
        if self.control_size + self.bulk_size <= self._message_size_max and not self._sent_of_first:
            return self._take_all()
        return self._take_what_fits()

    def _take_all(self) -> bytes | None:
        control_count, bulk_count = len(self._control), len(self._bulk)
        if not control_count and not bulk_count:
            return None
        items = [*self._control, *self._bulk]
        self.items_taken += len(items)
        self._control.clear()
        self._bulk.clear()
        self.control_size = self.bulk_size = 0
        return _message(control_count, bulk_count, False, items)

    def _take_what_fits(self) -> bytes:
        pieces: list[bytes | memoryview] = []
        room = self._message_size_max
        while self._control and len(self._control[0]) + ENTRY_SIZE <= room:
            item = self._control.popleft()
            pieces.append(item)
            room -= len(item) + ENTRY_SIZE
            self.control_size -= len(item) + ENTRY_SIZE
        control_count = len(pieces)

        goes_on = False
        while self._bulk and room > ENTRY_SIZE:
            item = self._bulk[0]
            rest = len(item) - self._sent_of_first
            piece_size = min(rest, room - ENTRY_SIZE)
            whole = piece_size == len(item)
            pieces.append(
                item if whole else memoryview(item)[self._sent_of_first : self._sent_of_first + piece_size]
            )
            room -= piece_size + ENTRY_SIZE
            if piece_size < rest:
                self._sent_of_first += piece_size
                goes_on = True
                break
            self._bulk.popleft()
            self._sent_of_first = 0
            self.bulk_size -= len(item) + ENTRY_SIZE
        self.items_taken += len(pieces) - goes_on
        return _message(control_count, len(pieces) - control_count, goes_on, pieces)


def _message(
    control_count: int, bulk_count: int, goes_on: bool, items: "list[bytes] | list[bytes | memoryview]"
) -> bytes:
    lengths = struct.pack(f"<{len(items)}I", *map(len, items))
    return b"".join((_HEADER.pack(control_count, bulk_count, goes_on), lengths, *items))


@final
class Inbox:
    """Makes items of messages again, and holds the item that is not yet whole."""

    def __init__(self, *, item_size_max: int) -> None:
        self._item_size_max = item_size_max
        self._pieces: list[bytes] = []
        self._size = 0

    def take(self, message: bytes) -> list[bytes]:
        """The items that are whole with this message. Raises FrameError."""
        if len(message) < HEADER_SIZE:
            raise FrameError(f"a message of {len(message)} bytes has no header")
        control_count, bulk_count, goes_on = _HEADER.unpack_from(message)
        count = control_count + bulk_count
        start = HEADER_SIZE + count * ENTRY_SIZE
        if start > len(message) or goes_on > (bulk_count > 0):
            raise FrameError("a message with a header that cannot be")

        items: list[bytes] = []
        for length in struct.unpack_from(f"<{count}I", message, HEADER_SIZE):
            end = start + length
            items.append(message[start:end])
            start = end
        if start != len(message):
            raise FrameError(f"a message of {len(message)} bytes with items up to {start}")
        if goes_on or self._pieces:
            self._join(items, control_count, bool(goes_on))
        return items

    def _join(self, items: list[bytes], control_count: int, goes_on: bool) -> None:
        """Put pieces together: the first bulk item belongs to what is held, the last one may go on."""
        if len(items) == control_count:
            return
        if self._pieces:
            only_a_middle = goes_on and len(items) == control_count + 1
            self._hold(items[control_count])
            if not only_a_middle:
                items[control_count] = b"".join(self._pieces)
                self._pieces, self._size = [], 0
        if goes_on:
            last = items.pop()
            if not self._pieces:
                self._hold(last)

    def _hold(self, piece: bytes) -> None:
        self._size += len(piece)
        if not piece or self._size > self._item_size_max:
            raise FrameError(f"an item of more than {self._item_size_max} bytes, or of empty pieces")
        self._pieces.append(piece)
