"""`bpmnd deploy`: give a node processes."""

import argparse
from pathlib import Path

from bpmnd.cli.errors import CommandError
from bpmnd.cli.output import print_json, print_table
from bpmnd.cli.settings import Commands, add_address, add_json


def add_to(commands: Commands) -> None:
    parser = commands.add_parser(
        "deploy",
        help="deploy BPMN, DMN and other files, all or none",
        description="Deploy BPMN, DMN and other files, all or none. What is wrong with them is named with"
        " element and line.",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    add_address(parser)
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from bpmnd.cli.client import ask

    answer = ask(_deploy(options.address, options.files))
    if options.json:
        print(answer.decode())
    else:
        _show(answer)
    return 0


async def _deploy(address: str, files: list[Path]) -> bytes:
    from aiohttp import FormData

    from bpmnd.cli.client import Client

    form = FormData()
    for file in files:
        try:
            content = file.read_bytes()
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from None
        form.add_field("resources", content, filename=file.name, content_type="application/octet-stream")
    async with Client(address) as client:
        return await client.post_form("/v2/deployments", form)


def _show(answer: bytes) -> None:
    import msgspec

    found = msgspec.json.decode(answer)["deployments"]
    processes = [entry["processDefinition"] for entry in found if entry.get("processDefinition")]
    if len(processes) < len(found):
        print_json(answer)
        return
    rows = [
        (
            process["processDefinitionId"],
            process["processDefinitionVersion"],
            process["processDefinitionKey"],
            process["resourceName"],
        )
        for process in processes
    ]
    print_table([("PROCESS", "VERSION", "KEY", "FILE"), *rows])
