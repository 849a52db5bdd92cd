"""The projector's process: `python -m bpmnd.projector DATA_DIR KEEP_MS`, started and watched by a node."""

import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Final

from bpmnd.actors.history.projection import ProjectionSettings
from bpmnd.actors.history.projector import Projector
from bpmnd.cli.logs import set_up_logging
from bpmnd.storage.disk import RealDisk

_NICENESS: Final = 5
"""The node goes first when both want the same core."""


def main(arguments: list[str]) -> int:
    """Follow the log until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Of a terminal both hear it, but the node decides.
    set_up_logging()
    os.nice(_NICENESS)
    directory, keep_ms = arguments
    settings = ProjectionSettings(keep_ms=int(keep_ms))
    with contextlib.suppress(BrokenPipeError):  # The node is gone.
        Projector(Path(directory), settings, RealDisk(), sys.stdin.fileno(), sys.stdout.fileno()).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
