"""Start events (BPMN 2.0, §10.5.2)."""

from typing import final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.completing import pass_through
from bpmnd.bpmn.elements.events.reading import read_definition
from bpmnd.bpmn.elements.kind import ElementKind, Position
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.details import is_event_sub_process
from bpmnd.bpmn.model.graph import StartEvent
from bpmnd.bpmn.model.reading import Common, Reading, read_flag
from bpmnd.bpmn.model.user_tasks import read_start_form
from bpmnd.bpmn.model.xml import Tag


@final
class StartEventKind(ElementKind[StartEvent]):
    """Begins a path. What triggers it has happened before it is activated."""

    nodes = (StartEvent,)
    with_inputs = False
    by_hand = False

    def read(self, tag: Tag, common: Common, reading: Reading) -> StartEvent:
        if reading.around is None or not is_event_sub_process(reading.around):
            trigger = read_definition(tag, Position.START, reading)
            return StartEvent(**common, trigger=trigger, form=read_start_form(tag, reading.report))
        interrupting = read_flag(tag, "isInterrupting", reading.report, default=True)
        trigger = read_definition(tag, Position.EVENT_START, reading, interrupting=interrupting)
        return StartEvent(**common, trigger=trigger, interrupting=interrupting)

    def activate(self, element: StartEvent, activation: Activation) -> Incident | None:
        return pass_through(element, activation)
