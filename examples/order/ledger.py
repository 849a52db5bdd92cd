"""What became of the orders, read from the node's log: `bpmnd log export` and nothing else."""

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final


@final
@dataclass(frozen=True, slots=True)
class OpenIncident:
    key: str
    job_key: str
    element_instance_key: str
    message: str


@final
@dataclass(slots=True)
class Order:
    """One process instance of an order."""

    instance_key: str
    outcome: str | None = None
    ended: bool = False
    retries: int = 0
    resolved: int = 0
    incidents: dict[str, OpenIncident] = field(default_factory=dict[str, OpenIncident])


@final
class Ledger:
    """All orders by their number. An order may not be there twice: `doubled` tells."""

    def __init__(self, records: Iterable[dict[str, Any]]) -> None:
        self.by_id: dict[str, Order] = {}
        self.doubled: list[str] = []
        by_key: dict[str, Order] = {}
        for record in records:
            value = record["value"]
            name = f"{record['valueType']} {record['intent']}"
            if name == "PROCESS_INSTANCE_CREATION CREATED":
                order = by_key[value["processInstanceKey"]] = Order(value["processInstanceKey"])
                if value["businessId"] in self.by_id:
                    self.doubled.append(value["businessId"])
                self.by_id[value["businessId"]] = order
            elif value.get("processInstanceKey") in by_key:
                _note(by_key[value["processInstanceKey"]], name, record)

    @property
    def ended(self) -> int:
        return sum(order.ended for order in self.by_id.values())

    def count(self, outcome: str) -> int:
        return sum(order.ended and order.outcome == outcome for order in self.by_id.values())

    def incidents(self) -> list[OpenIncident]:
        return [incident for order in self.by_id.values() for incident in order.incidents.values()]


def read_ledger(directory: Path) -> Ledger:
    command = (sys.executable, "-m", "bpmnd", "log", "export", str(directory))
    export = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return Ledger(json.loads(line) for line in export.stdout.splitlines())


def _note(order: Order, name: str, record: dict[str, Any]) -> None:
    value: dict[str, Any] = record["value"]
    match name:
        case "PROCESS_INSTANCE ELEMENT_COMPLETED":
            order.ended = order.ended or value["bpmnElementType"] == "PROCESS"
        case "VARIABLE CREATED" if value["name"] == "outcome":
            order.outcome = value["value"]
        case "JOB FAILED":
            order.retries += value["retries"] > 0
        case "INCIDENT CREATED":
            order.incidents[record["key"]] = OpenIncident(
                record["key"], value["jobKey"], value["elementInstanceKey"], value["errorMessage"]
            )
        case "INCIDENT RESOLVED":
            order.resolved += order.incidents.pop(record["key"], None) is not None
        case _:
            pass  # Not of interest here.
