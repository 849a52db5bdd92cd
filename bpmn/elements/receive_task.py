"""The receive task (BPMN 2.0, §10.3.3)."""

from typing import final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.beginning import activated
from bpmnd.bpmn.elements.events.message import read_message
from bpmnd.bpmn.elements.kind import ElementKind
from bpmnd.bpmn.elements.waiting import begin_waiting, plan_event, plan_events
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import ReceiveTask
from bpmnd.bpmn.model.reading import Common, Reading
from bpmnd.bpmn.model.xml import Tag


@final
class ReceiveTaskKind(ElementKind[ReceiveTask]):
    """Waits for its message, and for its boundary events."""

    nodes = (ReceiveTask,)

    def read(self, tag: Tag, common: Common, reading: Reading) -> ReceiveTask:
        return ReceiveTask(**common, trigger=read_message(tag, tag, reading, starts=False))

    def activate(self, element: ReceiveTask, activation: Activation) -> Incident | None:
        plan = plan_event(activation, element, element.trigger, interrupting=True, outside=False)
        if isinstance(plan, Incident):
            return plan
        others = plan_events(element, activation)
        if isinstance(others, Incident):
            return others
        activated(element, activation)
        begin_waiting(activation, [plan, *others])
        return None
