"""Deployments: a form with files, taken whole or not at all. What the files mean is for the engine to say."""

from collections.abc import Sequence
from typing import final

import msgspec
from aiohttp import web

from bpmnd.bpmn.commands import Deploy, Resource
from bpmnd.bpmn.outcomes import (
    DeployedDecision,
    DeployedFile,
    DeployedProcess,
    DeployedRequirements,
    DeploymentCreated,
)
from bpmnd.gateway.answers import Answer, ok
from bpmnd.gateway.errors import bad_request, invalid_argument, unexpected
from bpmnd.gateway.forms import Part, read_form
from bpmnd.gateway.idempotency import with_id
from bpmnd.gateway.ports import Cluster
from bpmnd.gateway.routes import Route
from bpmnd.gateway.submission import Submissions
from bpmnd.gateway.tenants import check_tenant

_TENANT_ID = "tenantId"
_RESOURCES = "resources"


class _Process(msgspec.Struct, frozen=True, rename="camel"):
    process_definition_id: str
    process_definition_version: int
    resource_name: str
    tenant_id: str
    process_definition_key: str


class _Decision(msgspec.Struct, frozen=True, rename="camel"):
    decision_definition_id: str
    version: int
    name: str
    tenant_id: str
    decision_requirements_id: str
    decision_definition_key: str
    decision_requirements_key: str


class _Requirements(msgspec.Struct, frozen=True, rename="camel"):
    decision_requirements_id: str
    decision_requirements_name: str
    version: int
    resource_name: str
    tenant_id: str
    decision_requirements_key: str


class _Form(msgspec.Struct, frozen=True, rename="camel"):
    form_id: str
    version: int
    resource_name: str
    tenant_id: str
    form_key: str


class _Resource(msgspec.Struct, frozen=True, rename="camel"):
    resource_id: str
    version: int
    resource_name: str
    tenant_id: str
    resource_key: str


class _Entry(msgspec.Struct, frozen=True, rename="camel"):
    """One deployed thing: exactly one of these is not null."""

    process_definition: _Process | None = None
    decision_definition: _Decision | None = None
    decision_requirements: _Requirements | None = None
    form: _Form | None = None
    resource: _Resource | None = None


class _Deployment(msgspec.Struct, frozen=True, rename="camel"):
    deployment_key: str
    tenant_id: str
    deployments: list[_Entry]


@final
class DeploymentOperations:
    """What the tag "Resource" has of deployments."""

    def __init__(self, cluster: Cluster, submissions: Submissions) -> None:
        self._cluster = cluster
        self._submissions = submissions

    def routes(self) -> Sequence[Route]:
        return (Route("POST", "/deployments", "createDeployment", self.create),)

    async def create(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """Deploy all files or none: 200 once every partition has them."""
        command = with_id(request, _command_of(await read_form(request)))
        match await self._submissions.outcome_of(command, self._cluster.for_deployment()):
            case DeploymentCreated() as deployment:
                return ok(_deployment_text(deployment))
            case outcome:
                raise unexpected("CREATE", outcome)


def _command_of(parts: list[Part]) -> Deploy:
    files: dict[str, bytes] = {}
    for part in parts:
        if part.filename in files:
            complaint = f"Expected every resource to have its own name, but there are two '{part.filename}'."
            raise invalid_argument([complaint])
        if part.filename:
            files[part.filename] = part.content
        elif part.name == _TENANT_ID:
            check_tenant(part.content.decode("utf-8", "replace").strip(), "Deploy Resources")
        elif part.name == _RESOURCES:
            raise bad_request(f"Part '{_RESOURCES}' has no file name; its extension tells what it is.")
        else:
            raise bad_request(f"Request property [{part.name}] cannot be parsed: there is no such property")
    if not files:
        raise bad_request(f"Required part '{_RESOURCES}' is not present.")
    return Deploy(tuple(Resource(name, content) for name, content in files.items()))


def _deployment_text(deployment: DeploymentCreated) -> bytes:
    tenant_id = deployment.tenant_id
    entries = [_entry_of(process, tenant_id) for process in deployment.processes]
    entries += [_entry_of_decision(decision, tenant_id) for decision in deployment.decisions]
    entries += [_entry_of_requirements(one, tenant_id) for one in deployment.requirements]
    entries += [_Entry(form=_Form(*_of_file(file, tenant_id))) for file in deployment.forms]
    entries += [_Entry(resource=_Resource(*_of_file(file, tenant_id))) for file in deployment.plain_files]
    return msgspec.json.encode(_Deployment(str(deployment.key), deployment.tenant_id, entries))


def _entry_of(process: DeployedProcess, tenant_id: str) -> _Entry:
    return _Entry(
        process_definition=_Process(
            process_definition_id=process.process_id,
            process_definition_version=process.version,
            resource_name=process.resource_name,
            tenant_id=tenant_id,
            process_definition_key=str(process.key),
        )
    )


def _entry_of_decision(decision: DeployedDecision, tenant_id: str) -> _Entry:
    return _Entry(
        decision_definition=_Decision(
            decision_definition_id=decision.decision_id,
            version=decision.version,
            name=decision.name,
            tenant_id=tenant_id,
            decision_requirements_id=decision.requirements_id,
            decision_definition_key=str(decision.key),
            decision_requirements_key=str(decision.requirements_key),
        )
    )


def _entry_of_requirements(requirements: DeployedRequirements, tenant_id: str) -> _Entry:
    return _Entry(
        decision_requirements=_Requirements(
            decision_requirements_id=requirements.requirements_id,
            decision_requirements_name=requirements.name,
            version=requirements.version,
            resource_name=requirements.resource_name,
            tenant_id=tenant_id,
            decision_requirements_key=str(requirements.key),
        )
    )


def _of_file(file: DeployedFile, tenant_id: str) -> tuple[str, int, str, str, str]:
    return file.id, file.version, file.resource_name, tenant_id, str(file.key)
