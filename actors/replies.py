"""Several who wait for one outcome: a request, and the same one again before there is an answer."""

from typing import final

from bpmnd.actors.messages import Reply
from bpmnd.bpmn.outcomes import Outcome


def together(first: Reply, other: Reply) -> Reply:
    """One reply that both are told by. Those who have given up are let go of."""
    replies = first.replies if isinstance(first, _Replies) else [first]
    return _Replies([*(reply for reply in replies if not reply.done()), other])


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
