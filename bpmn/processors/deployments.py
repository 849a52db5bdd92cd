"""Deployments: checked whole, taken whole, and handed on to every other partition."""

import hashlib
from collections.abc import Iterator, Sequence

from bpmnd.bpmn.channel import DistributeDeployment
from bpmnd.bpmn.commands import Deploy, Resource, Supply
from bpmnd.bpmn.events import (
    DeploymentCreated,
    DeploymentDistributing,
    ProcessCreated,
)
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import ExecutableProcess, StartEvent
from bpmnd.bpmn.model.parser import Invalid, parse_resource
from bpmnd.bpmn.outcomes import Accepted, DeployedProcess, Outcome, Rejected, RejectionType
from bpmnd.bpmn.outcomes import DeploymentCreated as DeploymentAnswer
from bpmnd.bpmn.starts import name_at_start, subscribe_starts
from bpmnd.bpmn.state.deployed import Definition
from bpmnd.bpmn.turn import Turn

_EXTENSIONS = (".bpmn", ".xml")


def deploy(turn: Turn, command: Deploy, partitions: Sequence[int]) -> Outcome | None:
    """Answers at once if this partition is the only one, else when all others have acknowledged."""
    parsed = _parse(turn, command.resources)
    if isinstance(parsed, Rejected):
        return parsed
    if all(_unchanged(turn, command.tenant_id, resource, process) for resource, process in parsed):
        return _repeated(turn, command, parsed)

    key = turn.new_key()
    definitions: list[Definition] = []
    for resource, process in parsed:
        created = _create(turn, key, command.tenant_id, resource, process)
        turn.emit(created)
        definitions.append(turn.state.definitions.items[created.key])
    definition_keys = tuple(definition.key for definition in definitions)
    turn.emit(DeploymentCreated(key, command.tenant_id, definition_keys))
    for definition_key, (_, process) in zip(definition_keys, parsed, strict=True):
        subscribe_starts(turn, definition_key, process)
    others = tuple(partition for partition in partitions if partition != turn.state.partition_id)
    return _distribute(turn, key, command.tenant_id, definition_keys, definitions, others)


def _distribute(
    turn: Turn,
    key: int,
    tenant_id: str,
    definition_keys: tuple[int, ...],
    definitions: Sequence[Definition],
    others: tuple[int, ...],
) -> Outcome | None:
    """Hand `definitions` on to other partitions; the answer comes when all of them have acknowledged."""
    if not others:
        return answer_of(turn, key, tenant_id, definition_keys)
    turn.emit(DeploymentDistributing(key, turn.request, tenant_id, definition_keys, others))
    distribution = DistributeDeployment(key, tenant_id, tuple(definitions))
    for partition in others:
        turn.send(partition, distribution)
    return None


def supply(turn: Turn, command: Supply) -> Outcome:
    """Send a new partition what was deployed before it came. It knows by their keys what it has already."""
    by_deployment: dict[int, list[Definition]] = {}
    for definition in turn.state.definitions.items.values():
        by_deployment.setdefault(definition.deployment_key, []).append(definition)
    for key, definitions in sorted(by_deployment.items()):
        definitions.sort(key=lambda definition: definition.key)
        turn.send(command.partition, DistributeDeployment(key, definitions[0].tenant_id, tuple(definitions)))
    return Accepted()


def _parse(turn: Turn, resources: Sequence[Resource]) -> list[tuple[Resource, ExecutableProcess]] | Rejected:
    """All processes of all resources, or everything that is wrong with them."""
    if not resources:
        return Rejected(
            RejectionType.INVALID_ARGUMENT,
            "Expected to deploy at least one resource, but none given",
        )
    problems: list[str] = []
    parsed: list[tuple[Resource, ExecutableProcess]] = []
    names: dict[str, str] = {}
    for resource in resources:
        if not resource.name.endswith(_EXTENSIONS):
            problems.append(f"'{resource.name}': unknown resource type; .bpmn files can be deployed")
            continue
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
            parsed.append((resource, process))
    if problems:
        reason = "Expected to deploy new resources, but encountered the following errors:\n"
        return Rejected(RejectionType.INVALID_ARGUMENT, reason + "\n".join(problems))
    return parsed


def _check_starts(turn: Turn, process: ExecutableProcess) -> Iterator[str]:
    """What start events wait for must be known without any variables, and each for something else."""
    known: set[tuple[type[object], str]] = set()
    for index in process.root.triggered_starts:
        event = process.elements[index]
        assert isinstance(event, StartEvent), f"{index} is no start event"
        name = name_at_start(turn, event)
        if isinstance(name, Incident):
            yield f"element '{event.id}': the name of what starts a process must be constant: {name.message}"
        elif (type(event.trigger), name) in known:
            yield f"element '{event.id}': another start event already waits for '{name}'"
        else:
            known.add((type(event.trigger), name))


def _latest(turn: Turn, tenant_id: str, process_id: str) -> Definition | None:
    versions = turn.state.latest.get((tenant_id, process_id))
    return turn.state.definitions.items[versions[max(versions)]] if versions else None


def _unchanged(turn: Turn, tenant_id: str, resource: Resource, process: ExecutableProcess) -> bool:
    """The latest version of the process came from the same bytes under the same name."""
    latest = _latest(turn, tenant_id, process.id)
    return (
        latest is not None
        and latest.resource_name == resource.name
        and latest.checksum == _checksum(resource)
    )


def _checksum(resource: Resource) -> bytes:
    return hashlib.sha256(resource.content).digest()


def _repeated(
    turn: Turn, command: Deploy, parsed: Sequence[tuple[Resource, ExecutableProcess]]
) -> Outcome | None:
    """A deployment of nothing new: the old keys and versions, and no event of new processes.

    Where the processes are still on their way it has to wait, too. The channels keep their order, so a
    message without any definition, sent after them, is acknowledged when they have arrived.
    """
    latest = [_latest(turn, command.tenant_id, process.id) for _, process in parsed]
    keys = tuple(definition.key for definition in latest if definition is not None)
    key = turn.new_key()
    turn.emit(DeploymentCreated(key, command.tenant_id, keys))
    missing = {
        partition
        for pending in turn.state.pending_deployments.items.values()
        if not set(keys).isdisjoint(pending.definition_keys)
        for partition in pending.waiting_for
    }
    return _distribute(turn, key, command.tenant_id, keys, (), tuple(sorted(missing)))


def _create(
    turn: Turn, deployment_key: int, tenant_id: str, resource: Resource, process: ExecutableProcess
) -> ProcessCreated:
    latest = _latest(turn, tenant_id, process.id)
    return ProcessCreated(
        turn.new_key(),
        deployment_key,
        process.id,
        latest.version + 1 if latest else 1,
        process.version_tag or "",
        resource.name,
        _checksum(resource),
        tenant_id,
        process.element_ids(),
        resource.content,
    )


def answer_of(turn: Turn, key: int, tenant_id: str, definition_keys: Sequence[int]) -> DeploymentAnswer:
    definitions = [turn.state.definitions.items[definition_key] for definition_key in definition_keys]
    processes = tuple(
        DeployedProcess(
            definition.key,
            definition.process_id,
            definition.version,
            definition.resource_name,
            is_duplicate=definition.deployment_key != key,
        )
        for definition in definitions
    )
    return DeploymentAnswer(key, tenant_id, processes)
