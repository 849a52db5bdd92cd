"""`bpmnd work`: any program as a job worker."""

import argparse
import os
from shutil import which

from bpmnd.cli.errors import CommandError
from bpmnd.cli.settings import Commands, add_address, seconds

_DESCRIPTION = """\
Run COMMAND for each job of a type. It gets the job on stdin, one JSON object on one line, as the REST API
has it. Its exit status decides:

  0      complete the job; what it printed, if anything, is a JSON object of variables
  3      throw a BPMN error; it printed {"errorCode": "...", "errorMessage": "...", "variables": {}}
  other  fail the job with one retry less; the message is the end of what it wrote to stderr

No shell is involved: write `sh -c '...'` for one. On SIGINT or SIGTERM running jobs are ended first;
a second one kills them.
"""


def add_to(commands: Commands) -> None:
    parser = commands.add_parser(
        "work",
        help="let a program do the jobs of one type",
        usage="bpmnd work [options] TYPE -- COMMAND [ARGUMENT ...]",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("type", metavar="TYPE", help="job type")
    parser.add_argument("command", nargs="+", metavar="COMMAND", help="program and arguments, after --")
    parser.add_argument(
        "--concurrency", type=_positive, default=1, metavar="N", help="jobs at the same time (default 1)"
    )
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=300.0,
        metavar="SECONDS",
        help="how long a job is lent; a program that takes longer is killed (default 300)",
    )
    parser.add_argument(
        "--back-off",
        type=_seconds_or_none,
        default=1.0,
        metavar="SECONDS",
        help="before a failed job is tried again (default 1)",
    )
    parser.add_argument("--name", default=f"bpmnd-work-{os.getpid()}", help="of this worker, for the log")
    parser.add_argument("--max-jobs", type=_positive, metavar="N", help="end after so many jobs")
    parser.add_argument("--once", action="store_const", const=1, dest="max_jobs", help="same as --max-jobs 1")
    add_address(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    import asyncio

    from bpmnd.cli.worker import Worker, WorkerSettings

    if which(str(options.command[0])) is None:
        raise CommandError(f"there is no program '{options.command[0]}'", 2)
    settings = WorkerSettings(
        type=options.type,
        command=tuple(options.command),
        name=options.name,
        concurrency=options.concurrency,
        timeout_seconds=options.timeout,
        back_off_seconds=options.back_off,
        jobs_max=options.max_jobs,
    )
    return asyncio.run(Worker(options.address, settings).run())


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, is {number}")
    return number


def _seconds_or_none(text: str) -> float:
    return 0.0 if float(text) == 0 else seconds(text)
