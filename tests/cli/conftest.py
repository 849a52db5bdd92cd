from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.commands import Commands
from tests.nodes import RunningNode


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """A real node, one for all tests of a module: each has job types and processes of its own."""
    with RunningNode(tmp_path_factory.mktemp("node") / "data") as node:
        yield node


@pytest.fixture
def bpmnd(node: RunningNode, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Commands:
    return Commands(node, tmp_path, capfd)
