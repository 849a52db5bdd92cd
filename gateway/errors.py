"""Problems: every error answer is `application/problem+json` with all five fields."""

from http import HTTPStatus
from typing import assert_never, final

import msgspec

from bpmnd.actors.errors import NoLeader, Refused, Unavailable
from bpmnd.bpmn.outcomes import Outcome, Rejected, RejectionType
from bpmnd.gateway.answers import PROBLEM_JSON, Answer, answer

_DETAIL_LENGTH_MAX = 8 * 1024
_RETRY_AFTER = ("Retry-After", "1")
"""In seconds: about as long as it takes to work off a full mailbox, or to have a new leader."""


@final
class Problem(Exception):  # noqa: N818  it is the word of RFC 9457
    """What is wrong with a request, or with us; ends the request."""

    def __init__(
        self, status: int, title: str, detail: str, *headers: tuple[str, str], closes: bool = False
    ) -> None:
        super().__init__(status, title, detail)
        self.status = status
        self.title = title
        self.detail = detail
        self.headers = headers
        self.closes = closes
        """Whether the connection ends with the answer: the rest of the request will not be read."""

    def answer(self, instance: str) -> Answer:
        """The answer to the request of that path."""
        body = _ProblemBody(
            title=self.title,
            status=self.status,
            detail=_printable(self.detail),
            instance=_printable(instance),
        )
        made = answer(self.status, msgspec.json.encode(body), PROBLEM_JSON, *self.headers)
        return made.closing() if self.closes else made


class _ProblemBody(msgspec.Struct, frozen=True):
    title: str
    status: int
    detail: str
    instance: str
    type: str = "about:blank"


def bad_request(detail: str) -> Problem:
    """The request cannot be read."""
    return Problem(400, "Bad Request", detail)


def invalid_argument(complaints: list[str]) -> Problem:
    """The request can be read, but not accepted."""
    return Problem(400, "INVALID_ARGUMENT", " ".join(complaints))


def not_found(command: str, reason: str) -> Problem:
    """What the command is about cannot exist. Reads as if the engine had looked for it."""
    return rejected(command, Rejected(RejectionType.NOT_FOUND, reason))


def rejected(command: str, rejection: Rejected) -> Problem:
    """The engine refused the command and changed nothing."""
    detail = f"Command '{command}' rejected with code '{rejection.type}': {rejection.reason}"
    return Problem(_status_of(rejection.type), str(rejection.type), detail)


def unexpected(command: str, outcome: Outcome) -> Problem:
    """The engine did not do as it was asked."""
    if isinstance(outcome, Rejected):
        return rejected(command, outcome)
    raise AssertionError(f"{command} was answered with {type(outcome).__name__}")


def unavailable(error: Unavailable) -> Problem:
    """No partition took the command, or none can say what became of it."""
    if isinstance(error, Refused):
        detail = str(error) or "Expected to handle the request, but the partition is overloaded"
        return Problem(
            503, "RESOURCE_EXHAUSTED", f"{detail}. Nothing was done; try again later.", _RETRY_AFTER
        )
    detail = (
        str(error) or "Expected to handle the request, but its partition has no leader that can be reached"
    )
    if isinstance(error, NoLeader):
        return Problem(503, "UNAVAILABLE", detail, _RETRY_AFTER)
    return Problem(503, "UNAVAILABLE", detail)


def timed_out(detail: str) -> Problem:
    """The engine did not answer in time."""
    return Problem(504, HTTPStatus.GATEWAY_TIMEOUT.phrase, detail)


def internal_error() -> Problem:
    """A bug of ours. The log has the traceback, the client need not."""
    return Problem(
        500, HTTPStatus.INTERNAL_SERVER_ERROR.phrase, "An unexpected error occurred; see the server's log."
    )


def _status_of(rejection: RejectionType) -> int:
    match rejection:
        case RejectionType.INVALID_ARGUMENT | RejectionType.EXCEEDED_BATCH_RECORD_SIZE:
            return 400
        case RejectionType.NOT_FOUND:
            return 404
        case RejectionType.ALREADY_EXISTS | RejectionType.INVALID_STATE:
            return 409
        case RejectionType.IDEMPOTENCY_KEY_REUSED:
            return 422
        case RejectionType.PROCESSING_ERROR:
            return 500
        case _:
            assert_never(rejection)


def _printable(text: str) -> str:
    """What quotes the request may be very long, and hold what JSON cannot."""
    cut = text if len(text) <= _DETAIL_LENGTH_MAX else text[:_DETAIL_LENGTH_MAX] + "…"
    return cut.encode("utf-8", "replace").decode()
