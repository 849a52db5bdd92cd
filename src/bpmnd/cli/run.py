"""`bpmnd run`: start a process instance."""

import argparse
import sys

from bpmnd.cli.output import json_object, print_json
from bpmnd.cli.settings import Commands, add_address, add_json, seconds


def add_to(commands: Commands) -> None:
    parser = commands.add_parser(
        "run",
        help="start a process instance",
        description="Start a process instance and print its key; with --await wait for its end and print its"
        " variables.",
    )
    parser.add_argument("process_id", metavar="PROCESS_ID", help="the id of the process in its BPMN file")
    parser.add_argument(
        "--variables", default="{}", metavar="JSON", help="a JSON object, or @FILE with one (default {})"
    )
    parser.add_argument("--version", type=int, metavar="N", help="of the process (default: the latest)")
    parser.add_argument("--business-id", metavar="ID", help="what the instance is about, by your own name")
    parser.add_argument("--await", action="store_true", dest="waits", help="wait until it has completed")
    parser.add_argument(
        "--timeout", type=seconds, default=600.0, metavar="SECONDS", help="how long to wait (default 600)"
    )
    add_address(parser)
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from bpmnd.cli.client import ask

    body: dict[str, object] = {
        "processDefinitionId": options.process_id,
        "variables": json_object(options.variables, "--variables"),
    }
    if options.version is not None:
        body["processDefinitionVersion"] = options.version
    if options.business_id is not None:
        body["businessId"] = options.business_id
    if options.waits:
        body |= {"awaitCompletion": True, "requestTimeout": int(options.timeout * 1000)}
    _show(options, ask(_create(options.address, body, options.timeout + 10)))
    return 0


async def _create(address: str, body: dict[str, object], seconds_max: float) -> bytes:
    from bpmnd.cli.client import Client

    async with Client(address) as client:
        return await client.post("/v2/process-instances", body, seconds_max=seconds_max)


def _show(options: argparse.Namespace, answer: bytes) -> None:
    import msgspec

    if options.json:
        print(answer.decode())
        return
    instance = msgspec.json.decode(answer, type=dict[str, msgspec.Raw])
    key, version = (
        msgspec.json.decode(instance["processInstanceKey"]),
        bytes(instance["processDefinitionVersion"]).decode(),
    )
    done = "completed" if options.waits else "started"
    print(f"{done} {options.process_id}, version {version}: {key}", file=sys.stderr)
    if options.waits:
        print_json(bytes(instance["variables"]))
    else:
        print(key)
