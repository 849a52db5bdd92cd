"""Which behaviour each kind of node has."""

from typing import Any, Final

from bpmnd.bpmn.elements.behaviour import Behaviour
from bpmnd.bpmn.elements.catch_event import CatchEventBehaviour
from bpmnd.bpmn.elements.end_event import EndEventBehaviour
from bpmnd.bpmn.elements.event_based_gateway import EventBasedGatewayBehaviour
from bpmnd.bpmn.elements.exclusive_gateway import ExclusiveGatewayBehaviour
from bpmnd.bpmn.elements.service_task import ServiceTaskBehaviour
from bpmnd.bpmn.elements.signal_throw_event import SignalThrowEventBehaviour
from bpmnd.bpmn.elements.simple import PassThroughBehaviour
from bpmnd.bpmn.elements.sub_process import SubProcessBehaviour
from bpmnd.bpmn.model.graph import (
    Element,
    EndEvent,
    ErrorBoundaryEvent,
    EventBasedGateway,
    ExclusiveGateway,
    MessageBoundaryEvent,
    MessageCatchEvent,
    NoneThrowEvent,
    ParallelGateway,
    PassThroughTask,
    ReceiveTask,
    ServiceTask,
    SignalBoundaryEvent,
    SignalCatchEvent,
    SignalThrowEvent,
    StartEvent,
    SubProcess,
    TimerBoundaryEvent,
    TimerCatchEvent,
)

HAPPENED: Final = PassThroughBehaviour()
"""That of an event which has happened before it is activated."""
_CATCH: Final = CatchEventBehaviour()

BEHAVIOURS: Final[dict[type[Element], Behaviour[Any]]] = {
    StartEvent: HAPPENED,
    PassThroughTask: HAPPENED,
    ParallelGateway: HAPPENED,
    TimerBoundaryEvent: HAPPENED,
    MessageBoundaryEvent: HAPPENED,
    SignalBoundaryEvent: HAPPENED,
    ErrorBoundaryEvent: HAPPENED,
    NoneThrowEvent: HAPPENED,
    EndEvent: EndEventBehaviour(),
    SignalThrowEvent: SignalThrowEventBehaviour(),
    ExclusiveGateway: ExclusiveGatewayBehaviour(),
    EventBasedGateway: EventBasedGatewayBehaviour(),
    ServiceTask: ServiceTaskBehaviour(),
    SubProcess: SubProcessBehaviour(),
    TimerCatchEvent: _CATCH,
    MessageCatchEvent: _CATCH,
    SignalCatchEvent: _CATCH,
    ReceiveTask: _CATCH,
}
