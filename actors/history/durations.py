"""Durations as counts in buckets that grow with them, so that any two can be added and percentiles remain.

Milliseconds below 16 have a bucket each; above, every doubling has eight, so a duration is known to within an
eighth of itself.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

NO_DURATIONS: Final = msgspec.msgpack.encode({})
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(dict[int, int]).decode
_EXACT: Final = 16
_BITS: Final = 3


def bucket_of(milliseconds: int) -> int:
    if milliseconds < _EXACT:
        return max(milliseconds, 0)
    shift = milliseconds.bit_length() - _BITS - 1
    return (shift << _BITS) + (milliseconds >> shift)


def bounds_of(bucket: int) -> tuple[int, int]:
    """The first duration in a bucket, and the first beyond it."""
    if bucket < _EXACT:
        return bucket, bucket + 1
    shift = (bucket >> _BITS) - 1
    first = (bucket - (shift << _BITS)) << shift
    return first, first + (1 << shift)


def encode_durations(counts: Mapping[int, int]) -> bytes:
    return _encode(counts)


def decode_durations(data: bytes) -> dict[int, int]:
    return _decode(data)


def add_durations(counts: dict[int, int], more: Mapping[int, int]) -> None:
    for bucket, count in more.items():
        counts[bucket] = counts.get(bucket, 0) + count


def percentiles(counts: Mapping[int, int], shares: Iterable[float]) -> list[float | None]:
    """The duration that so great a share of all is not above, between the bounds of its bucket by rank; None
    of nothing."""
    total = sum(counts.values())
    if total == 0:
        return [None for _ in shares]
    ordered = sorted(counts.items())
    return [_at(ordered, share * total) for share in shares]


def _at(ordered: list[tuple[int, int]], rank: float) -> float:
    below = 0
    for bucket, count in ordered:
        if below + count >= rank:
            first, beyond = bounds_of(bucket)
            if beyond - first == 1:
                return float(first)
            return first + (beyond - first) * (rank - below) / count
        below += count
    return float(bounds_of(ordered[-1][0])[1])
