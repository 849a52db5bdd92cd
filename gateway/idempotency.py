"""`Idempotency-Key`: a request that is done once, however often it is sent.

The key names a request within its scope: tenant, principal and operation. The hash of the whole request tells
whether it is the same that has come before.
"""

import hashlib
import re
from collections.abc import Iterable
from typing import Final

from aiohttp import web
from multidict import istr

from bpmnd.bpmn.commands import DEFAULT_TENANT, CommandId, DoOnce, RepeatableCommand
from bpmnd.gateway.errors import bad_request
from bpmnd.gateway.origins import attributed, user_of

IDEMPOTENCY_KEY: Final = istr("Idempotency-Key")
_DIGEST: Final = web.RequestKey("bpmnd.digest", bytes)
_KEY: Final = re.compile(r"[!-~]{1,255}", re.ASCII)


def note_content(request: web.BaseRequest, pieces: Iterable[bytes]) -> None:
    """Have what the request says at hand as a hash, if it has a key."""
    if IDEMPOTENCY_KEY in request.headers:
        path = request.raw_path.partition("?")[0]
        digest = hashlib.sha256()
        for piece in (request.method.encode(), path.encode("utf-8", "surrogateescape"), *pieces):
            digest.update(len(piece).to_bytes(8, "big"))
            digest.update(piece)
        request[_DIGEST] = digest.digest()


def with_id(request: web.BaseRequest, command: RepeatableCommand) -> RepeatableCommand | DoOnce:
    """The command that a request asks for, with who asks, and by its key to be done once. Its content was
    noted before."""
    command = attributed(request, command)
    if IDEMPOTENCY_KEY not in request.headers:
        return command
    keys = request.headers.getall(IDEMPOTENCY_KEY)
    if len(keys) != 1 or _KEY.fullmatch(keys[0]) is None:
        raise bad_request(
            "Expected the header 'Idempotency-Key' once, with 1 to 255 visible ASCII characters."
        )
    scope = "\n".join((DEFAULT_TENANT, user_of(request), type(command).__name__))
    return DoOnce(CommandId(scope, keys[0], request[_DIGEST]), command)
