"""What exporters of real nodes have brought to somewhere, compared with the log."""

import asyncio
import json
import os
import signal
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bpmnd.actors.exporters.reading import records_in
from bpmnd.storage.disk import RealDisk
from tests.actors.exporters.deliveries import BOOKKEEPING
from tests.nodes import RunningNode
from tests.postgresql import PostgresqlServer

Place = tuple[int, int, int]
"""Partition, entry, number."""


def exporter_process(node: RunningNode, name: str) -> int:
    """The process id of an exporter of the node; 0 while there is none."""
    children = Path(f"/proc/{node.pid}/task/{node.pid}/children").read_text().split()
    for child in map(int, children):
        try:
            command = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
        except FileNotFoundError:
            continue
        if b"bpmnd.exporter" in command and name.encode() in command:
            return child
    return 0


def kill_exporter(node: RunningNode, name: str) -> bool:
    """Whether there was one to be killed."""
    process = exporter_process(node, name)
    if process:
        os.kill(process, signal.SIGKILL)
    return bool(process)


def exporters_of(node: RunningNode) -> list[dict[str, Any]]:
    """As the node tells of them."""
    with urllib.request.urlopen(f"{node.monitoring}/exporters", timeout=5) as answer:
        report: list[dict[str, Any]] = json.load(answer)
        return report


async def until_all_is_exported(nodes: Iterable[RunningNode], partitions: int, seconds: float = 60) -> None:
    """Wait until every partition is led somewhere, and its exporters have all that is committed."""
    nodes = list(nodes)

    def is_done() -> bool:
        try:
            reports = [report for node in nodes if node.runs for report in exporters_of(node)]
        except OSError:
            return False
        led = {report["partitionId"] for report in reports}
        return len(led) == partitions and not any(report["behindEntries"] for report in reports)

    await until(is_done, seconds)


async def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(holds):  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.05)


def logged(directory: Path, partitions: Iterable[int]) -> dict[Place, dict[str, Any]]:
    """All records of a stopped node that exporters get, as readers see them."""
    import msgspec

    found: dict[Place, dict[str, Any]] = {}
    for partition in partitions:
        files = directory / "partitions" / str(partition)
        for record in records_in(RealDisk(), files, partition, running=False):
            if (record.value_type, record.intent) not in BOOKKEEPING:
                found[partition, *record.position] = json.loads(msgspec.json.encode(record))
    return found


def so_far(expected: dict[Place, dict[str, Any]], arrived: Iterable[Place]) -> dict[Place, dict[str, Any]]:
    """What is expected up to the last that has arrived of each partition. What a node writes while it stops,
    once all was exported, arrives when it runs again."""
    reached: dict[int, Place] = {}
    for place in arrived:
        reached[place[0]] = max(place, reached.get(place[0], place))
    return {place: record for place, record in expected.items() if place <= reached.get(place[0], (0, 0, 0))}


def lines_in(directories: Sequence[Path]) -> list[dict[str, Any]]:
    """What is in JSON lines files, file after file."""
    return [
        json.loads(line)
        for directory in directories
        for path in sorted(directory.glob("*.jsonl"))
        for line in path.read_bytes().splitlines()
    ]


def place_of(line: dict[str, Any]) -> Place:
    return line["partitionId"], *line["position"]


async def rows_in(server: PostgresqlServer) -> dict[Place, Any]:
    """All records in the database. What is there twice, its key does not allow."""
    engine = create_async_engine(server.url.replace("postgresql", "postgresql+asyncpg"))
    async with engine.connect() as connection:
        found = await connection.execute(text("SELECT partition, entry, number, value FROM bpmnd.records"))
        rows = {(row[0], row[1], row[2]): row[3] for row in found}
    await engine.dispose()
    return rows
