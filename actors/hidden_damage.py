"""When a replica with hidden damage may be set aside and rebuilt: while the others carry on without it."""

import logging
from collections.abc import Sequence
from typing import Final, final

from bpmnd.storage.errors import DamageError

_logger = logging.getLogger(__name__)

_HEARD_SECONDS: Final = 3.0
"""Since then a member must have said that it is well."""
_WAIT_SECONDS: Final = 1.0
_RANK_SECONDS: Final = 2.0
"""Those that found damage at the same time go one after the other: who is being rebuilt does not count."""
_HAND_OVER_SECONDS_MAX: Final = 10.0


@final
class HiddenDamage:
    """What was found to be damaged on one replica, though nobody has used it yet.

    There is no hurry: what is served is right. Set aside while another member is away, or is being rebuilt
    itself, the replica could stop the whole group.
    """

    def __init__(self, name: str, member: int) -> None:
        self._name = name
        self._member = member
        self._found_at = 0.0
        self._heard: dict[int, float] = {}
        """Member -> when it last said that it is well."""
        self.error: DamageError | None = None

    def heard(self, member: int, now: float) -> None:
        self._heard[member] = now

    def found(self, error: DamageError, now: float, *, is_alone: bool) -> None:
        if self.error is not None:
            return
        self.error, self._found_at = error, now
        then = "goes on, as there is nobody to get it from" if is_alone else "is to be rebuilt from its peers"
        _logger.error("%s: damaged, and %s: %s", self._name, then, error)

    def is_in_the_way(self, now: float, voters: Sequence[int], *, leads: bool) -> bool:
        """Whether the replica should let another lead, to be set aside then; also while that is too soon, if
        only one other is well: who lacks a copy of the state cannot get it from what is damaged.

        Raises the damage when it is time to be set aside.
        """
        if self.error is None:
            return False
        waited = now - self._found_at
        if leads and waited < _HAND_OVER_SECONDS_MAX and self._well(now, voters):
            return True
        if not self._others_carry_on(now, voters):
            return False
        rank = sorted(voters).index(self._member) if self._member in voters else 0
        if waited >= _WAIT_SECONDS + _RANK_SECONDS * rank:
            raise self.error
        return False

    def _others_carry_on(self, now: float, voters: Sequence[int]) -> bool:
        """A majority of the voters is well without this one; of two, the other."""
        others = len(voters) - (self._member in voters)
        return self._well(now, voters) >= min(len(voters) // 2 + 1, others) > 0

    def _well(self, now: float, voters: Sequence[int]) -> int:
        """How many of the others are."""
        others = (one for one in voters if one != self._member)
        return sum(now - self._heard.get(one, float("-inf")) < _HEARD_SECONDS for one in others)
