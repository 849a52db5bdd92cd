"""What clients asked and heard, and whether it agrees with what was committed."""

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from typing import Final, TypeAlias, final

from bpmnd.actors.errors import NoLeader, Refused
from bpmnd.bpmn.commands import (
    ActivateJobs,
    CancelProcessInstance,
    ClientCommand,
    CommandId,
    CompleteJob,
    CreateProcessInstance,
    Deploy,
    DoOnce,
    FailJob,
    PublishMessage,
    ResolveIncident,
    SetVariables,
    ThrowJobError,
    asked_for,
)
from bpmnd.bpmn.events import (
    ChannelMessageReceived,
    ElementCompleted,
    ElementTerminated,
    Event,
    IncidentResolved,
    JobCanceled,
    JobCompleted,
    JobCreated,
    JobErrorThrown,
    JobFailed,
    JobRecurred,
    JobRetriesUpdated,
    JobsActivated,
    JobTimedOut,
    JobYielded,
    MessagePublished,
    ProcessCreated,
    ProcessInstanceCreated,
    VariablesCreated,
    VariablesUpdated,
)
from bpmnd.bpmn.keys import partition_of
from bpmnd.bpmn.outcomes import Accepted, DeploymentCreated, Outcome, Rejected, RejectionType
from bpmnd.bpmn.outcomes import JobsActivated as JobsAnswer
from bpmnd.bpmn.outcomes import MessagePublished as MessageAnswer
from bpmnd.bpmn.outcomes import ProcessInstanceCreated as InstanceAnswer
from bpmnd.bpmn.state import State
from tests.simulation.ledger import Group
from tests.simulation.models import START_MESSAGE
from tests.simulation.process import NotConnected, Result
from tests.simulation.world import Violation

TENANT: Final = "<default>"
_MOVE_JOBS: Final = {
    JobCreated,
    JobsActivated,
    JobCompleted,
    JobFailed,
    JobRecurred,
    JobTimedOut,
    JobYielded,
    JobErrorThrown,
    JobRetriesUpdated,
    JobCanceled,
    IncidentResolved,
}
"""What may put jobs among those that can be lent, or take them away."""


@dataclass(slots=True)
class Request:
    """A client's command. `known` and `after` are the committed lengths when it left and was answered."""

    number: int
    command: ClientCommand
    partition: int
    """0 if the gateway chose."""
    instance_key: int
    """What the command is about belongs to this instance; 0 if that is not known."""
    known: dict[int, int]
    after: dict[int, int] = field(default_factory=dict[int, int])
    result: Result | None = None

    @property
    def outcome(self) -> Outcome | None:
        return None if self.result is None or isinstance(self.result, Exception) else self.result

    @property
    def surely_undone(self) -> bool:
        """It was answered that nothing happened."""
        command = self.command
        if isinstance(command, DoOnce):
            return False  # It may have been done when it was sent before.
        if isinstance(self.result, Rejected):  # An awaited instance may have been cancelled.
            return not (isinstance(command, CreateProcessInstance) and command.await_result)
        return isinstance(self.result, NoLeader | Refused | NotConnected)

    def __str__(self) -> str:
        return f"request {self.number} ({self.command}, answered {self.result!r})"


Effect: TypeAlias = tuple[str, int | str]


def effect_of(request: Request) -> Effect | None:
    """By what the committed log shows that a command took effect, exactly once; None if nothing tells."""
    command = asked_for(request.command)
    match command:
        case CreateProcessInstance(business_id=str(mark)):
            return "created", mark
        case FailJob(message=mark):
            return "failed", mark
        case ThrowJobError(message=mark):
            return "thrown", mark
        case SetVariables(variables=variables):
            name = min(variables)
            return ("set", name) if name.startswith("mark") else None
        case PublishMessage(message_id=mark):
            return "published", mark
        case ActivateJobs(worker=worker):
            return (
                ("lent", worker) if isinstance(request.result, JobsAnswer) and request.result.jobs else None
            )
        case _:
            return None


def effects_in(event: Event) -> list[Effect]:
    match event:
        case ProcessInstanceCreated(business_id=str(mark)):
            return [("created", mark)]
        case JobFailed(message=mark):
            return [("failed", mark)]
        case JobErrorThrown(message=mark):
            return [("thrown", mark)]
        case VariablesCreated(variables=variables) | VariablesUpdated(variables=variables):
            if event.scope_key != event.instance_key:
                return []  # What a message brings stands in the event that takes it, too.
            return [("set", name) for name in sorted(variables) if name.startswith("mark")]
        case MessagePublished(message_id=mark) if mark:
            return [("published", mark)]
        case JobsActivated(worker=worker):
            return [("lent", worker)]
        case JobCompleted(key=key):
            return [("completed", key)]
        case IncidentResolved(key=key):
            return [("resolved", key)]
        case ElementCompleted() | ElementTerminated() if event.key == event.instance_key:
            return [("ended", event.key)]
        case ElementTerminated():
            return []
        case ProcessCreated(key=key):
            return [("process", key)]
        case ChannelMessageReceived(sender=sender, number=number):
            return [(f"message of {sender}", number)]
        case _:
            return []


@final
class Steps:
    """When something that is true or false changed, over the points of a group's history."""

    def __init__(self, value: bool) -> None:
        self._points = [-1]
        self._values = [value]

    def note(self, point: int, value: bool) -> None:
        if self._values[-1] != value:
            self._points.append(point)
            self._values.append(value)

    def ever(self, first: int, last: int) -> bool:
        """Whether it was true at any point from `first` to `last`."""
        at = bisect_right(self._points, first) - 1
        end = bisect_right(self._points, last)
        return any(self._values[at:end])


@final
class Questions:
    """What has to be known of the history of one group, to be filled in while its log is replayed."""

    def __init__(self, group: Group, requests: list[Request]) -> None:
        self.ends: list[int] = [0]
        """Index -> the last point of the history up to there."""
        self.effects: Counter[Effect] = Counter()
        self._point = 0
        self._no_jobs: dict[str, Steps] = {}
        self._gone: dict[tuple[type[ClientCommand], int], Steps] = {}
        self._by_instance: dict[int, list[tuple[type[ClientCommand], int]]] = {}
        self._instances: dict[int, int] = {}
        for request in requests:
            self._ask(group.number, request)

    def _ask(self, number: int, request: Request) -> None:
        command = request.command
        if isinstance(command, ActivateJobs):
            if request.partition == number:
                self._no_jobs.setdefault(command.type, Steps(True))
        elif request.instance_key and partition_of(request.instance_key) == number:
            asked = (type(command), _key_of(command))
            if asked not in self._gone:
                self._gone[asked] = Steps(True)
                self._by_instance.setdefault(request.instance_key, []).append(asked)

    def applied(self, state: State, event: Event) -> None:
        """One more event of the committed log."""
        self._point = point = self._point + 1
        self.effects.update(effects_in(event))
        if type(event) in _MOVE_JOBS:
            for job_type, steps in self._no_jobs.items():
                steps.note(point, not state.first_activatable(TENANT, job_type, 1))
        instance_key = getattr(event, "instance_key", getattr(event, "key", 0))
        for kind, key in self._by_instance.get(instance_key, ()):
            self._gone[kind, key].note(point, _is_gone(state, kind, key, instance_key))

    def frame_over(self) -> None:
        self.ends.append(self._point)

    def points(self, group: int, request: Request) -> tuple[int, int]:
        """Where the decision of an answered request may stand: first and last point."""
        return self.ends[request.known.get(group, 0)], self.ends[request.after.get(group, 0)]

    def may_have_no_jobs(self, group: int, request: Request, job_type: str) -> bool:
        return self._no_jobs[job_type].ever(*self.points(group, request))

    def may_be_gone(self, group: int, request: Request) -> bool:
        asked = (type(request.command), _key_of(request.command))
        return self._gone[asked].ever(*self.points(group, request))


def _key_of(command: ClientCommand) -> int:
    return command.scope_key if isinstance(command, SetVariables) else getattr(command, "key", 0)


def _is_gone(state: State, kind: type[ClientCommand], key: int, instance_key: int) -> bool:
    instance = state.instances.get(instance_key)
    if instance is None:
        return True
    if kind in (CancelProcessInstance, SetVariables):
        return False
    return key not in (instance.incidents if kind is ResolveIncident else instance.jobs)


@final
class History:
    """All requests, and the rules that their answers must keep."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def check(self, questions: dict[int, Questions]) -> None:
        """Raises Violation."""
        effects: Counter[Effect] = Counter()
        for asked in questions.values():
            effects.update(
                {effect: count for effect, count in asked.effects.items() if effect[0] != "process"}
            )
        for effect, count in effects.items():
            if count > 1 and not effect[0].startswith("message"):
                raise Violation(f"{effect} happened {count} times")
        for number, asked in questions.items():
            for effect, count in asked.effects.items():
                if count > 1:
                    raise Violation(f"{effect} happened {count} times in partition {number}")
        completed: Counter[int] = Counter()
        first: dict[CommandId, Outcome] = {}
        for request in self.requests:
            self._check(request, effects, questions)
            self._check_repeat(request, first)
            if isinstance(request.command, CompleteJob) and isinstance(request.result, Accepted):
                completed[request.command.key] += 1
        for key, count in completed.items():
            if count > 1:
                raise Violation(f"the completion of job {key} was acknowledged {count} times")

    def _check(self, request: Request, effects: Counter[Effect], questions: dict[int, Questions]) -> None:
        effect = effect_of(request)
        if effect is not None:
            if request.surely_undone and effects[effect]:
                raise Violation(f"{request} took effect")
            answered = request.outcome is not None and not isinstance(request.outcome, Rejected)
            if answered and not effects[effect]:
                raise Violation(f"{request} has left no trace")
        match request.result:
            case Accepted():
                self._check_accepted(request, effects)
            case MessageAnswer():
                self._check_publication(request, effects)
            case InstanceAnswer() as answer:
                if not effects["created", answer.business_id or ""]:
                    raise Violation(f"{request}: there is no such instance")
            case DeploymentCreated() as answer:
                for number, asked in questions.items():
                    for process in answer.processes:
                        if not asked.effects["process", process.key]:
                            raise Violation(f"{request}: {process.key} is not on partition {number}")
            case JobsAnswer() as answer:
                self._check_activation(request, answer, questions)
            case Rejected() as rejected:
                self._check_rejected(request, rejected, questions)
            case _:
                pass

    def _check_repeat(self, request: Request, first: dict[CommandId, Outcome]) -> None:
        """Whatever is answered to a command with an id is what was answered before."""
        command, outcome = request.command, request.outcome
        if not isinstance(command, DoOnce) or outcome is None:
            return
        if isinstance(outcome, Rejected) and outcome.type is RejectionType.PROCESSING_ERROR:
            return
        before = first.setdefault(command.id, outcome)
        if outcome != before:
            raise Violation(f"{request}: it was answered {before} before")

    def _check_accepted(self, request: Request, effects: Counter[Effect]) -> None:
        match request.command:
            case CompleteJob(key=key):
                found = effects["completed", key]
            case CancelProcessInstance(key=key):
                found = effects["ended", key]
            case ResolveIncident(key=key):
                found = effects["resolved", key]
            case _:
                return
        if found != 1:
            raise Violation(f"{request} has left no trace")

    def _check_publication(self, request: Request, effects: Counter[Effect]) -> None:
        command = request.command
        if not isinstance(command, PublishMessage) or command.name != START_MESSAGE:
            return
        if not effects["set", command.message_id]:
            raise Violation(f"{request} has started nothing")

    def _check_activation(
        self, request: Request, answer: JobsAnswer, questions: dict[int, Questions]
    ) -> None:
        command = request.command
        assert isinstance(command, ActivateJobs), f"{request}"
        if answer.jobs or command.jobs_max < 1:
            return
        if not questions[request.partition].may_have_no_jobs(request.partition, request, command.type):
            raise Violation(f"{request}: there was a job all the time")

    def _check_rejected(self, request: Request, rejected: Rejected, questions: dict[int, Questions]) -> None:
        match rejected.type:
            case RejectionType.NOT_FOUND if isinstance(
                asked_for(request.command), CreateProcessInstance | Deploy
            ):
                raise Violation(f"{request}: its definition was deployed")
            case RejectionType.NOT_FOUND if request.instance_key:
                number = partition_of(request.instance_key)
                if not questions[number].may_be_gone(number, request):
                    raise Violation(f"{request}: it was there all the time")
            case RejectionType.PROCESSING_ERROR if "Injected" not in rejected.reason:
                raise Violation(f"{request}")
            case _:
                pass
