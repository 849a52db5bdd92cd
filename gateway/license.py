"""The licence, as clients of Camunda ask for it: there is none to check."""

from collections.abc import Sequence
from typing import final

from aiohttp import web

from bpmnd.gateway.answers import Answer, ok
from bpmnd.gateway.routes import Route

_LICENSE = b'{"validLicense":false,"licenseType":"unknown","isCommercial":false,"expiresAt":null}'


@final
class LicenseOperations:
    """The operations of the tag "License"."""

    def routes(self) -> Sequence[Route]:
        return (Route("GET", "/license", "getLicense", self.get),)

    async def get(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """What Zeebe answers when it has none."""
        return ok(_LICENSE)
