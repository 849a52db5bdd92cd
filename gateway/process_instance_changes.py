"""Process instances, changed by hand: modify, migrate."""

from collections.abc import Sequence
from typing import Final, final

import msgspec
from aiohttp import web

from bpmnd.bpmn.commands import (
    ActivateInstruction,
    AncestorOf,
    MigrateProcessInstance,
    ModifyProcessInstance,
    MoveInstruction,
    RepeatableCommand,
    TerminateInstruction,
    VariableInstruction,
)
from bpmnd.bpmn.outcomes import Accepted
from bpmnd.gateway.answers import Answer, no_content
from bpmnd.gateway.bodies import Body, Int64, RawVariables, json_body, variables_of
from bpmnd.gateway.complaints import check_operation_reference, missing, not_in_enum
from bpmnd.gateway.errors import invalid_argument, not_found, unexpected
from bpmnd.gateway.idempotency import with_id
from bpmnd.gateway.keys import key_in_body, key_in_path
from bpmnd.gateway.origins import origin_of
from bpmnd.gateway.ports import Cluster
from bpmnd.gateway.routes import Route
from bpmnd.gateway.submission import Submissions

_NO_KEY: Final = -1
"""A key that nothing has; as an ancestor it stands for whichever there is."""
_ANCESTORS: Final = {
    "direct": AncestorOf.NAMED,
    "inferred": AncestorOf.FOUND,
    "sourceParent": AncestorOf.SOURCE,
}
_BY_ID: Final = "byId"
_BY_KEY: Final = "byKey"


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    """A part of a body, in which properties that are not known are no matter."""


class _Variables(_Part, frozen=True):
    variables: RawVariables | None = None
    scope_id: str | None = None


class _Activate(_Part, frozen=True):
    element_id: str | None = None
    variable_instructions: list[_Variables] | None = None
    ancestor_element_instance_key: str | None = None


class _Source(_Part, frozen=True):
    source_type: str | None = None
    source_element_id: str | None = None
    source_element_instance_key: str | None = None


class _Ancestor(_Part, frozen=True):
    ancestor_scope_type: str | None = None
    ancestor_element_instance_key: str | None = None


class _Move(_Part, frozen=True):
    source_element_instruction: _Source | None = None
    target_element_id: str | None = None
    ancestor_scope_instruction: _Ancestor | None = None
    variable_instructions: list[_Variables] | None = None


class _Terminate(_Part, frozen=True):
    element_id: str | None = None
    element_instance_key: str | None = None


class _Modification(Body, frozen=True):
    operation_reference: Int64 | None = None
    activate_instructions: list[_Activate] | None = None
    move_instructions: list[_Move] | None = None
    terminate_instructions: list[_Terminate] | None = None


class _Mapping(_Part, frozen=True):
    source_element_id: str | None = None
    target_element_id: str | None = None


class _Migration(Body, frozen=True):
    target_process_definition_key: str | None = None
    mapping_instructions: list[_Mapping] | None = None
    operation_reference: Int64 | None = None


_MODIFICATION = msgspec.json.Decoder(_Modification)
_MIGRATION = msgspec.json.Decoder(_Migration)


@final
class ProcessInstanceChanges:
    """The operations of the tag "Process instance" that change what one of them does."""

    def __init__(self, cluster: Cluster, submissions: Submissions) -> None:
        self._cluster = cluster
        self._submissions = submissions

    def routes(self) -> Sequence[Route]:
        path = "/process-instances/{processInstanceKey}"
        return (
            Route("POST", f"{path}/modification", "modifyProcessInstance", self.modify),
            Route("POST", f"{path}/migration", "migrateProcessInstance", self.migrate),
        )

    async def modify(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """Activate, move and terminate elements: 204."""
        key = key_in_path(arguments[0], "processInstanceKey")
        command = _modification_of(key, await json_body(request, _MODIFICATION))
        reason = f"Expected to modify process instance but no process instance found with key '{key}'"
        return await self._do(request, command, key, "MODIFY", reason)

    async def migrate(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """Let an instance go on by another definition: 204."""
        key = key_in_path(arguments[0], "processInstanceKey")
        command = _migration_of(key, await json_body(request, _MIGRATION))
        reason = f"Expected to migrate process instance but no process instance found with key '{key}'"
        return await self._do(request, command, key, "MIGRATE", reason)

    async def _do(
        self, request: web.BaseRequest, command: RepeatableCommand, key: int, name: str, unknown: str
    ) -> Answer:
        partition = self._cluster.owner_of(key)
        if partition is None:
            raise not_found(name, unknown)
        match await self._submissions.outcome_of(with_id(request, command), partition):
            case Accepted():
                return no_content()
            case outcome:
                raise unexpected(name, outcome)


def _modification_of(key: int, body: _Modification) -> ModifyProcessInstance:
    complaints = check_operation_reference(body.operation_reference)
    activations = [_activation_of(each, complaints) for each in body.activate_instructions or ()]
    moves = [_move_of(each, complaints) for each in body.move_instructions or ()]
    terminations = [_termination_of(each, complaints) for each in body.terminate_instructions or ()]
    if complaints:
        raise invalid_argument(complaints)
    origin = origin_of(body.operation_reference)
    return ModifyProcessInstance(key, tuple(activations), tuple(moves), tuple(terminations), origin=origin)


def _activation_of(body: _Activate, complaints: list[str]) -> ActivateInstruction:
    if body.element_id is None:
        complaints.append(missing("elementId"))
    return ActivateInstruction(
        body.element_id or "",
        _variables_of(body.variable_instructions, complaints),
        _ancestor_key(body.ancestor_element_instance_key),
    )


def _move_of(body: _Move, complaints: list[str]) -> MoveInstruction:
    if body.target_element_id is None:
        complaints.append(missing("targetElementId"))
    source_key, source_id = _source_of(body.source_element_instruction, complaints)
    ancestor, ancestor_key = _ancestor_of(body.ancestor_scope_instruction, complaints)
    return MoveInstruction(
        body.target_element_id or "",
        source_key,
        source_id,
        ancestor,
        ancestor_key,
        _variables_of(body.variable_instructions, complaints),
    )


def _source_of(body: _Source | None, complaints: list[str]) -> tuple[int, str]:
    """Key and element id; one of them says nothing."""
    if body is None:
        complaints.append(missing("sourceElementInstruction"))
        return 0, ""
    match body.source_type:
        case "byId":
            if body.source_element_id is None:
                complaints.append(missing("sourceElementId"))
            return 0, body.source_element_id or ""
        case "byKey":
            if body.source_element_instance_key is None:
                complaints.append(missing("sourceElementInstanceKey"))
                return 0, ""
            return _some_key(body.source_element_instance_key, "sourceElementInstanceKey"), ""
        case None:
            complaints.append(missing("sourceType"))
            return 0, ""
        case unknown:
            raise not_in_enum("sourceType", unknown, frozenset({_BY_ID, _BY_KEY}))


def _ancestor_of(body: _Ancestor | None, complaints: list[str]) -> tuple[AncestorOf, int]:
    if body is None:
        return AncestorOf.NAMED, 0
    if body.ancestor_scope_type is None:
        complaints.append(missing("ancestorScopeType"))
        return AncestorOf.NAMED, 0
    if body.ancestor_scope_type not in _ANCESTORS:
        raise not_in_enum("ancestorScopeType", body.ancestor_scope_type, frozenset(_ANCESTORS))
    ancestor = _ANCESTORS[body.ancestor_scope_type]
    if ancestor is not AncestorOf.NAMED:
        return ancestor, 0
    if body.ancestor_element_instance_key is None:
        complaints.append(missing("ancestorElementInstanceKey"))
    return ancestor, _ancestor_key(body.ancestor_element_instance_key)


def _ancestor_key(text: str | None) -> int:
    """0 if the ancestor is to be found: nothing is said of it, or -1."""
    if text is None:
        return 0
    key = _some_key(text, "ancestorElementInstanceKey")
    return 0 if text == str(_NO_KEY) else key


def _some_key(text: str, name: str) -> int:
    """A key, even where it is 0, which nothing has."""
    return key_in_body(text, name) or _NO_KEY


def _termination_of(body: _Terminate, complaints: list[str]) -> TerminateInstruction:
    if body.element_instance_key is not None and body.element_id is not None:
        complaints.append("Only one of [elementId, elementInstanceKey] is allowed.")
    elif body.element_instance_key is None and body.element_id is None:
        complaints.append("At least one of [elementId, elementInstanceKey] is required.")
    key = body.element_instance_key
    return TerminateInstruction(
        0 if key is None else _some_key(key, "elementInstanceKey"), body.element_id or ""
    )


def _variables_of(bodies: list[_Variables] | None, complaints: list[str]) -> tuple[VariableInstruction, ...]:
    instructions: list[VariableInstruction] = []
    for body in bodies or ():
        if not body.variables:
            complaints.append(missing("variables"))
        instructions.append(VariableInstruction(body.scope_id or "", variables_of(body.variables)))
    return tuple(instructions)


def _migration_of(key: int, body: _Migration) -> MigrateProcessInstance:
    complaints = check_operation_reference(body.operation_reference)
    if body.target_process_definition_key is None:
        complaints.append(missing("targetProcessDefinitionKey"))
    mappings = body.mapping_instructions or ()
    if not mappings:
        complaints.append(missing("mappingInstructions"))
    if not all(mapping.source_element_id and mapping.target_element_id for mapping in mappings):
        complaints.append("All [sourceElementId, targetElementId] are required.")
    if complaints:
        raise invalid_argument(complaints)
    target = body.target_process_definition_key or ""
    pairs = tuple((each.source_element_id or "", each.target_element_id or "") for each in mappings)
    target_key = key_in_body(target, "targetProcessDefinitionKey")
    return MigrateProcessInstance(key, target_key, pairs, origin=origin_of(body.operation_reference))
