"""The monitoring port: metrics for Prometheus, and whether the node lives and is ready."""

import asyncio
from typing import Any, Final, Protocol, cast, final

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from bpmnd.actors.node import Node
from bpmnd.cluster.membership import ClusterState
from bpmnd.cluster.operations import Refused
from bpmnd.cluster_operations import NotUnderstood, cluster_report, wanted_of
from bpmnd.exporter_metrics import exporter_report
from bpmnd.history_metrics import history_report

_DECISION_SECONDS: Final = 10.0


class Figures(Protocol):
    """Metrics that are read before they are told."""

    async def refresh(self) -> None: ...


@final
class Monitoring:
    """`/metrics`, `/livez` (the event loop turns), `/readyz` (every partition has a leader in reach)."""

    def __init__(self, registry: CollectorRegistry, node: Node, figures: Figures | None = None) -> None:
        self._registry = registry
        self._node = node
        self._figures = figures
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; the port in use."""
        application = web.Application()
        application.add_routes(
            [
                web.get("/metrics", self._metrics),
                web.get("/livez", self._livez),
                web.get("/readyz", self._readyz),
                web.get("/cluster", self._cluster),
                web.get("/exporters", self._exporters),
                web.post("/cluster/operations", self._operation),
            ]
        )
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        return cast(int, self._runner.addresses[0][1])

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _cluster(self, request: web.Request) -> web.Response:
        return web.json_response(cluster_report(self._node))

    async def _exporters(self, request: web.Request) -> web.Response:
        return web.json_response(exporter_report(self._node))

    async def _operation(self, request: web.Request) -> web.Response:
        """Begin an operation: 202 with its number once group 0 has committed it, or 409 with the reason."""
        try:
            wanted = wanted_of(await request.read(), self._node.control)
        except NotUnderstood as error:
            return _problem(400, "Bad Request", str(error))
        decided: asyncio.Future[ClusterState | Refused] = asyncio.get_running_loop().create_future()

        def answer(outcome: ClusterState | Refused) -> None:
            if not decided.done():
                decided.set_result(outcome)

        self._node.control.request(wanted, answer)
        try:
            outcome = await asyncio.wait_for(decided, _DECISION_SECONDS)
        except TimeoutError:
            reason = "group 0 did not decide in time; whether the operation began is unknown"
            return _problem(503, "UNAVAILABLE", reason)
        if isinstance(outcome, Refused):
            return _problem(409, "INVALID_STATE", outcome.reason)
        operation = outcome.operation or outcome.finished[-1]
        return web.json_response({"number": operation.number, "kind": operation.kind}, status=202)

    async def _metrics(self, request: web.Request) -> web.Response:
        if self._figures is not None:
            await self._figures.refresh()
        body = generate_latest(self._registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _livez(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def _readyz(self, request: web.Request) -> web.Response:
        return web.json_response(self.readiness(), status=200 if self._node.is_ready else 503)

    def readiness(self) -> dict[str, Any]:
        """Whether clients are served, by partition, and what is not as it should be though they are."""
        known = self._node.partitions.values()
        partitions = {str(routed.id): "ready" if routed.has_leader else "starting" for routed in known}
        status = "ready" if self._node.is_ready else "starting"
        report: dict[str, Any] = {"status": status, "partitions": partitions}
        damage = {
            str(number): str(hosted.actor.mending.hidden_damage)
            for number, hosted in self._node.hosted.items()
            if hosted.actor is not None and hosted.actor.mending.hidden_damage is not None
        }
        if damage:
            report["damage"] = damage
        if self._node.history is not None:
            report["history"] = history_report(self._node.history)
        return report


def _problem(status: int, title: str, detail: str) -> web.Response:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return web.json_response(body, status=status, content_type="application/problem+json")
