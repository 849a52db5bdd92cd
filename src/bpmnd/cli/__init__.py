"""The command line: `bpmnd COMMAND`, a module for each command.

What a command needs beyond its flags is imported when it runs, so that each starts fast.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Final

import bpmnd
from bpmnd.cli import cluster, config, deploy, history, log, run, start, status, tls, top, work
from bpmnd.cli.errors import CommandError
from bpmnd.config import ConfigError

_COMMANDS: Final = (start, deploy, run, work, status, top, cluster, log, history, config, tls)
_DESCRIPTION: Final = """\
A durable BPMN 2.0 workflow engine: one process, one directory.

  bpmnd start --data-dir data            run a node
  bpmnd deploy order.bpmn                give it a process
  bpmnd run order --variables '{"n":1}'  start an instance
  bpmnd work charge-card -- ./charge.sh  let a program do the jobs of one type
  bpmnd log export data                  every event since the beginning
"""
_EPILOG: Final = """\
Results go to stdout, all else to stderr. Exit status: 0 done, 1 failed, 2 wrong usage or configuration.
`bpmnd COMMAND --help` tells more; docs/cli.md all.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit status."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except (ConfigError, CommandError) as error:
        print(f"bpmnd: {error}", file=sys.stderr)
        return error.status if isinstance(error, CommandError) else 2
    except BrokenPipeError:  # Whoever read our output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bpmnd",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"bpmnd {bpmnd.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")
    for module in _COMMANDS:
        module.add_to(commands)
    return parser
