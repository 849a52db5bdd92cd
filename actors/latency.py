"""How long a command takes to be committed, measured, and what that says about taking more."""

from typing import Final, final

_WEIGHT: Final = 0.1


@final
class CommitLatency:
    """New work is refused while it would probably wait longer than `limit` seconds."""

    __slots__ = ("_limit", "commit_seconds", "seconds_per_command")

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self.commit_seconds = 0.0
        """From the decision of a frame's first command to its commit, smoothed."""
        self.seconds_per_command = 0.0
        """What a command takes of the partition's time, smoothed."""

    def committed(self, seconds: float) -> None:
        self.commit_seconds += _WEIGHT * (seconds - self.commit_seconds)

    def decided(self, commands: int, seconds: float) -> None:
        self.seconds_per_command += _WEIGHT * (seconds / commands - self.seconds_per_command)

    def expected(self, queued: int) -> float:
        """Seconds until a command that is handed in now is committed."""
        return self.commit_seconds + queued * self.seconds_per_command

    def is_too_long(self, queued: int) -> bool:
        return self.expected(queued) > self._limit
