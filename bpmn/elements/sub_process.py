"""The embedded sub-process (BPMN 2.0, §10.3.5)."""

from typing import final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.kind import ElementKind
from bpmnd.bpmn.elements.lifecycle import activated
from bpmnd.bpmn.elements.waiting import begin_waiting, plan_events
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.details import EVENT_SUB_PROCESSES, not_yet
from bpmnd.bpmn.model.graph import SubProcess
from bpmnd.bpmn.model.reading import UNKNOWN, Common, Reading, read_flag
from bpmnd.bpmn.model.xml import Tag
from bpmnd.bpmn.steps import ActivateElement


@final
class SubProcessKind(ElementKind[SubProcess]):
    """Opens a scope and starts in it; the scope completes with the last of what it contains."""

    nodes = (SubProcess,)

    def read(self, tag: Tag, common: Common, reading: Reading) -> SubProcess | None:
        if read_flag(tag, "triggeredByEvent", reading.report, default=False):
            reading.report.add(tag, not_yet(EVENT_SUB_PROCESSES))
            return None
        return SubProcess(**common, start_event=UNKNOWN)

    def activate(self, element: SubProcess, activation: Activation) -> Incident | None:
        events = plan_events(element, activation)
        if isinstance(events, Incident):
            return events
        activated(element, activation)
        begin_waiting(activation, events)
        start = ActivateElement(activation.instance.key, activation.key, element.start_event)
        activation.turn.schedule(start)
        return None
