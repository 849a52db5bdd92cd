"""How many element instances have come to an end within each process instance that is live.

When it ends, too, they are no longer among those of live instances: so these are counted by element without
a look at all of them. The counts stand with the process instance, as MessagePack: twice the key of the
element, or one more for those that were terminated, and how many.
"""

from collections.abc import Iterator, Mapping
from typing import Final, final

import msgspec

from bpmnd.actors.history.cached import Rows
from bpmnd.actors.history.names import TERMINATED
from bpmnd.actors.history.rows import ElementRow, InstanceRow

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(dict[int, int]).decode


@final
class Passing:
    """What has ended since rows were written. Of an instance that ends before that, nothing needs to be."""

    def __init__(self, instances: Rows[InstanceRow], elements: Rows[ElementRow]) -> None:
        self._instances = instances
        self._elements = elements
        self._new: dict[int, dict[int, int]] = {}

    def ended(self, instance_key: int, element_key: int, state: int) -> None:
        """An instance of an element has ended within a process instance."""
        counts = self._new.get(instance_key)
        if counts is None:
            counts = self._new[instance_key] = {}
        place = 2 * element_key + (state == TERMINATED)
        counts[place] = counts.get(place, 0) + 1

    def left(self, instance: InstanceRow) -> None:
        """The process instance is over."""
        self._new.pop(instance.key, None)
        if instance.passed is not None:
            self._count(_decode(instance.passed), -1)
            instance.passed = None

    def move(self, instance: InstanceRow, elements: Mapping[int, int]) -> None:
        """It goes on by another definition: what is over in it counts at these elements, or not at all."""
        self._note(instance.key)
        before = _decode(instance.passed) if instance.passed is not None else {}
        self.left(instance)
        self._new[instance.key] = {
            2 * elements[place >> 1] + (place & 1): count
            for place, count in before.items()
            if place >> 1 in elements
        }

    def flush(self) -> None:
        """The rows are about to be written."""
        for key in list(self._new):
            self._note(key)

    def _note(self, instance_key: int) -> None:
        new = self._new.pop(instance_key, None)
        instance = self._instances.change(instance_key)
        if instance is None or not new:
            return
        counts = _decode(instance.passed) if instance.passed is not None else {}
        for place, count in new.items():
            counts[place] = counts.get(place, 0) + count
        instance.passed = _encode(counts)
        self._count(new, 1)

    def _count(self, counts: Mapping[int, int], by: int) -> None:
        for element, is_terminated, count in _places(counts):
            row = self._elements.change(element)
            if row is not None and is_terminated:
                row.live_terminated += by * count
            elif row is not None:
                row.live_completed += by * count


def _places(counts: Mapping[int, int]) -> Iterator[tuple[int, bool, int]]:
    for place, count in counts.items():
        yield place >> 1, place & 1 == 1, count
