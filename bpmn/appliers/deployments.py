"""Appliers of deployments and their distribution."""

from msgspec.structs import astuple

from bpmnd.bpmn.appliers.registry import applies
from bpmnd.bpmn.events import (
    DeploymentCreated,
    DeploymentDistributed,
    DeploymentDistributing,
    DeploymentFullyDistributed,
    FormCreated,
    ProcessCreated,
    ResourceCreated,
    ResourceDeleted,
)
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.deployed import Definition, PendingDeployment
from bpmnd.bpmn.state.library import Form, PlainFile


@applies(DeploymentCreated)
def deployment_created(state: State, event: DeploymentCreated) -> None:
    """The processes carry all there is to know; the deployment itself is for the audit."""


@applies(ProcessCreated)
def process_created(state: State, event: ProcessCreated) -> None:
    definition = Definition(
        event.key,
        event.deployment_key,
        event.process_id,
        event.version,
        event.version_tag,
        event.resource_name,
        event.checksum,
        event.tenant_id,
        event.element_ids,
        event.content,
    )
    state.definitions.put(event.key, definition, state.journal)
    name = (event.tenant_id, event.process_id)
    versions = state.latest.get(name)
    if versions is None:
        versions = dict[int, int]()
        state.journal.put(state.latest, name, versions)
    state.journal.put(versions, event.version, event.key)


@applies(FormCreated)
def form_created(state: State, event: FormCreated) -> None:
    state.forms.add(Form(*astuple(event)), state.journal)


@applies(ResourceCreated)
def resource_created(state: State, event: ResourceCreated) -> None:
    state.plain_files.add(PlainFile(*astuple(event)), state.journal)


@applies(ResourceDeleted)
def resource_deleted(state: State, event: ResourceDeleted) -> None:
    """It cannot be found by its name any more."""
    state.deleted.put(event.key, 1, state.journal)
    definition = state.definitions.get(event.key)
    if definition is not None:
        versions = state.latest[definition.tenant_id, definition.process_id]
        state.journal.drop(versions, definition.version)
    elif state.decisions.requirements.get(event.key) is not None:
        state.decisions.delete(event.key, state.journal)


@applies(DeploymentDistributing)
def deployment_distributing(state: State, event: DeploymentDistributing) -> None:
    pending = PendingDeployment(
        event.key, event.request, event.tenant_id, event.definition_keys, event.waiting_for
    )
    state.pending_deployments.put(event.key, pending, state.journal)


@applies(DeploymentDistributed)
def deployment_distributed(state: State, event: DeploymentDistributed) -> None:
    pending = state.pending_deployments.items[event.key]
    assert event.partition_id in pending.waiting_for, f"{event}, but {pending} does not wait for it"
    rest = tuple(partition for partition in pending.waiting_for if partition != event.partition_id)
    still_pending = PendingDeployment(
        pending.key, pending.request, pending.tenant_id, pending.definition_keys, rest
    )
    state.pending_deployments.put(event.key, still_pending, state.journal)


@applies(DeploymentFullyDistributed)
def deployment_fully_distributed(state: State, event: DeploymentFullyDistributed) -> None:
    state.pending_deployments.remove(event.key, state.journal)
