"""Jobs: activate, complete, fail, throw an error, update."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final, final

import msgspec
from aiohttp import web

from bpmnd.bpmn.commands import (
    ActivateJobs,
    AdHocResult,
    CommandId,
    CompleteJob,
    DoOnce,
    FailJob,
    RepeatableCommand,
    TaskResult,
    ThrowJobError,
    UpdateJob,
)
from bpmnd.bpmn.outcomes import Accepted, ActivatedJob, JobsActivated
from bpmnd.gateway.activation import JobActivation
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
from bpmnd.gateway.complaints import check_operation_reference, missing, not_in_enum, not_positive
from bpmnd.gateway.errors import invalid_argument, not_found, unexpected
from bpmnd.gateway.idempotency import with_id
from bpmnd.gateway.job_texts import jobs_text
from bpmnd.gateway.keys import key_in_path
from bpmnd.gateway.origins import origin_of
from bpmnd.gateway.ports import Cluster
from bpmnd.gateway.routes import Route
from bpmnd.gateway.submission import Submissions
from bpmnd.gateway.task_changes import Corrections, changes_of
from bpmnd.gateway.tenants import check_tenants

POLL_TIMEOUT_MS: Final = 10_000
POLL_TIMEOUT_MS_MAX: Final = 7 * 24 * 3600 * 1000
JOBS_PER_ANSWER_MAX: Final = 1000
_ACTIVATION_SIZE_MAX: Final = 64 * 1024
"""Ten thousand polls may wait; what they asked for waits with them."""

_TENANT_FILTERS = frozenset({"PROVIDED", "ASSIGNED"})


class _Activation(Body, frozen=True):
    type: str | None = None
    worker: str | None = None
    timeout: Int64 | None = None
    max_jobs_to_activate: Int32 | None = None
    fetch_variable: list[str] | None = None
    request_timeout: Int64 | None = None
    tenant_ids: list[str] | None = None
    tenant_filter: str | None = None


class _ActivateElement(msgspec.Struct, frozen=True, rename="camel"):
    element_id: str | None = None
    variables: RawVariables | None = None


class _Result(msgspec.Struct, frozen=True, rename="camel"):
    """The result of a listener's or an ad-hoc sub-process's job. Other jobs ignore it, as in Zeebe."""

    type: str | None = None
    denied: bool | None = None
    denied_reason: str | None = None
    corrections: Corrections | None = None
    activate_elements: list[_ActivateElement] | None = None
    is_completion_condition_fulfilled: bool | None = None
    is_cancel_remaining_instances: bool | None = None


class _Completion(Body, frozen=True):
    variables: RawVariables | None = None
    result: _Result | None = None


class _Failure(Body, frozen=True):
    retries: Int32 | None = None
    error_message: str | None = None
    retry_back_off: Int64 | None = None
    variables: RawVariables | None = None


class _Error(Body, frozen=True):
    error_code: str | None = None
    error_message: str | None = None
    variables: RawVariables | None = None


class _Changeset(msgspec.Struct, frozen=True, rename="camel"):
    retries: Int32 | None = None
    timeout: Int64 | None = None


class _Update(Body, frozen=True):
    changeset: _Changeset | None = None
    operation_reference: Int64 | None = None


_ACTIVATION = msgspec.json.Decoder(_Activation)
_COMPLETION = msgspec.json.Decoder(_Completion)
_FAILURE = msgspec.json.Decoder(_Failure)
_ERROR = msgspec.json.Decoder(_Error)
_UPDATE = msgspec.json.Decoder(_Update)


@final
class JobOperations:
    """The operations of the tag "Job"."""

    def __init__(self, cluster: Cluster, submissions: Submissions, activation: JobActivation) -> None:
        self._cluster = cluster
        self._submissions = submissions
        self._activation = activation

    def routes(self) -> Sequence[Route]:
        return (
            Route("POST", "/jobs/activation", "activateJobs", self.activate),
            Route("PATCH", "/jobs/{jobKey}", "updateJob", self.update),
            Route("POST", "/jobs/{jobKey}/completion", "completeJob", self.complete),
            Route("POST", "/jobs/{jobKey}/failure", "failJob", self.fail),
            Route("POST", "/jobs/{jobKey}/error", "throwJobError", self.throw_error),
        )

    async def activate(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """Lend jobs to a worker: 200 with up to as many as asked for, held until there is one."""
        body = await json_body(request, _ACTIVATION, size_max=_ACTIVATION_SIZE_MAX)
        command = with_id(request, activation := _activation_of(body))
        wait_ms = _wait_ms(body.request_timeout)

        if isinstance(command, DoOnce):
            lent = await self._lent_before(command.id, activation)
            return ok(jobs_text(lent or await self._activation.activate(activation, wait_ms, command.id)))
        jobs = await self._activation.activate(activation, wait_ms)
        if not jobs:
            return ok(b'{"jobs":[]}')
        return ok(jobs_text(jobs)).if_lost(partial(self._activation.give_back, jobs))

    async def _lent_before(self, id: CommandId, activation: ActivateJobs) -> tuple[ActivatedJob, ...]:
        """What a request with the same key was lent, on whichever partitions that was."""
        look = DoOnce(id, msgspec.structs.replace(activation, jobs_max=0))
        asked = (self._submissions.outcome_of(look, partition) for partition in self._cluster.partitions())
        lent: tuple[ActivatedJob, ...] = ()
        for outcome in await asyncio.gather(*asked):
            match outcome:
                case JobsActivated(jobs):
                    lent += jobs
                case _:
                    raise unexpected("ACTIVATE", outcome)
        return lent

    async def complete(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """The job is done: 204 once that is committed."""
        key = key_in_path(arguments[0], "jobKey")
        body = await optional_json_body(request, _COMPLETION)
        if body is None:
            command = CompleteJob(key)
        elif body.result is None:
            command = CompleteJob(key, variables_of(body.variables))
        else:
            variables, result = variables_of(body.variables), body.result
            command = CompleteJob(key, variables, _task_result(result), _ad_hoc_result(result))
        return await self._do(request, command, key, "COMPLETE", "complete job")

    async def fail(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """The job failed: 204. As in Zeebe, what is below zero counts as zero."""
        key = key_in_path(arguments[0], "jobKey")
        body = await optional_json_body(request, _FAILURE) or _Failure()
        command = FailJob(
            key,
            retries=max(0, body.retries or 0),
            back_off_ms=max(0, body.retry_back_off or 0),
            message=body.error_message or "",
            variables=variables_of(body.variables),
        )
        return await self._do(request, command, key, "FAIL", "fail job")

    async def throw_error(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """Throw a BPMN error at the job's element: 204."""
        key = key_in_path(arguments[0], "jobKey")
        body = await json_body(request, _ERROR)
        if not body.error_code:
            raise invalid_argument([missing("errorCode")])
        command = ThrowJobError(key, body.error_code, body.error_message or "", variables_of(body.variables))
        return await self._do(request, command, key, "THROW_ERROR", "throw an error for job")

    async def update(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """Change retries or time-out: 204."""
        key = key_in_path(arguments[0], "jobKey")
        body = await json_body(request, _UPDATE)
        complaints = check_operation_reference(body.operation_reference)
        change = body.changeset or _Changeset()
        if change.retries is None and change.timeout is None:
            complaints.append("At least one of [retries, timeout] is required.")
        if complaints:
            raise invalid_argument(complaints)
        origin = origin_of(body.operation_reference)
        command = UpdateJob(key, change.retries, change.timeout, origin=origin)
        return await self._do(request, command, key, "UPDATE", "update job")

    async def _do(
        self, request: web.BaseRequest, command: RepeatableCommand, key: int, name: str, doing: str
    ) -> Answer:
        partition = self._cluster.owner_of(key)
        if partition is None:
            raise not_found(name, f"Expected to {doing} with key '{key}', but no such job was found")
        match await self._submissions.outcome_of(with_id(request, command), partition):
            case Accepted():
                return no_content()
            case outcome:
                raise unexpected(name, outcome)


def _task_result(result: _Result) -> TaskResult:
    return TaskResult(result.denied is True, result.denied_reason or "", changes_of(result.corrections))


def _ad_hoc_result(result: _Result) -> AdHocResult:
    elements = result.activate_elements or []
    return AdHocResult(
        tuple((element.element_id or "", variables_of(element.variables)) for element in elements),
        result.is_completion_condition_fulfilled is True,
        result.is_cancel_remaining_instances is True,
    )


def _activation_of(body: _Activation) -> ActivateJobs:
    if body.tenant_filter is not None and body.tenant_filter not in _TENANT_FILTERS:
        raise not_in_enum("tenantFilter", body.tenant_filter, _TENANT_FILTERS)
    complaints: list[str] = []
    if not body.type:
        complaints.append(missing("type"))
    if body.timeout is None:
        complaints.append(missing("timeout"))
    elif body.timeout <= 0:
        complaints.append(not_positive("timeout", body.timeout))
    if body.max_jobs_to_activate is None:
        complaints.append(missing("maxJobsToActivate"))
    elif body.max_jobs_to_activate <= 0:
        complaints.append(not_positive("maxJobsToActivate", body.max_jobs_to_activate))
    if complaints:
        raise invalid_argument(complaints)
    if body.tenant_filter != "ASSIGNED":  # Then it is the principal who has tenants, and the list is ignored.
        check_tenants(body.tenant_ids, "Activate Jobs")

    return ActivateJobs(
        type=body.type or "",
        worker=body.worker or "",
        timeout_ms=body.timeout or 0,
        jobs_max=min(body.max_jobs_to_activate or 0, JOBS_PER_ANSWER_MAX),
        fetch_variables=tuple(body.fetch_variable) if body.fetch_variable else (),
    )


def _wait_ms(requested: int | None) -> int | None:
    """How long to hold the request; None: not at all."""
    if requested is not None and requested < 0:
        return None
    return min(requested or POLL_TIMEOUT_MS, POLL_TIMEOUT_MS_MAX)
