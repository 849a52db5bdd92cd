"""Random well-formed models of what Zeebe has, made of blocks with one way in and one way out.

All jobs are of the types `JOBS`, so that whoever plays finds all work by asking for these.
"""

from collections.abc import Callable
from itertools import pairwise
from random import Random
from typing import Final, final

from tests.bpmn.events import compensable, on_compensation, on_message, on_signal
from tests.bpmn.test_random_models import Block
from tests.differential.models import (
    calls,
    event,
    flow,
    fork,
    many,
    message,
    path,
    process,
    receives,
    script,
    signal,
    start,
    sub_process,
    task,
    timer,
)
from tests.differential.test_execution_listeners import listened, listeners

JOBS: Final = ("w", "x")
_SIGNALS: Final = ("bell", "horn")
_DEPTH_MAX: Final = 3
_BESIDE: Final = '<escalation id="c1" escalationCode="C1"/><escalation id="c2" escalationCode="C2"/>'
_CONDITIONS: Final = ("=yes", "=yes = true", "=count &gt; 1", "=count = 1 or yes", "=not(yes)", "=count")
_INPUTS: Final = (("n", "=count + 1"), ("count", "=count"), ("own.a", "=count"), ("yes", "=not(yes)"))
_OUTPUTS: Final = (("count", "=n"), ("seen", "=count"), ("kept.x", "=yes"), ("made", "=made"))
_SCRIPTS: Final = ("=count + 1", "=yes", "=if count &gt; 1 then n else null", "=items[1]", "={a: count}")


@final
class Models:
    """Makes models; `messages` are the names of those that somebody may wait for."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._number = 0
        self._calls = ""
        self.messages: list[str] = []
        self.caught: list[str] = []
        """Those of them that interrupt nothing: it does not matter how soon one that is kept comes."""
        self.signals: list[str] = list(_SIGNALS)
        """Each event that may interrupt something has its own: Zeebe still lets happen what is about to be
        interrupted by the same signal."""
        self.elements: list[str] = []
        """Ids of what can be asked for by hand."""

    def model(self, process_id: str = "process", *, called: str = "", depth: int = _DEPTH_MAX) -> bytes:
        """One that may call the process `called`."""
        self._calls, known = called, len(self.messages)
        begin, end = self._id("begin"), self._id("end")
        inner = self._block(depth)
        last = f'<endEvent id="{end}"/>' if self._happens(0.7) else self._halts(end)[0]
        body = start(begin) + inner.xml + last + path(begin, inner.first)
        body += path(inner.last, end) + self._asides(0.3)
        beside = _BESIDE + "".join(message(name, name, "=k") for name in self.messages[known:])
        beside += "".join(signal(name, name) for name in self.signals)
        return process(body, process_id=process_id, beside=beside)

    def _id(self, kind: str) -> str:
        self._number += 1
        self.elements.append(f"{kind}{self._number}")
        return self.elements[-1]

    def _happens(self, probability: float) -> bool:
        return self._chance.random() < probability

    def _message(self, *, catches: bool = False) -> str:
        self.messages.append(f"m{len(self.messages) + 1}")
        if catches:
            self.caught.append(self.messages[-1])
        return self.messages[-1]

    def _mapping(self, kinds: tuple[tuple[str, str], ...], probability: float = 0.3) -> dict[str, str]:
        if not self._happens(probability):
            return {}
        return dict(self._chance.sample(kinds, self._chance.randint(1, 2)))

    def _block(self, depth: int) -> Block:
        simple: list[Callable[[], Block]] = [self._task, self._task, self._catch, self._throw, self._pass]
        simple += [self._link] if self._happens(0.1) else []
        nested: list[Callable[[int], Block]] = [
            self._sequence,
            self._sequence,
            self._choice,
            self._fork,
            self._loop,
            self._race,
            self._scope,
            self._scope,
            self._scope,
        ]
        if depth == 0 or self._happens(0.1):
            return self._chance.choice(simple)()
        return self._chance.choice(nested)(depth - 1)

    # Activities

    def _task(self) -> Block:
        name = self._id("task")
        inputs, outputs = self._mapping(_INPUTS), self._mapping(_OUTPUTS)
        if self._calls and self._happens(0.25):
            parent, child = self._happens(0.7), self._happens(0.7)
            if not parent:
                inputs["k"] = "=k"
            xml = calls(name, self._calls, parent=parent, child=child, inputs=inputs, outputs=outputs)
            return self._guarded(self._more(xml), name, is_scope=True)
        retries = self._chance.choice(("1", "1", "1", "2", "=count + 1"))
        xml = task(name, JOBS[0], retries=retries, inputs=inputs, outputs=outputs)
        return self._guarded(self._more(xml), name)

    def _pass(self) -> Block:
        """What goes on by itself."""
        name = self._id("pass")
        inputs, outputs = self._mapping(_INPUTS), self._mapping(_OUTPUTS)
        if self._happens(0.5):
            # Nobody else reads the result: of scripts beside each other one is as good as the other.
            xml = script(name, self._chance.choice(_SCRIPTS), "made", inputs=inputs, outputs=outputs)
        else:
            xml = f'<manualTask id="{name}"/>'
        xml = self._repeated(xml)
        if self._happens(0.15):
            xml += self._undone(name)
        return Block(xml, name, name)

    def _catch(self) -> Block:
        name = self._id("catch")
        outputs = self._mapping(_OUTPUTS)
        if self._happens(0.3):
            xml = receives(name, self._message(catches=True), outputs=outputs)
            return self._guarded(self._more(xml), name)
        xml = event("intermediateCatchEvent", name, self._awaited(catches=True), outputs=outputs)
        return Block(self._listened(xml), name, name)

    def _throw(self) -> Block:
        name = self._id("throw")
        kinds = (
            on_signal(self._chance.choice(self.signals)),
            self._escalation(),
            on_compensation(name),
            "",
            "",
        )
        definition = self._chance.choice(kinds)
        if not definition and self._happens(0.5):
            xml = event(
                "intermediateThrowEvent", name, '<messageEventDefinition messageRef="e1m"/>', job=JOBS[0]
            )
            xml = xml.replace(' messageRef="e1m"', "")
        else:
            xml = event("intermediateThrowEvent", name, definition, outputs=self._mapping(_OUTPUTS))
        return Block(self._listened(xml), name, name)

    def _link(self) -> Block:
        """A jump."""
        source, target = self._id("link"), self._id("link")
        definition = f'<linkEventDefinition id="{source}-link" name="{source}"/>'
        xml = event("intermediateThrowEvent", source, definition)
        definition = f'<linkEventDefinition id="{target}-link" name="{source}"/>'
        return Block(xml + event("intermediateCatchEvent", target, definition), source, target)

    def _scope(self, depth: int) -> Block:
        name, inner, begin = self._id("scope"), self._block(depth), self._id("begin")
        xml = start(begin) + inner.xml + path(begin, inner.first)
        must_catch = ""
        if self._happens(0.5):
            choice, halt, end = self._id("choice"), self._id("halt"), self._id("end")
            halts, must_catch = self._halts(halt)
            xml += f'<exclusiveGateway id="{choice}" default="{choice}_{end}"/><endEvent id="{end}"/>'
            xml += halts + path(inner.last, choice, end)
            xml += flow(choice, halt, self._chance.choice(_CONDITIONS[:-1]))
        xml += self._asides(0.4)
        inputs, outputs = self._mapping(_INPUTS), self._mapping(_OUTPUTS)
        xml = self._more(sub_process(name, xml, inputs=inputs, outputs=outputs))
        return self._guarded(xml, name, must_catch, is_scope=True)

    def _halts(self, name: str) -> tuple[str, str]:
        """Another end, and what must be caught around it then."""
        match self._chance.randrange(6):
            case 0:
                return event("endEvent", name, "<terminateEventDefinition/>"), ""
            case 1:
                code = self._chance.choice(("e1", "e2"))
                return event("endEvent", name, f'<errorEventDefinition errorRef="{code}"/>'), "error"
            case 2:
                return event("endEvent", name, self._escalation()), ""
            case 3:
                return event("endEvent", name, on_compensation(name)), ""
            case 4:
                return event("endEvent", name, on_signal(self._chance.choice(self.signals))), ""
            case _:
                return event("endEvent", name, "<messageEventDefinition/>", job=JOBS[0]), ""

    def _more(self, xml: str) -> str:
        return self._repeated(self._listened(xml))

    def _listened(self, xml: str) -> str:
        if not self._happens(0.12):
            return xml
        kinds = self._chance.choice((("start",), ("end",), ("start", "end"), ("end", "end")))
        if "triggeredByEvent" in xml:
            # Zeebe loses what a listener of the end leaves to a scope that an event has interrupted.
            kinds = ("start",)
        with_jobs = tuple(zip(kinds, JOBS, strict=False))
        head, _, rest = xml.partition(">")
        if head.endswith("/") or rest.startswith("<extensionElements>"):
            return listened(xml, *with_jobs, retries="1")
        return f"{head}><extensionElements>{listeners(*with_jobs, retries='1')}</extensionElements>{rest}"

    def _repeated(self, xml: str) -> str:
        if not self._happens(0.2):
            return xml
        collection = self._chance.choice(("=items", "=[1, 2]", "=items[item &gt; 1]", "=items", "=more"))
        self._number += 1
        results = f"results{self._number}"
        outputs = self._chance.choice((None, (results, "=made"), (results, "=item")))
        until = self._chance.choice(("", "", "=numberOfCompletedInstances &gt; 1", "=yes"))
        item = self._chance.choice(("item", "item", "count"))
        sequential = self._happens(0.5)
        return many(xml, collection, item=item, sequential=sequential, outputs=outputs, until=until)

    def _undone(self, name: str) -> str:
        undo = self._id("undo")
        handler = task(undo, JOBS[0], retries="1", outputs=self._mapping(_OUTPUTS))
        handler = handler.replace("<serviceTask", '<serviceTask isForCompensation="true"')
        return compensable(name, handler, undo)

    # Events

    def _escalation(self) -> str:
        return f'<escalationEventDefinition escalationRef="{self._chance.choice(("c1", "c2"))}"/>'

    def _awaited(self, *, catches: bool = False) -> str:
        match self._chance.randrange(8):
            case 0:
                return timer("timeDuration", "PT1H")
            case 1 | 2 | 3:
                if catches:
                    return on_signal(self._chance.choice(_SIGNALS))
                self.signals.append(f"s{len(self.signals) + 1}")
                return on_signal(self.signals[-1])
            case _:
                return on_message(self._message(catches=catches))

    def _guarded(self, xml: str, name: str, must_catch: str = "", *, is_scope: bool = False) -> Block:
        """The activity with boundary events: what interrupts it goes on where it would have gone on."""
        if self._happens(0.2):
            xml += self._undone(name)
        caught: list[tuple[str, bool]] = []
        if must_catch or self._happens(0.2):
            codes = self._chance.choice(("", "e1", "e2", "e1 e2")).split(" ")
            caught += [
                (f'<errorEventDefinition errorRef="{code}"/>' if code else "<errorEventDefinition/>", True)
                for code in codes
            ]
        if is_scope and self._happens(0.3):
            code = self._chance.choice(("", ' escalationRef="c1"'))
            caught.append((f"<escalationEventDefinition{code}/>", self._happens(0.5)))
        if self._happens(0.3):
            caught.append((self._awaited(), self._happens(0.5)))
        if not caught:
            return Block(xml, name, name)
        merge = self._id("merge")
        xml += f'<exclusiveGateway id="{merge}"/>' + path(name, merge)
        for definition, interrupting in caught:
            edge, handler = self._id("edge"), self._id("handler")
            added = event("boundaryEvent", edge, definition, outputs=self._mapping(_OUTPUTS)).replace(
                f'id="{edge}"',
                f'id="{edge}" attachedToRef="{name}" cancelActivity="{str(interrupting).lower()}"',
                1,
            )
            xml += added + task(handler, JOBS[0], retries="1")
            xml += path(edge, handler, merge) if interrupting else path(edge, handler)
        return Block(xml, name, merge)

    def _asides(self, probability: float) -> str:
        """An event sub-process, perhaps."""
        if not self._happens(probability):
            return ""
        name, begin = self._id("aside"), self._id("begin")
        error = '<errorEventDefinition errorRef="e1"/>'
        definition = self._chance.choice((error, self._escalation(), self._awaited(), self._awaited()))
        interrupting = definition == error or self._happens(0.5)
        starts = event("startEvent", begin, definition, outputs=self._mapping(_OUTPUTS))
        flag = f'isInterrupting="{str(interrupting).lower()}"'
        starts = starts.replace(f'id="{begin}"', f'id="{begin}" {flag}', 1)
        inner = self._block(0)
        xml = starts + inner.xml + path(begin, inner.first)
        return f'<subProcess id="{name}" triggeredByEvent="true">{xml}</subProcess>'

    # Ways

    def _sequence(self, depth: int) -> Block:
        blocks = [self._block(depth) for _ in range(self._chance.randint(2, 3))]
        xml = "".join(block.xml for block in blocks)
        xml += "".join(flow(one.last, next_one.first) for one, next_one in pairwise(blocks))
        return Block(xml, blocks[0].first, blocks[-1].last)

    def _choice(self, depth: int) -> Block:
        kind = self._chance.choice(("exclusiveGateway", "inclusiveGateway"))
        split, join, one, other = self._id("split"), self._id("join"), self._block(depth), self._block(depth)
        xml = f'<{kind} id="{split}" default="{split}_{other.first}"/><{kind} id="{join}"/>'
        xml += one.xml + other.xml + flow(split, one.first, self._chance.choice(_CONDITIONS))
        xml += flow(split, other.first) + path(one.last, join) + path(other.last, join)
        return Block(xml, split, join)

    def _fork(self, depth: int) -> Block:
        split, join = self._id("split"), self._id("join")
        xml = fork(split) + fork(join)
        for _ in range(2):
            # With a job before, no way goes on by itself beside the other one.
            work, way = self._id("task"), self._block(depth)
            xml += task(work, JOBS[0], retries="1") + way.xml
            xml += path(split, work, way.first) + path(way.last, join)
        return Block(xml, split, join)

    def _loop(self, depth: int) -> Block:
        merge, again, inner = self._id("merge"), self._id("again"), self._block(depth)
        work, left = self._task(), self._id("left")
        xml = f'<exclusiveGateway id="{merge}"/>{inner.xml}{work.xml}'
        xml += f'<exclusiveGateway id="{again}" default="{again}_{left}"/><task id="{left}"/>'
        xml += path(merge, inner.first) + path(inner.last, work.first) + path(work.last, again, left)
        return Block(xml + flow(again, merge, "=again = true"), merge, left)

    def _race(self, depth: int) -> Block:
        gateway, join = self._id("race"), self._id("join")
        xml = f'<eventBasedGateway id="{gateway}"/><exclusiveGateway id="{join}"/>'
        awaited = [on_message(self._message()), on_signal(self._chance.choice(_SIGNALS))]
        for definition in awaited:
            name, way = self._id("first"), self._block(depth)
            xml += event("intermediateCatchEvent", name, definition, outputs=self._mapping(_OUTPUTS))
            xml += way.xml + path(gateway, name, way.first) + path(way.last, join)
        return Block(xml, gateway, join)
