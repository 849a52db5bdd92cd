"""Process instances: create, cancel."""

import asyncio
import re
from collections.abc import Awaitable, Sequence
from typing import Final, final

import msgspec
from aiohttp import web

from bpmnd.bpmn.commands import (
    CancelProcessInstance,
    ClientCommand,
    CreateProcessInstance,
    DoOnce,
    Variables,
)
from bpmnd.bpmn.outcomes import Accepted, Outcome, ProcessInstanceCreated
from bpmnd.gateway.answers import Answer, no_content, ok
from bpmnd.gateway.bodies import (
    Body,
    Int32,
    Int64,
    RawVariables,
    json_body,
    optional_json_body,
    variables_of,
)
from bpmnd.gateway.complaints import check_operation_reference, not_in_enum
from bpmnd.gateway.errors import invalid_argument, not_found, timed_out, unexpected
from bpmnd.gateway.idempotency import with_id
from bpmnd.gateway.keys import key_in_body, key_in_path
from bpmnd.gateway.origins import origin_of
from bpmnd.gateway.ports import Cluster
from bpmnd.gateway.routes import Route
from bpmnd.gateway.slots import outcome_by_id
from bpmnd.gateway.submission import Submissions
from bpmnd.gateway.tenants import check_tenant
from bpmnd.gateway.texts import json_object, json_text

AWAIT_TIMEOUT_MS: Final = 10_000
AWAIT_TIMEOUT_MS_MAX: Final = 7 * 24 * 3600 * 1000
_TAGS_MAX = 10
_TAG = re.compile(r"[A-Za-z][A-Za-z0-9_\-:.]{0,99}", re.ASCII)
_BUSINESS_ID_LENGTH_MAX = 256
_TERMINATE = "TERMINATE_PROCESS_INSTANCE"


class _StartInstruction(msgspec.Struct, frozen=True, rename="camel"):
    element_id: str | None = None


class _RuntimeInstruction(msgspec.Struct, frozen=True, rename="camel"):
    type: str | None = None
    after_element_id: str | None = None


class _Creation(Body, frozen=True):
    process_definition_id: str | None = None
    process_definition_key: str | None = None
    process_definition_version: Int32 | None = None
    variables: RawVariables | None = None
    tenant_id: str | None = None
    operation_reference: Int64 | None = None
    start_instructions: list[_StartInstruction] | None = None
    runtime_instructions: list[_RuntimeInstruction] | None = None
    await_completion: bool | None = None
    fetch_variables: list[str] | None = None
    request_timeout: Int64 | None = None
    tags: list[str] | None = None
    business_id: str | None = None


class _Cancellation(Body, frozen=True):
    operation_reference: Int64 | None = None


_CREATION = msgspec.json.Decoder(_Creation)
_CANCELLATION = msgspec.json.Decoder(_Cancellation)


@final
class ProcessInstanceOperations:
    """The operations of the tag "Process instance"."""

    def __init__(self, cluster: Cluster, submissions: Submissions) -> None:
        self._cluster = cluster
        self._submissions = submissions
        self._awaited = Submissions(timeout_s=2 * AWAIT_TIMEOUT_MS_MAX / 1000)
        """Those that wait for the end of an instance have their own time-outs."""

    def routes(self) -> Sequence[Route]:
        return (
            Route("POST", "/process-instances", "createProcessInstance", self.create),
            Route(
                "POST",
                "/process-instances/{processInstanceKey}/cancellation",
                "cancelProcessInstance",
                self.cancel,
            ),
        )

    async def create(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """Start an instance: 200 once it is started, or with `awaitCompletion` once it has ended."""
        body = await json_body(request, _CREATION)
        creation = _command_of(body)
        command = with_id(request, creation)

        if creation.await_result:
            timeout_ms = min(_await_timeout_ms(body.request_timeout), AWAIT_TIMEOUT_MS_MAX)
            try:
                async with asyncio.timeout(timeout_ms / 1000):
                    outcome = await self._outcome_of(self._awaited, command)
            except TimeoutError:
                detail = f"The process instance did not complete within {timeout_ms} ms; it goes on running."
                raise timed_out(detail) from None
        else:
            outcome = await self._outcome_of(self._submissions, command)

        match outcome:
            case ProcessInstanceCreated():
                return ok(_created(outcome, outcome.variables if creation.await_result else {}))
            case _:
                raise unexpected("CREATE", outcome)

    async def cancel(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """Terminate a root instance: 204."""
        key = key_in_path(arguments[0], "processInstanceKey")
        body = await optional_json_body(request, _CANCELLATION) or _Cancellation()
        if complaints := check_operation_reference(body.operation_reference):
            raise invalid_argument(complaints)

        partition = self._cluster.owner_of(key)
        if partition is None:
            reason = f"Expected to cancel a process instance with key '{key}', but no such process was found"
            raise not_found("CANCEL", reason)
        origin = origin_of(body.operation_reference)
        command = with_id(request, CancelProcessInstance(key, origin=origin))
        match await self._submissions.outcome_of(command, partition):
            case Accepted():
                return no_content()
            case outcome:
                raise unexpected("CANCEL", outcome)

    def _outcome_of(self, submissions: Submissions, command: ClientCommand) -> Awaitable[Outcome]:
        """Of a creation. A repeat must come to the same place."""
        if isinstance(command, DoOnce):
            return outcome_by_id(submissions, self._cluster, command)
        anywhere = self._cluster.for_creation
        return submissions.outcome_of(command, anywhere(), anywhere)


def _await_timeout_ms(requested: int | None) -> int:
    return requested if requested is not None and requested > 0 else AWAIT_TIMEOUT_MS


def _command_of(body: _Creation) -> CreateProcessInstance:
    complaints = check_operation_reference(body.operation_reference)
    if body.process_definition_id and body.process_definition_key is not None:
        complaints.append("Only one of [processDefinitionId, processDefinitionKey] is allowed.")
    elif not body.process_definition_id and body.process_definition_key is None:
        complaints.append("At least one of [processDefinitionId, processDefinitionKey] is required.")
    if body.tags:
        complaints += _complaints_about_tags(body.tags)
    if body.business_id is not None:
        complaints += _complaints_about_business_id(body.business_id)

    start_elements = _start_elements(body.start_instructions, complaints) if body.start_instructions else ()
    terminate_after = (
        _terminate_after(body.runtime_instructions, complaints) if body.runtime_instructions else ()
    )
    if complaints:
        raise invalid_argument(complaints)
    check_tenant(body.tenant_id, "Create Process Instance")

    version = body.process_definition_version
    key = body.process_definition_key
    return CreateProcessInstance(
        process_id=body.process_definition_id or "",
        version=-1 if version is None else version,
        definition_key=0 if key is None else key_in_body(key, "processDefinitionKey"),
        variables=variables_of(body.variables),
        tags=tuple(body.tags) if body.tags else (),
        business_id=body.business_id,
        start_elements=start_elements,
        terminate_after=terminate_after,
        await_result=body.await_completion is True,
        fetch_variables=tuple(body.fetch_variables) if body.fetch_variables else (),
        origin=origin_of(body.operation_reference),
    )


def _start_elements(instructions: list[_StartInstruction], complaints: list[str]) -> tuple[str, ...]:
    elements = tuple(instruction.element_id or "" for instruction in instructions)
    complaints += [f"No startInstructions[{i}].elementId provided." for i, e in enumerate(elements) if not e]
    return elements


def _terminate_after(instructions: list[_RuntimeInstruction], complaints: list[str]) -> tuple[str, ...]:
    for index, instruction in enumerate(instructions):
        if instruction.type not in (None, _TERMINATE):
            raise not_in_enum(f"runtimeInstructions[{index}].type", instruction.type, frozenset({_TERMINATE}))
    elements = tuple(instruction.after_element_id or "" for instruction in instructions)
    complaints += [
        f"No runtimeInstructions[{i}].afterElementId provided." for i, e in enumerate(elements) if not e
    ]
    return elements


def _complaints_about_tags(tags: list[str]) -> list[str]:
    complaints: list[str] = []
    if len(tags) > _TAGS_MAX:
        complaints.append(f"The number of tags is {len(tags)} but must be at most {_TAGS_MAX}.")
    if len(set(tags)) < len(tags):
        complaints.append("The tags must be unique.")
    complaints += [
        f"The tag '{tag}' must be a letter, then at most 99 letters, digits, '_', '-', ':' or '.'."
        for tag in tags[:_TAGS_MAX]
        if _TAG.fullmatch(tag) is None
    ]
    return complaints


def _complaints_about_business_id(business_id: str) -> list[str]:
    length = len(business_id)
    if 1 <= length <= _BUSINESS_ID_LENGTH_MAX:
        return []
    return [
        f"The length of businessId is {length} but must be from 1 to {_BUSINESS_ID_LENGTH_MAX} characters."
    ]


def _created(instance: ProcessInstanceCreated, variables: Variables) -> bytes:
    return (
        b'{"processDefinitionId":%b,"processDefinitionVersion":%d,"tenantId":%b,"variables":%b,'
        b'"processDefinitionKey":"%d","processInstanceKey":"%d","tags":%b,"businessId":%b}'
    ) % (
        json_text(instance.process_id),
        instance.version,
        json_text(instance.tenant_id),
        json_object(variables) if variables else b"{}",
        instance.definition_key,
        instance.key,
        json_text(instance.tags) if instance.tags else b"[]",
        b"null" if instance.business_id is None else json_text(instance.business_id),
    )
