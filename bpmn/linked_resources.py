"""Files that an element whose work is done by job workers refers to: the worker is told their keys."""

from typing import Final

import msgspec

from bpmnd.bpmn.evaluation import evaluate_string
from bpmnd.bpmn.feel import Lookup
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.model.graph import BindingType, LinkedResource
from bpmnd.bpmn.state.library import PlainFile
from bpmnd.bpmn.state.records import ProcessInstance
from bpmnd.bpmn.turn import Turn

HEADER: Final = "linkedResources"


class _Link(msgspec.Struct, frozen=True, rename="camel"):
    resource_key: str
    resource_type: str
    link_name: str


def link_resources(
    turn: Turn, instance: ProcessInstance, resources: tuple[LinkedResource, ...], lookup: Lookup
) -> str | Incident:
    """The value of the header: a list in JSON of the resources as they are deployed now; an incident if one
    of them is not there."""
    links: list[_Link] = []
    for resource in resources:
        file = _find(turn, instance, resource, lookup)
        if isinstance(file, Incident):
            return file
        links.append(_Link(str(file.key), resource.resource_type, resource.link_name))
    return msgspec.json.encode(links).decode()


def _find(
    turn: Turn, instance: ProcessInstance, resource: LinkedResource, lookup: Lookup
) -> PlainFile | Incident:
    resource_id = evaluate_string(turn, resource.resource_id, lookup)
    if isinstance(resource_id, Incident):
        return resource_id
    definition = turn.state.definitions.items[instance.definition_key]
    versions = turn.state.plain_files.versions_of(definition.tenant_id, resource_id)
    if resource.binding is BindingType.LATEST:
        found, which = next(versions, None), ""
    elif resource.binding is BindingType.DEPLOYMENT:
        key = definition.deployment_key
        found = next((file for file in versions if file.deployment_key == key), None)
        which = f" in the deployment '{key}' of the process"
    else:
        tag = resource.version_tag
        found = next((file for file in versions if file.version_tag == tag), None)
        which = f" and version tag '{tag}'"
    if found is not None:
        return found
    reason = (
        f"Expected to link the resource with id '{resource_id}'{which}, but no such resource is deployed."
    )
    return Incident(IncidentType.RESOURCE_NOT_FOUND, reason)
