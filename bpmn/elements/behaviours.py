"""Which behaviour each kind of node has."""

from typing import Any, Final

from bpmnd.bpmn.elements.behaviour import Behaviour
from bpmnd.bpmn.elements.end_event import EndEventBehaviour
from bpmnd.bpmn.elements.exclusive_gateway import ExclusiveGatewayBehaviour
from bpmnd.bpmn.elements.service_task import ServiceTaskBehaviour
from bpmnd.bpmn.elements.simple import PassThroughBehaviour
from bpmnd.bpmn.elements.sub_process import SubProcessBehaviour
from bpmnd.bpmn.elements.timer_catch_event import TimerCatchEventBehaviour
from bpmnd.bpmn.model.graph import (
    Element,
    EndEvent,
    ErrorBoundaryEvent,
    ExclusiveGateway,
    ParallelGateway,
    PassThroughTask,
    ServiceTask,
    StartEvent,
    SubProcess,
    TimerBoundaryEvent,
    TimerCatchEvent,
)

_PASS_THROUGH: Final = PassThroughBehaviour()

BEHAVIOURS: Final[dict[type[Element], Behaviour[Any]]] = {
    StartEvent: _PASS_THROUGH,
    PassThroughTask: _PASS_THROUGH,
    ParallelGateway: _PASS_THROUGH,
    TimerBoundaryEvent: _PASS_THROUGH,
    ErrorBoundaryEvent: _PASS_THROUGH,
    EndEvent: EndEventBehaviour(),
    ExclusiveGateway: ExclusiveGatewayBehaviour(),
    ServiceTask: ServiceTaskBehaviour(),
    SubProcess: SubProcessBehaviour(),
    TimerCatchEvent: TimerCatchEventBehaviour(),
}
