"""Commands as somebody types them, run here, against a real node."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import pytest

from bpmnd.cli import main
from tests.nodes import RunningNode

_MODEL = """
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="file">
  <process id="{id}" isExecutable="true">
    <startEvent id="start"/>
    <sequenceFlow id="to-task" sourceRef="start" targetRef="task"/>
    <serviceTask id="task">
      <extensionElements><zeebe:taskDefinition type="{id}" retries="2"/></extensionElements>
    </serviceTask>
    <sequenceFlow id="to-done" sourceRef="task" targetRef="done"/>
    <endEvent id="done"/>
    <boundaryEvent id="caught" attachedToRef="task"><errorEventDefinition errorRef="broken"/></boundaryEvent>
    <sequenceFlow id="to-broken-off" sourceRef="caught" targetRef="broken-off"/>
    <endEvent id="broken-off"/>
  </process>
  <error id="broken" errorCode="BROKEN"/>
</definitions>
"""


@final
@dataclass(frozen=True, slots=True)
class Said:
    status: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@final
class Commands:
    def __init__(self, node: RunningNode, directory: Path, output: pytest.CaptureFixture[str]) -> None:
        self.node = node
        self.directory = directory
        self._output = output

    def __call__(self, *arguments: str) -> Said:
        """Run a command as it is."""
        self._output.readouterr()
        try:
            status = main(arguments)
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        out, err = self._output.readouterr()
        return Said(status, out, err)

    def ask(self, command: str, *arguments: str) -> Said:
        """Run a command that asks the node."""
        return self(command, "--address", self.node.address, *arguments)

    def deploy(self, process_id: str) -> None:
        """Deploy a process of one task, whose job type is its id too, and which catches the error BROKEN."""
        assert (
            self.ask("deploy", str(self.file(f"{process_id}.bpmn", _MODEL.format(id=process_id)))).status == 0
        )

    def start(self, process_id: str, variables: str = "{}") -> int:
        said = self.ask("run", process_id, "--variables", variables)
        assert said.status == 0, said
        return int(said.out)

    def work(self, job_type: str, script: str, *options: str) -> Said:
        """Have a shell script do one job."""
        return self.ask("work", "--once", "--back-off", "0", *options, job_type, "--", "sh", "-c", script)

    def history(self, key: int) -> list[dict[str, Any]]:
        """The records of an instance."""
        said = self("log", "export", str(self.node.directory), "--instance", str(key))
        assert said.status == 0, said
        return said.lines()

    def ways(self, key: int) -> list[str]:
        """The elements that an instance completed."""
        return [
            record["value"]["elementId"]
            for record in self.history(key)
            if record["intent"] == "ELEMENT_COMPLETED"
        ]

    def file(self, name: str, content: str) -> Path:
        path = self.directory / name
        path.write_text(content)
        return path
