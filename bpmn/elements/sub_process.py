"""The embedded sub-process (BPMN 2.0, §10.3.5) and the event sub-process (§10.5.6)."""

from typing import Final, final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.beginning import activated
from bpmnd.bpmn.elements.kind import ElementKind
from bpmnd.bpmn.elements.waiting import begin_waiting, plan_events
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.details import is_event_sub_process
from bpmnd.bpmn.model.graph import ElementType, EventSubProcess, SubProcess
from bpmnd.bpmn.model.reading import UNKNOWN, Common, Reading, read_flag
from bpmnd.bpmn.model.surroundings import Item, Surroundings
from bpmnd.bpmn.model.xml import Tag
from bpmnd.bpmn.steps import ActivateElement
from bpmnd.bpmn.variables import merge_upwards

_NO_FLOWS: Final = "an event sub-process must have no {} sequence flows"


@final
class SubProcessKind(ElementKind[SubProcess | EventSubProcess]):
    """Opens a scope and starts in it; the scope completes with the last of what it contains.

    An event sub-process is activated by what triggers its start event, whose variables are for that event.
    """

    nodes = (SubProcess, EventSubProcess)

    def read(self, tag: Tag, common: Common, reading: Reading) -> SubProcess | EventSubProcess:
        read_flag(tag, "triggeredByEvent", reading.report, default=False)
        if is_event_sub_process(tag):
            common["element_type"] = ElementType.EVENT_SUB_PROCESS
            return EventSubProcess(**common, start_event=UNKNOWN)
        return SubProcess(**common, start_event=UNKNOWN)

    def check(self, item: Item, around: Surroundings) -> None:
        if isinstance(item.node, EventSubProcess):
            if around.incoming[item.id]:
                around.report.add(item.tag, _NO_FLOWS.format("incoming"))
            if around.outgoing[item.id]:
                around.report.add(item.tag, _NO_FLOWS.format("outgoing"))

    def activate(self, element: SubProcess | EventSubProcess, activation: Activation) -> Incident | None:
        events = plan_events(element, activation)
        if isinstance(events, Incident):
            return events
        activated(element, activation)
        begin_waiting(activation, events)
        turn, instance, key = activation.turn, activation.instance, activation.key
        variables = activation.handed or {}
        if variables and not turn.executable_of(instance).element(element.start_event).outputs:
            merge_upwards(turn, instance, key, variables)
            variables = {}
        turn.schedule(ActivateElement(instance.key, key, element.start_event, variables=variables))
        return None
