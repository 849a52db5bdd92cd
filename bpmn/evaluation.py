"""Expressions in the scope of an element instance."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from bpmnd.bpmn.feel import MISSING, Evaluated, EvaluationFailure, Value, from_json, to_json, type_name
from bpmnd.bpmn.feel.temporal import DateTime
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.model.graph import BrokenExpression, Names, Text
from bpmnd.bpmn.model.timers import rfc3339
from bpmnd.bpmn.state.records import ProcessInstance
from bpmnd.bpmn.turn import Turn

_INT32_MAX: Final = 2**31 - 1
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,10}(\.[0-9]{0,20})?")


def lookup_in(instance: ProcessInstance, scope_key: int) -> Callable[[str], Value]:
    """Variables as they are seen from a scope: its own first, then those of the scopes around it."""

    def lookup(name: str) -> Value:
        scope = scope_key
        while True:
            values = instance.variables.get(scope)
            if values is not None and (raw := values.get(name)) is not None:
                return from_json(raw)
            if scope in instance.loops and instance.loops[scope].output_collection == name:
                return from_json(instance.collected(scope))
            if scope == instance.key:
                return MISSING
            scope = instance.elements[scope].scope_key

    return lookup


def with_numbers(lookup: Callable[[str], Value], numbers: Mapping[str, Value]) -> Callable[[str], Value]:
    """What an expression can count with, before the variables of those names."""
    return lambda name: numbers[name] if name in numbers else lookup(name)


def evaluate(
    turn: Turn, text: Text, lookup: Callable[[str], Value], failure_type: IncidentType
) -> Evaluated | Incident:
    """The value of a literal or an expression. What stops it becomes an incident of the given type."""
    if isinstance(text, str):
        return Evaluated(text, ())
    if isinstance(text, BrokenExpression):
        return Incident(failure_type, f"Failed to parse expression '{text.text}': {text.problem}")
    evaluated = text.evaluate(lookup, now_ms=turn.now, spent=turn.spend)
    if isinstance(evaluated, EvaluationFailure):
        return Incident(failure_type, f"Failed to evaluate expression '{text.text}'. {evaluated.message}")
    return evaluated


def evaluate_string(turn: Turn, text: Text, lookup: Callable[[str], Value]) -> str | Incident:
    if isinstance(text, str):
        return text
    evaluated = evaluate(turn, text, lookup, IncidentType.EXTRACT_VALUE_ERROR)
    if isinstance(evaluated, Incident):
        return evaluated
    if isinstance(evaluated.value, str):
        return evaluated.value
    return not_of_type(text, "STRING", evaluated)


def evaluate_int(turn: Turn, text: Text, lookup: Callable[[str], Value]) -> int | Incident:
    """A whole number of 32 bits; literals are numbers by their text, and fractions are cut off."""
    if isinstance(text, str):
        whole = int(Decimal(text)) if _NUMBER.fullmatch(text) else None
    else:
        evaluated = evaluate(turn, text, lookup, IncidentType.EXTRACT_VALUE_ERROR)
        if isinstance(evaluated, Incident):
            return evaluated
        value = evaluated.value
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            return not_of_type(text, "NUMBER", evaluated)
        whole = int(value)
    if whole is None or abs(whole) > _INT32_MAX:
        shown = text if isinstance(text, str) else str(whole)
        return Incident(
            IncidentType.EXTRACT_VALUE_ERROR,
            f"Expected a whole number of 32 bits, but found '{shown}'.",
        )
    return whole


def evaluate_names(turn: Turn, names: Names, lookup: Callable[[str], Value]) -> tuple[str, ...] | Incident:
    """A list of strings."""
    if isinstance(names, tuple):
        return names
    evaluated = evaluate(turn, names, lookup, IncidentType.EXTRACT_VALUE_ERROR)
    if isinstance(evaluated, Incident):
        return evaluated
    if not isinstance(evaluated.value, list):
        return not_of_type(names, "ARRAY", evaluated)
    found = tuple(item for item in evaluated.value if isinstance(item, str))
    if len(found) == len(evaluated.value):
        return found
    return Incident(
        IncidentType.EXTRACT_VALUE_ERROR,
        f"Expected result of the expression '{names.text}' to be 'ARRAY' containing 'STRING' items,"
        " but was 'ARRAY' containing at least one non-'STRING' item.",
    )


def evaluate_date(turn: Turn, text: Text, lookup: Callable[[str], Value]) -> str | Incident:
    """A date-time as RFC 3339 writes it; empty for null. Without an offset it is in UTC."""
    evaluated = evaluate(turn, text, lookup, IncidentType.EXTRACT_VALUE_ERROR)
    if isinstance(evaluated, Incident):
        return evaluated
    match evaluated.value:
        case None | "":
            return ""
        case DateTime() as moment:
            written: str = msgspec.json.decode(to_json(moment))
            if moment.offset is None:
                written += "Z"
        case str(written):
            pass
        case value:
            shown = text if isinstance(text, str) else text.text
            reason = wrong_type(shown, "[NULL, DATE_TIME, STRING]", value, evaluated.warnings)
            reason = reason.replace("to be '[", "to be one of '[")
            return Incident(IncidentType.EXTRACT_VALUE_ERROR, reason)
    date = rfc3339(written)
    if date is not None:
        return date
    return Incident(
        IncidentType.EXTRACT_VALUE_ERROR,
        f"Expected a date-time with an offset, such as '2023-03-02T15:35+02:00', but found '{written}'.",
    )


def not_of_type(text: Text, expected: str, evaluated: Evaluated) -> Incident:
    """The incident for a result of the wrong type, with what the evaluation had to say."""
    shown = text if isinstance(text, str) else text.text
    message = wrong_type(shown, expected, evaluated.value, evaluated.warnings)
    return Incident(IncidentType.EXTRACT_VALUE_ERROR, message)


def wrong_type(expression: str, expected: str, value: Value, warnings: tuple[str, ...]) -> str:
    message = (
        f"Expected result of the expression '{expression}' to be '{expected}', but was '{type_name(value)}'."
    )
    if warnings:
        message += " The evaluation reported the following warnings:\n" + "\n".join(warnings)
    return message
