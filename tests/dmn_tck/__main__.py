"""`python -m tests.dmn_tck`: run the DMN TCK over REST and print what it comes to.

`--address URL` takes a node that runs already, `--in-process` needs none.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.dmn_tck import in_process
from tests.dmn_tck.cases import TCK, cases
from tests.dmn_tck.over_rest import RestRun
from tests.dmn_tck.report import Report, report_of
from tests.nodes import RunningNode


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.dmn_tck")
    parser.add_argument("--address", metavar="URL", help="a node that runs already")
    parser.add_argument("--in-process", action="store_true", help="evaluate the models without a node")
    options = parser.parse_args(arguments)
    if not TCK.is_dir():
        print(f"the DMN TCK is not at {TCK}", file=sys.stderr)
        return 2
    report = _run(options.address, options.in_process)
    print(report.table())
    for case, shown in report.wrong():
        print(f"{case.id} {case.decision}: {shown}")
    return 0


def _run(address: str | None, without_node: bool) -> Report:
    if without_node:
        return report_of(cases(), in_process.outcome)
    if address is not None:
        return report_of(cases(), RestRun(address).outcome)
    with tempfile.TemporaryDirectory() as directory, RunningNode(Path(directory) / "data") as node:
        return report_of(cases(), RestRun(node.address).outcome)


sys.exit(main(sys.argv[1:]))
