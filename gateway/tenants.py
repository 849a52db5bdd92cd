"""Tenants. Without multi-tenancy there is one, and whoever asks for another is told so."""

from collections.abc import Sequence

from bpmnd.bpmn.commands import DEFAULT_TENANT
from bpmnd.gateway.errors import Problem, invalid_argument


def check_tenant(tenant_id: str | None, request: str) -> None:
    """The tenant of a request may be left out, or be the default one."""
    if tenant_id and tenant_id != DEFAULT_TENANT:
        raise _one_tenant_only(request, f"tenant identifier '{tenant_id}'")


def check_tenants(tenant_ids: Sequence[str] | None, request: str) -> None:
    """The same for a list of tenants."""
    if any(tenant_id != DEFAULT_TENANT for tenant_id in tenant_ids or ()):
        raise _one_tenant_only(request, f"tenant identifiers [{', '.join(tenant_ids or ())}]")


def _one_tenant_only(request: str, tenants: str) -> Problem:
    return invalid_argument(
        [f"Expected to handle request {request} with {tenants}, but multi-tenancy is disabled"]
    )
