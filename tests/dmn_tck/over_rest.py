"""Runs the cases of the DMN TCK through the REST API of a node: models deployed as they are, inputs and
results as JSON."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final, final
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import uuid4

from bpmnd.bpmn.feel import from_json, to_json
from tests.dmn_tck.cases import Case, agrees, models_beside

_TIMEOUT_S: Final = 30.0


@final
class RestRun:
    """One node's answers. Every model is deployed when its first case comes."""

    def __init__(self, address: str) -> None:
        self._base = f"{address.rstrip('/')}/v2"
        self._decisions = cache(self._deploy)

    def outcome(self, case: Case) -> tuple[bool, str]:
        """Whether a case agrees, and what came instead of what is expected."""
        decisions = self._decisions(case.model)
        if isinstance(decisions, str):
            return False, decisions
        key = decisions.get(case.decision)
        if key is None:
            return False, "there is no such decision"
        variables = b",".join(to_json(name) + b":" + to_json(value) for name, value in case.inputs)
        body = b'{"decisionDefinitionKey":"%b","variables":{%b}}' % (key.encode(), variables)
        status, answer = self._post("/decision-definitions/evaluation", body, "application/json")
        if status != 200:
            return False, f"{status}: {answer.get('detail')}"
        output = answer["output"]
        shown = f"{output} for {to_json(case.expected).decode()}; {answer['failureMessage']}"
        return agrees(case.expected, from_json(output.encode())), shown

    def _deploy(self, model: Path) -> dict[str, str] | str:
        """Names of the model's decisions with their keys, or why it was refused. Each file is a deployment of
        its own, those that others import first."""
        waiting = models_beside(model)
        names: dict[str, str] = {}
        while waiting:
            refused: dict[Path, str] = {}
            for file in waiting:
                status, answer = self._post(*_form(file))
                if status != 200:
                    refused[file] = f"{file.name}: {status}: {answer.get('detail')}"
                elif file == model:
                    found = [entry["decisionDefinition"] for entry in answer["deployments"]]
                    names = {one["name"]: one["decisionDefinitionKey"] for one in found if one is not None}
            if len(refused) == len(waiting):
                return "; ".join(refused.values())
            waiting = list(refused)
        return names

    def _post(self, path: str, body: bytes, content_type: str) -> tuple[int, dict[str, Any]]:
        request = Request(f"{self._base}{path}", body, {"Content-Type": content_type}, method="POST")
        try:
            with urlopen(request, timeout=_TIMEOUT_S) as response:
                return response.status, json.load(response)
        except HTTPError as error:
            with error:
                return error.code, json.load(error)


def _form(file: Path) -> tuple[str, bytes, str]:
    boundary = uuid4().hex
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="resources"; filename="{file.name}"\r\n\r\n'
    body = head.encode() + file.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    return "/deployments", body, f"multipart/form-data; boundary={boundary}"
