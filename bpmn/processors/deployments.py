"""Deployments: checked whole, taken whole, and handed on to every other partition."""

from collections.abc import Iterable, Sequence

from msgspec.structs import astuple

from bpmnd.bpmn.channel import DistributeDeployment
from bpmnd.bpmn.commands import Deploy, Resource, Supply
from bpmnd.bpmn.events import (
    DecisionCreated,
    DecisionRequirementsCreated,
    DeploymentCreated,
    DeploymentDistributing,
    Event,
    FormCreated,
    ProcessCreated,
    ResourceCreated,
)
from bpmnd.bpmn.outcomes import (
    Accepted,
    DeployedDecision,
    DeployedFile,
    DeployedProcess,
    DeployedRequirements,
    Outcome,
    Rejected,
    RejectionType,
)
from bpmnd.bpmn.outcomes import DeploymentCreated as DeploymentAnswer
from bpmnd.bpmn.processors import decisions, global_listeners
from bpmnd.bpmn.resources.kinds import KINDS, kind_of
from bpmnd.bpmn.resources.resource import Deployable
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.decisions import DecisionDefinition, DecisionRequirements
from bpmnd.bpmn.state.deployed import Definition
from bpmnd.bpmn.state.library import Form, PlainFile
from bpmnd.bpmn.turn import Turn

Record = Definition | DecisionRequirements | DecisionDefinition | Form | PlainFile


def deploy(turn: Turn, command: Deploy, partitions: Sequence[int]) -> Outcome | None:
    """Answers at once if this partition is the only one, else when all others have acknowledged."""
    read = _read(turn, command.tenant_id, command.resources)
    if isinstance(read, Rejected):
        return read
    known = [one.unchanged(turn) for one in read]
    if None not in known:
        return _repeated(turn, command, tuple(key for keys in known for key in keys or ()))

    key = turn.new_key()
    created = [(one, one.create(turn, key)) for one in read]
    definition_keys = tuple(key for _, keys in created for key in keys)
    turn.emit(DeploymentCreated(key, command.tenant_id, definition_keys))
    for one, keys in created:
        one.begin(turn, keys)
    others = tuple(partition for partition in partitions if partition != turn.state.partition_id)
    return _distribute(
        turn, key, command.tenant_id, definition_keys, records_of(turn.state, definition_keys), others
    )


def _distribute(
    turn: Turn,
    key: int,
    tenant_id: str,
    definition_keys: tuple[int, ...],
    records: Sequence[Record],
    others: tuple[int, ...],
) -> Outcome | None:
    """Hand what was deployed on to other partitions; the answer comes when all of them have acknowledged."""
    if not others:
        return answer_of(turn, key, tenant_id, definition_keys)
    turn.emit(DeploymentDistributing(key, turn.request, tenant_id, definition_keys, others))
    distribution = _distribution(key, tenant_id, records)
    for partition in others:
        turn.send(partition, distribution)
    return None


def _distribution(key: int, tenant_id: str, records: Iterable[Record]) -> DistributeDeployment:
    definitions: list[Definition] = []
    others: list[DecisionRequirements | DecisionDefinition | Form | PlainFile] = []
    for record in records:
        if isinstance(record, Definition):
            definitions.append(record)
        else:
            others.append(record)
    return DistributeDeployment(key, tenant_id, tuple(definitions), tuple(others))


def supply(turn: Turn, command: Supply) -> Outcome:
    """Send a new partition what was deployed and set up before it came, be it nothing: from here on the state
    knows of it. It knows by their keys what it has already."""
    by_deployment: dict[int, list[Record]] = {}
    state = turn.state
    tables = (state.definitions, *state.decisions.tables, state.forms.table, state.plain_files.table)
    for table in tables:
        for record in table.items.values():
            if state.deleted.get(record.key):
                continue
            by_deployment.setdefault(record.deployment_key, []).append(record)
    for key, records in sorted(by_deployment.items()):
        records.sort(key=lambda record: record.key)
        turn.send(command.partition, _distribution(key, records[0].tenant_id, records))
    global_listeners.supply(turn, command.partition)
    if turn.state.outbox.get(command.partition) is None:
        turn.send(command.partition, _distribution(0, "", ()))
    return Accepted()


def _read(turn: Turn, tenant_id: str, resources: Sequence[Resource]) -> list[Deployable] | Rejected:
    """What all resources define, or everything that is wrong with them."""
    if not resources:
        return Rejected(
            RejectionType.INVALID_ARGUMENT,
            "Expected to deploy at least one resource, but none given",
        )
    problems: list[str] = [
        f"'{resource.name}': unknown resource type; its extension tells what it is"
        for resource in resources
        if kind_of(resource.name) is None
    ]
    read: list[Deployable] = []
    for kind in KINDS:
        of_kind = [resource for resource in resources if kind_of(resource.name) is kind]
        read += kind.read(turn, tenant_id, of_kind, problems)
    if problems:
        reason = "Expected to deploy new resources, but encountered the following errors:\n"
        return Rejected(RejectionType.INVALID_ARGUMENT, reason + "\n".join(problems))
    return read


def _repeated(turn: Turn, command: Deploy, keys: tuple[int, ...]) -> Outcome | None:
    """A deployment of nothing new: the old keys and versions, and no event of anything created.

    Where what is meant is still on its way it has to wait, too. The channels keep their order, so a message
    without anything in it, sent after them, is acknowledged when they have arrived.
    """
    key = turn.new_key()
    turn.emit(DeploymentCreated(key, command.tenant_id, keys))
    missing = {
        partition
        for pending in turn.state.pending_deployments.items.values()
        if not set(keys).isdisjoint(pending.definition_keys)
        for partition in pending.waiting_for
    }
    return _distribute(turn, key, command.tenant_id, keys, (), tuple(sorted(missing)))


def records_of(state: State, keys: Iterable[int]) -> list[Record]:
    """What was deployed under the keys."""
    return [record for key in keys if (record := record_of(state, key)) is not None]


def record_of(state: State, key: int) -> Record | None:
    return (
        state.definitions.get(key)
        or state.decisions.requirements.get(key)
        or state.decisions.definitions.get(key)
        or state.forms.table.get(key)
        or state.plain_files.table.get(key)
    )


def created_event(record: Record) -> Event:
    """The fact that a partition notes which is handed a record."""
    match record:
        case Definition():
            return ProcessCreated(*astuple(record))
        case DecisionRequirements():
            return DecisionRequirementsCreated(*astuple(record))
        case DecisionDefinition():
            return DecisionCreated(*astuple(record))
        case Form():
            return FormCreated(*astuple(record))
        case PlainFile():
            return ResourceCreated(*astuple(record))


def answer_of(turn: Turn, key: int, tenant_id: str, definition_keys: Sequence[int]) -> DeploymentAnswer:
    processes: list[DeployedProcess] = []
    deployed: list[DeployedDecision] = []
    requirements: list[DeployedRequirements] = []
    forms: list[DeployedFile] = []
    plain_files: list[DeployedFile] = []
    for record in records_of(turn.state, definition_keys):
        match record:
            case Definition():
                processes.append(
                    DeployedProcess(
                        record.key,
                        record.process_id,
                        record.version,
                        record.resource_name,
                        is_duplicate=record.deployment_key != key,
                    )
                )
            case DecisionDefinition():
                deployed.append(decisions.deployed(record, key))
            case DecisionRequirements():
                requirements.append(decisions.deployed_requirements(record, key))
            case Form():
                forms.append(_deployed_file(record, key))
            case PlainFile():
                plain_files.append(_deployed_file(record, key))
    return DeploymentAnswer(
        key,
        tenant_id,
        tuple(processes),
        tuple(deployed),
        tuple(requirements),
        tuple(forms),
        tuple(plain_files),
    )


def _deployed_file(file: Form | PlainFile, deployment_key: int) -> DeployedFile:
    is_duplicate = file.deployment_key != deployment_key
    return DeployedFile(file.key, file.id, file.version, file.resource_name, is_duplicate)
