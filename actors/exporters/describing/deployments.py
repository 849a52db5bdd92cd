"""What is deployed and deleted, and that other partitions have it."""

from collections.abc import Sequence

from bpmnd.actors.exporters.describing.registry import describes
from bpmnd.actors.exporters.places import Places
from bpmnd.actors.exporters.values import Value
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


@describes
def process_created(event: ProcessCreated, places: Places) -> Value:
    return {
        "processDefinitionKey": str(event.key),
        "bpmnProcessId": event.process_id,
        **_of_file(event),
    }


@describes
def form_created(event: FormCreated, places: Places) -> Value:
    return {"formKey": str(event.key), "formId": event.form_id, **_of_file(event)}


@describes
def resource_created(event: ResourceCreated, places: Places) -> Value:
    return {"resourceKey": str(event.key), "resourceId": event.resource_id, **_of_file(event)}


@describes
def resource_deleted(event: ResourceDeleted, places: Places) -> Value:
    return {"resourceKey": str(event.key), "user": event.user or None}


@describes
def deployment_created(event: DeploymentCreated, places: Places) -> Value:
    return _deployed(event.key, event.tenant_id, event.definition_keys, places)


@describes
def deployment_distributing(event: DeploymentDistributing, places: Places) -> Value:
    deployed = _deployed(event.key, event.tenant_id, event.definition_keys, places)
    return {**deployed, "partitionIds": event.waiting_for}


@describes
def deployment_distributed(event: DeploymentDistributed, places: Places) -> Value:
    return {"deploymentKey": str(event.key), "partitionId": event.partition_id}


@describes
def deployment_fully_distributed(event: DeploymentFullyDistributed, places: Places) -> Value:
    return {"deploymentKey": str(event.key)}


def _of_file(event: ProcessCreated | FormCreated | ResourceCreated) -> Value:
    return {
        "version": event.version,
        "versionTag": event.version_tag or None,
        "resourceName": event.resource_name,
        "checksum": event.checksum.hex(),
        "deploymentKey": str(event.deployment_key),
        "tenantId": event.tenant_id,
        "resource": event.content,
    }


def _deployed(key: int, tenant_id: str, definition_keys: Sequence[int], places: Places) -> Value:
    known = places.known.definitions  # Keys of decisions have records of their own.
    processes = [places.process(key) for key in definition_keys if key in known]
    return {"deploymentKey": str(key), "tenantId": tenant_id, "processes": processes}
