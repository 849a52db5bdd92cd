"""All element types that are supported: the one table for reading, checking, running and documenting."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from bpmnd.bpmn.elements.ad_hoc_sub_process import AdHocInnerKind, AdHocSubProcessKind
from bpmnd.bpmn.elements.boundary_event import BoundaryEventKind
from bpmnd.bpmn.elements.business_rule_task import BusinessRuleTaskKind
from bpmnd.bpmn.elements.call_activity import CallActivityKind
from bpmnd.bpmn.elements.catch_event import CatchEventKind
from bpmnd.bpmn.elements.complex_gateway import ComplexGatewayKind
from bpmnd.bpmn.elements.event_based_gateway import EventBasedGatewayKind
from bpmnd.bpmn.elements.exclusive_gateway import ExclusiveGatewayKind
from bpmnd.bpmn.elements.inclusive_gateway import InclusiveGatewayKind
from bpmnd.bpmn.elements.kind import AnyElementKind
from bpmnd.bpmn.elements.loop_body import LoopBodyKind
from bpmnd.bpmn.elements.parallel_gateway import ParallelGatewayKind
from bpmnd.bpmn.elements.pass_through_task import PassThroughTaskKind
from bpmnd.bpmn.elements.receive_task import ReceiveTaskKind
from bpmnd.bpmn.elements.script_task import ScriptTaskKind
from bpmnd.bpmn.elements.service_task import WORKED
from bpmnd.bpmn.elements.start_event import StartEventKind
from bpmnd.bpmn.elements.sub_process import SubProcessKind
from bpmnd.bpmn.elements.throw_event import ThrowEventKind
from bpmnd.bpmn.elements.user_task import UserTaskKind
from bpmnd.bpmn.model.graph import Element, ElementType


class Registered(NamedTuple):
    kind: AnyElementKind
    element_type: ElementType


_PASS_THROUGH: Final = PassThroughTaskKind()
_THROWING: Final = ThrowEventKind()
_SUB_PROCESS: Final = SubProcessKind()

ELEMENTS: Final[Mapping[str, Registered]] = {
    "bpmn:startEvent": Registered(StartEventKind(), ElementType.START_EVENT),
    "bpmn:endEvent": Registered(_THROWING, ElementType.END_EVENT),
    "bpmn:intermediateCatchEvent": Registered(CatchEventKind(), ElementType.INTERMEDIATE_CATCH_EVENT),
    "bpmn:intermediateThrowEvent": Registered(_THROWING, ElementType.INTERMEDIATE_THROW_EVENT),
    "bpmn:boundaryEvent": Registered(BoundaryEventKind(), ElementType.BOUNDARY_EVENT),
    "bpmn:task": Registered(_PASS_THROUGH, ElementType.TASK),
    "bpmn:manualTask": Registered(_PASS_THROUGH, ElementType.MANUAL_TASK),
    "bpmn:serviceTask": Registered(WORKED, ElementType.SERVICE_TASK),
    "bpmn:sendTask": Registered(WORKED, ElementType.SEND_TASK),
    "bpmn:scriptTask": Registered(ScriptTaskKind(), ElementType.SCRIPT_TASK),
    "bpmn:businessRuleTask": Registered(BusinessRuleTaskKind(), ElementType.BUSINESS_RULE_TASK),
    "bpmn:userTask": Registered(UserTaskKind(), ElementType.USER_TASK),
    "bpmn:receiveTask": Registered(ReceiveTaskKind(), ElementType.RECEIVE_TASK),
    "bpmn:subProcess": Registered(_SUB_PROCESS, ElementType.SUB_PROCESS),
    "bpmn:transaction": Registered(_SUB_PROCESS, ElementType.SUB_PROCESS),
    "bpmn:callActivity": Registered(CallActivityKind(), ElementType.CALL_ACTIVITY),
    "bpmn:adHocSubProcess": Registered(AdHocSubProcessKind(), ElementType.AD_HOC_SUB_PROCESS),
    "bpmn:exclusiveGateway": Registered(ExclusiveGatewayKind(), ElementType.EXCLUSIVE_GATEWAY),
    "bpmn:parallelGateway": Registered(ParallelGatewayKind(), ElementType.PARALLEL_GATEWAY),
    "bpmn:inclusiveGateway": Registered(InclusiveGatewayKind(), ElementType.INCLUSIVE_GATEWAY),
    "bpmn:complexGateway": Registered(ComplexGatewayKind(), ElementType.COMPLEX_GATEWAY),
    "bpmn:eventBasedGateway": Registered(EventBasedGatewayKind(), ElementType.EVENT_BASED_GATEWAY),
}
"""By their names in a file, apart from processes and sequence flows."""

_UNNAMED: Final[tuple[AnyElementKind, ...]] = (LoopBodyKind(), AdHocInnerKind())
"""Of what has no tag of its own: bodies of activities that run more than once, and what is around elements
that are begun ad hoc."""

KINDS: Final[Mapping[type[Element], AnyElementKind]] = {
    node: kind
    for kind in (*(registered.kind for registered in ELEMENTS.values()), *_UNNAMED)
    for node in kind.nodes
}
"""By the nodes of the graph."""
