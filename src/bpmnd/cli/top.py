"""`bpmnd top`: what runs, where it hangs and how long it takes, again and again."""

import argparse
import asyncio
import os
import shutil
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from bpmnd.cli.settings import MONITORING, Commands, add_address

if TYPE_CHECKING:
    from bpmnd.cli.client import Client

SORTS: Final = {"a": "active", "i": "incidents", "t": "throughput", "d": "duration", "n": "name"}
"""Key -> order of the definitions."""
_DEFINITIONS_MAX: Final = 50
_LOOKED_INTO_MAX: Final = 3
"""So many definitions are shown with their elements."""


def add_to(commands: Commands) -> None:
    parser = commands.add_parser(
        "top",
        help="what runs, where it hangs and how long it takes, live",
        description="Definitions, elements, job types, workers, incidents and partitions, live in a terminal."
        " Keys: q ends; a, i, t, d, n sort by active, incidents, throughput, duration, name. Without a"
        " terminal it prints once, or --count times.",
    )
    add_address(parser)
    parser.add_argument(
        "--monitoring", default=MONITORING, metavar="URL", help=f"monitoring address (default {MONITORING})"
    )
    parser.add_argument("--interval", type=float, default=2.0, metavar="SECONDS", help="between two looks")
    parser.add_argument("--minutes", type=int, default=5, metavar="N", help="the span that is looked back")
    parser.add_argument("--count", type=int, metavar="N", help="end after so many looks")
    parser.add_argument("--sort", choices=SORTS.values(), default="active", help="order of the definitions")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from bpmnd.cli.client import ask

    return ask(_watch(options))


async def _watch(options: argparse.Namespace) -> int:
    from bpmnd.cli.client import Client

    is_live = sys.stdout.isatty() and sys.stdin.isatty()
    left = options.count if options.count is not None else 0 if is_live else 1
    async with Client(options.address) as client, Client(options.monitoring) as monitoring:
        if not is_live:
            await _print_plain(client, monitoring, options, left)
            return 0
        with _raw_terminal():
            await _show_live(client, monitoring, options, left)
    return 0


async def _print_plain(
    client: "Client", monitoring: "Client", options: argparse.Namespace, left: int
) -> None:
    from bpmnd.cli.top_view import view

    while True:
        facts = await look(client, monitoring, options.minutes)
        print("\n".join(view(facts, options.sort)), flush=True)
        left -= 1
        if left <= 0:
            return
        print()
        await asyncio.sleep(options.interval)


async def _show_live(client: "Client", monitoring: "Client", options: argparse.Namespace, left: int) -> None:
    from bpmnd.cli.client import ProblemError, UnreachableError
    from bpmnd.cli.top_view import view

    sort: str = options.sort
    lines: list[str] = []
    pressed: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin, lambda: pressed.put_nowait(os.read(sys.stdin.fileno(), 1).decode("latin-1")))
    facts: dict[str, Any] = {}
    try:
        while True:
            try:
                facts = await look(client, monitoring, options.minutes)
                lines = view(facts, sort)
            except (ProblemError, UnreachableError) as error:
                lines = [f"{error}", "", *view(facts, sort)] if facts else [f"{error}"]
            _draw(lines)
            left -= 1
            if left == 0:
                return
            key = ""
            with suppress(TimeoutError):
                key = await asyncio.wait_for(pressed.get(), options.interval)
            if key in ("q", "\x03", "\x04"):
                return
            sort = SORTS.get(key, sort)
    finally:
        loop.remove_reader(sys.stdin)


def _draw(lines: list[str]) -> None:
    width, height = shutil.get_terminal_size()
    shown = [line[:width] for line in lines[: height - 1]]
    sys.stdout.write("\x1b[H" + "".join(f"{line}\x1b[K\r\n" for line in shown) + "\x1b[J")
    sys.stdout.flush()


@contextmanager
def _raw_terminal() -> Generator[None]:
    """Another screen, and keys as they are pressed; at the end all is as it was."""
    import termios
    import tty

    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    sys.stdout.write("\x1b[?1049h\x1b[?25l")
    try:
        yield
    finally:
        sys.stdout.write("\x1b[?25h\x1b[?1049l")
        sys.stdout.flush()
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


async def look(client: "Client", monitoring: "Client", minutes: int) -> dict[str, Any]:
    """All that is shown, as the node tells it. Without its monitoring address there is no lag."""
    from datetime import UTC, datetime, timedelta

    import msgspec

    from bpmnd.cli.client import ProblemError, UnreachableError

    now = datetime.now(UTC)
    start = (now - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
    at = "/v2/bpmnd/statistics"
    decode = msgspec.json.decode
    definitions, job_types, errors, topology = await asyncio.gather(
        client.get(f"{at}/process-definitions?from={start}&limit={_DEFINITIONS_MAX}"),
        client.get(f"{at}/job-types?from={start}&limit=20"),
        client.post(
            "/v2/incidents/statistics/process-instances-by-error", {"page": {"from": 0, "limit": 10}}
        ),
        client.get("/v2/topology"),
    )
    facts: dict[str, Any] = {
        "now": now,
        "minutes": minutes,
        "definitions": decode(definitions)["items"],
        "jobTypes": decode(job_types)["items"],
        "errors": decode(errors)["items"],
        "topology": decode(topology),
        "elements": [],
        "history": {},
    }
    for definition in facts["definitions"][:_LOOKED_INTO_MAX]:
        key = definition["processDefinitionKey"]
        elements = decode(await client.get(f"{at}/process-definitions/{key}/elements?from={start}"))["items"]
        facts["elements"] += [(definition, element) for element in elements if element["active"]]
    with suppress(ProblemError, UnreachableError):
        facts["history"] = decode(await monitoring.get("/readyz", refusals=False)).get("history", {})
    return facts
