"""Conditions of sequence flows, and which of several flows are taken (BPMN 2.0, §8.3.13 and §10.6.3)."""

from collections.abc import Callable
from typing import Final

from bpmnd.bpmn.evaluation import wrong_type
from bpmnd.bpmn.feel import EvaluationFailure, NotBoolean, Value
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.model.graph import BrokenExpression, Element, ExecutableProcess, SequenceFlow
from bpmnd.bpmn.turn import Turn

NO_FLOW_TO_TAKE: Final = "Expected at least one condition to evaluate to true, or to have a default flow"


def holds(turn: Turn, flow: SequenceFlow, lookup: Callable[[str], Value]) -> bool | Incident:
    """Whether the flow may be taken: its condition holds, or it has none."""
    condition = flow.condition
    if condition is None:
        return True
    if isinstance(condition, BrokenExpression):
        return Incident(
            IncidentType.CONDITION_ERROR,
            f"Failed to parse expression '{condition.text}': {condition.problem}",
        )
    match condition.test(lookup, now_ms=turn.now, spent=turn.spend):
        case bool() as result:
            return result
        case NotBoolean(value, warnings):
            message = wrong_type(condition.text, "BOOLEAN", value, warnings)
            return Incident(IncidentType.EXTRACT_VALUE_ERROR, message)
        case EvaluationFailure(message):
            return Incident(
                IncidentType.EXTRACT_VALUE_ERROR,
                f"Failed to evaluate expression '{condition.text}'. {message}",
            )


def all_that_hold(
    turn: Turn,
    process: ExecutableProcess,
    element: Element,
    default: int | None,
    lookup: Callable[[str], Value],
) -> tuple[int, ...] | Incident:
    """The outgoing flows that may be taken; if there is none, the default flow."""
    taken: list[int] = []
    for index in element.outgoing:
        flow = process.elements[index]
        assert isinstance(flow, SequenceFlow), f"{index} is no sequence flow"
        if index == default:
            continue
        result = holds(turn, flow, lookup)
        if isinstance(result, Incident):
            return result
        if result:
            taken.append(index)
    if taken or not element.outgoing:
        return tuple(taken)
    if default is not None:
        return (default,)
    return Incident(IncidentType.CONDITION_ERROR, NO_FLOW_TO_TAKE)
