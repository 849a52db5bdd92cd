"""The elements of a process beside each other, while it is checked and joined."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bpmnd.bpmn.model.graph import Element, MultiInstance, SequenceFlow, StandardLoop
from bpmnd.bpmn.model.report import Report
from bpmnd.bpmn.model.xml import Tag


@dataclass(frozen=True, slots=True)
class Item:
    """An element of a process, or a flow, at its position in the outline."""

    tag: Tag
    position: int
    scope: int
    """Position of the enclosing item; the process is its own scope."""
    node: Element | SequenceFlow | None
    """None if the engine does not run it; then there is a problem about it."""
    id: str
    """Empty if it lacks one; then there is a problem about that."""
    is_container: bool
    """Whether other elements stand in it."""
    loop: MultiInstance | StandardLoop | None = None
    """How often it runs, if that is not once."""

    @property
    def is_flow(self) -> bool:
        return self.tag.name == "bpmn:sequenceFlow"


Outline: TypeAlias = tuple[Item, ...]
"""A process and all elements and flows in it, in document order."""

References: TypeAlias = Mapping[str, int]
"""Element id -> index."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the checks of one element may look at."""

    outline: Outline
    by_id: Mapping[str, Item]
    outgoing: Mapping[str, Sequence[Item]]
    incoming: Mapping[str, Sequence[Item]]
    """The flows of each element by its id."""
    boundaries: Mapping[str, Sequence[Item]]
    """The boundary events by the id of their activity."""
    links: Mapping[tuple[int, str], Item]
    """The link catch events by the scope and the name."""
    report: Report

    def target_of(self, flow: Item) -> Item | None:
        return self.by_id.get(flow.tag.attributes.get("targetRef", ""))
