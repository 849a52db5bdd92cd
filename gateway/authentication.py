"""Who the caller is. Without authentication everybody may do all."""

from collections.abc import Sequence
from typing import Final, final

import msgspec
from aiohttp import web

from bpmnd.bpmn.commands import DEFAULT_TENANT
from bpmnd.gateway.answers import Answer, ok
from bpmnd.gateway.origins import user_of
from bpmnd.gateway.routes import Route

_ANONYMOUS: Final = "anonymous"


@final
class AuthenticationOperations:
    """The operations of the tag "Authentication"."""

    def routes(self) -> Sequence[Route]:
        return (Route("GET", "/authentication/me", "getAuthentication", self.me),)

    async def me(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """The caller, with groups, roles and tenants."""
        return ok(
            msgspec.json.encode(
                {
                    "username": user_of(request) or _ANONYMOUS,
                    "displayName": None,
                    "email": None,
                    "authorizedComponents": ["*"],
                    "tenants": [{"tenantId": DEFAULT_TENANT, "name": "Default", "description": None}],
                    "groups": [],
                    "roles": [],
                    "salesPlanType": None,
                    "c8Links": {},
                    "canLogout": False,
                }
            )
        )
