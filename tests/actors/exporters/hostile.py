"""An exporter that does whatever none should do, for a process to be made of. Named as `module:Class`."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bpmnd.exporters import Record, Source


class Hostile:
    """Prints always. At first it raises, then it goes on when it is cancelled, then it blocks its process;
    after that it notes in a file what it is given."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._directory = Path(settings["directory"])
        self._source: Source | None = None

    async def open(self, source: Source) -> None:
        print("noise where the node's messages are", flush=True)
        self._source = source

    async def export(self, records: Sequence[Record]) -> None:
        assert self._source is not None, "it is opened first"
        if self._is_first("raised"):
            self._note(records)
            raise RuntimeError("it has taken all, and says nothing of it")
        if self._is_first("deaf"):
            while True:
                try:
                    await asyncio.sleep(3600)
                except asyncio.CancelledError:
                    continue
        if self._is_first("blocking"):
            time.sleep(3600)  # noqa: ASYNC251 - that is what it is for
        self._note(records)
        self._source.acknowledge(records[-1].position[0])

    async def close(self) -> None:
        print("noise at the end", flush=True)

    def _is_first(self, what: str) -> bool:
        path = self._directory / what
        if path.exists():
            return False
        path.touch()
        return True

    def _note(self, records: Sequence[Record]) -> None:
        with (self._directory / "noted").open("a") as file:
            for record in records:
                entry, number = record.position
                file.write(f"{entry} {number}\n")
