"""Who waits for an outcome, if not a client's future: several for the same one, or a part of the node."""

from collections.abc import Callable
from typing import final

from bpmnd.actors.messages import Reply
from bpmnd.bpmn.outcomes import Outcome


def together(first: Reply, other: Reply) -> Reply:
    """One reply that both are told by. Those who have given up are let go of."""
    replies = first.replies if isinstance(first, _Replies) else [first]
    return _Replies([*(reply for reply in replies if not reply.done()), other])


@final
class Confirmation:
    """Who wants to know that the leadership went on; `then` is told once."""

    __slots__ = ("_then",)

    def __init__(self, then: Callable[[bool], None]) -> None:
        self._then: Callable[[bool], None] | None = then

    def done(self) -> bool:
        return self._then is None

    def set_result(self, outcome: Outcome, /) -> None:
        self._tell(True)

    def set_exception(self, error: Exception, /) -> None:
        self._tell(False)

    def _tell(self, leads: bool) -> None:
        then, self._then = self._then, None
        if then is not None:
            then(leads)


@final
class _Replies:
    __slots__ = ("replies",)

    def __init__(self, replies: list[Reply]) -> None:
        self.replies = replies

    def done(self) -> bool:
        return all(reply.done() for reply in self.replies)

    def set_result(self, outcome: Outcome, /) -> None:
        for reply in self.replies:
            if not reply.done():
                reply.set_result(outcome)

    def set_exception(self, error: Exception, /) -> None:
        for reply in self.replies:
            if not reply.done():
                reply.set_exception(error)
