"""What of BPMN and of Zeebe's extensions this engine does not run yet: the one table, also for the docs.

What stands neither here nor in `IGNORED` and is not read by the parser is no BPMN at all.
"""

from collections.abc import Mapping
from typing import Final

UNSUPPORTED_ELEMENTS: Final[Mapping[str, str]] = {
    "bpmn:userTask": "user tasks",
    "bpmn:callActivity": "call activities",
    "bpmn:transaction": "transactions",
    "bpmn:adHocSubProcess": "ad-hoc sub-processes",
    "bpmn:inclusiveGateway": "inclusive gateways",
    "bpmn:complexGateway": "complex gateways",
    "bpmn:implicitThrowEvent": "implicit throw events",
    "bpmn:callChoreography": "call choreographies",
    "bpmn:choreographyTask": "choreography tasks",
    "bpmn:subChoreography": "sub-choreographies",
}
"""What stands in a process -> what it is called, in the plural."""

UNSUPPORTED_DETAILS: Final[Mapping[str, str]] = {
    "bpmn:multiInstanceLoopCharacteristics": "multi-instance activities",
    "bpmn:standardLoopCharacteristics": "standard loops",
    "bpmn:eventDefinitionRef": "references to event definitions",
    "zeebe:executionListeners": "execution listeners",
    "zeebe:taskListeners": "task listeners",
    "zeebe:script": "FEEL scripts in script tasks",
    "zeebe:calledDecision": "called decisions",
    "zeebe:publishMessage": "published messages",
    "zeebe:linkedResources": "linked resources",
}
"""What stands in an element that would be supported without it."""

EVENT_SUB_PROCESSES: Final = "event sub-processes"

EVENTS: Final[Mapping[str, str]] = {
    "startEvent": "start events",
    "endEvent": "end events",
    "intermediateCatchEvent": "intermediate catch events",
    "intermediateThrowEvent": "intermediate throw events",
    "boundaryEvent": "boundary events",
}
EVENT_DEFINITIONS: Final[Mapping[str, str]] = {
    "cancelEventDefinition": "cancel",
    "compensateEventDefinition": "compensation",
    "conditionalEventDefinition": "conditional",
    "errorEventDefinition": "error",
    "escalationEventDefinition": "escalation",
    "linkEventDefinition": "link",
    "messageEventDefinition": "message",
    "signalEventDefinition": "signal",
    "terminateEventDefinition": "terminate",
    "timerEventDefinition": "timer",
}
SUPPORTED_EVENTS: Final[Mapping[str, frozenset[str]]] = {
    "startEvent": frozenset({"messageEventDefinition", "signalEventDefinition"}),
    "endEvent": frozenset({"errorEventDefinition", "messageEventDefinition", "signalEventDefinition"}),
    "intermediateCatchEvent": frozenset(
        {"timerEventDefinition", "messageEventDefinition", "signalEventDefinition"}
    ),
    "intermediateThrowEvent": frozenset({"messageEventDefinition", "signalEventDefinition"}),
    "boundaryEvent": frozenset(
        {"timerEventDefinition", "errorEventDefinition", "messageEventDefinition", "signalEventDefinition"}
    ),
}
"""Event -> the definitions it may have here; start, end and throw events may also have none."""

IGNORED: Final = frozenset(
    {
        "association",
        "auditing",
        "correlationSubscription",
        "dataInput",
        "dataInputAssociation",
        "dataObject",
        "dataObjectReference",
        "dataOutput",
        "dataOutputAssociation",
        "dataStoreReference",
        "categoryValueRef",
        "documentation",
        "extensionElements",
        "group",
        "humanPerformer",
        "incoming",
        "inputSet",
        "ioBinding",
        "ioSpecification",
        "laneSet",
        "monitoring",
        "outgoing",
        "outputSet",
        "performer",
        "potentialOwner",
        "property",
        "resourceRole",
        "script",
        "supportedInterfaceRef",
        "supports",
        "textAnnotation",
    }
)
"""BPMN that says nothing about how a process runs, as Zeebe sees it too."""


def refusal(qualified_name: str) -> str | None:
    """Why an element is refused, if it is for its kind alone."""
    words = UNSUPPORTED_ELEMENTS.get(qualified_name) or UNSUPPORTED_DETAILS.get(qualified_name)
    return None if words is None else not_yet(words)


def event_refusal(event: str, definition: str) -> str | None:
    """Why an event with this definition is refused, if it is."""
    if definition in SUPPORTED_EVENTS[event]:
        return None
    return not_yet(f"{EVENT_DEFINITIONS[definition]} {EVENTS[event]}")


def not_yet(words: str) -> str:
    return f"{words} are not supported yet"


def unsupported_words() -> tuple[str, ...]:
    """Everything that is refused, in plain words, for the documentation."""
    events = (
        f"{EVENT_DEFINITIONS[definition]} {words}"
        for event, words in EVENTS.items()
        for definition in EVENT_DEFINITIONS
        if definition not in SUPPORTED_EVENTS[event]
    )
    return (*UNSUPPORTED_ELEMENTS.values(), EVENT_SUB_PROCESSES, *UNSUPPORTED_DETAILS.values(), *events)
