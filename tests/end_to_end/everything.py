"""A small model for every element type, every kind of event at each of its positions, and every activity in a
loop, each with what has to be done so that it runs to its end.

In the models `@` stands for the id of the process, which is also how its jobs, messages and signals begin.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol, final

from bpmnd.bpmn.elements.events.reading import PARALLEL_POSITIONS
from bpmnd.bpmn.elements.events.registry import EVENTS, MULTIPLE
from bpmnd.bpmn.elements.kind import Position
from bpmnd.bpmn.elements.registry import ELEMENTS
from tests.bpmn.events import (
    boundary,
    catch,
    compensable,
    event,
    event_sub_process,
    message,
    on_compensation,
    on_message,
    on_signal,
    signal,
    together,
)
from tests.bpmn.people import heard
from tests.bpmn.playground import END, START, flow, path, process, task


class Run(Protocol):
    """One process under way. Jobs, messages and signals are named without the `@.` before them."""

    async def create(self) -> None: ...
    async def publish(self) -> None: ...
    async def evaluate_conditions(self) -> None: ...
    async def work(self, job: str, *, broadcast: bool = False) -> None:
        """Complete a job of the type; until there is one, broadcast the signal again and again."""

    async def complete_user_task(self, job: str) -> None:
        """Complete the job of the task's listener, then the task."""

    async def ended(self) -> None:
        """Wait until the created instance has completed."""


Script = Callable[[Run], Awaitable[None]]


@final
@dataclass(frozen=True, slots=True)
class Case:
    body: str
    script: Script
    definitions: str = ""

    def content(self, process_id: str) -> bytes:
        return process(
            self.body.replace("@", process_id),
            process_id=process_id,
            definitions=self.definitions.replace("@", process_id),
        )


_REACHED: Final = task("reached", "@.reached")
_HOLD: Final = task("hold", "@.hold")
_MESSAGE: Final = message("message", "@.message", "=&quot;key&quot;")
_SIGNAL: Final = signal("signal", "@.signal")
_ERROR: Final = '<error id="error" errorCode="E"/>'
_ESCALATION: Final = '<escalation id="escalation" escalationCode="S"/>'

_TIMER: Final = "<timerEventDefinition><timeDuration>PT0S</timeDuration></timerEventDefinition>"
_CONDITION: Final = "<conditionalEventDefinition><condition>=true</condition></conditionalEventDefinition>"
_ON_ERROR: Final = '<errorEventDefinition errorRef="error"/>'
_ON_ESCALATION: Final = '<escalationEventDefinition escalationRef="escalation"/>'
_CANCEL: Final = "<cancelEventDefinition/>"
_TERMINATE: Final = "<terminateEventDefinition/>"
_WORKED: Final = '<zeebe:taskDefinition type="@.reached"/>'


def _script(
    *, publish: bool = False, broadcast: bool = False, jobs: tuple[str, ...] = ("reached",)
) -> Script:
    """Create an instance, do the first of the jobs once what leads to it has happened, then the others."""

    async def run(instance: Run) -> None:
        await instance.create()
        if publish:
            await instance.publish()
        for at, job in enumerate(jobs):
            await instance.work(job, broadcast=broadcast and not at)
        await instance.ended()

    return run


async def _start_by_message(instance: Run) -> None:
    await instance.publish()
    await instance.work("reached")


async def _start_by_signal(instance: Run) -> None:
    await instance.work("reached", broadcast=True)


async def _start_by_both(instance: Run) -> None:
    await instance.publish()
    await instance.work("reached", broadcast=True)


async def _start_by_timer(instance: Run) -> None:
    await instance.work("reached")


async def _start_by_condition(instance: Run) -> None:
    await instance.evaluate_conditions()
    await instance.work("reached")


def _case(
    body: str,
    *,
    definitions: str = "",
    publish: bool = False,
    broadcast: bool = False,
    jobs: tuple[str, ...] = ("reached",),
) -> Case:
    return Case(body, _script(publish=publish, broadcast=broadcast, jobs=jobs), definitions)


def _together(case: Case) -> Case:
    """All that the event waits for must occur."""
    return replace(case, body=together(case.body, "start", "catch", "edge", "handler_start"))


def _started(definition: str, script: Script, definitions: str = "") -> Case:
    begin = event("startEvent", "start", definition)
    return Case(begin + _REACHED + path("start", "reached"), script, definitions)


def _sub_process(element_id: str, inside: str, *, kind: str = "subProcess") -> str:
    return f'<{kind} id="{element_id}"><startEvent id="inner_start"/>{inside}</{kind}>'


@final
@dataclass(frozen=True, slots=True)
class _Trigger:
    """What makes an event happen while `hold` waits; `thrown` is what has to happen inside for it."""

    definition: str
    definitions: str = ""
    thrown: str = ""
    publish: bool = False
    broadcast: bool = False


_TRIGGERS: Final[Mapping[str, _Trigger]] = {
    "message": _Trigger(on_message("message"), _MESSAGE, publish=True),
    "signal": _Trigger(on_signal("signal"), _SIGNAL, broadcast=True),
    "timer": _Trigger(_TIMER),
    "conditional": _Trigger(_CONDITION),
    "escalation": _Trigger(
        _ON_ESCALATION, _ESCALATION, event("intermediateThrowEvent", "throw", _ON_ESCALATION)
    ),
    "multiple": _Trigger(_TIMER.replace("PT0S", "PT1H") + on_signal("signal"), _SIGNAL, broadcast=True),
    "parallel multiple": _Trigger(
        on_message("message") + on_signal("signal"), _MESSAGE + _SIGNAL, publish=True, broadcast=True
    ),
    "error": _Trigger(_ON_ERROR, _ERROR, event("endEvent", "throw", _ON_ERROR)),
}


def _jobs(*, interrupting: bool) -> tuple[str, ...]:
    """What is interrupted has no job left; what is not still has to do its own."""
    return ("reached",) if interrupting else ("reached", "hold")


def _within(trigger: _Trigger, start: str) -> str:
    """From `start` to `hold`, past what is thrown; nothing comes after an error."""
    if not trigger.thrown:
        return _HOLD + path(start, "hold")
    if trigger.thrown.startswith("<endEvent"):
        return trigger.thrown + path(start, "throw")
    return trigger.thrown + _HOLD + path(start, "throw", "hold")


def _at_boundary(trigger: _Trigger, *, interrupting: bool) -> Case:
    activity = _sub_process("activity", _within(trigger, "inner_start"))
    edge = boundary("edge", "activity", trigger.definition, interrupting=interrupting)
    return _case(
        START + activity + edge + _REACHED + path("start", "activity") + path("edge", "reached"),
        definitions=trigger.definitions,
        publish=trigger.publish,
        broadcast=trigger.broadcast,
        jobs=_jobs(interrupting=interrupting),
    )


def _in_event_sub_process(trigger: _Trigger, *, interrupting: bool) -> Case:
    handler = event_sub_process(
        "handler", trigger.definition, _REACHED + path("handler_start", "reached"), interrupting=interrupting
    )
    return _case(
        START + _within(trigger, "start") + handler,
        definitions=trigger.definitions,
        publish=trigger.publish,
        broadcast=trigger.broadcast,
        jobs=_jobs(interrupting=interrupting),
    )


def _caught(trigger: _Trigger) -> Case:
    return _case(
        START + catch("catch", trigger.definition) + _REACHED + path("start", "catch", "reached"),
        definitions=trigger.definitions,
        publish=trigger.publish,
        broadcast=trigger.broadcast,
    )


_UNDO: Final = _REACHED.replace("<serviceTask", '<serviceTask isForCompensation="true"')
_COMPENSABLE: Final = START + '<manualTask id="done"/>' + compensable("done", _UNDO, "reached")


def _compensated(kind: str) -> Case:
    throw = event(kind, "throw", on_compensation("throw"))
    return _case(_COMPENSABLE + throw + path("start", "done", "throw"))


def _undone_from_inside() -> Case:
    undoing = _REACHED + path("handler_start", "reached")
    inside = event_sub_process("handler", on_compensation("undo"), undoing)
    activity = _sub_process("activity", '<manualTask id="done"/>' + path("inner_start", "done") + inside)
    throw = event("endEvent", "throw", on_compensation("throw"))
    return _case(START + activity + throw + path("start", "activity", "throw"))


def _broadcast_by(kind: str) -> Case:
    """Of the flows of a fork the last one is taken first, so somebody waits when the signal is thrown."""
    fork = START + '<parallelGateway id="fork"/>' + event(kind, "throw", on_signal("signal"))
    body = fork + catch("catch", on_signal("signal")) + _REACHED + path("start", "fork", "throw")
    return _case(body + path("fork", "catch", "reached"), definitions=_SIGNAL)


def _cancelled() -> Case:
    inside = event("endEvent", "throw", _CANCEL) + path("inner_start", "throw")
    activity = _sub_process("activity", inside, kind="transaction") + boundary("edge", "activity", _CANCEL)
    return _case(START + activity + _REACHED + path("start", "activity") + path("edge", "reached"))


def _escalated_at_end() -> Case:
    """What the escalation does not interrupt completes, so the event's job is all there is."""
    inside = event("endEvent", "throw", _ON_ESCALATION) + path("inner_start", "throw")
    edge = boundary("edge", "activity", _ON_ESCALATION, interrupting=False)
    body = START + _sub_process("activity", inside) + edge + _REACHED + path("start", "activity")
    return _case(body + path("edge", "reached"), definitions=_ESCALATION)


def _linked() -> Case:
    there = event("intermediateThrowEvent", "there", '<linkEventDefinition id="to" name="link"/>')
    here = catch("here", '<linkEventDefinition id="from" name="link"/>')
    return _case(START + there + here + _REACHED + path("start", "there") + path("here", "reached"))


def _worked_event(kind: str) -> Case:
    return _case(
        START + event(kind, "throw", on_message("message"), _WORKED) + path("start", "throw"),
        definitions=_MESSAGE,
    )


def _thrown_together(kind: str) -> Case:
    """A job throws the message, and then the signal is broadcast."""
    worked = _WORKED.replace("reached", "hold")
    fork = START + '<parallelGateway id="fork"/>'
    fork += event(kind, "throw", on_signal("signal") + on_message("message"), worked)
    body = fork + catch("catch", on_signal("signal")) + _REACHED + path("start", "fork", "throw")
    return _case(
        body + path("fork", "catch", "reached"), definitions=_MESSAGE + _SIGNAL, jobs=("hold", "reached")
    )


def _terminated() -> Case:
    body = START + '<parallelGateway id="fork"/>' + _HOLD + event("endEvent", "throw", _TERMINATE)
    return _case(body + path("start", "fork", "throw") + flow("fork", "hold"), jobs=())


def _activity(tag: str, *, attributes: str = "", extensions: str = "", inside: str = "") -> str:
    """An activity with room for a loop."""
    extended = f"<extensionElements>{extensions}</extensionElements>" if extensions else ""
    return f'<{tag} id="activity" {attributes}>{extended}<!--loop-->{inside}</{tag}>'


_INNER: Final = '<zeebe:taskDefinition type="@.inner"/>'
_INNER_PATH: Final = '<startEvent id="inner_start"/><manualTask id="inner"/>' + path("inner_start", "inner")
_AD_HOC: Final = '<zeebe:adHoc activeElementsCollection="=[&quot;inner&quot;]"/>'

ACTIVITIES: Final[Mapping[str, str]] = {
    "bpmn:task": _activity("task"),
    "bpmn:manualTask": _activity("manualTask"),
    "bpmn:serviceTask": _activity("serviceTask", extensions=_INNER),
    "bpmn:sendTask": _activity("sendTask", extensions=_INNER),
    "bpmn:scriptTask": _activity(
        "scriptTask", extensions='<zeebe:script expression="=1" resultVariable="v"/>'
    ),
    "bpmn:businessRuleTask": _activity(
        "businessRuleTask",
        extensions='<zeebe:calledDecision decisionId="everything_decided" resultVariable="v"/>',
    ),
    "bpmn:userTask": _activity("userTask", extensions="<zeebe:userTask/>" + heard(("creating", "@.inner"))),
    "bpmn:receiveTask": _activity("receiveTask", attributes='messageRef="message"'),
    "bpmn:subProcess": _activity("subProcess", inside=_INNER_PATH),
    "bpmn:transaction": _activity("transaction", inside=_INNER_PATH),
    "bpmn:callActivity": _activity(
        "callActivity", extensions='<zeebe:calledElement processId="everything_called"/>'
    ),
    "bpmn:adHocSubProcess": _activity(
        "adHocSubProcess", extensions=_AD_HOC, inside='<manualTask id="inner"/>'
    ),
}
CALLED: Final = process(START + END + path("start", "end"), process_id="everything_called")
DECIDED: Final = (
    b'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="test">'
    b'<decision id="everything_decided" name="decided"><literalExpression><text>1</text></literalExpression>'
    b"</decision></definitions>"
)
"""What the call activity calls, and the business rule task evaluates."""

_OVER_TWO: Final = (
    "<extensionElements><zeebe:loopCharacteristics inputCollection='=[1, 2]'/></extensionElements>"
    "</multiInstanceLoopCharacteristics>"
)
LOOPS: Final[Mapping[str, str]] = {
    "": "",
    "sequential multi-instance": f'<multiInstanceLoopCharacteristics isSequential="true">{_OVER_TWO}',
    "parallel multi-instance": f"<multiInstanceLoopCharacteristics>{_OVER_TWO}",
    "standard loop": '<standardLoopCharacteristics loopMaximum="2"/>',
}


def _performed(tag: str, loop: str) -> Case:
    times = 2 if loop else 1

    async def run(instance: Run) -> None:
        await instance.create()
        for _ in range(times):
            if tag == "bpmn:receiveTask":
                await instance.publish()
            if "@.inner" in ACTIVITIES[tag]:
                await (instance.complete_user_task if tag == "bpmn:userTask" else instance.work)("inner")
        await instance.work("reached")
        await instance.ended()

    activity = ACTIVITIES[tag].replace("<!--loop-->", LOOPS[loop])
    return Case(START + activity + _REACHED + path("start", "activity", "reached"), run, _MESSAGE)


def _forked(tag: str) -> Case:
    """Both ways out of a fork, and a join that waits for both."""
    body = (
        START + f'<{tag} id="fork"/>' + task("a", "@.a") + task("b", "@.b") + f'<{tag} id="join"/>' + _REACHED
    )
    condition = "=true" if tag == "inclusiveGateway" else ""
    body += path("start", "fork") + flow("fork", "a", condition) + flow("fork", "b", condition)
    return _case(body + path("a", "join", "reached") + path("b", "join"), jobs=("a", "b", "reached"))


_GATEWAYS: Final[Mapping[str, Case]] = {
    "bpmn:exclusiveGateway": _case(
        START + '<exclusiveGateway id="choice"/>' + _HOLD + _REACHED + path("start", "choice")
        + flow("choice", "hold", "=false") + flow("choice", "reached", "=true")
    ),
    "bpmn:parallelGateway": _forked("parallelGateway"),
    "bpmn:inclusiveGateway": _forked("inclusiveGateway"),
    "bpmn:complexGateway": _case(
        START + '<complexGateway id="fork"/><complexGateway id="join"><activationCondition>'
        "=activationCount &gt;= 1</activationCondition></complexGateway>"
        + task("a", "@.a") + task("b", "@.b") + _REACHED + path("start", "fork")
        + flow("fork", "a", "=true") + flow("fork", "b", "=true")
        + path("a", "join", "reached") + path("b", "join"),
        jobs=("a", "reached", "b"),
    ),
    "bpmn:eventBasedGateway": _case(
        START + '<eventBasedGateway id="first"/>' + catch("come", on_message("message"))
        + catch("late", _TIMER.replace("PT0S", "PT1H")) + _REACHED
        + path("start", "first", "come", "reached") + path("first", "late"),
        definitions=_MESSAGE,
        publish=True,
    ),
}  # fmt: skip

_NONE_EVENTS: Final[Mapping[str, Case]] = {
    "none start events": _case(START + _REACHED + path("start", "reached")),
    "none intermediate throw events": _case(
        START + '<intermediateThrowEvent id="throw"/>' + _REACHED + path("start", "throw", "reached")
    ),
    "none end events": _case(START + _REACHED + END + path("start", "reached", "end")),
}

_STARTS: Final[Mapping[str, Case]] = {
    "message start events": _started(on_message("message"), _start_by_message, _MESSAGE),
    "signal start events": _started(on_signal("signal"), _start_by_signal, _SIGNAL),
    "timer start events": _started(_TIMER, _start_by_timer),
    "parallel multiple start events": _together(
        _started(
            _TRIGGERS["parallel multiple"].definition,
            _start_by_both,
            message("message", "@.message") + _SIGNAL,
        )
    ),
    "multiple start events": _started(_TRIGGERS["multiple"].definition, _start_by_signal, _SIGNAL),
    "conditional start events": _started(
        _CONDITION.replace("=true", "=chosen = &quot;@&quot;"), _start_by_condition
    ),
}

_THROWN: Final[Mapping[str, Case]] = {
    "message intermediate throw events": _worked_event("intermediateThrowEvent"),
    "message end events": _worked_event("endEvent"),
    "signal intermediate throw events": _broadcast_by("intermediateThrowEvent"),
    "signal end events": _broadcast_by("endEvent"),
    "multiple intermediate throw events": _thrown_together("intermediateThrowEvent"),
    "multiple end events": _thrown_together("endEvent"),
    "escalation intermediate throw events": _at_boundary(_TRIGGERS["escalation"], interrupting=True),
    "escalation end events": _escalated_at_end(),
    "error end events": _at_boundary(_TRIGGERS["error"], interrupting=True),
    "compensation intermediate throw events": _compensated("intermediateThrowEvent"),
    "compensation end events": _compensated("endEvent"),
    "compensation start events of event sub-processes": _undone_from_inside(),
    "compensation boundary events": _compensated("intermediateThrowEvent"),
    "link intermediate throw events": _linked(),
    "link intermediate catch events": _linked(),
    "terminate end events": _terminated(),
    "cancel end events": _cancelled(),
    "cancel boundary events": _cancelled(),
}


def _triggered() -> Iterator[tuple[str, Case]]:
    for words, trigger in _TRIGGERS.items():
        for interrupting in (True,) if words == "error" else (True, False):
            manner = "interrupting" if interrupting else "not interrupting"
            yield f"{words} boundary events, {manner}", _at_boundary(trigger, interrupting=interrupting)
            yield (
                f"{words} start events of event sub-processes, {manner}",
                _in_event_sub_process(trigger, interrupting=interrupting),
            )
        if not trigger.thrown:
            yield f"{words} intermediate catch events", _caught(trigger)


CASES: Final[Mapping[str, Case]] = {
    **{f"{tag}, {loop}" if loop else tag: _performed(tag, loop) for tag in ACTIVITIES for loop in LOOPS},
    **_GATEWAYS,
    **_NONE_EVENTS,
    **_STARTS,
    **_THROWN,
    **{name: _together(case) if "parallel multiple" in name else case for name, case in _triggered()},
}

_EVENT_TAGS: Final = {
    "bpmn:startEvent",
    "bpmn:endEvent",
    "bpmn:intermediateCatchEvent",
    "bpmn:intermediateThrowEvent",
    "bpmn:boundaryEvent",
}
_EITHER_MANNER: Final = {Position.BOUNDARY, Position.EVENT_START}
_ONE_MANNER: Final = {"cancel", "compensation"}


def supported() -> set[str]:
    """The names of all cases that there have to be, by the tables that deployments are checked against."""
    found = {tag for tag in ELEMENTS if tag not in _EVENT_TAGS}
    found |= {f"{tag}, {loop}" for tag in found if not tag.endswith("Gateway") for loop in LOOPS if loop}
    positions = {kind.words: kind.positions for kind in EVENTS.values()}
    positions |= {"multiple": MULTIPLE.positions, "parallel multiple": PARALLEL_POSITIONS}
    for words, stands_at in positions.items():
        for position in stands_at:
            name = f"{words} {position}"
            if position not in _EITHER_MANNER or words in _ONE_MANNER:
                found.add(name)
                continue
            found.add(f"{name}, interrupting")
            if words != "error":
                found.add(f"{name}, not interrupting")
    return found
