"""Keys: 64-bit numbers that name everything, with the partition in the bits above 51 (as Zeebe has them)."""

PARTITION_SHIFT = 51


def first_key(partition_id: int) -> int:
    """The key just below the first one that the partition gives out."""
    return partition_id << PARTITION_SHIFT


def partition_of(key: int) -> int:
    return key >> PARTITION_SHIFT
