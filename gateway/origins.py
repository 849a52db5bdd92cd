"""Where a command comes from, as far as its frame is to tell: who asks, and what the client calls it.

There is no authentication here yet. A proxy in front that has authenticated the caller can say who it is, in
a header that the operator names.
"""

from typing import Final

import msgspec
from aiohttp import web

from bpmnd.bpmn.commands import NO_ORIGIN, Attributed, Origin, RepeatableCommand
from bpmnd.gateway.errors import bad_request

USER_LENGTH_MAX: Final = 256
_USER: Final = web.RequestKey("bpmnd.user", str)


def origin_of(operation_reference: int | None) -> Origin:
    """`operation_reference` was checked before."""
    return NO_ORIGIN if operation_reference is None else Origin(operation_reference)


def note_user(request: web.BaseRequest, header: str) -> None:
    """Have at hand who asks, as a proxy says it. Raises Problem for what is no name."""
    names = request.headers.getall(header, [])
    if not names or names == [""]:
        return
    if len(names) > 1 or len(names[0]) > USER_LENGTH_MAX or not names[0].isprintable():
        raise bad_request(
            f"Expected the header '{header}' once, with 1 to {USER_LENGTH_MAX} printable characters."
        )
    request[_USER] = names[0]


def user_of(request: web.BaseRequest) -> str:
    """Who asks; empty if that is not known."""
    if not len(request):  # Nothing was noted of it: this costs a tenth of asking for it.
        return ""
    user = request.get(_USER)
    return user if isinstance(user, str) else ""


def attributed(request: web.BaseRequest, command: RepeatableCommand) -> RepeatableCommand:
    """The command with who has asked for it, if it is one of those that tell."""
    if not isinstance(command, Attributed):
        return command
    user = user_of(request)
    if not user:
        return command
    return msgspec.structs.replace(command, origin=msgspec.structs.replace(command.origin, user=user))
