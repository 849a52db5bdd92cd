"""`bpmnd config`: what a node would be configured with."""

import argparse
from pathlib import Path

from bpmnd.cli.settings import Commands, add_settings, config_of
from bpmnd.config import load, to_toml


def add_to(commands: Commands) -> None:
    parser = commands.add_parser("config", help="check or show the configuration")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    check = actions.add_parser("check", help="whether a file can be taken; says what is wrong with it")
    check.add_argument("file", type=Path, metavar="FILE")
    check.set_defaults(run=_check)
    show = actions.add_parser(
        "show", help="all settings as `bpmnd start` with the same flags would have them, as TOML"
    )
    add_settings(show)
    show.set_defaults(run=_show)


def _check(options: argparse.Namespace) -> int:
    load(options.file, environment={})
    print(f"{options.file}: good")
    return 0


def _show(options: argparse.Namespace) -> int:
    print(to_toml(config_of(options)), end="")
    return 0
