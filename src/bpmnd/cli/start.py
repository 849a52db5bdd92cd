"""`bpmnd start`: run a node."""

import argparse

from bpmnd.cli.logs import set_up_logging
from bpmnd.cli.settings import Commands, add_settings, config_of


def add_to(commands: Commands) -> None:
    parser = commands.add_parser("start", help="run a node")
    add_settings(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from bpmnd import server

    set_up_logging()
    return server.run(config_of(options))
