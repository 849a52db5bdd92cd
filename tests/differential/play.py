"""A play: one script of commands, given to one of the two sides. It writes down what each command came to."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar, final

import aiohttp

from tests.differential.facts import shown
from tests.differential.models import RUN
from tests.differential.records import Record, Records, parsed, roots_in

WAIT_SECONDS: Final = 10.0
UNKNOWN_KEY: Final = 2**51 + 2**45
"""A key of partition 1 that nothing has."""

_LEND_MS: Final = 60_000
_POLL_SECONDS: Final = 0.02
_ENDS: Final = {"ELEMENT_COMPLETED": "completed", "ELEMENT_TERMINATED": "terminated"}

T = TypeVar("T")
Variables: TypeAlias = Mapping[str, Any]
Awaited: TypeAlias = "asyncio.Future[tuple[int, Any]]"


@final
class StuckError(AssertionError):
    """The script expects what does not come, so it cannot go on."""


class Job(NamedTuple):
    key: int
    element: str
    element_instance: int
    instance: int


@final
class Play:
    """The commands of a script. Whatever they are answered is a line of `lines`; keys are not."""

    def __init__(self, http: aiohttp.ClientSession, address: str, records: Records, run: str) -> None:
        self.lines: Final[list[str]] = []
        self.run: Final = run
        self._http = http
        self._address = address
        self._records = records
        self._resolved: set[int] = set()
        self._set_aside: dict[str, list[Any]] = {}
        self._marks = 0

    # Deployments and instances

    async def deploy(self, *contents: bytes, names: Sequence[str] = ()) -> list[int]:
        """Deploy models as `1.bpmn`, `2.bpmn`…, or by other names; the keys of their definitions
        in the order of these names."""
        names = names or [f"{number}.bpmn" for number in range(1, len(contents) + 1)]
        body = await self.deploy_any(dict(zip(names, contents, strict=True)))
        if "deployments" not in body:
            return []
        decisions = [one for entry in body["deployments"] if (one := entry.get("decisionDefinition"))]
        for decision in sorted(decisions, key=lambda one: str(one["decisionDefinitionId"])):
            self._note(f"  decision {decision['decisionDefinitionId']} version {decision['version']}")
        found = [
            entry["processDefinition"] for entry in body["deployments"] if entry.get("processDefinition")
        ]
        found.sort(key=lambda process: (process["resourceName"], process["processDefinitionId"]))
        for process in found:
            self._note(
                f"  {process['resourceName']}: {process['processDefinitionId']}"
                f" version {process['processDefinitionVersion']}"
            )
        return [int(process["processDefinitionKey"]) for process in found]

    async def evaluate(
        self, decision: str, variables: Variables | None = None, *, with_tree: bool = True
    ) -> None:
        """Evaluate a decision, and note its whole tree; of a failure only how its reason begins."""
        body = {"decisionDefinitionId": f"{RUN}{decision}", "variables": variables or {}}
        status, result = await self._send("POST", "decision-definitions/evaluation", body)
        self._say(f"evaluate {decision}", status, result)
        if status != 200:
            return
        self._note(f"  {result['output']} failed at {result['failedDecisionDefinitionId'] or 'nothing'}")
        if message := result["failureMessage"]:
            self._note(f"  {message.partition(', but ')[2][:20]}")
        for one in result["evaluatedDecisions"] if with_tree else ():
            self._note(f"  {one['decisionDefinitionId']}: {one['decisionDefinitionName']} {one['output']}")
            for clause in one["evaluatedInputs"]:
                self._note(f"    {clause['inputId']} {clause['inputName']} {clause['inputValue']}")
            for rule in one["matchedRules"]:
                outputs = [
                    (each["outputId"], each["outputName"], each["outputValue"])
                    for each in rule["evaluatedOutputs"]
                ]
                self._note(f"    rule {rule['ruleIndex']} {rule['ruleId']} {shown(outputs)}")

    async def deploy_any(self, files: Mapping[str, bytes]) -> Any:
        """Deploy files of any kind, by their names; the answer, of which only the status is written down."""
        form = aiohttp.FormData()
        for name, content in files.items():
            form.add_field("resources", content.replace(RUN.encode(), self.run.encode()), filename=name)
        status, body = await self._send("POST", "deployments", data=form)
        self._say("deploy", status, body)
        return body

    async def create(self, variables: Variables | None = None, **more: Any) -> int:
        """Start an instance of `RUN-process`, or of what `more` says; its key, or 0 if it was rejected."""
        status, body = await self._send("POST", "process-instances", _creation(variables, more))
        self._say(f"create {shown(variables or {})}", status, body)
        if status != 200:
            return 0
        self._note(f"  of {body['processDefinitionId']} version {body['processDefinitionVersion']}")
        return int(body["processInstanceKey"])

    def create_awaiting(self, variables: Variables | None = None, **more: Any) -> Awaited:
        """Start an instance whose result is waited for, meanwhile."""
        creation = _creation(variables, {"awaitCompletion": True, **more})
        return asyncio.ensure_future(self._send("POST", "process-instances", creation))

    async def result(self, awaited: Awaited) -> None:
        status, body = await awaited
        self._say("await the result", status, body)
        if status == 200:
            self._note(f"  {shown(body['variables'])}")

    async def cancel(self, instance: int) -> None:
        await self._do("cancel", "POST", f"process-instances/{instance}/cancellation", {})

    async def modify(
        self,
        instance: int,
        *activations: str | Variables,
        end: Sequence[int] = (),
        **more: Any,
    ) -> None:
        """Activate elements, each an id or an instruction, and end element instances."""
        activate = [{"elementId": each} if isinstance(each, str) else dict(each) for each in activations]
        body = {
            "activateInstructions": activate,
            "terminateInstructions": [{"elementInstanceKey": str(key)} for key in end],
            **more,
        }
        what = f"modify {[each['elementId'] for each in activate]}, end {len(end)}"
        await self._do(what, "POST", f"process-instances/{instance}/modification", body)

    async def migrate(self, instance: int, definition: int, **mappings: str) -> None:
        body = {
            "targetProcessDefinitionKey": str(definition),
            "mappingInstructions": [
                {"sourceElementId": source, "targetElementId": target} for source, target in mappings.items()
            ],
        }
        await self._do(f"migrate {mappings}", "POST", f"process-instances/{instance}/migration", body)

    async def set_variables(self, scope: int, variables: Variables, *, local: bool = False) -> None:
        body = {"variables": variables, "local": local}
        await self._do(f"set {shown(body)}", "PUT", f"element-instances/{scope}/variables", body)

    # Jobs

    async def activate(self, job_type: str, count: int = 1, **more: Any) -> list[Job]:
        """Lend exactly as many jobs. They are asked for until they are there.

        No request is held: Zeebe may lend to one that has just ended, and note the job as failed then.
        """
        jobs = await self._activate(job_type, count, more)
        deadline = time.monotonic() + WAIT_SECONDS
        while len(jobs) < count:
            if time.monotonic() > deadline:
                raise StuckError(f"{len(jobs)} jobs of type {job_type}, not {count}")
            await asyncio.sleep(_POLL_SECONDS)
            jobs += await self._activate(job_type, count - len(jobs), more)
        return [self._job(job) for job in jobs]

    async def activate_if_any(self, job_type: str) -> list[Job]:
        """Lend what there is by now."""
        return [self._job(job) for job in await self._activate(job_type, 10, {})]

    async def lend_all(self, *job_types: str) -> list[Job]:
        """Lend all that there is by now, in the order of their elements and variables."""
        jobs: list[Any] = []
        for job_type in job_types:
            jobs += await self._activate(job_type, 100, {"timeout": 600_000})
        jobs.sort(key=lambda job: (job["elementId"], shown(job["variables"])))
        return [self._job(job) for job in jobs]

    async def none(self, *job_types: str) -> None:
        """There are no jobs of these types."""
        for job_type in job_types:
            if jobs := await self.activate_if_any(job_type):
                raise StuckError(f"there are jobs of type {job_type}: {[job.element for job in jobs]}")

    async def activate_of(self, job_type: str, owner: int) -> Job:
        """Lend the job of a process instance or element instance.

        Over several partitions it is not promised whose job is lent first: those of others are set aside
        until they are asked for.
        """
        lent = self._set_aside.setdefault(job_type, [])
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            for job in lent:
                if owner in (int(job["processInstanceKey"]), int(job["elementInstanceKey"])):
                    lent.remove(job)
                    return self._job(job)
            if time.monotonic() > deadline:
                raise StuckError(f"no job of type {job_type} for this instance")
            if not (more := await self._activate(job_type, 1, {})):
                await asyncio.sleep(_POLL_SECONDS)
            lent += more

    async def work(self, job_type: str, variables: Variables | None = None, *, owner: int = 0) -> Job:
        """Lend a job, that of an instance if it is said which, and complete it."""
        (job,) = [await self.activate_of(job_type, owner)] if owner else await self.activate(job_type)
        await self.complete(job, variables)
        return job

    async def complete(self, job: Job | int, variables: Variables | None = None) -> None:
        await self._do_job("complete", job, "completion", {"variables": variables} if variables else {})

    async def fail(self, job: Job | int, retries: int, message: str = "", **more: Any) -> None:
        body = {"retries": retries, "errorMessage": message, **more}
        await self._do_job("fail", job, "failure", body)

    async def throw(
        self, job: Job | int, code: str, message: str = "", variables: Variables | None = None
    ) -> None:
        body = {"errorCode": code, "errorMessage": message, "variables": variables or {}}
        await self._do_job("throw at", job, "error", body)

    async def update(self, job: Job | int, **changes: Any) -> None:
        key = job if isinstance(job, int) else job.key
        await self._do(f"update {changes}", "PATCH", f"jobs/{key}", {"changeset": changes})

    # Messages and signals

    async def publish(
        self, name: str, key: str = "", variables: Variables | None = None, *, live_ms: int = 0, **more: Any
    ) -> None:
        body = {"name": f"{RUN}{name}", "correlationKey": key, "timeToLive": live_ms, **more}
        body["variables"] = variables or {}
        await self._do(f"publish {shown(body)}", "POST", "messages/publication", body)

    async def correlate(self, name: str, key: str = "", variables: Variables | None = None) -> int:
        """The process instance that took the message, or 0."""
        body = {"name": f"{RUN}{name}", "correlationKey": key, "variables": variables or {}}
        status, answer = await self._send("POST", "messages/correlation", body)
        self._say(f"correlate {shown(body)}", status, answer)
        return int(answer["processInstanceKey"]) if status == 200 else 0

    async def broadcast(self, name: str, variables: Variables | None = None) -> None:
        body = {"signalName": f"{RUN}{name}", "variables": variables or {}}
        await self._do(f"broadcast {shown(body)}", "POST", "signals/broadcast", body)

    async def catches_up(self) -> None:
        """Wait until the records have all that came of the commands so far, but for what one partition still
        tells another or itself: they have it when a signal to nobody is among them."""
        self._marks += 1
        name, seen = f"{self.run}mark-{self._marks}", len(self._records.read())
        await self._send("POST", "signals/broadcast", {"signalName": name, "variables": {}})

        def marked(records: Sequence[Record]) -> bool | None:
            nonlocal seen
            new, seen = records[seen:], len(records)
            return any(record.value.get("signalName") == name for record in new) or None

        await self.until(marked, "the mark")

    async def waits_for(self, kind: str, name: str, times: int = 1) -> None:
        """Wait until somebody waits for the message or the signal, so many times in all."""

        def found(records: Sequence[Record]) -> bool | None:
            names = [
                record.value.get("messageName") or record.value.get("signalName")
                for record in records
                if record.kind == f"{kind.upper()}_SUBSCRIPTION" and record.intent == "CREATED"
            ]
            return names.count(f"{self.run}{name}") >= times or None

        await self.until(found, f"{times} subscriptions of {name}")

    async def started(self, times: int = 1) -> list[int]:
        """Wait until so many instances are there; their keys."""

        def found(records: Sequence[Record]) -> list[int] | None:
            roots = roots_in(records, self.run)
            return roots if len(roots) >= times else None

        return await self.until(found, f"{times} instances")

    # Incidents, and waiting

    async def incident(self, instance: int, error_type: str) -> int:
        """Wait for an incident of the instance that is not resolved, by this script or otherwise; its key."""

        def unresolved(records: Sequence[Record]) -> int | None:
            found: dict[int, Record] = {}
            for record in records:
                if record.kind == "INCIDENT" and record.value["processInstanceKey"] == instance:
                    if record.intent == "CREATED":
                        found[record.key] = record
                    elif record.intent == "RESOLVED":
                        found.pop(record.key, None)
            for key, record in found.items():
                if record.value["errorType"] == error_type and key not in self._resolved:
                    return key
            return None

        return await self.until(unresolved, f"an incident {error_type}")

    async def resolve(self, incident: int, how: str = "") -> None:
        self._resolved.add(incident)
        await self._do(f"resolve{how}", "POST", f"incidents/{incident}/resolution", {})

    async def ends(self, instance: int, how: str = "completed") -> None:
        """Wait for the end of the instance."""

        def end(records: Sequence[Record]) -> str | None:
            return next((_ENDS[r.intent] for r in records if r.key == instance and r.intent in _ENDS), None)

        found = await self.until(end, "the end of the instance")
        self._note(f"the instance is {found}")
        if found != how:
            raise StuckError(f"the instance is {found}, not {how}")

    async def happens(self, element: str, intent: str, times: int = 1) -> int:
        """Wait until the records of the run say this of the element so many times; the key of the last."""

        def found(records: Sequence[Record]) -> int | None:
            roots = set(roots_in(records, self.run))
            keys = [
                record.key
                for record in records
                if record.value.get("processInstanceKey") in roots
                and record.value.get("elementId") == element
                and record.intent == intent
            ]
            return keys[times - 1] if len(keys) >= times else None

        return await self.until(found, f"{element} {intent} {times} times")

    async def until(self, seen: Callable[[Sequence[Record]], T | None], what: str) -> T:
        deadline = time.monotonic() + WAIT_SECONDS
        while (found := seen(self._records.read())) is None:
            if time.monotonic() > deadline:
                raise StuckError(f"there is not: {what}")
            await asyncio.sleep(_POLL_SECONDS)
        return found

    async def finish(self) -> None:
        """Cancel what the script left, so that every instance has an end to wait for."""
        records = self._records.read()
        roots = roots_in(records, self.run)
        ended = {record.key for record in records if record.intent in _ENDS}
        for instance in roots:
            if instance not in ended:
                await self._send("POST", f"process-instances/{instance}/cancellation", {})

        def all_ended(records: Sequence[Record]) -> bool | None:
            return set(roots) <= {record.key for record in records if record.intent in _ENDS} or None

        await self.until(all_ended, "the end of all instances")

    # What they all do

    async def send(self, method: str, path: str, body: Variables | str, *, called: str = "") -> int:
        """Any request, with a body that may be no JSON; its status. With keys in its path it is `called`."""
        status, answer = await self._send(method, path, body)
        self._say(f"{called or f'{method} {path}'} {body}", status, answer)
        return status

    async def request(self, what: str, method: str, path: str, body: Any) -> None:
        """Any request with a body of JSON, of which it is written down `what` it is: keys differ."""
        await self._do(what, method, path, body)

    def records(self) -> Sequence[Record]:
        """All that is written so far, also of others."""
        return self._records.read()

    def say(self, what: str, value: object) -> None:
        """Something else that must be the same on both sides."""
        self._note(f"{what}: {value}")

    async def _do_job(self, what: str, job: Job | int, path: str, body: Variables) -> None:
        key, element = (job, "no job") if isinstance(job, int) else (job.key, job.element)
        await self._do(f"{what} {element} {shown(body)}", "POST", f"jobs/{key}/{path}", body)

    async def _do(self, what: str, method: str, path: str, body: Variables) -> None:
        self._say(what, *await self._send(method, path, body))

    async def _activate(self, job_type: str, count: int, more: Variables) -> list[Any]:
        body = {
            "type": f"{self.run}{job_type}",
            "worker": "worker",
            "timeout": _LEND_MS,
            "maxJobsToActivate": count,
            "requestTimeout": -1,
            **more,
        }
        status, answer = await self._send("POST", "jobs/activation", body)
        if status != 200:
            self._say("activate", status, answer)
            return []
        jobs: list[Any] = answer["jobs"]
        return jobs

    def _job(self, job: Any) -> Job:
        shared = ("type", "elementId", "processDefinitionVersion", "retries", "customHeaders", "worker")
        self._note(f"job {shown({name: job[name] for name in shared})}")
        self._note(f"  with {shown(job['variables'])}")
        key = job.get("jobKey") or job["key"]
        return Job(int(key), job["elementId"], int(job["elementInstanceKey"]), int(job["processInstanceKey"]))

    async def _send(
        self,
        method: str,
        path: str,
        body: Variables | str | None = None,
        data: aiohttp.FormData | None = None,
    ) -> tuple[int, Any]:
        text = (body if isinstance(body, str) else json.dumps(body)).replace(RUN, self.run)
        headers = {"Content-Type": "application/json"} if data is None else None
        url = f"{self._address}/v2/{path}"
        async with self._http.request(
            method, url, data=text if data is None else data, headers=headers
        ) as answer:
            content = await answer.text()
            return answer.status, parsed(content) if content else None

    def _say(self, what: str, status: int, body: Any) -> None:
        self._note(f"{what} -> {status}{_title(body) if status >= 400 else ''}")

    def _note(self, line: str) -> None:
        self.lines.append(line.replace(self.run, RUN))


def _creation(variables: Variables | None, more: Variables) -> dict[str, Any]:
    named = {} if "processDefinitionKey" in more else {"processDefinitionId": f"{RUN}process"}
    return {**named, "variables": variables or {}, **more}


def _title(problem: Any) -> str:
    """What the problem is called; Zeebe calls some of them by the class that it has for them."""
    title = problem["title"]
    return f" {HTTPStatus(problem['status']).phrase if '.' in title else title}"
