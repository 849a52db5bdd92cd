"""Raft's time: one pace for all groups of a node."""

from hypothesis import given
from hypothesis import strategies as st

from bpmnd.actors.ticking import TICK_SECONDS, until_next_tick

MOMENTS = st.floats(0, 1e6)
MEMBERS = st.integers(1, 1 << 40)


@given(MOMENTS, MOMENTS, MEMBERS)
def test_groups_of_a_node_tick_at_the_same_moments(one: float, other: float, member: int) -> None:
    apart = (one + until_next_tick(one, member)) - (other + until_next_tick(other, member))
    ticks = apart / TICK_SECONDS
    assert abs(ticks - round(ticks)) < 1e-3


@given(MOMENTS, MEMBERS)
def test_a_tick_is_never_less_than_half_a_tick_away_nor_more_than_one_and_a_half(
    now: float, member: int
) -> None:
    assert TICK_SECONDS / 2 < until_next_tick(now, member) <= 1.5 * TICK_SECONDS + 1e-9


def test_nodes_tick_at_different_moments() -> None:
    assert len({round(until_next_tick(5.0, member), 3) for member in range(1, 11)}) == 10
