"""`bpmnd history`: the tables that searches read."""

import argparse
from pathlib import Path

from bpmnd.cli.errors import CommandError
from bpmnd.cli.settings import Commands


def add_to(commands: Commands) -> None:
    parser = commands.add_parser("history", help="make the tables that searches read anew")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    rebuild = actions.add_parser(
        "rebuild",
        help="throw the tables away: the node makes them anew from archive and log",
        description="Delete the history of all partitions, or of one. A node that runs makes them anew at"
        " once from archive and log, one that is stopped when it is started; until then searches of these"
        " partitions are answered with 503. Nothing is lost by it: the log is not touched.",
    )
    rebuild.add_argument("directory", type=Path, metavar="DIR", help="data directory of a node")
    rebuild.add_argument("--partition", type=int, metavar="N", help="only the history of this partition")
    rebuild.set_defaults(run=_rebuild)


def _rebuild(options: argparse.Namespace) -> int:
    from bpmnd.actors.history.projector import history_path
    from bpmnd.storage.errors import StorageError
    from bpmnd.storage.history import remove_history

    if not (options.directory / "partitions").is_dir():
        raise CommandError(f"{options.directory} is not the data directory of a node")
    if options.partition is None:
        paths = sorted((options.directory / "history").glob("*.sqlite"))
    else:
        paths = [history_path(options.directory, options.partition)]
    for path in paths:
        if not path.exists():
            raise CommandError(f"there is no {path}")
        try:
            remove_history(path)
        except StorageError as error:
            raise CommandError(str(error)) from None
        print(f"partition {path.stem}: its history is made anew")
    return 0
