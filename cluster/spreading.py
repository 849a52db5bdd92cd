"""Which correlation slots go where, so that every partition has as many: one move after the other."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from bpmnd.cluster.membership import SLOTS, ClusterState, SlotMove

SLOTS_PER_MOVE: Final = 2048
"""So many go at most in one move: while they are on their way, nothing new is taken for them."""


def next_move(state: ClusterState) -> SlotMove | None:
    """From the partition that has most to the first that has less than its share; None if none has."""
    owners = owners_of(state.slots)
    counts = Counter({plan.group: 0 for plan in state.partitions})
    counts.update(owners)
    share = SLOTS // len(state.partitions)
    taker = min((group for group in counts if counts[group] < share), default=0)
    giver = max(counts, key=lambda group: (counts[group], -group))
    count = min(share - counts[taker], counts[giver] - share, SLOTS_PER_MOVE) if taker else 0
    if count <= 0:
        return None
    given = [slot for slot, owner in enumerate(owners) if owner == giver][-count:]
    return SlotMove(state.moves + 1, giver, taker, _runs_of(given))


def left_to_move(state: ClusterState) -> int:
    """How many slots partitions have less than their share, those on their way included."""
    counts = Counter(owners_of(state.slots))
    share = SLOTS // len(state.partitions)
    return sum(max(0, share - counts[plan.group]) for plan in state.partitions)


def after_move(slots: Sequence[tuple[int, int]], move: SlotMove) -> tuple[tuple[int, int], ...]:
    """The table once the move has ended, as runs: (first slot, partition)."""
    owners = owners_of(slots)
    for first, count in move.slots:
        owners[first : first + count] = [move.to] * count
    return tuple((slot, owner) for slot, owner in enumerate(owners) if slot == 0 or owners[slot - 1] != owner)


def owners_of(slots: Sequence[tuple[int, int]]) -> list[int]:
    """The partition of each slot."""
    owners: list[int] = []
    for (first, partition), (end, _) in zip(slots, (*slots[1:], (SLOTS, 0)), strict=True):
        owners += [partition] * (end - first)
    return owners


def _runs_of(slots: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Rising slots as runs: the first of each, and how many they are."""
    runs: list[tuple[int, int]] = []
    for slot in slots:
        if runs and sum(runs[-1]) == slot:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((slot, 1))
    return tuple(runs)
