"""The process of an exporter, as its node has it."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from bpmnd.actors.beside.process import ChildProcess
from bpmnd.actors.exporters.pipe import (
    Configure,
    Exported,
    Failing,
    Follow,
    FromExporter,
    decode_from_exporter,
)
from bpmnd.actors.exporters.worker import worker_command
from bpmnd.storage.disk import RealDisk
from tests.actors.exporters.deliveries import Written
from tests.judged import JUDGE

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(not JUDGE, reason="BPMND_JUDGE=1 starts three processes for it"),
]


class Node:
    """What a node does for its exporter, but that it keeps no position."""

    def __init__(self, directory: Path) -> None:
        self.written = Written(RealDisk(), directory / "partitions" / "1")
        self.directory = directory
        self.said: list[FromExporter] = []
        self.process = ChildProcess("the exporter", worker_command("it"), self._began, self._heard)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not holds():  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.02)

    async def until_all_is_exported(self) -> None:
        last = self.written.log.last_index
        await self.until(lambda: any(isinstance(said, Exported) and said.at == last for said in self.said))

    def noted(self) -> set[tuple[int, ...]]:
        lines = (self.directory / "noted").read_text().splitlines()
        return {tuple(map(int, line.split())) for line in lines}

    def _began(self) -> None:
        settings = {"directory": str(self.directory)}
        factory = "tests.actors.exporters.hostile:Hostile"
        self.process.send(Configure(str(self.directory), "it", factory, settings, (), 10, 0.3))
        at = self.written.log.synced
        self.process.send(Follow(1, at.index, at.term, at.hash, True, 0, 0))

    def _heard(self, message: bytes) -> None:
        self.said.append(decode_from_exporter(message))


async def test_whatever_an_exporter_does_all_arrives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    node = Node(tmp_path)
    node.written.create(30)
    node.process.start()

    await node.until((tmp_path / "blocking").exists)
    assert node.process.restarts == 1, "the one that goes on when it is cancelled has ended its process"
    node.process.kill()  # As the node does with one that is silent.
    await node.until_all_is_exported()

    assert node.process.restarts == 2
    assert Failing(1, "it has taken all, and says nothing of it") in node.said
    assert node.noted() == {record.position for record in node.written.records()}
    await node.process.stop()
    node.written.log.close()
