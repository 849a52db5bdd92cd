"""The pace of Raft's time, the same for all groups of a node."""

from typing import Final

TICK_SECONDS: Final = 0.1


def until_next_tick(now: float, member: int) -> float:
    """Seconds until the next tick of a member.

    All groups of a node tick at once, so that what they say to another node leaves in one message; nodes tick
    at different moments, which their random incarnations choose, so that they do not all campaign at once.
    """
    phase = member % 100 / 100 * TICK_SECONDS
    delay = TICK_SECONDS - (now - phase) % TICK_SECONDS
    return delay if delay > TICK_SECONDS / 2 else delay + TICK_SECONDS
