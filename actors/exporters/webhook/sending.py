"""Messages as they go over the wire, by the conventions of https://www.standardwebhooks.com."""

import asyncio
import base64
import hashlib
import hmac
import logging
import time
from collections.abc import Mapping
from typing import Any, Final, final

import aiohttp
import msgspec

_logger = logging.getLogger(__name__)
_encode: Final = msgspec.json.Encoder().encode
_SECRET_PREFIX: Final = "whsec_"
_TRIES: Final = 4
_PAUSE_SECONDS: Final = 0.5
_REFUSED: Final = (400, 413, 422)
"""It was understood and is not wanted: it would not be the next time either."""
_SAID_MAX: Final = 200


class WebhookError(Exception):
    """A message did not arrive, as far as is known. It is to be sent again."""


def secret_of(text: str) -> bytes:
    """The key that a file holds: `whsec_` and base64, or any other text as it is."""
    text = text.strip()
    if text.startswith(_SECRET_PREFIX):
        return base64.b64decode(text.removeprefix(_SECRET_PREFIX))
    return text.encode()


def signature_of(secret: bytes, id: str, timestamp: int, body: bytes) -> str:
    """By which a receiver who has the secret knows that the message is ours, and of now."""
    signed = f"{id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()


@final
class Sender:
    """Posts messages, one after the other."""

    def __init__(self, secret: bytes | None, timeout_seconds: float) -> None:
        self._secret = secret
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout_seconds))

    async def send(self, url: str, id: str, message: Mapping[str, Any]) -> None:
        """Returns when the receiver has it, or has refused it for good.

        The `id` is the same each time that the message is sent. Raises WebhookError.
        """
        body = _encode(message)
        for left in reversed(range(_TRIES)):
            try:
                return await self._post(url, id, body)
            except (aiohttp.ClientError, TimeoutError) as error:
                failure = WebhookError(f"{url}: {error or type(error).__name__}")
            except WebhookError as error:
                failure = error
            if not left:
                raise failure
            await asyncio.sleep(_PAUSE_SECONDS * 2 ** (_TRIES - left - 1))

    async def close(self) -> None:
        await self._session.close()

    async def _post(self, url: str, id: str, body: bytes) -> None:
        timestamp = int(time.time())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": id,
            "webhook-timestamp": str(timestamp),
        }
        if self._secret is not None:
            headers["webhook-signature"] = signature_of(self._secret, id, timestamp, body)
        async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
            if 200 <= answer.status < 300:
                return
            said = (await answer.content.read(_SAID_MAX)).decode(errors="replace")
            what = f"{url} answered {answer.status} {said}".rstrip()
            if answer.status in _REFUSED:
                _logger.error("%s does not want message %s, which is not sent again: %s", url, id, what)
                return
            raise WebhookError(what)
