"""`bpmnd top` against a real node: as text, and in a terminal."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from bpmnd.cli.top_view import span, table, view
from tests.cli.commands import Commands
from tests.nodes import Place, RunningNode

SECONDS_MAX = 60.0


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    place = Place(environment={"BPMND_HISTORY__ENABLED": "true"})
    with RunningNode(tmp_path_factory.mktemp("node") / "data", place=place) as node:
        yield node


@pytest.mark.end_to_end
def test_elsewhere_than_in_a_terminal_it_prints_what_there_is_and_ends(bpmnd: Commands) -> None:
    bpmnd.deploy("shown")
    bpmnd.start("shown")

    said = bpmnd.ask("top", "--monitoring", bpmnd.node.monitoring)

    assert (said.status, "\x1b" in said.out) == (0, False), said
    lines = [line.split() for line in said.out.splitlines()]
    assert ["shown", "1", "1", "0", "1", "0"] in [line[:6] for line in lines], "the definition"
    assert ["task", "shown", "1", "1", "0", "1", "0", "0"] in [line[:8] for line in lines], "its element"
    assert ["shown", "1", "0", "0", "0", "0", "0", "none"] in lines, "the type of its job"
    assert ["1", "0", "leader", "healthy"] in [line[:4] for line in lines], "the partition"


@pytest.mark.end_to_end
def test_open_incidents_are_counted_by_their_message(bpmnd: Commands) -> None:
    bpmnd.deploy("failing")
    bpmnd.start("failing")
    for _ in range(2):
        bpmnd.work("failing", "echo out of paper >&2; exit 1")

    said = bpmnd.ask("top", "--monitoring", bpmnd.node.monitoring, "--sort", "incidents")
    assert "out of paper" in said.out
    (row, *_) = [line.split() for line in said.out.splitlines() if line.startswith("failing")]
    assert row[:4] == ["failing", "1", "1", "1"]

    summary = bpmnd.ask("status", "--monitoring", bpmnd.node.monitoring, "--json").json()
    assert (summary["withIncident"], summary["openIncidents"]) == (1, {"JOB_NO_RETRIES": 1})
    assert summary["inFlight"] >= 1
    told = bpmnd.ask("status", "--monitoring", bpmnd.node.monitoring)
    assert "1 open incidents: JOB_NO_RETRIES" in told.out


@pytest.mark.end_to_end
def test_in_a_terminal_it_draws_until_q_is_pressed_and_leaves_it_as_it_was(node: RunningNode) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "bpmnd", "top", "--interval", "60", "--address", node.address]
    command += ["--monitoring", node.monitoring]
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 60, 160, 0, 0))
    before = termios.tcgetattr(theirs)
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs)
    try:
        drawn = _read_until(ours, b"PARTITION")
        os.write(ours, b"n")  # Another order: it is drawn anew at once.
        drawn += _read_until(ours, b"PARTITION")
        os.write(ours, b"q")
        drawn += _read_until(ours, b"\x1b[?1049l")
        assert process.wait(SECONDS_MAX) == 0
        assert termios.tcgetattr(theirs) == before
    finally:
        process.kill()
        process.wait()
        os.close(theirs)
        os.close(ours)
    assert drawn.startswith(b"\x1b[?1049h")
    assert drawn.count(b"bpmnd top") == 2


@pytest.mark.end_to_end
def test_without_a_node_it_says_so_and_fails(bpmnd: Commands) -> None:
    said = bpmnd("top", "--address", "127.0.0.1:9")
    assert (said.status, "cannot be reached" in said.err) == (1, True)


def _read_until(descriptor: int, wanted: bytes) -> bytes:
    read, deadline = b"", time.monotonic() + SECONDS_MAX
    while wanted not in read:
        assert time.monotonic() < deadline, read
        if select.select([descriptor], [], [], 1.0)[0]:
            read += os.read(descriptor, 1 << 16)
    return read


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (None, "-"),
        (7, "7 ms"),
        (1500, "1.5 s"),
        (119_000, "119.0 s"),
        (150_000, "2.5 min"),
        (2 * 86_400_000, "2.0 d"),
    ],
)
def test_spans_are_short(milliseconds: float | None, text: str) -> None:
    assert span(milliseconds) == text


def test_numbers_stand_at_the_right_and_names_move_no_cursor() -> None:
    assert table([("NAME", "N"), ("a\x1b[2J", 5), ("b", 1000)]) == [
        "NAME      N",
        "a·[2J     5",
        "b      1000",
    ]


def _definition(name: str, active: int, p95: float | None) -> dict[str, Any]:
    durations = {"p50": None, "p95": p95}
    return {
        "processDefinitionId": name,
        "processDefinitionVersion": 1,
        "active": active,
        "activeWithIncident": 0,
        "oldestActiveSince": "2026-01-01T00:00:00.000Z" if active else None,
        "window": {
            "started": 0,
            "completed": 0,
            "terminated": 0,
            "completedPerSecond": 0.5,
            "durationMs": durations,
        },
    }


@pytest.mark.parametrize(
    ("sort", "order"),
    [("active", ["b", "a", "c"]), ("duration", ["c", "a", "b"]), ("name", ["a", "b", "c"])],
)
def test_definitions_stand_in_the_order_that_was_asked_for(sort: str, order: list[str]) -> None:
    facts: dict[str, Any] = {
        "now": datetime(2026, 1, 1, 1, tzinfo=UTC),
        "minutes": 5,
        "definitions": [_definition("a", 1, 5.0), _definition("b", 2, None), _definition("c", 0, 9.0)],
        "elements": [],
        "jobTypes": [],
        "errors": [],
        "topology": {"brokers": []},
        "history": {},
    }
    lines = view(facts, sort)
    assert "in flight 3" in lines[0]
    assert [line.split()[0] for line in lines[3:6]] == order
    assert any("60.0 min" in line for line in lines), "so long the oldest is there"
