"""The bounds and the pace of the transport."""

from dataclasses import dataclass
from typing import final

from bpmnd.cluster.frames import ENTRY_SIZE


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TransportSettings:
    item_size_max: int = 64 << 20
    """Of a bulk item; one for the control lane must fit into a message."""
    message_size_max: int = 1 << 20
    """Of the items in one websocket message. What does not fit into it is continued in the next."""
    control_queue_size_max: int = 4 << 20
    bulk_queue_size_max: int = 72 << 20
    connections_max: int = 1024
    """Accepted at a time, those of strangers included."""

    pace_seconds: float = 0.002
    """Between two messages to a peer. To send and to receive one costs more than most of what is in them."""
    pause_min_seconds: float = 0.05
    pause_max_seconds: float = 1.0
    """Before a node that could not be reached is tried again: doubled each time, with jitter."""
    handshake_seconds_max: float = 3.0
    silence_seconds_max: float = 3.0
    """Of a peer. Each gives a sign of life after a third of it, and is asked for one after two thirds."""
    close_seconds_max: float = 1.0
    """For a peer to take what is queued and to say goodbye when the transport stops."""

    def __post_init__(self) -> None:
        if self.bulk_queue_size_max < self.item_size_max + ENTRY_SIZE:
            raise ValueError("the bulk queue cannot hold the largest item")
        if self.message_size_max < 64:
            raise ValueError("a message is too small to carry anything")
