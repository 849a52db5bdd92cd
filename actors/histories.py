"""Members of a group that have something committed have the same. Who is alone with what it has is wrong."""

import logging
from collections.abc import Sequence
from typing import final

from bpmnd.actors.messages import PeerPosition
from bpmnd.storage.log import Log

_logger = logging.getLogger(__name__)


@final
class Histories:
    """Compares what other members have committed with the log here, as far as it is committed here, too."""

    def __init__(self, name: str, member: int, log: Log) -> None:
        self._name = name
        self._member = member
        self._log = log
        self._told: dict[int, PeerPosition] = {}
        """The newest of each member that is not compared yet."""
        self._differing: dict[int, PeerPosition] = {}
        self.agreed = 0
        """How often a position was the same here."""

    def told(self, position: PeerPosition) -> None:
        """A member says what it has. It is compared once that much is committed here."""
        waiting = self._told.get(position.member)
        if waiting is None or waiting.index <= self._log.base.index or position.leads != waiting.leads:
            self._told[position.member] = position

    def contradiction(self, committed: int, voters: Sequence[int]) -> PeerPosition | None:
        """What the others have, if so many have it that the log here must be the wrong one.

        A majority of the voters has to contradict. Of two, and for who does not vote, the leader is believed.
        """
        known = min(committed, self._log.synced_index)
        for position in [one for one in self._told.values() if one.index <= known]:
            del self._told[position.member]
            if position.index >= self._log.first_index:
                self._compare(position)
        if not self._differing:
            return None
        against = [one for member, one in self._differing.items() if member in voters]
        if 2 * len(against) > len(voters):
            return against[-1]
        if len(voters) <= 2 or self._member not in voters:
            return next((one for one in against if one.leads), None)
        return None

    def _compare(self, position: PeerPosition) -> None:
        if self._log.hash_at(position.index) == position.hash:
            self.agreed += 1
            self._differing.pop(position.member, None)
            return
        if position.member not in self._differing:
            _logger.error("%s: another history than member %d at %d", self._name, *_place(position))
        self._differing[position.member] = position


def _place(position: PeerPosition) -> tuple[int, int]:
    return position.member, position.index
