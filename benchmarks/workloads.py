"""The processes that are run, and the requests that run them, in the words that both engines know."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from benchmarks.wire import Endpoint

PAYLOAD: Final = (
    b'{"orderId":"2026-004711","customer":{"name":"Ada Novotna","email":"ada@example.org","level":"gold"},'
    b'"lines":[{"article":"T-100","pieces":3,"price":19.9},{"article":"B-7","pieces":1,"price":349.0}],'
    b'"total":408.7,"currency":"EUR","express":false,"remark":"ring twice, please","attempt":1}'
)
"""Variables of an instance when no others are given: some 290 bytes of JSON."""

_UNSPACED: Final = (",", ":")


def variables_of(file: Path | None) -> bytes:
    """The variables in a JSON file, without the spaces between them; ours if there is none."""
    if file is None:
        return PAYLOAD
    return json.dumps(json.loads(file.read_bytes()), separators=_UNSPACED).encode()


RESULT: Final = b'{"variables":{"approved":true,"reference":4711}}'
"""What each job is completed with."""

_BOUNDARY: Final = "bpmnd-benchmark"


@final
@dataclass(frozen=True, slots=True)
class Workload:
    """A process of so many service tasks in a row. `is_worked` tells whether there are workers for them."""

    name: str
    tasks: int
    is_worked: bool = True

    @property
    def last_element(self) -> str:
        return f"t{self.tasks}"

    def model(self, process_id: str, job_type: str) -> bytes:
        """Its BPMN."""
        elements = ['<bpmn:startEvent id="start"><bpmn:outgoing>f0</bpmn:outgoing></bpmn:startEvent>']
        source = "start"
        for number in range(1, self.tasks + 1):
            elements.append(_flow(number - 1, source, f"t{number}"))
            elements.append(
                f'<bpmn:serviceTask id="t{number}"><bpmn:extensionElements>'
                f'<zeebe:taskDefinition type="{job_type}"/></bpmn:extensionElements>'
                f"<bpmn:incoming>f{number - 1}</bpmn:incoming><bpmn:outgoing>f{number}</bpmn:outgoing>"
                "</bpmn:serviceTask>"
            )
            source = f"t{number}"
        elements.append(_flow(self.tasks, source, "end"))
        elements.append(
            f'<bpmn:endEvent id="end"><bpmn:incoming>f{self.tasks}</bpmn:incoming></bpmn:endEvent>'
        )
        return (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"'
            ' xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" targetNamespace="urn:bpmnd:benchmark">'
            f'<bpmn:process id="{process_id}" isExecutable="true">{"".join(elements)}</bpmn:process>'
            "</bpmn:definitions>"
        ).encode()


def _flow(number: int, source: str, target: str) -> str:
    return f'<bpmn:sequenceFlow id="f{number}" sourceRef="{source}" targetRef="{target}"/>'


ONE_TASK: Final = Workload("one-task", 1)
TEN_TASKS: Final = Workload("ten-task", 10)
START_ONLY: Final = Workload("start-only", 1, is_worked=False)
WORKLOADS: Final = {workload.name: workload for workload in (ONE_TASK, TEN_TASKS, START_ONLY)}


@final
class Requests:
    """The requests of one run, made once as far as they can be."""

    def __init__(self, endpoint: Endpoint, process_id: str, job_type: str, variables: bytes) -> None:
        self._endpoint = endpoint
        self._process_id = process_id
        self._job_type = job_type
        creation = b'{"processDefinitionId":"%b","variables":%b}' % (process_id.encode(), variables)
        self.create: Final = endpoint.post("/v2/process-instances", creation)
        before, after = endpoint.post("/v2/jobs/KEY/completion", RESULT).split(b"KEY", 1)
        self._complete = before.replace(b"%", b"%%") + b"%d" + after.replace(b"%", b"%%")

    def complete(self, job_key: int) -> bytes:
        return self._complete % job_key

    def activate(self, jobs_max: int, wait_ms: int) -> bytes:
        body = (
            f'{{"type":"{self._job_type}","worker":"benchmark","timeout":60000,'
            f'"maxJobsToActivate":{jobs_max},"requestTimeout":{wait_ms}}}'
        )
        return self._endpoint.post("/v2/jobs/activation", body.encode())

    def deploy(self, workload: Workload) -> bytes:
        model = workload.model(self._process_id, self._job_type)
        disposition = f'form-data; name="resources"; filename="{self._process_id}.bpmn"'
        form = (
            f"--{_BOUNDARY}\r\nContent-Disposition: {disposition}\r\n"
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        form += model + f"\r\n--{_BOUNDARY}--\r\n".encode()
        return self._endpoint.post("/v2/deployments", form, f"multipart/form-data; boundary={_BOUNDARY}")
