"""All event definitions that are supported: the one table for reading, checking, running and documenting."""

from collections.abc import Mapping
from typing import Final

from bpmnd.bpmn.elements.events.cancel import CancelKind
from bpmnd.bpmn.elements.events.compensation import CompensationKind
from bpmnd.bpmn.elements.events.conditional import ConditionalKind
from bpmnd.bpmn.elements.events.error import ErrorKind
from bpmnd.bpmn.elements.events.escalation import EscalationKind
from bpmnd.bpmn.elements.events.link import LinkKind
from bpmnd.bpmn.elements.events.message import MessageKind
from bpmnd.bpmn.elements.events.multiple import MultipleKind
from bpmnd.bpmn.elements.events.signal import SignalKind
from bpmnd.bpmn.elements.events.terminate import TerminateKind
from bpmnd.bpmn.elements.events.timer import TimerKind
from bpmnd.bpmn.elements.kind import AnyEventKind
from bpmnd.bpmn.model.graph import EventDefinition

EVENTS: Final[Mapping[str, AnyEventKind]] = {
    "bpmn:cancelEventDefinition": CancelKind(),
    "bpmn:compensateEventDefinition": CompensationKind(),
    "bpmn:conditionalEventDefinition": ConditionalKind(),
    "bpmn:errorEventDefinition": ErrorKind(),
    "bpmn:escalationEventDefinition": EscalationKind(),
    "bpmn:linkEventDefinition": LinkKind(),
    "bpmn:messageEventDefinition": MessageKind(),
    "bpmn:signalEventDefinition": SignalKind(),
    "bpmn:terminateEventDefinition": TerminateKind(),
    "bpmn:timerEventDefinition": TimerKind(),
}
"""By the names of their definitions in a file."""

_SINGLE: Final[Mapping[type[EventDefinition], AnyEventKind]] = {
    kind.definition: kind for kind in EVENTS.values()
}
MULTIPLE: Final = MultipleKind(_SINGLE)
EVENT_KINDS: Final[Mapping[type[EventDefinition], AnyEventKind]] = {
    **_SINGLE,
    MULTIPLE.definition: MULTIPLE,
}
