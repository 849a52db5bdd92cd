"""An engine in memory, for tests: models in a few words, commands in a row, events to look at."""

from collections.abc import Iterable
from itertools import pairwise
from random import Random
from typing import TypeVar

from bpmnd.bpmn.appliers import replay
from bpmnd.bpmn.appliers.window import Window
from bpmnd.bpmn.codec import decode_frame, decode_head, encode_frame
from bpmnd.bpmn.commands import (
    NO_ORIGIN,
    ActivateJobs,
    Attributed,
    Command,
    CompleteJob,
    Continue,
    CreateProcessInstance,
    Deploy,
    FireDue,
    Resource,
    asked_for,
)
from bpmnd.bpmn.engine import Decision, Engine
from bpmnd.bpmn.events import Event
from bpmnd.bpmn.outcomes import (
    Accepted,
    ActivatedJob,
    DeploymentCreated,
    JobsActivated,
    Outcome,
    ProcessInstanceCreated,
    Rejected,
)
from bpmnd.bpmn.state import ColdStore, EmptyStore, State

E = TypeVar("E", bound=Event)

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?><definitions'
    ' xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="test">'
)


def process(body: str, *, process_id: str = "process", definitions: str = "") -> bytes:
    """A BPMN file with one executable process."""
    inner = f'<process id="{process_id}" isExecutable="true">{body}</process>'
    return f"{_HEAD}{definitions}{inner}</definitions>".encode()


def flow(source: str, target: str, condition: str = "", *, flow_id: str = "") -> str:
    expression = f"<conditionExpression>{condition}</conditionExpression>" if condition else ""
    flow_id = flow_id or f"{source}_{target}"
    return (
        f'<sequenceFlow id="{flow_id}" sourceRef="{source}" targetRef="{target}">{expression}</sequenceFlow>'
    )


def path(*elements: str) -> str:
    """Flows from each element to the next."""
    return "".join(flow(source, target) for source, target in pairwise(elements))


def task(
    element_id: str,
    job_type: str = "",
    *,
    retries: str = "3",
    inputs: dict[str, str] | None = None,
    outputs: dict[str, str] | None = None,
) -> str:
    """A service task. Mappings are target -> source."""
    return (
        f'<serviceTask id="{element_id}"><extensionElements>'
        f'<zeebe:taskDefinition type="{job_type or element_id}" retries="{retries}"/>'
        f"{io_mapping(inputs, outputs)}</extensionElements></serviceTask>"
    )


def io_mapping(inputs: dict[str, str] | None = None, outputs: dict[str, str] | None = None) -> str:
    if not inputs and not outputs:
        return ""
    entries = [
        f'<zeebe:input source="{source}" target="{target}"/>' for target, source in (inputs or {}).items()
    ]
    entries += [
        f'<zeebe:output source="{source}" target="{target}"/>' for target, source in (outputs or {}).items()
    ]
    return f"<zeebe:ioMapping>{''.join(entries)}</zeebe:ioMapping>"


def many(
    activity: str,
    collection: str,
    *,
    item: str = "item",
    sequential: bool = False,
    outputs: tuple[str, str] | None = None,
    until: str = "",
) -> str:
    """The activity as one with many instances; `outputs` are output collection and element."""
    attributes = f'inputCollection="{collection}"' if collection else ""
    attributes += f' inputElement="{item}"' if item else ""
    if outputs is not None:
        attributes += f' outputCollection="{outputs[0]}" outputElement="{outputs[1]}"'
    condition = f"<completionCondition>{until}</completionCondition>" if until else ""
    loop = (
        f'<multiInstanceLoopCharacteristics isSequential="{str(sequential).lower()}"><extensionElements>'
        f"<zeebe:loopCharacteristics {attributes}/></extensionElements>{condition}"
        "</multiInstanceLoopCharacteristics>"
    )
    return _with_loop(activity, loop)


def again(activity: str, *, condition: str = "", maximum: int = 0, before: bool = False) -> str:
    """The activity in a standard loop."""
    attributes = f' testBefore="{str(before).lower()}"' + (f' loopMaximum="{maximum}"' if maximum else "")
    inside = f"<loopCondition>{condition}</loopCondition>" if condition else ""
    return _with_loop(
        activity, f"<standardLoopCharacteristics{attributes}>{inside}</standardLoopCharacteristics>"
    )


def _with_loop(activity: str, loop: str) -> str:
    name = activity[1 : min(activity.index(" "), activity.index(">"))]
    if activity.endswith("/>") and activity.count("<") == 1:
        return f"{activity[:-2]}>{loop}</{name}>"
    head = activity.index("</extensionElements>") if activity.split(">")[1] == "<extensionElements" else -1
    at = head + len("</extensionElements>") if head > 0 else activity.index(">") + 1
    return activity[:at] + loop + activity[at:]


START = '<startEvent id="start"/>'
END = '<endEvent id="end"/>'
ONE_TASK = process(START + task("work") + END + path("start", "work", "end"))


class Playground:
    """One partition without disk or network: `do` decides a command and keeps the frame it would log.

    Every frame is replayed at once on a second state, which must stay equal to the first.
    """

    def __init__(
        self, partition_id: int = 1, partitions: Iterable[int] = (1,), store: ColdStore | None = None
    ):
        self.state = State(partition_id, store or EmptyStore())
        self.engine = Engine(self.state, tuple(partitions))
        self.now = 1_000_000
        self.events: list[Event] = []
        self.frames: list[bytes] = []
        self.answers: dict[int, Outcome] = {}
        self._requests = 0

    def decide(self, command: Command) -> Decision:
        self._requests += 1
        decision = self.engine.decide(command, self.now, self._requests)
        self.answers.update(decision.answers)
        if decision.events:
            self.events += decision.events
            asked = asked_for(command)
            note = (type(asked), getattr(asked, "key", 0), len(decision.events))
            origin = asked.origin if isinstance(asked, Attributed) else NO_ORIGIN
            origins = [] if origin == NO_ORIGIN else [(0, origin)]
            frame = encode_frame(self.now, self.state.last_key, [note], decision.events, origins)
            self.frames.append(frame)
        return decision

    def do(self, command: Command) -> Outcome | None:
        """Decide a command, and then all that is left over from it."""
        outcome = self.decide(command).outcome
        while self.state.continuations.items:
            self.decide(Continue(next(iter(self.state.continuations.items))))
        return outcome

    def deploy(self, *contents: bytes) -> DeploymentCreated:
        resources = tuple(Resource(f"{number}.bpmn", content) for number, content in enumerate(contents))
        outcome = self.do(Deploy(resources))
        assert isinstance(outcome, DeploymentCreated), outcome
        return outcome

    def create(self, variables: dict[str, bytes] | None = None, process_id: str = "process") -> int:
        outcome = self.do(CreateProcessInstance(process_id, variables=variables or {}))
        assert isinstance(outcome, ProcessInstanceCreated), outcome
        return outcome.key

    def jobs(self, job_type: str, count: int = 100, timeout_ms: int = 60_000) -> tuple[ActivatedJob, ...]:
        outcome = self.do(ActivateJobs(job_type, "worker", timeout_ms, count))
        assert isinstance(outcome, JobsActivated), outcome
        return outcome.jobs

    def work(self, job_type: str, variables: dict[str, bytes] | None = None) -> ActivatedJob:
        """Activate one job and complete it."""
        (job,) = self.jobs(job_type, 1)
        assert self.do(CompleteJob(job.key, variables or {})) == Accepted()
        return job

    def pass_time(self, milliseconds: int) -> None:
        self.now += milliseconds
        while due := self.state.due(self.now, 10):
            for key in due:
                self.do(FireDue(key))

    def rejected(self, command: Command) -> Rejected:
        outcome = self.do(command)
        assert isinstance(outcome, Rejected), outcome
        return outcome

    def happened(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def is_over(self, instance_key: int) -> bool:
        return self.state.instances.get(instance_key) is None

    def replayed(self) -> State:
        """A state made of the frames alone."""
        state = State(self.state.partition_id, EmptyStore())
        for frame in self.frames:
            replay(state, decode_frame(frame))
        return state


def replay_in_windows(state: State, frames: Iterable[bytes], chance: Random, frames_each: int = 8) -> None:
    """As a follower does it: so many frames at once, more or less."""
    window = Window()
    for frame in frames:
        window.add(decode_head(frame))
        if chance.randrange(frames_each) == 0:
            window.replay(state)
            window = Window()
    window.replay(state)


def rows_of(state: State) -> dict[bytes, bytes]:
    """All of a state that has never been captured, as the rows of a checkpoint."""
    capture = state.begin_capture()
    while capture.advance(1000):
        pass
    return {key: value for key, value in capture.rows if value is not None}
