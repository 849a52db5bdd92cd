"""The monitoring port: metrics for Prometheus, and whether the node lives and is ready."""

from typing import cast, final

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from bpmnd.actors.node import Node


@final
class Monitoring:
    """`/metrics`, `/livez` (the event loop turns), `/readyz` (every partition has a leader in reach)."""

    def __init__(self, registry: CollectorRegistry, node: Node) -> None:
        self._registry = registry
        self._node = node
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; the port in use."""
        application = web.Application()
        application.add_routes(
            [
                web.get("/metrics", self._metrics),
                web.get("/livez", self._livez),
                web.get("/readyz", self._readyz),
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

    async def _metrics(self, request: web.Request) -> web.Response:
        body = generate_latest(self._registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _livez(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def _readyz(self, request: web.Request) -> web.Response:
        known = self._node.partitions.values()
        partitions = {str(routed.id): "ready" if routed.has_leader else "starting" for routed in known}
        ready = self._node.is_ready
        return web.json_response(
            {"status": "ready" if ready else "starting", "partitions": partitions},
            status=200 if ready else 503,
        )
