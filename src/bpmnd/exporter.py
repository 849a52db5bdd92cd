"""The process of an exporter: `python -m bpmnd.exporter`, started and watched by a node."""

import asyncio
import logging
import os
import signal
import sys
from typing import Final

from bpmnd.actors.exporters.bounded import StillRunning
from bpmnd.actors.exporters.worker import Worker
from bpmnd.cli.logs import set_up_logging
from bpmnd.storage.disk import RealDisk

_logger = logging.getLogger(__name__)
_NICENESS: Final = 5
"""The node goes first when both want the same core."""


def main() -> None:
    """Export until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Of a terminal both hear it, but the node decides.
    set_up_logging()
    os.nice(_NICENESS)
    sink = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # What an exporter prints must not get into the pipe.
    asyncio.run(_run(sink))


async def _run(sink: int) -> None:
    """Never returns: threads and tasks of an exporter that hang must not keep the process."""
    status = 0
    try:
        await Worker(RealDisk(), sink).run(sys.stdin.fileno())
    except StillRunning as error:
        _logger.critical("%s: the process ends", error)
        status = 1
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
