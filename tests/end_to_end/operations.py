"""Operations on a real cluster, as an operator asks for them."""

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import aiohttp

from tests.nodes import RunningCluster, RunningNode, free_ports

_GONE: Final = (aiohttp.ClientError, ConnectionError, asyncio.TimeoutError)
_POLL_SECONDS: Final = 0.1


async def report(cluster: RunningCluster, number: int | None = None) -> dict[str, Any]:
    """The cluster as one of its running nodes knows it."""
    numbers = cluster.running if number is None else [number]
    timeout = aiohttp.ClientTimeout(total=2)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        for one in numbers:
            try:
                async with session.get(f"{cluster.nodes[one].monitoring}/cluster") as answer:
                    shown: dict[str, Any] = await answer.json()
                    if shown["clusterId"] is not None:
                        return shown
            except _GONE:
                continue
    return {"operation": {}, "finished": [], "groups": [], "members": [], "applicants": []}


async def until(
    cluster: RunningCluster, holds: Callable[[dict[str, Any]], bool], seconds: float = 60
) -> dict[str, Any]:
    """Wait until the cluster is as wanted."""
    deadline = time.monotonic() + seconds
    while not holds(shown := await report(cluster)):
        said = await asyncio.to_thread(cluster.said)
        assert time.monotonic() < deadline, f"not within {seconds} s: {shown}\n{said[-6000:]}"
        await asyncio.sleep(_POLL_SECONDS)
    return shown


async def begin(cluster: RunningCluster, operation: str, **fields: int) -> int:
    """Have an operation begun; its number. Asks again while the controller has no leader."""
    deadline = time.monotonic() + 20
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=12)) as session:
        while True:
            node = cluster.nodes[cluster.running[0]]
            body = {"operation": operation, **fields}
            async with session.post(f"{node.monitoring}/cluster/operations", json=body) as answer:
                told: Mapping[str, Any] = await answer.json(content_type=None)
                if answer.status == 202:
                    return int(told["number"])
            assert time.monotonic() < deadline, told
            assert "again" in told["detail"] or "introduced itself" in told["detail"], told
            await asyncio.sleep(_POLL_SECONDS)


async def ended(cluster: RunningCluster, number: int, seconds: float = 60) -> dict[str, Any]:
    """Wait until an operation has ended."""

    def holds(shown: dict[str, Any]) -> bool:
        return any(one["number"] >= number for one in shown["finished"]) and shown["operation"] is None

    return await until(cluster, holds, seconds)


async def do(cluster: RunningCluster, operation: str, **fields: int) -> dict[str, Any]:
    return await ended(cluster, await begin(cluster, operation, **fields))


async def join(cluster: RunningCluster, directory: Path, number: int) -> None:
    """Start another node on an empty disk, and have it added: it is ready once it is."""
    (port,) = free_ports(1)
    address = f"127.0.0.1:{port}"
    flags = ("--node-id", str(number), "--host", f"host-{number}", "--peer", address)
    starting = asyncio.create_task(
        asyncio.to_thread(
            RunningNode, directory, *flags, "--join", cluster.members, place=cluster.nodes[1].place
        )
    )
    try:
        await do(cluster, "add-node", node=number)
    finally:
        cluster.nodes[number] = await starting
    # Without waiting: what it leads and holds comes with time.


def where(shown: dict[str, Any], group: int) -> set[int]:
    """The nodes that a group is on, as its leader has it."""
    return {node for one in shown["groups"] if one["group"] == group for node in one["members"] or ()}
