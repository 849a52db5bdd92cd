"""The table of operations: a tree of path segments. Finding one takes as long as its path is deep."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, final
from urllib.parse import unquote

from aiohttp import web

from bpmnd.gateway.answers import Answer

Handler: TypeAlias = Callable[[web.BaseRequest, tuple[str, ...]], Awaitable[Answer]]
"""Takes the request and what stood in the path where its template has names."""


@dataclass(frozen=True, slots=True)
class Route:
    """An operation of the API; the template is written as in its description, `/jobs/{jobKey}/error`."""

    method: str
    template: str
    operation: str
    handler: Handler


class Operations(Protocol):
    """The operations of one tag."""

    def routes(self) -> Sequence[Route]: ...


@dataclass(slots=True)
class _Node:
    routes: dict[str, Route] = field(default_factory=dict[str, Route])
    named: dict[str, "_Node"] = field(default_factory=dict[str, "_Node"])
    any: "_Node | None" = None


@final
class RouteTable:
    """All operations below `/v2`."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._root = _Node()
        for route in routes:
            node = self._root
            for segment in route.template.split("/")[1:]:
                if segment.startswith("{"):
                    node.any = node.any or _Node()
                    node = node.any
                else:
                    node = node.named.setdefault(segment, _Node())
            assert route.method not in node.routes, f"two operations at {route.method} {route.template}"
            node.routes[route.method] = route

    def find(self, path: str) -> tuple[dict[str, Route], tuple[str, ...]] | None:
        """The operations at a path (as it was sent) by method, and the arguments in it."""
        segments = path.split("/")
        if len(segments) < 3 or segments[0] or segments[1] != "v2":
            return None

        node = self._root
        arguments: tuple[str, ...] = ()
        for segment in segments[2:]:
            next_node = node.named.get(segment)
            if next_node is None:
                next_node = node.any
                if next_node is None or not segment:
                    return None
                arguments = (*arguments, unquote(segment) if "%" in segment else segment)
            node = next_node
        return (node.routes, arguments) if node.routes else None


def allowed(routes: dict[str, Route]) -> str:
    """The value of `Allow`."""
    methods = {*routes, "OPTIONS"}
    if "GET" in routes:
        methods.add("HEAD")
    return ", ".join(sorted(methods))
