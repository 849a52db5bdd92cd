"""Exporters of real nodes: whatever is killed under load, nothing is missing, and repeats can be told."""

import asyncio
from pathlib import Path

import pytest

from tests.bpmn.playground import ONE_TASK
from tests.end_to_end.exports import (
    exporter_process,
    kill_exporter,
    lines_in,
    logged,
    place_of,
    until,
    until_all_is_exported,
)
from tests.end_to_end.load import Load
from tests.nodes import Place, RunningNode

pytestmark = pytest.mark.end_to_end

TO_FILES = {"BPMND_EXPORTERS__FILES__KIND": "json-lines", "BPMND_EXPORTERS__FILES__FILE_MIB": "0.2"}


async def test_files_are_whole_after_kills_of_exporter_and_node(tmp_path: Path) -> None:
    place = Place(environment=TO_FILES | {"BPMND_LOG__SEGMENT_MIB": "1"})
    with RunningNode(tmp_path / "data", "--partitions", "2", place=place) as node:
        load = Load([node.address], "process", "work")
        await load.deploy(ONE_TASK)
        async with load.running(creators=4):
            for kill in (
                lambda: kill_exporter(node, "files"),
                node.restart,
                lambda: kill_exporter(node, "files"),
            ):
                await asyncio.sleep(0.7)
                await until(lambda: exporter_process(node, "files") != 0)
                await asyncio.to_thread(kill)
            await asyncio.sleep(0.5)
        await until_all_is_exported([node], 2)
        assert await asyncio.to_thread(node.terminate) == 0

        expected = logged(node.directory, (1, 2))
        lines = lines_in([node.directory / "exporters" / "files"])
        assert len(expected) > 1000
        assert len(lines) == len(expected), "nothing is twice in the files of one node"
        assert {place_of(line): line for line in lines} == expected
