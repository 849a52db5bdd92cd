"""Durations in buckets: what they keep of the durations they were made of."""

from hypothesis import given
from hypothesis import strategies as st

from bpmnd.actors.history.durations import (
    add_durations,
    bounds_of,
    bucket_of,
    decode_durations,
    encode_durations,
    percentiles,
)

MILLISECONDS = st.integers(0, 10**12) | st.integers(0, 2000)


def counted(durations: list[int]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for duration in durations:
        add_durations(counts, {bucket_of(duration): 1})
    return counts


@given(MILLISECONDS)
def test_a_duration_is_within_the_bounds_of_its_bucket(milliseconds: int) -> None:
    first, beyond = bounds_of(bucket_of(milliseconds))
    assert first <= milliseconds < beyond


@given(MILLISECONDS)
def test_buckets_follow_each_other_without_a_gap(milliseconds: int) -> None:
    bucket = bucket_of(milliseconds)
    assert bounds_of(bucket)[1] == bounds_of(bucket + 1)[0]


@given(MILLISECONDS)
def test_a_bucket_is_no_wider_than_an_eighth_of_what_is_in_it(milliseconds: int) -> None:
    first, beyond = bounds_of(bucket_of(milliseconds))
    assert beyond - first <= max(1, first / 8)


@given(st.lists(MILLISECONDS, min_size=1, max_size=50), st.floats(0, 1))
def test_a_percentile_is_within_an_eighth_of_the_true_one(durations: list[int], share: float) -> None:
    (found,) = percentiles(counted(durations), [share])
    durations.sort()
    at = next(n for n in range(len(durations)) if n + 1 >= share * len(durations))
    true = durations[at]
    assert found is not None
    assert true * 7 / 8 - 1 <= found <= true * 9 / 8 + 1


@given(st.lists(MILLISECONDS, max_size=30), st.lists(MILLISECONDS, max_size=30))
def test_sums_are_the_counts_of_all(some: list[int], others: list[int]) -> None:
    counts = decode_durations(encode_durations(counted(some)))
    add_durations(counts, counted(others))
    assert counts == counted(some + others)


def test_of_nothing_there_is_no_percentile() -> None:
    assert percentiles({}, [0.5, 0.99]) == [None, None]


def test_a_clock_that_was_set_back_makes_no_negative_duration() -> None:
    assert bucket_of(-5) == 0
