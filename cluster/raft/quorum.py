"""Majorities: how far they agree, and whether they have elected somebody."""

from collections.abc import Collection, Mapping
from enum import Enum, auto
from typing import Final

NO_BOUND: Final = 2**63 - 1
"""What a group without voters agrees on: everything, so that it never holds up the other half of a joint
configuration."""


class Election(Enum):
    PENDING = auto()
    WON = auto()
    LOST = auto()


def agreed(indexes: list[int]) -> int:
    """The highest index that a majority has reached. Sorts in place: the hot path needs no copy."""
    if not indexes:
        return NO_BOUND
    indexes.sort()
    return indexes[(len(indexes) - 1) >> 1]


def jointly_agreed(voters: list[int], outgoing: list[int]) -> int:
    """The highest index that both halves have reached."""
    return min(agreed(voters), agreed(outgoing))


def election(voters: Collection[int], votes: Mapping[int, bool]) -> Election:
    """What the votes so far mean: those that are missing may still come."""
    if not voters:
        return Election.WON
    granted = sum(votes.get(voter, False) for voter in voters)
    missing = sum(voter not in votes for voter in voters)
    majority = len(voters) // 2 + 1
    if granted >= majority:
        return Election.WON
    return Election.PENDING if granted + missing >= majority else Election.LOST


def joint_election(voters: Collection[int], outgoing: Collection[int], votes: Mapping[int, bool]) -> Election:
    """Both halves have to elect; one that has not makes it fail."""
    results = {election(voters, votes), election(outgoing, votes)}
    if Election.LOST in results:
        return Election.LOST
    return Election.PENDING if Election.PENDING in results else Election.WON
