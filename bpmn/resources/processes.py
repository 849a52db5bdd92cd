"""Processes: `.bpmn` files."""

from collections.abc import Iterator, Sequence
from typing import ClassVar, final

from bpmnd.bpmn.commands import Resource
from bpmnd.bpmn.elements.moments import work_out
from bpmnd.bpmn.events import ProcessCreated
from bpmnd.bpmn.feel import MISSING
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import ConditionalDefinition, ExecutableProcess, StartEvent, TimerDefinition
from bpmnd.bpmn.model.multiple import parts_of
from bpmnd.bpmn.model.parser import Invalid, parse_resource
from bpmnd.bpmn.resources.resource import checksum_of
from bpmnd.bpmn.start_timers import set_start_timers
from bpmnd.bpmn.starts import name_at_start, subscribe_starts
from bpmnd.bpmn.state.deployed import Definition
from bpmnd.bpmn.turn import Turn


@final
class ProcessKind:
    extensions: ClassVar[tuple[str, ...]] = (".bpmn", ".xml")

    def read(
        self, turn: Turn, tenant_id: str, resources: Sequence[Resource], problems: list[str]
    ) -> "Sequence[DeployableProcess]":
        """All processes of all files; an id may be there once only."""
        read: list[DeployableProcess] = []
        names: dict[str, str] = {}
        for resource in resources:
            result = parse_resource(resource.content, name=resource.name)
            if isinstance(result, Invalid):
                problems += [f"'{resource.name}': {problem}" for problem in result.problems]
                continue
            for process in result.processes:
                if process.id in names:
                    problems.append(
                        f"'{resource.name}': duplicated process id '{process.id}',"
                        f" which is in '{names[process.id]}' already"
                    )
                names[process.id] = resource.name
                problems += [f"'{resource.name}': {problem}" for problem in _check_starts(turn, process)]
                read.append(DeployableProcess(tenant_id, resource, process))
        return read


@final
class DeployableProcess:
    def __init__(self, tenant_id: str, resource: Resource, process: ExecutableProcess) -> None:
        self._tenant_id = tenant_id
        self._resource = resource
        self._process = process

    def _latest(self, turn: Turn) -> Definition | None:
        versions = turn.state.latest.get((self._tenant_id, self._process.id))
        return turn.state.definitions.items[versions[max(versions)]] if versions else None

    def unchanged(self, turn: Turn) -> tuple[int, ...] | None:
        latest = self._latest(turn)
        if (
            latest is None
            or latest.resource_name != self._resource.name
            or latest.checksum != checksum_of(self._resource)
        ):
            return None
        return (latest.key,)

    def create(self, turn: Turn, deployment_key: int) -> tuple[int, ...]:
        process = self._process
        key = turn.new_key()
        turn.emit(
            ProcessCreated(
                key,
                deployment_key,
                process.id,
                turn.state.last_version(self._tenant_id, process.id) + 1,
                process.version_tag or "",
                self._resource.name,
                checksum_of(self._resource),
                self._tenant_id,
                process.element_ids(),
                self._resource.content,
            )
        )
        return (key,)

    def begin(self, turn: Turn, keys: Sequence[int]) -> None:
        subscribe_starts(turn, keys[0], self._process)
        set_start_timers(turn, keys[0], self._process)


def _check_starts(turn: Turn, process: ExecutableProcess) -> Iterator[str]:
    """What start events wait for must be known without any variables, and each for something else."""
    known: set[tuple[type[object], str]] = set()
    for index in process.root.triggered_starts:
        event = process.elements[index]
        assert isinstance(event, StartEvent), f"{index} is no start event"
        for trigger in parts_of(event.trigger):
            if isinstance(trigger, TimerDefinition):
                moment = work_out(turn, trigger, lambda _: MISSING)
                if isinstance(moment, Incident):
                    why = f"the timer that starts a process must be constant: {moment.message}"
                    yield f"element '{event.id}': {why}"
                continue
            name = (
                trigger.condition.text
                if isinstance(trigger, ConditionalDefinition)
                else name_at_start(turn, trigger)
            )
            if isinstance(name, Incident):
                why = f"the name of what starts a process must be constant: {name.message}"
                yield f"element '{event.id}': {why}"
            elif (type(trigger), name) in known:
                yield f"element '{event.id}': another start event already waits for '{name}'"
            else:
                known.add((type(trigger), name))
