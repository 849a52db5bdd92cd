"""Tasks without anybody to do them: `task` and `manualTask` (BPMN 2.0, §10.3.3)."""

from dataclasses import dataclass
from typing import final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.completing import pass_through
from bpmnd.bpmn.elements.kind import ElementKind
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import Element
from bpmnd.bpmn.model.reading import Common, Reading
from bpmnd.bpmn.model.xml import Tag


@dataclass(frozen=True, slots=True, kw_only=True)
class PassThroughTask(Element):
    pass


@final
class PassThroughTaskKind(ElementKind[PassThroughTask]):
    """Completed as soon as it is active."""

    nodes = (PassThroughTask,)
    with_inputs = False
    with_outputs = False

    def read(self, tag: Tag, common: Common, reading: Reading) -> PassThroughTask:
        return PassThroughTask(**common)

    def activate(self, element: PassThroughTask, activation: Activation) -> Incident | None:
        return pass_through(element, activation)
