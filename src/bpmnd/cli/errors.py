"""Why a command failed, in words for whoever typed it."""

from typing import final


@final
class CommandError(Exception):
    """Ends the command with a message on stderr."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status
