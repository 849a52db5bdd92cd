"""`bpmnd cluster`: who belongs to the cluster and where the partitions are, and changes of that."""

import argparse
import getpass
import socket
from typing import Any, Final

from bpmnd.cli.output import print_table
from bpmnd.cli.settings import MONITORING, Commands, add_json

_PAUSE_SECONDS: Final = 0.5
_HEADING: Final = ("GROUP", "GOAL", "MEMBERS", "STATE")


def add_to(commands: Commands) -> None:
    parser = commands.add_parser(
        "cluster",
        help="nodes and partitions of the cluster, and changes of them",
        description="Without an operation: members, where the partitions are, what is under way."
        " An operation is begun by group 0 and goes on whoever crashes; with --wait this ends when it has.",
    )
    parser.add_argument(
        "--monitoring", default=MONITORING, metavar="URL", help=f"monitoring address (default {MONITORING})"
    )
    parser.add_argument(
        "--by",
        default=None,
        metavar="NAME",
        help="who asks for it, to be noted (default: who is logged in here)",
    )
    parser.add_argument("--wait", action="store_true", help="end when the operation has ended")
    add_json(parser)
    parser.set_defaults(run=_run, operation=None)
    operations = parser.add_subparsers(metavar="OPERATION", title="operations", dest="operation")
    add = operations.add_parser("add-node", help="take in a node that was started with --join")
    add.add_argument("node", type=int)
    remove = operations.add_parser("remove-node", help="move all that a node holds to others")
    remove.add_argument("node", type=int)
    replace = operations.add_parser("replace-node", help="give an empty node of the same number its place")
    replace.add_argument("node", type=int)
    move = operations.add_parser("move-replica", help="move a partition's replica to another node")
    move.add_argument("partition", type=int)
    move.add_argument("node", type=int)
    move.add_argument("to", type=int)
    grow = operations.add_parser("add-partitions", help="spread new instances over more partitions")
    grow.add_argument("count", type=int)
    replication = operations.add_parser("set-replication", help="on how many nodes each partition stands")
    replication.add_argument("replication", type=int)
    operations.add_parser("spread-slots", help="give every partition its share of messages and keys")
    operations.add_parser("give-up", help="leave the operation under way as it stands")


def _run(options: argparse.Namespace) -> int:
    from bpmnd.cli.client import ask

    return ask(_cluster(options))


async def _cluster(options: argparse.Namespace) -> int:
    import msgspec

    from bpmnd.cli.client import Client

    async with Client(options.monitoring) as client:
        number = 0
        if options.operation is not None:
            fields = ("node", "partition", "to", "count", "replication")
            wanted = {name: getattr(options, name) for name in fields if hasattr(options, name)}
            wanted |= {"operation": options.operation, "by": _asker() if options.by is None else options.by}
            answer = await client.post("/cluster/operations", wanted)
            begun = msgspec.json.decode(answer)
            number = begun["number"]
            if not options.json:
                print(f"operation {number}, {begun['kind']}, has begun")
        report: dict[str, Any] = msgspec.json.decode(await client.get("/cluster"))
        if options.wait:
            report = await _ended(client, report, number)
    if options.json:
        print(msgspec.json.encode(report).decode())
    else:
        _show(report)
    return 0


def _asker() -> str:
    """User and machine, as far as they have names."""
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):
        return ""


async def _ended(client: Any, report: dict[str, Any], number: int) -> dict[str, Any]:
    import asyncio

    import msgspec

    while True:
        under_way = report["operation"]
        is_known = not number or any(one["number"] >= number for one in report["finished"])
        if under_way is None and is_known:
            return report
        await asyncio.sleep(_PAUSE_SECONDS)
        report = msgspec.json.decode(await client.get("/cluster"))


def show_under_way(report: dict[str, Any]) -> None:
    """Print what the cluster is busy with, if it is."""
    operation = report.get("operation")
    if operation is not None:
        reached = sum(group["reached"] and group["serving"] for group in report["groups"])
        what = f"operation {operation['number']}, {operation['kind']}, is under way"
        print(f"{what}: {reached} of {len(report['groups'])} groups are where they are to be")
    slots = report.get("slots", {})
    if "moving" in slots:
        move = slots["moving"]
        what = f"{move['slots']} correlation slots are on their way"
        left = f", {slots['left']} have yet to come where they are to be" if "left" in slots else ""
        print(f"{what} from partition {move['from']} to {move['to']}{left}")
    for transfer in report.get("installing", ()):
        where = f"partition {transfer['partitionId']} is on its way to node {transfer['nodeId']}"
        print(f"{where}: {transfer['progress']}")


def _show(report: dict[str, Any]) -> None:
    if report["clusterId"] is None:
        print("this node belongs to no cluster yet")
        return
    print(f"cluster {report['clusterId']}, state {report['version']}, replication {report['replication']}")
    for member in report["members"]:
        known = "connected" if member["connected"] else "not connected"
        print(f"node {member['nodeId']} on {member['host']} at {member['peer'] or 'no address'}: {known}")
    for node in report["leaving"]:
        print(f"node {node} leaves")
    for node in report["applicants"]:
        print(f"node {node} waits to be added")
    print_table([_HEADING, *(_row(group) for group in report["groups"])])
    show_under_way(report)


def _row(group: dict[str, Any]) -> tuple[str, ...]:
    name = "controller" if group["group"] == 0 else str(group["group"])
    members = "no leader" if group["members"] is None else _listed(group["members"])
    state = "there" if group["reached"] else "on its way"
    return (name, _listed(group["goal"]), members, state if group["serving"] else "not serving yet")


def _listed(nodes: list[int]) -> str:
    return " ".join(map(str, nodes))
