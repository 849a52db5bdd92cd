"""What of BPMN this engine does not run: what the registries lack, in plain words, also for the docs.

What is neither registered nor named here or among the details is no BPMN at all.
"""

from collections.abc import Mapping
from typing import Final

from bpmnd.bpmn.elements.events.registry import EVENTS
from bpmnd.bpmn.elements.kind import Position
from bpmnd.bpmn.elements.registry import ELEMENTS
from bpmnd.bpmn.model.details import UNSUPPORTED_DETAILS, not_yet

FLOW_ELEMENTS: Final[Mapping[str, str]] = {
    "bpmn:startEvent": "start events",
    "bpmn:endEvent": "end events",
    "bpmn:intermediateCatchEvent": "intermediate catch events",
    "bpmn:intermediateThrowEvent": "intermediate throw events",
    "bpmn:boundaryEvent": "boundary events",
    "bpmn:task": "undefined tasks",
    "bpmn:manualTask": "manual tasks",
    "bpmn:serviceTask": "service tasks",
    "bpmn:sendTask": "send tasks",
    "bpmn:receiveTask": "receive tasks",
    "bpmn:scriptTask": "script tasks",
    "bpmn:businessRuleTask": "business rule tasks",
    "bpmn:userTask": "user tasks",
    "bpmn:callActivity": "call activities",
    "bpmn:subProcess": "sub-processes",
    "bpmn:transaction": "transactions",
    "bpmn:adHocSubProcess": "ad-hoc sub-processes",
    "bpmn:exclusiveGateway": "exclusive gateways",
    "bpmn:parallelGateway": "parallel gateways",
    "bpmn:inclusiveGateway": "inclusive gateways",
    "bpmn:eventBasedGateway": "event-based gateways",
    "bpmn:complexGateway": "complex gateways",
    "bpmn:implicitThrowEvent": "implicit throw events",
    "bpmn:callChoreography": "call choreographies",
    "bpmn:choreographyTask": "choreography tasks",
    "bpmn:subChoreography": "sub-choreographies",
}
"""What stands in a process, apart from its flows -> what it is called, in the plural."""


def refusal(qualified_name: str) -> str | None:
    """Why an element is refused, if it is for its kind alone."""
    if qualified_name in ELEMENTS:
        return None
    words = FLOW_ELEMENTS.get(qualified_name)
    return None if words is None else not_yet(words)


def unsupported_words() -> tuple[str, ...]:
    """Everything that is refused, in plain words, for the documentation."""
    elements = (words for name, words in FLOW_ELEMENTS.items() if name not in ELEMENTS)
    events = (
        f"{kind.words} {position}"
        for kind in EVENTS.values()
        for position in Position
        if position in kind.lacks
    )
    return (*elements, *UNSUPPORTED_DETAILS.values(), *events)
