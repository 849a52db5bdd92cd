"""The orders that the demonstrations place, who works on them, and what must become of each."""

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from camunda_orchestration_sdk import CamundaAsyncClient
from camunda_orchestration_sdk.models.job_changeset import JobChangeset
from camunda_orchestration_sdk.models.job_update_request import JobUpdateRequest
from camunda_orchestration_sdk.models.process_creation_by_id import ProcessCreationById
from camunda_orchestration_sdk.models.process_instance_creation_instruction_by_id_variables import (
    ProcessInstanceCreationInstructionByIdVariables as Variables,
)
from camunda_orchestration_sdk.models.set_variable_request import SetVariableRequest
from camunda_orchestration_sdk.models.set_variable_request_variables import SetVariableRequestVariables
from camunda_orchestration_sdk.semantic_types import (
    BusinessId,
    ElementInstanceKey,
    IncidentKey,
    JobKey,
    ProcessDefinitionId,
)

from examples.order.ledger import Ledger, OpenIncident

HERE: Final = Path(__file__).parent
OUTCOMES: Final = ("shipped", "declined", "canceled")
_PLAIN: Final[dict[str, Any]] = {
    "item": "teapot",
    "quantity": 1,
    "price": 19.90,
    "card": "good",
    "shipTo": "Tearoom 1",
    "express": False,
}
_KINDS: Final[tuple[tuple[dict[str, Any], str], ...]] = (
    ({}, "shipped"),
    ({"card": "flaky"}, "shipped"),
    ({"express": True}, "shipped"),
    ({"card": "declined"}, "declined"),
    ({"quantity": 6}, "shipped"),
    ({"item": "unobtainium"}, "canceled"),
    ({"shipTo": "", "express": True}, "shipped"),
    ({"card": "flaky", "express": True}, "shipped"),
)
"""What is special about an order, and how it must end. The kinds take turns."""


def order_id(number: int) -> str:
    return f"order-{number + 1}"


def creation_of(number: int) -> ProcessCreationById:
    """The process instance of an order; its number is its business id."""
    details = {**_PLAIN, **_KINDS[number % len(_KINDS)][0]}
    return ProcessCreationById(
        process_definition_id=ProcessDefinitionId("order"),
        variables=Variables.from_dict({"order": details}),
        business_id=BusinessId(order_id(number)),
    )


def wrong_in(ledger: Ledger, count: int) -> list[str]:
    """The orders that are lost, stuck, or ended otherwise than they must."""
    return [
        order_id(number)
        for number in range(count)
        if (order := ledger.by_id.get(order_id(number))) is None
        or not order.ended
        or order.outcome != _KINDS[number % len(_KINDS)][1]
    ]


async def resolve(client: CamundaAsyncClient, incident: OpenIncident) -> None:
    """What an operator does: put right what is wrong, give the job new tries, resolve."""
    await client.create_element_instance_variables(
        ElementInstanceKey(incident.element_instance_key),
        data=SetVariableRequest(SetVariableRequestVariables.from_dict({"address": "Tearoom 2"}), local=True),
    )
    await client.update_job(JobKey(incident.job_key), data=JobUpdateRequest(JobChangeset(retries=2)))
    await client.resolve_incident(IncidentKey(incident.key))


@contextmanager
def working(address: str, shell_address: str, log_file: Path) -> Generator[None, None, None]:
    """Two processes: one with the SDK for four types of jobs, one that runs a shell script for the fifth."""
    shell = ("--concurrency", "8", "--timeout", "5", "--back-off", "0.5", "--name", "shell")
    script = ("--", "sh", str(HERE / "ship_parcel.sh"))
    bpmnd = (sys.executable, "-m", "bpmnd")
    commands = (
        (sys.executable, "-m", "examples.order.workers", address),
        (*bpmnd, "work", "ship-parcel", "--address", shell_address, *shell, *script),
    )
    with log_file.open("wb") as log:
        processes = [subprocess.Popen(command, stdout=log, stderr=log) for command in commands]
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(10)


def bpmnd(*arguments: str) -> int:
    """Run the command line; its exit status."""
    return subprocess.run((sys.executable, "-m", "bpmnd", *arguments), check=False).returncode


def say(text: str, *, end: str = "\n") -> None:
    print(text, end=end, flush=True)
