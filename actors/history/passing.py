"""How many element instances have come to an end within each process instance that is live.

When it ends, too, they are no longer among those of live instances: so these are counted by element without
a look at all of them. The counts stand with the process instance, as MessagePack: twice the key of the element,
or one more for those that were terminated, and how many.
"""

from typing import Final, final

import msgspec

from bpmnd.actors.history.names import COMPLETED
from bpmnd.actors.history.rows import ElementRow, InstanceRow

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(dict[int, int]).decode


@final
class Passing:
    """The counts of live process instances in memory."""

    def __init__(self) -> None:
        self._known: dict[int, dict[int, int]] = {}

    def ended(self, instance: InstanceRow, element: ElementRow, state: int) -> None:
        """An instance of an element has ended in a live process instance."""
        if state == COMPLETED:
            element.live_completed += 1
            place = 2 * element.key
        else:
            element.live_terminated += 1
            place = 2 * element.key + 1
        counts = self.of(instance)
        counts[place] = counts.get(place, 0) + 1

    def of(self, instance: InstanceRow) -> dict[int, int]:
        counts = self._known.get(instance.key)
        if counts is None:
            passed = instance.passed
            counts = self._known[instance.key] = {} if passed is None else _decode(passed)
        return counts

    def leave(self, instance: InstanceRow) -> dict[int, int]:
        """The process instance is over, or goes on elsewhere: what was counted in it until now."""
        counts = self.of(instance)
        del self._known[instance.key]
        instance.passed = None
        return counts

    def note(self, instance: InstanceRow) -> None:
        """The row is about to be written."""
        counts = self._known.get(instance.key)
        if counts:
            instance.passed = _encode(counts)

    def forget(self, count_max: int) -> None:
        """All is written; it can be read again."""
        if len(self._known) > count_max:
            self._known.clear()

    def gone(self, instance_key: int) -> None:
        self._known.pop(instance_key, None)
