"""Event definitions: what an event waits for or throws."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from bpmnd.bpmn.model.graph import (
    BrokenExpression,
    ErrorDefinition,
    MessageDefinition,
    SignalDefinition,
    TimerDefinition,
    TimerKind,
)
from bpmnd.bpmn.model.report import Report
from bpmnd.bpmn.model.support import EVENT_DEFINITIONS, event_refusal, not_yet
from bpmnd.bpmn.model.texts import is_expression, read_expression, read_text
from bpmnd.bpmn.model.timers import parse_cycle, parse_date, parse_duration
from bpmnd.bpmn.model.xml import Tag

_WHAT: Final = {
    TimerKind.DATE: "an ISO 8601 date-time with an offset",
    TimerKind.DURATION: "an ISO 8601 duration",
    TimerKind.CYCLE: "an ISO 8601 repeating interval",
}
_PARSERS: Final[Mapping[TimerKind, Callable[[str], object | None]]] = {
    TimerKind.DATE: parse_date,
    TimerKind.DURATION: parse_duration,
    TimerKind.CYCLE: parse_cycle,
}
_CRON_FIELDS: Final = 6


@dataclass(frozen=True, slots=True)
class Shared:
    """What stands beside the processes of a file for their events to refer to, by id."""

    errors: Mapping[str, Tag]
    messages: Mapping[str, Tag]
    signals: Mapping[str, Tag]


def shared_in(definitions: Tag) -> Shared:
    def by_id(name: str) -> Mapping[str, Tag]:
        return {tag.id: tag for tag in definitions.all(name) if tag.id}

    return Shared(by_id("bpmn:error"), by_id("bpmn:message"), by_id("bpmn:signal"))


def definitions_of(event: Tag) -> tuple[Tag, ...]:
    return tuple(child for child in event.children if child.name.removeprefix("bpmn:") in EVENT_DEFINITIONS)


def read_definition(event: Tag, report: Report, *, required: bool) -> Tag | None:
    """The one event definition of an event, if there is one and it is supported there."""
    definitions = definitions_of(event)
    if len(definitions) > 1:
        report.add(event, "must not have more than one event definition", at=definitions[1])
    if required and not definitions and not event.all("bpmn:eventDefinitionRef"):
        report.add(event, "must have exactly one event definition")

    refused = False
    for definition in definitions:
        reason = event_refusal(event.name.removeprefix("bpmn:"), definition.name.removeprefix("bpmn:"))
        if reason:
            report.add(event, reason, at=definition)
            refused = True
    return definitions[0] if definitions and not refused else None


def read_timer(event: Tag, definition: Tag, report: Report) -> TimerDefinition:
    found = [(kind, tag) for kind in TimerKind for tag in definition.all(f"bpmn:{kind}")]
    if len(found) != 1:
        report.add(event, "must have exactly one of timeDuration, timeDate or timeCycle", at=definition)
        return TimerDefinition(TimerKind.DURATION, "")

    ((kind, tag),) = found
    if not is_expression(tag.text):
        _check_literal(event, kind, tag, report)
    return TimerDefinition(kind, read_text(tag.text, event, report, at=tag))


def _check_literal(event: Tag, kind: TimerKind, tag: Tag, report: Report) -> None:
    if _PARSERS[kind](tag.text) is not None:
        return

    if kind is TimerKind.CYCLE and (tag.text.startswith("@") or len(tag.text.split()) == _CRON_FIELDS):
        report.add(event, not_yet("cron expressions"), at=tag)
    else:
        report.add(event, f"'{tag.text}' is not {_WHAT[kind]}", at=tag)


def read_caught_error(
    event: Tag, definition: Tag, errors: Mapping[str, Tag], report: Report
) -> ErrorDefinition:
    """The error to catch; without a reference or without a code it is every error."""
    reference = definition.attributes.get("errorRef")
    error = _error(event, definition, reference, errors, report)
    if error is None:
        return ErrorDefinition(None)

    code = error.attributes.get("errorCode", "")
    if is_expression(code):
        report.add(event, "the code of an error to catch must not be an expression", at=definition)
    return ErrorDefinition(code or None)


def read_thrown_error(
    event: Tag, definition: Tag, errors: Mapping[str, Tag], report: Report
) -> ErrorDefinition:
    """The error to throw; it must have a code."""
    reference = definition.attributes.get("errorRef")
    if not reference:
        report.add(event, "must reference an error", at=definition)
    error = _error(event, definition, reference, errors, report)
    if error is None:
        return ErrorDefinition(None)

    code = error.attributes.get("errorCode", "")
    if not code:
        report.add(event, "the code of an error to throw must be present and not empty", at=definition)
    if is_expression(code):
        report.add(event, not_yet("expressions as error codes"), at=definition)
    return ErrorDefinition(code)


def _error(
    event: Tag, definition: Tag, reference: str | None, errors: Mapping[str, Tag], report: Report
) -> Tag | None:
    """The referenced root element. A reference is a qualified name, of which only the local part counts."""
    if not reference:
        return None
    error = errors.get(reference.rpartition(":")[2])
    if error is None:
        report.add(event, f"references the error '{reference}', which does not exist", at=definition)
    return error


def read_message(
    event: Tag, at: Tag, messages: Mapping[str, Tag], report: Report, *, starts: bool
) -> MessageDefinition:
    """The message that `at`, an event definition or the receive task itself, refers to."""
    message = _referenced("message", event, at, messages, report)
    if message is None:
        return MessageDefinition("")
    name = read_text(_name_of(message, report), event, report, at=message)
    if starts:
        return MessageDefinition(name)

    subscriptions = message.extensions("zeebe:subscription")
    if len(subscriptions) != 1:
        report.add(message, "must have exactly one zeebe:subscription extension element")
        return MessageDefinition(name, BrokenExpression("", "it is missing"))
    (subscription,) = subscriptions
    key = subscription.attributes.get("correlationKey", "")
    return MessageDefinition(name, read_expression(key, message, report, at=subscription))


def read_signal(event: Tag, definition: Tag, signals: Mapping[str, Tag], report: Report) -> SignalDefinition:
    signal = _referenced("signal", event, definition, signals, report)
    if signal is None:
        return SignalDefinition("")
    return SignalDefinition(read_text(_name_of(signal, report), event, report, at=signal))


def _referenced(kind: str, event: Tag, at: Tag, known: Mapping[str, Tag], report: Report) -> Tag | None:
    reference = at.attributes.get(f"{kind}Ref", "")
    found = known.get(reference.rpartition(":")[2])
    if not reference:
        report.add(event, f"must reference a {kind}", at=at)
    elif found is None:
        report.add(event, f"references the {kind} '{reference}', which does not exist", at=at)
    return found


def _name_of(shared: Tag, report: Report) -> str:
    name = shared.attributes.get("name", "")
    if not name:
        report.add(shared, f"the name of a {shared.bare_name} must be present and not empty")
    return name
