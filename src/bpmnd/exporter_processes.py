"""The exporters of a node, each with its process."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import final

from bpmnd.actors.beside.process import ChildProcess
from bpmnd.actors.clock import LoopScheduler, SystemClock
from bpmnd.actors.exporters.pipe import decode_from_exporter
from bpmnd.actors.exporters.service import ExporterOnNode
from bpmnd.actors.exporters.worker import worker_command
from bpmnd.actors.node import Node
from bpmnd.exporter_config import ExporterConfig, spec_of


@final
class ExporterProcesses:
    """Started and stopped with the node."""

    def __init__(
        self,
        exporters: Mapping[str, ExporterConfig],
        directory: Path,
        node: Node,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._all = [_made(name, config, directory, node, loop) for name, config in exporters.items()]
        node.exporters = [exporter for exporter, _ in self._all]

    def start(self) -> None:
        for exporter, process in self._all:
            process.start()
            exporter.start()

    async def stop(self) -> None:
        for exporter, _ in self._all:
            exporter.stop()
        await asyncio.gather(*(process.stop() for _, process in self._all))


def _made(
    name: str, config: ExporterConfig, directory: Path, node: Node, loop: asyncio.AbstractEventLoop
) -> tuple[ExporterOnNode, ChildProcess]:
    process = ChildProcess(
        f"the process of exporter {name}",
        worker_command(name),
        lambda: exporter.began(),
        lambda message: exporter.heard(decode_from_exporter(message)),
    )
    exporter = ExporterOnNode(
        spec_of(name, config), directory, node.hosted, LoopScheduler(loop), SystemClock(), process
    )
    return exporter, process
