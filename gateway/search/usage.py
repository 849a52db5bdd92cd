"""Usage in a span of time: root process instances, decisions, and who was given tasks."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final, final

import msgspec
from aiohttp import web

from bpmnd.actors.history.names import SUBJECT_KIND
from bpmnd.actors.history.queries import Report
from bpmnd.gateway.answers import Answer
from bpmnd.gateway.errors import bad_request
from bpmnd.gateway.routes import Route
from bpmnd.gateway.search.searching import Item, Searches, item_answer
from bpmnd.gateway.search.spans import required_span

_INSTANCE: Final = SUBJECT_KIND["INSTANCE_CREATED"]
_DECISION: Final = SUBJECT_KIND["DECISION_EVALUATED"]
_ASSIGNED: Final = SUBJECT_KIND["TASK_ASSIGNED"]
_names: Final = msgspec.json.Decoder(tuple[str, ...]).decode


@final
class UsageReads:
    """The usage metrics of the tag "System"."""

    def __init__(self, searches: Searches) -> None:
        self._searches = searches

    def routes(self) -> Sequence[Route]:
        return (Route("GET", "/system/usage-metrics", "getUsageMetrics", self.get),)

    async def get(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        start, end = required_span(request, "startTime", "endTime")
        with_tenants = request.query.get("withTenants", "false").lower()
        if with_tenants not in ("true", "false"):
            raise bad_request(f"Failed to convert 'withTenants' with value: '{with_tenants}'")
        tenant_id = request.query.get("tenantId", "")
        counts: defaultdict[str, Counter[int]] = defaultdict(Counter)
        assignees: defaultdict[str, set[str]] = defaultdict(set)
        report = Report("tallies", (start, end + 1, tenant_id, _INSTANCE, _DECISION, _ASSIGNED))
        for rows in await self._searches.report(report):
            for kind, names, count, _ in rows:
                tenant, *others = _names(str(names))
                counts[tenant][int(kind or 0)] += int(count or 0)
                assignees[tenant].update(others)
        tenants = {tenant: _usage(some, assignees[tenant]) for tenant, some in sorted(counts.items())}
        total: Counter[int] = Counter()
        for some in counts.values():
            total.update(some)
        item = _usage(total, set[str]().union(*assignees.values()))
        item |= {"activeTenants": len(tenants), "tenants": tenants if with_tenants == "true" else {}}
        return item_answer(item)


def _usage(counts: Counter[int], assignees: set[str]) -> Item:
    return {
        "processInstances": counts[_INSTANCE],
        "decisionInstances": counts[_DECISION],
        "assignees": len(assignees),
    }
