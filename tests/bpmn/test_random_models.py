"""Random well-formed models, made of blocks, with workers and outsiders who do as they like.

Whatever they do, an instance can be brought to its end afterwards: it waits for nothing that cannot come, and
no incident stands in its way that cannot be resolved. Its log alone makes the same state.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Final, final

import pytest

from bpmnd.bpmn import turn as turn_module
from bpmnd.bpmn.commands import (
    BroadcastSignal,
    CompleteJob,
    FailJob,
    PublishMessage,
    ResolveIncident,
    SetVariables,
    ThrowJobError,
    UpdateJob,
)
from bpmnd.bpmn.outcomes import ActivatedJob
from bpmnd.bpmn.state.records import ProcessInstance
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
from tests.bpmn.multiple import after, every, when
from tests.bpmn.playground import Playground, again, flow, many, path, process, rows_of, task
from tests.judged import JUDGE

_SEEDS: Final = 2_000 if JUDGE else 60
_DEPTH_MAX: Final = 3
_ACTS: Final = 40
_ROUNDS_MAX: Final = 60
_BESIDE: Final = signal("s", "bell") + '<error id="e" errorCode="E"/><escalation id="c" escalationCode="C"/>'
_MESSAGE: Final = "a message of its own"
"""No two events wait for the same: a message is for one in each instance."""
_ON_ERROR: Final = "<errorEventDefinition/>"
_ON_ESCALATION: Final = '<escalationEventDefinition escalationRef="c"/>'
_CANCEL: Final = "<cancelEventDefinition/>"
_ENDS: Final = (
    ("<terminateEventDefinition/>", ""),
    ('<errorEventDefinition errorRef="e"/>', _ON_ERROR),
    (_CANCEL, _CANCEL),
    (on_signal("s") + _CANCEL, _CANCEL),
)
"""Other ways for a sub-process to end, and what must be caught around it then."""
_CONDITION: Final = when("=yes = true")
_WAITED_FOR: Final = (
    (_MESSAGE,),
    (on_signal("s"),),
    (after("PT1M"),),
    (_CONDITION,),
    (on_signal("s"), _MESSAGE),
    (after("PT1H"), _CONDITION, _MESSAGE),
)


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a model with one way in and one way out."""

    xml: str
    first: str
    last: str


@final
class Models:
    """Makes models out of blocks in blocks."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._number = 0
        self._calls = ""
        self.messages: list[str] = []
        """Their names, which are their ids, too."""

    def model(self, process_id: str = "process", *, calls: str = "") -> bytes:
        """One that may call the process `calls`."""
        self._calls, known = calls, len(self.messages)
        inner = self._block(_DEPTH_MAX)
        ends = f'<startEvent id="begin"/>{inner.xml}<endEvent id="end"/>'
        aside = self._event_sub_process() if self._chance.random() < 0.3 else ""
        flows = path("begin", inner.first) + path(inner.last, "end")
        messages = "".join(message(name, name, "=k") for name in self.messages[known:])
        return process(ends + flows + aside, definitions=_BESIDE + messages, process_id=process_id)

    def _id(self, kind: str) -> str:
        self._number += 1
        return f"{kind}{self._number}"

    def _definitions(self, *parts: str) -> str:
        """Of an event; without parts any that can be waited for."""
        parts = parts or self._chance.choice(_WAITED_FOR)
        found: list[str] = []
        for part in self._chance.sample(parts, len(parts)):
            if part == _MESSAGE:
                self.messages.append(self._id("message"))
                found.append(on_message(self.messages[-1]))
            else:
                found.append(part)
        return "".join(found)

    def _block(self, depth: int) -> Block:
        simple: list[Callable[[], Block]] = [self._task, self._task, self._catch, self._throw]
        nested: list[Callable[[int], Block]] = [
            self._sequence,
            self._sequence,
            self._choice,
            self._fork,
            self._loop,
            self._race,
            self._scope,
            self._scope,
        ]
        if depth == 0 or self._chance.random() < 0.15:
            return self._chance.choice(simple)()
        return self._chance.choice(nested)(depth - 1)

    def _task(self) -> Block:
        name = self._id("task")
        xml = task(name, "work")
        if self._calls and self._chance.random() < 0.3:
            called = f'<zeebe:calledElement processId="{self._calls}"/>'
            xml = f'<callActivity id="{name}"><extensionElements>{called}</extensionElements></callActivity>'
        xml = self._repeated(xml)
        if self._chance.random() < 0.2:
            undo = self._id("undo")
            xml += compensable(name, task(undo, "work"), undo)
        return self._guarded(xml, name)

    def _repeated(self, activity: str) -> str:
        """The activity, perhaps more than once."""
        match self._chance.randrange(10):
            case 0:
                return many(activity, "=[1, 2]", sequential=True)
            case 1:
                return many(activity, "=[1, 2]", sequential=False)
            case 2:
                before = self._chance.random() < 0.5
                return again(activity, condition="=again = true", maximum=3, before=before)
            case _:
                return activity

    def _catch(self) -> Block:
        name = self._id("catch")
        xml = catch(name, self._definitions())
        return Block(together(xml, name) if self._chance.random() < 0.5 else xml, name, name)

    def _throw(self) -> Block:
        name = self._id("throw")
        sent = on_message("thrown")
        thrown = (on_signal("s"), _ON_ESCALATION, on_compensation(name), sent)
        parts = self._chance.sample(thrown, self._chance.randint(1, len(thrown)))
        job = '<zeebe:taskDefinition type="work"/>' if sent in parts else ""
        return Block(event("intermediateThrowEvent", name, "".join(parts), job), name, name)

    def _sequence(self, depth: int) -> Block:
        blocks = [self._block(depth) for _ in range(self._chance.randint(2, 3))]
        xml = "".join(block.xml for block in blocks)
        xml += "".join(flow(one.last, next_one.first) for one, next_one in pairwise(blocks))
        return Block(xml, blocks[0].first, blocks[-1].last)

    def _choice(self, depth: int) -> Block:
        """One way or the other; of an inclusive gateway perhaps both."""
        kind = self._chance.choice(("exclusiveGateway", "inclusiveGateway"))
        fork, join, one, other = self._id("fork"), self._id("join"), self._block(depth), self._block(depth)
        condition = self._chance.choice(("=yes", "=yes = true", "=count &gt; 1"))
        xml = f'<{kind} id="{fork}" default="{fork}_{other.first}"/><{kind} id="{join}"/>{one.xml}{other.xml}'
        xml += flow(fork, one.first, condition) + flow(fork, other.first)
        return Block(xml + path(one.last, join) + path(other.last, join), fork, join)

    def _fork(self, depth: int) -> Block:
        """Both ways; a complex gateway goes on with the first that comes."""
        fork, join = self._id("fork"), self._id("join")
        xml = f'<parallelGateway id="{fork}"/>'
        if self._chance.random() < 0.2:
            first = "<activationCondition>=activationCount &gt;= 1</activationCondition>"
            xml += f'<complexGateway id="{join}">{first}</complexGateway>'
        else:
            xml += f'<parallelGateway id="{join}"/>'
        for _ in range(2):
            way = self._block(depth)
            xml += way.xml + path(fork, way.first) + path(way.last, join)
        return Block(xml, fork, join)

    def _loop(self, depth: int) -> Block:
        merge, again, inner = self._id("merge"), self._id("again"), self._block(depth)
        work = self._task()
        xml = f'<exclusiveGateway id="{merge}"/>{inner.xml}{work.xml}'
        after_all = self._id("left")
        xml += f'<exclusiveGateway id="{again}" default="{again}_{after_all}"/><task id="{after_all}"/>'
        xml += path(merge, inner.first) + path(inner.last, work.first) + path(work.last, again, after_all)
        return Block(xml + flow(again, merge, "=again = true"), merge, after_all)

    def _race(self, depth: int) -> Block:
        gateway, join = self._id("race"), self._id("join")
        xml = f'<eventBasedGateway id="{gateway}"/><exclusiveGateway id="{join}"/>'
        ways = (((_MESSAGE, after("PT1M")), (_MESSAGE,)), ((on_signal("s"),), (_CONDITION,)))
        for parts in self._chance.choice(ways):
            name, way = self._id("first"), self._block(depth)
            xml += catch(name, self._definitions(*parts)) + way.xml
            xml += path(gateway, name, way.first) + path(way.last, join)
        return Block(xml, gateway, join)

    def _scope(self, depth: int) -> Block:
        """A sub-process, perhaps with event sub-processes in it, another way to end, or many instances."""
        name, inner = self._id("scope"), self._block(depth)
        xml = f'<startEvent id="{name}_begin"/>{inner.xml}'
        xml += path(f"{name}_begin", inner.first)
        ends, caught = self._chance.choice((*_ENDS, ("", "")))
        if ends:
            choice, done = self._id("choice"), self._id("done")
            xml += f'<exclusiveGateway id="{choice}" default="{choice}_{done}"/><task id="{done}"/>'
            xml += event("endEvent", f"{name}_halt", ends) + path(inner.last, choice, done)
            xml += flow(choice, f"{name}_halt", "=count &gt; 1")
        if self._chance.random() < 0.4:
            xml += self._event_sub_process()
        if self._chance.random() < 0.3:
            undo = self._id("undoes")
            undoing = task(f"{undo}_task", "work") + path(f"{undo}_start", f"{undo}_task")
            xml += event_sub_process(undo, on_compensation(f"{undo}_start"), undoing)
        tag = "transaction" if caught == _CANCEL else "subProcess"
        xml = f'<{tag} id="{name}">{xml}</{tag}>'
        xml = self._repeated(xml)
        return self._guarded(xml, name, caught, is_scope=True)

    def _guarded(self, xml: str, name: str, must_catch: str = "", *, is_scope: bool = False) -> Block:
        """The activity with boundary events: what interrupts it goes on where it would have gone on."""
        caught = [must_catch] if must_catch else []
        if must_catch != _ON_ERROR and self._chance.random() < 0.1:
            caught.append(_ON_ERROR)
        if is_scope and self._chance.random() < 0.3:
            caught.append(_ON_ESCALATION)
        if self._chance.random() < 0.3:
            caught.append(self._definitions())
        if not caught:
            return Block(xml, name, name)
        merge = self._id("merge")
        xml += f'<exclusiveGateway id="{merge}"/>' + path(name, merge)
        for definition in caught:
            edge, handler = self._id("edge"), self._id("handler")
            interrupting = definition in (_ON_ERROR, _CANCEL) or self._chance.random() < 0.5
            added = boundary(edge, name, definition, interrupting=interrupting) + task(handler, "work")
            xml += together(added, edge) if self._chance.random() < 0.5 else added
            xml += path(edge, handler, merge) if interrupting else path(edge, handler)
        return Block(xml, name, merge)

    def _event_sub_process(self) -> str:
        name, handler = self._id("aside"), self._id("handler")
        others = (_ON_ERROR, _ON_ESCALATION, every("R2/PT1M"))
        definition = self._chance.choice(others) if self._chance.random() < 0.4 else self._definitions()
        interrupting = definition == _ON_ERROR or (
            "timeCycle" not in definition and self._chance.random() < 0.5
        )
        inside = task(handler, "work") + path(f"{name}_start", handler)
        xml = event_sub_process(name, definition, inside, interrupting=interrupting)
        return together(xml, f"{name}_start") if self._chance.random() < 0.5 else xml


def act(playground: Playground, chance: Random, instance_key: int, messages: Sequence[str]) -> None:
    """Somebody does something."""
    match chance.randrange(10):
        case 0 if messages:
            playground.do(PublishMessage(chance.choice(messages), "1", chance.choice((0, 60_000))))
        case 1:
            playground.do(BroadcastSignal("bell", {"count": b"1"}))
        case 2:
            playground.pass_time(chance.choice((1_000, 60_000, 3_600_000)))
        case 3:
            name = chance.choice(("yes", "again"))
            playground.do(SetVariables(instance_key, {name: chance.choice((b"true", b"false", b"5"))}))
        case 4:
            settle(playground, instance_key)
        case _:
            for job in playground.jobs("work", 1, timeout_ms=1_000):
                work(playground, chance, job)


def work(playground: Playground, chance: Random, job: ActivatedJob) -> None:
    match chance.randrange(8):
        case 0:
            playground.do(FailJob(job.key, chance.randrange(2)))
        case 1:
            playground.do(ThrowJobError(job.key, chance.choice(("E", "F"))))
        case 2:
            pass  # It will time out.
        case _:
            count = str(chance.randrange(4)).encode()
            playground.do(CompleteJob(job.key, {"count": count, "again": chance.choice((b"true", b"false"))}))


def all_called(playground: Playground, instance_key: int) -> Iterator[ProcessInstance]:
    """The instance, as far as it is still there, and those that it has called."""
    instance = playground.state.instances.get(instance_key)
    if instance is not None:
        yield instance
        for key in list(instance.called.values()):
            yield from all_called(playground, key)


def settle(playground: Playground, instance_key: int) -> None:
    """Resolve all incidents, once what they were about has been put right."""
    for instance in list(all_called(playground, instance_key)):
        for incident in list(instance.incidents.values()):
            if incident.job_key:
                playground.do(UpdateJob(incident.job_key, retries=1))
            playground.do(ResolveIncident(incident.key))


def bring_to_its_end(playground: Playground, instance_key: int, messages: Sequence[str]) -> None:
    """Let come what may be waited for, and do all work, as often as it takes."""
    good = {"yes": b"true", "again": b"false", "count": b"1"}
    for _ in range(_ROUNDS_MAX):
        if playground.is_over(instance_key):
            return
        for called in list(all_called(playground, instance_key)):
            playground.do(SetVariables(called.key, good))
        settle(playground, instance_key)
        for name in messages:
            playground.do(PublishMessage(name, "1", 0))
        playground.do(BroadcastSignal("bell", {}))
        playground.pass_time(3_600_000)
        while jobs := playground.jobs("work"):
            for job in jobs:
                playground.do(CompleteJob(job.key, {"again": b"false"}))
    instance = playground.state.instances.get(instance_key)
    raise AssertionError(f"it does not end: {instance}")


@pytest.mark.parametrize("seed", range(_SEEDS))
def test_an_instance_of_a_well_formed_model_can_be_brought_to_its_end(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = Random(seed)
    monkeypatch.setattr(turn_module, "STEPS_MAX", chance.choice((2, 5, 200)))
    playground, models = Playground(), Models(chance)
    playground.deploy(models.model("called"), models.model(calls="called"))
    keys = [playground.create({"k": b'"1"', "count": b"0"}) for _ in range(2)]

    for _ in range(_ACTS):
        act(playground, chance, chance.choice(keys), models.messages)
    for key in keys:
        bring_to_its_end(playground, key, models.messages)

    assert rows_of(playground.replayed()) == rows_of(playground.state)
