"""`bpmnd deploy`: give a node processes, decisions, forms and other files."""

import argparse
from pathlib import Path
from typing import Any, Final

from bpmnd.cli.errors import CommandError
from bpmnd.cli.output import print_table
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


_COLUMNS: Final = {
    "processDefinition": ("process", "processDefinitionId", "processDefinitionKey"),
    "decisionDefinition": ("decision", "decisionDefinitionId", "decisionDefinitionKey"),
    "decisionRequirements": ("decisions", "decisionRequirementsId", "decisionRequirementsKey"),
    "form": ("form", "formId", "formKey"),
    "resource": ("file", "resourceId", "resourceKey"),
}
"""What each part of an answer is called, and which of its fields are id and key."""


def _show(answer: bytes) -> None:
    import msgspec

    rows = [_row_of(entry) for entry in msgspec.json.decode(answer)["deployments"]]
    print_table([("KIND", "ID", "VERSION", "KEY", "FILE"), *rows])


def _row_of(entry: dict[str, Any]) -> tuple[object, ...]:
    """One deployed thing, whichever it is."""
    ((kind, found),) = [(kind, found) for kind, found in entry.items() if found is not None]
    words, id_, key = _COLUMNS[kind]
    version = found.get("version", found.get("processDefinitionVersion"))
    return words, found[id_], version, found[key], found.get("resourceName", "")
