"""Reads one element by itself into a node of the graph, not yet joined to the others.

Where the index of another element will stand, there is `UNKNOWN`.
"""

from typing import Final, TypedDict

from bpmnd.bpmn.model import graph
from bpmnd.bpmn.model.events import (
    Shared,
    read_caught_error,
    read_definition,
    read_message,
    read_signal,
    read_thrown_error,
    read_timer,
)
from bpmnd.bpmn.model.extensions import read_inputs, read_job, read_outputs
from bpmnd.bpmn.model.graph import ElementType, TimerKind
from bpmnd.bpmn.model.report import Report
from bpmnd.bpmn.model.support import EVENT_SUB_PROCESSES, not_yet
from bpmnd.bpmn.model.texts import read_expression
from bpmnd.bpmn.model.xml import Tag

UNKNOWN: Final = -1

JOB_TASKS: Final = {
    "bpmn:serviceTask": ElementType.SERVICE_TASK,
    "bpmn:sendTask": ElementType.SEND_TASK,
    "bpmn:scriptTask": ElementType.SCRIPT_TASK,
    "bpmn:businessRuleTask": ElementType.BUSINESS_RULE_TASK,
}
PASS_THROUGH_TASKS: Final = {
    "bpmn:task": ElementType.TASK,
    "bpmn:manualTask": ElementType.MANUAL_TASK,
}
READABLE: Final = frozenset(
    {
        *JOB_TASKS,
        *PASS_THROUGH_TASKS,
        "bpmn:receiveTask",
        "bpmn:subProcess",
        "bpmn:sequenceFlow",
        "bpmn:startEvent",
        "bpmn:endEvent",
        "bpmn:intermediateCatchEvent",
        "bpmn:intermediateThrowEvent",
        "bpmn:boundaryEvent",
        "bpmn:exclusiveGateway",
        "bpmn:parallelGateway",
        "bpmn:eventBasedGateway",
    }
)
"""What `read_node` makes a node of, besides the process."""

# Zeebe reads mappings everywhere and applies them where they are listed here.
_WITH_INPUTS: Final = frozenset(
    {
        *JOB_TASKS,
        "bpmn:receiveTask",
        "bpmn:subProcess",
        "bpmn:intermediateCatchEvent",
        "bpmn:intermediateThrowEvent",
        "bpmn:endEvent",
    }
)
_WITH_OUTPUTS: Final = _WITH_INPUTS | {"bpmn:boundaryEvent", "bpmn:startEvent"}

_TRUTHS: Final = {"true": True, "1": True, "false": False, "0": False}


class _Common(TypedDict):
    index: int
    id: str
    name: str | None
    scope: int
    inputs: tuple[graph.Mapping, ...]
    outputs: tuple[graph.Mapping, ...]


def read_flag(element: Tag, name: str, report: Report, *, default: bool) -> bool:
    """A boolean attribute, in the four spellings of XML Schema."""
    text = element.attributes.get(name)
    if text is None:
        return default

    flag = _TRUTHS.get(text.strip())
    if flag is None:
        report.add(element, f"'{text}' is not a value for {name}; write 'true' or 'false'")
        return default
    return flag


def read_process(tag: Tag) -> graph.Process:
    """The root of a process, with its position in the outline, which is 0."""
    return graph.Process(
        index=0, id=tag.id or "", name=tag.attributes.get("name"), scope=0, start_event=UNKNOWN
    )


def read_node(
    tag: Tag, position: int, scope: int, shared: Shared, report: Report
) -> graph.Node | graph.SequenceFlow | None:
    """The node at a position of the outline, or None, with a problem, if it is of no supported kind."""
    if tag.name == "bpmn:sequenceFlow":
        return _read_sequence_flow(tag, position, scope, report)

    inputs, outputs = read_inputs(tag, report), read_outputs(tag, report)
    common = _Common(
        index=position,
        id=tag.id or "",
        name=tag.attributes.get("name"),
        scope=scope,
        inputs=inputs if tag.name in _WITH_INPUTS else (),
        outputs=outputs if tag.name in _WITH_OUTPUTS else (),
    )
    match tag.name:
        case "bpmn:subProcess":
            return _read_sub_process(tag, common, report)
        case "bpmn:startEvent":
            return _read_start_event(tag, common, shared, report)
        case "bpmn:endEvent":
            return _read_end_event(tag, common, shared, report)
        case "bpmn:intermediateCatchEvent":
            return _read_catch_event(tag, common, shared, report)
        case "bpmn:intermediateThrowEvent":
            return _read_throw_event(tag, common, shared, report)
        case "bpmn:receiveTask":
            message = read_message(tag, tag, shared.messages, report, starts=False)
            return graph.ReceiveTask(**common, message=message)
        case "bpmn:boundaryEvent":
            return _read_boundary_event(tag, common, shared, report)
        case "bpmn:exclusiveGateway":
            return graph.ExclusiveGateway(**common)
        case "bpmn:parallelGateway":
            return graph.ParallelGateway(**common)
        case "bpmn:eventBasedGateway":
            return graph.EventBasedGateway(**common)
        case name if name in JOB_TASKS:
            return graph.ServiceTask(**common, job=read_job(tag, report), element_type=JOB_TASKS[name])
        case name if name in PASS_THROUGH_TASKS:
            return graph.PassThroughTask(**common, element_type=PASS_THROUGH_TASKS[name])
        case _:
            return None


def _read_sequence_flow(tag: Tag, position: int, scope: int, report: Report) -> graph.SequenceFlow:
    condition = None
    for found in tag.all("bpmn:conditionExpression")[:1]:
        condition = read_expression(found.text, tag, report, at=found)
    return graph.SequenceFlow(
        index=position, id=tag.id or "", scope=scope, source=UNKNOWN, target=UNKNOWN, condition=condition
    )


def _read_sub_process(tag: Tag, common: _Common, report: Report) -> graph.SubProcess | None:
    if read_flag(tag, "triggeredByEvent", report, default=False):
        report.add(tag, not_yet(EVENT_SUB_PROCESSES))
        return None
    return graph.SubProcess(**common, start_event=UNKNOWN)


def _read_start_event(tag: Tag, common: _Common, shared: Shared, report: Report) -> graph.StartEvent:
    definition = read_definition(tag, report, required=False)
    trigger: graph.MessageDefinition | graph.SignalDefinition | None = None
    if definition is not None and definition.name == "bpmn:messageEventDefinition":
        trigger = read_message(tag, definition, shared.messages, report, starts=True)
    elif definition is not None:
        trigger = read_signal(tag, definition, shared.signals, report)
    return graph.StartEvent(**common, trigger=trigger)


def _read_end_event(
    tag: Tag, common: _Common, shared: Shared, report: Report
) -> graph.EndEvent | graph.SignalThrowEvent | graph.ServiceTask:
    definition = read_definition(tag, report, required=False)
    if definition is None:
        common["inputs"] = ()
        return graph.EndEvent(**common)
    if definition.name != "bpmn:errorEventDefinition":
        return _read_thrown(tag, definition, common, shared, report, ElementType.END_EVENT)

    common["inputs"] = ()
    common["outputs"] = ()  # It throws instead of completing.
    return graph.EndEvent(**common, error=read_thrown_error(tag, definition, shared.errors, report))


def _read_throw_event(
    tag: Tag, common: _Common, shared: Shared, report: Report
) -> graph.NoneThrowEvent | graph.SignalThrowEvent | graph.ServiceTask:
    definition = read_definition(tag, report, required=False)
    if definition is None:
        common["inputs"] = ()
        return graph.NoneThrowEvent(**common)
    return _read_thrown(tag, definition, common, shared, report, ElementType.INTERMEDIATE_THROW_EVENT)


def _read_thrown(
    tag: Tag, definition: Tag, common: _Common, shared: Shared, report: Report, kind: ElementType
) -> graph.SignalThrowEvent | graph.ServiceTask:
    """A signal is thrown by the engine, a message by a job worker."""
    if definition.name == "bpmn:signalEventDefinition":
        return graph.SignalThrowEvent(**common, signal=read_signal(tag, definition, shared.signals, report))
    return graph.ServiceTask(**common, job=read_job(tag, report), element_type=kind)


def _read_catch_event(
    tag: Tag, common: _Common, shared: Shared, report: Report
) -> graph.TimerCatchEvent | graph.MessageCatchEvent | graph.SignalCatchEvent | None:
    definition = read_definition(tag, report, required=True)
    if definition is None:
        return None
    match definition.name:
        case "bpmn:messageEventDefinition":
            message = read_message(tag, definition, shared.messages, report, starts=False)
            return graph.MessageCatchEvent(**common, message=message)
        case "bpmn:signalEventDefinition":
            return graph.SignalCatchEvent(
                **common, signal=read_signal(tag, definition, shared.signals, report)
            )
        case _:
            timer = read_timer(tag, definition, report)
            if timer.kind is TimerKind.CYCLE:
                report.add(tag, "an intermediate timer catch event must have a timeDuration or a timeDate")
            return graph.TimerCatchEvent(**common, timer=timer)


def _read_boundary_event(
    tag: Tag, common: _Common, shared: Shared, report: Report
) -> graph.BoundaryEvent | None:
    interrupting = read_flag(tag, "cancelActivity", report, default=True)
    definition = read_definition(tag, report, required=True)
    if definition is None:
        return None
    match definition.name:
        case "bpmn:errorEventDefinition":
            if not interrupting:
                report.add(tag, "an error boundary event must interrupt")
            error = read_caught_error(tag, definition, shared.errors, report)
            return graph.ErrorBoundaryEvent(**common, attached_to=UNKNOWN, error=error)
        case "bpmn:messageEventDefinition":
            message = read_message(tag, definition, shared.messages, report, starts=False)
            return graph.MessageBoundaryEvent(
                **common, attached_to=UNKNOWN, interrupting=interrupting, message=message
            )
        case "bpmn:signalEventDefinition":
            signal = read_signal(tag, definition, shared.signals, report)
            return graph.SignalBoundaryEvent(
                **common, attached_to=UNKNOWN, interrupting=interrupting, signal=signal
            )
        case _:
            timer = read_timer(tag, definition, report)
            if timer.kind is TimerKind.CYCLE and interrupting:
                report.add(tag, "an interrupting timer boundary event must not have a timeCycle")
            return graph.TimerBoundaryEvent(
                **common, attached_to=UNKNOWN, interrupting=interrupting, timer=timer
            )
