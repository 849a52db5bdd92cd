"""What a node and the process of an exporter say to each other."""

from typing import Any, Final, TypeAlias

import msgspec


class Configure(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """Who you are. Comes first, and once."""

    data_directory: str
    name: str
    factory: str
    """`module:Class`."""
    settings: dict[str, Any]
    value_types: tuple[str, ...]
    """Empty: all."""
    batch_records: int
    seconds_max: float
    """So long `export` may take."""


class Follow(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """All of a partition up to an entry is committed, and on disk here."""

    partition: int
    index: int
    term: int
    hash: bytes
    leads: bool
    """Whether this node is the one that exports."""
    position: int
    """The last entry that the exporter has acknowledged, as the partition knows it,"""
    mark: int
    """and its mark."""


class Drop(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """There is no replica of the partition here any more."""

    partition: int


class Exported(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """How far a partition is that is led here."""

    partition: int
    at: int
    """Nothing up to there waits to be exported, or to be acknowledged."""
    position: int
    """What was acknowledged,"""
    mark: int
    records: int
    """and how many records since the process began."""


class Failing(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """A partition does not go on; it is tried again."""

    partition: int
    reason: str


class Recovered(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """It goes on."""

    partition: int


class Gap(msgspec.Struct, frozen=True, array_like=True, tag=4):
    """The entries after one up to another are not kept any more; it goes on after them."""

    partition: int
    after: int
    to: int


class Alive(msgspec.Struct, frozen=True, array_like=True, tag=5):
    """Said every second."""


ToExporter: TypeAlias = Configure | Follow | Drop
FromExporter: TypeAlias = Exported | Failing | Recovered | Gap | Alive

decode_to_exporter: Final = msgspec.msgpack.Decoder(ToExporter).decode
decode_from_exporter: Final = msgspec.msgpack.Decoder(FromExporter).decode
