"""Start events (BPMN 2.0, §10.5.2)."""

from typing import final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.events.reading import read_definition
from bpmnd.bpmn.elements.kind import ElementKind, Position
from bpmnd.bpmn.elements.lifecycle import pass_through
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import StartEvent
from bpmnd.bpmn.model.reading import Common, Reading
from bpmnd.bpmn.model.xml import Tag


@final
class StartEventKind(ElementKind[StartEvent]):
    """Begins a path. What triggers it has happened before it is activated."""

    nodes = (StartEvent,)
    with_inputs = False

    def read(self, tag: Tag, common: Common, reading: Reading) -> StartEvent:
        return StartEvent(**common, trigger=read_definition(tag, Position.START, reading))

    def activate(self, element: StartEvent, activation: Activation) -> Incident | None:
        return pass_through(element, activation)
