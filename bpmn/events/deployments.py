"""What is deployed, and its way to the other partitions."""

from bpmnd.bpmn.events.struct import EventStruct


class DeploymentCreated(EventStruct, frozen=True, gc=False, tag=1):
    """A deployment is complete on this partition. On the deploying one, others may still miss it."""

    key: int
    tenant_id: str
    definition_keys: tuple[int, ...]


class ProcessCreated(EventStruct, frozen=True, gc=False, tag=2):
    """A new version of a process. `element_ids` is the table that all later events and state refer to."""

    key: int
    deployment_key: int
    process_id: str
    version: int
    version_tag: str
    resource_name: str
    checksum: bytes
    tenant_id: str
    element_ids: tuple[str, ...]
    content: bytes


class DeploymentDistributing(EventStruct, frozen=True, gc=False, tag=3):
    """The deployment is on its way to other partitions; `request` is answered when all have it."""

    key: int
    request: int
    tenant_id: str
    definition_keys: tuple[int, ...]
    waiting_for: tuple[int, ...]


class DeploymentDistributed(EventStruct, frozen=True, gc=False, tag=4):
    key: int
    partition_id: int


class DeploymentFullyDistributed(EventStruct, frozen=True, gc=False, tag=5):
    key: int


class FormCreated(EventStruct, frozen=True, gc=False, tag=114):
    """A new version of a form."""

    key: int
    deployment_key: int
    form_id: str
    version: int
    version_tag: str
    resource_name: str
    checksum: bytes
    tenant_id: str
    content: bytes


class ResourceCreated(EventStruct, frozen=True, gc=False, tag=115):
    """A new version of a file that the engine keeps for others."""

    key: int
    deployment_key: int
    resource_id: str
    version: int
    version_tag: str
    resource_name: str
    checksum: bytes
    tenant_id: str
    content: bytes


class ResourceDeleted(EventStruct, frozen=True, gc=False, tag=116):
    """Nothing new uses what was deployed under the key. `user` is who has deleted it, if that is known."""

    key: int
    user: str
