"""A turn: one command, decided and applied, with all the steps that follow from it."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias, final

import msgspec

from bpmnd.bpmn.appliers import APPLIERS
from bpmnd.bpmn.channel import ChannelMessage, encode_message
from bpmnd.bpmn.definitions import Definitions
from bpmnd.bpmn.events import (
    ChannelMessageSent,
    CommandAnswered,
    ContinuationCreated,
    ElementActivated,
    ElementCompleted,
    ElementTerminated,
    Event,
    IncidentCreated,
)
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.model.graph import Element, ExecutableProcess
from bpmnd.bpmn.outcomes import Decided, Outcome, encode_outcome
from bpmnd.bpmn.slots import Peers
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.records import ProcessInstance
from bpmnd.bpmn.steps import Earned, Step, encode_steps

if TYPE_CHECKING:
    from bpmnd.bpmn.elements.kind import AnyElementKind

STEPS_MAX: Final = 200
"""Steps of one turn. What is left then stands in the state and is gone on with in a turn of its own."""

EXPRESSION_STEPS_MAX: Final = 25_000
"""Steps of the expressions of one turn, some ten milliseconds: the step that goes beyond it is the last.
What is written to variables counts too, `CHARACTERS_PER_STEP`."""
CHARACTERS_PER_STEP: Final = 16

PASSES_MAX: Final = 40
"""Turns in a row that may go on beginning elements of an instance, and of those that it has called, without a
wait state between: together they take up to a second, the most where they begin instances."""

_DEAR_PASSES: Final = 4
"""What a turn counts for that its expressions made short: it takes so many times as long as others."""
_LEFT_OVER_MANY: Final = 4000
"""Steps that are left over: so many make a turn count for one more."""


class JobNote(msgspec.Struct, frozen=True, gc=False):
    """`count` jobs of a type were created, activated, completed, failed, timed out …"""

    type: str
    what: str
    count: int


class InstanceNote(msgspec.Struct, frozen=True, gc=False):
    """A process instance has ended after so long, in log time."""

    process_id: str
    milliseconds: int


Note: TypeAlias = JobNote | InstanceNote

Earner: TypeAlias = tuple[int, int, int, int]
"""A multi-instance body that earns steps for its instance: definition, element, the key of the item that it
is in or 0, and its own."""


class BrokenStateError(Exception):
    """An applier raised, or the store below cannot be read: memory is not surely what the log adds up to any
    more, and must be discarded."""


@final
class Turn:
    """What a processor and the behaviours read from, and the one way for them to make something happen."""

    __slots__ = (
        "answers",
        "definitions",
        "earned",
        "earners",
        "events",
        "expression_steps",
        "is_bounded",
        "kinds",
        "notes",
        "now",
        "offered",
        "passes",
        "peers",
        "request",
        "state",
        "steps",
    )

    def __init__(
        self,
        state: State,
        definitions: Definitions,
        kinds: "Mapping[type[Element], AnyElementKind]",
        peers: Peers,
        now: int,
        request: int,
    ) -> None:
        self.state = state
        self.definitions = definitions
        self.kinds = kinds
        """What the elements of each type do."""
        self.peers = peers
        self.now = now
        """Log time, epoch milliseconds."""
        self.request = request
        """The request whose command this is; 0 if nobody waits for an answer. Below zero: the command has an
        id, and its outcome is kept for those who repeat it."""
        self.events: list[Event] = []
        self.steps: deque[Step] = deque()
        self.answers: list[tuple[int, Outcome]] = []
        """Answers to requests of earlier turns which this turn settles."""
        self.offered: set[tuple[str, str]] = set()
        """(tenant, type) of jobs that may be lent since this turn."""
        self.notes: list[Note] = []
        self.passes = 0
        self.is_bounded = False
        """Whether it has begun items of a loop, whose number is known."""
        self.earned = 0
        """Steps that may be done on top, for such items take them (`bpmn/elements/earning.py`)."""
        self.earners: tuple[Earner, ...] = ()
        self.expression_steps = 0

    def emit(self, event: Event) -> None:
        """Make it a fact: the event is part of the frame, and the state shows it at once."""
        self.events.append(event)
        try:
            APPLIERS[type(event)](self.state, event)
        except Exception as error:
            raise BrokenStateError(f"cannot apply {event}") from error

    def new_key(self) -> int:
        """A key that nothing else has. It is given out for good when an event carries it."""
        self.state.last_key += 1
        return self.state.last_key

    def new_keys(self, count: int) -> int:
        """The first of `count` keys in a row."""
        first = self.state.last_key + 1
        self.state.last_key += count
        return first

    @property
    def partitions(self) -> tuple[int, ...]:
        """All that there are. The state may know of newer ones than the node of a new leader does."""
        return tuple(sorted({*self.peers.partitions, *self.state.outbox.items}))

    def send(self, partition: int, message: ChannelMessage) -> None:
        """Tell another partition, over the channel to it."""
        channel = self.state.outbox.get(partition)
        number = channel.last_number + 1 if channel else 1
        self.emit(ChannelMessageSent(partition, number, encode_message(message)))

    def answer(self, request: int, outcome: Decided) -> None:
        """Answer a request that has waited, and with it all that may repeat it."""
        self.answers.append((request, outcome))
        noted = self.state.noted.waiting_for(request) if request < 0 else None
        if noted is not None:
            self.emit(CommandAnswered(noted, encode_outcome(outcome)))

    def schedule(self, step: Step) -> None:
        self.steps.append(step)

    def spend(self, steps: int) -> None:
        """Expressions took so many steps."""
        self.expression_steps += steps

    def executable_of(self, instance: ProcessInstance) -> ExecutableProcess:
        return self.definitions.executables[instance.definition_key]

    def run(self, perform: Callable[["Turn", Step], None]) -> None:
        """Work off the steps, up to the budget of a turn; the rest becomes a continuation."""
        for _ in range(STEPS_MAX):
            if not self.steps:
                return
            perform(self, self.steps.popleft())
            if self.expression_steps > EXPRESSION_STEPS_MAX:
                break
        by_root: dict[int, list[Step]] = {}
        for step in self.steps:
            by_root.setdefault(self._root_of(step.instance_key), []).append(step)
        self.steps.clear()
        for root_key, steps in by_root.items():
            passes = self._passes_with(steps) if root_key else 0
            if self.earners and root_key:
                steps.insert(0, Earned(root_key, self.earned, self.earners))
            self.emit(ContinuationCreated(self.new_key(), root_key, encode_steps(tuple(steps)), passes))

    def _root_of(self, instance_key: int) -> int:
        """What called instances leave over goes on together with their callers': however they multiply, it is
        one turn at a time."""
        instance = self.state.instances.get(instance_key) if instance_key else None
        return instance_key if instance is None else instance.root_key

    def _passes_with(self, left: list[Step]) -> int:
        """How many turns in a row have begun something, this one included, unless its steps have been earned.
        Those that were short because of their expressions, or leave ever more over, take longer and count
        more. Items of a loop that have come to rest do not count: as many as it has may wait at once."""
        begun = ended = 0
        for event in self.events:
            match event:
                case ElementActivated():
                    begun += 1
                case ElementCompleted() | ElementTerminated():
                    ended += 1
                case _:
                    pass
        rests = self.is_bounded and begun > ended
        if not begun or rests:
            return self.passes
        dear = _DEAR_PASSES if self.expression_steps > EXPRESSION_STEPS_MAX else 1
        counted = dear + len(left) // _LEFT_OVER_MANY
        if self.earned >= counted * STEPS_MAX:
            self.earned -= counted * STEPS_MAX
            return self.passes
        return self.passes + counted

    def raise_incident(
        self,
        instance: ProcessInstance,
        element_instance_key: int,
        incident: Incident,
        *steps: Step,
        job_key: int = 0,
        timer_key: int = 0,
    ) -> None:
        """Let an element instance wait; when the incident is resolved, `steps` are done again."""
        self.emit(
            IncidentCreated(
                self.new_key(),
                instance.key,
                element_instance_key,
                instance.elements[element_instance_key].element,
                job_key,
                timer_key,
                incident.type,
                incident.message,
                encode_steps(steps),
            )
        )


def no_wait_state() -> Incident:
    """The incident of a model that never comes to rest."""
    return Incident(
        IncidentType.UNKNOWN,
        f"Expected to reach a wait state within {STEPS_MAX * PASSES_MAX} steps, but the process goes on"
        " without one. It may be in an endless loop. Resolve the incident to let it go on.",
    )
