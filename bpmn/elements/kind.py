"""What an element type, or a kind of event definition, consists of: one object in one file knows how it is
read from a model, checked, and run. `registry.py` lists them all."""

from abc import ABC, abstractmethod
from enum import StrEnum
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.details import not_yet
from bpmnd.bpmn.model.graph import Element, EventDefinition, ExecutableProcess
from bpmnd.bpmn.model.reading import Common, Reading
from bpmnd.bpmn.model.surroundings import Item, References, Surroundings
from bpmnd.bpmn.model.xml import Tag
from bpmnd.bpmn.state.records import ProcessInstance
from bpmnd.bpmn.turn import Turn

N = TypeVar("N", bound=Element)
D = TypeVar("D", bound=EventDefinition)


class ElementKind(Generic[N]):
    """An element type. What most of them have in common is done here already.

    `activate` first computes whatever can fail, and returns the incident if it does; nothing has happened
    then. Only after that it emits, beginning with `beginning.activated`.
    """

    nodes: ClassVar[tuple[type[Element], ...]]
    """The nodes of the graph that it makes and runs."""
    with_inputs: ClassVar[bool] = True
    with_outputs: ClassVar[bool] = True
    """Whether variable mappings have an effect. Like Zeebe, models may have them everywhere."""
    by_hand: ClassVar[bool] = True
    """Whether a command can activate it, without anything that leads to it."""
    chooses_flows: ClassVar[bool] = False
    """Whether it evaluates the conditions of its outgoing flows."""

    joins_what_comes: ClassVar[bool] = False
    """Whether it waits for tokens that can still come, so that it matters what becomes of them."""

    def read(self, tag: Tag, common: Common, reading: Reading) -> N | None:
        """The node by itself, with `UNKNOWN` for the index of any other element; None with a problem."""
        raise AssertionError(f"{tag.name} stands in no file: others make its node")

    def check(self, item: Item, around: Surroundings) -> None:
        """Report what is wrong with it among its neighbours."""

    def link(self, node: N, tag: Tag, references: References) -> N:
        """The node with the indexes of what its tag refers to by id."""
        return node

    def tokens_to_take(
        self,
        element: N,
        turn: Turn,
        process: ExecutableProcess,
        instance: ProcessInstance,
        scope_key: int,
        flow: int,
    ) -> tuple[int, ...] | Incident | None:
        """The flows whose tokens an activation along `flow` takes; None if a token is still missing. An
        incident that keeps it from being known becomes one of the scope."""
        return (flow,)

    def activate(self, element: N, activation: Activation) -> Incident | None:
        """Begin it, with everything that follows at once."""
        raise AssertionError(f"{element.id} is begun by what is around it")


class Position(StrEnum):
    """Where an event definition may stand, in the words of the documentation."""

    START = "start events"
    EVENT_START = "start events of event sub-processes"
    CATCH = "intermediate catch events"
    BOUNDARY = "boundary events"
    THROW = "intermediate throw events"
    END = "end events"


class Plan(Protocol):
    """Something to wait for, worked out before the element is active, and begun once it is."""

    def begin(self, activation: Activation) -> int:
        """The key of the timer or subscription."""
        ...


class EventKind(ABC, Generic[D]):
    """A kind of event definition, at all the positions where it may stand."""

    words: ClassVar[str]
    """What events of it are called: `timer`."""
    definition: ClassVar[type[EventDefinition]]
    positions: ClassVar[frozenset[Position]]
    lacks: ClassVar[frozenset[Position]] = frozenset()
    """Where BPMN 2.0 (table 10.93) has it too, but it is not run yet."""
    alone: ClassVar[frozenset[Position]] = frozenset()
    """Where it must be the only definition of its event."""
    gathers: ClassVar[bool] = False
    """Whether it can be one of several that must all occur."""
    is_worked: ClassVar[bool] = False
    """Whether it is thrown by a job worker."""
    ends: ClassVar[bool] = False
    """Whether throwing it ends what is around, so that nothing else can be thrown after it."""

    def refusal(self, position: Position) -> str | None:
        """Why an event of the kind is refused at a position, if it is."""
        if position in self.positions:
            return None
        events = f"{self.words} {position}"
        return not_yet(events) if position in self.lacks else f"{events} do not exist in BPMN"

    @abstractmethod
    def read(
        self, event: Tag, definition: Tag, position: Position, reading: Reading, *, interrupting: bool
    ) -> D:
        """The definition, as it stands at that position."""

    def plan(
        self, trigger: D, activation: Activation, element: int, *, interrupting: bool, outside: bool
    ) -> Plan | Incident | None:
        """What is to be waited for so that `element` can be triggered; None for what finds its catchers by
        itself. `outside` tells that the event belongs to the scope around the element that waits."""
        return None

    def throw(self, element: Element, thrown: D, activation: Activation) -> Incident | None:
        """Activate a throw or end event, with everything that comes of it."""
        raise AssertionError(f"{self.words} events are not thrown")


AnyElementKind = ElementKind[Any]
AnyEventKind = EventKind[Any]
