"""Timer events (BPMN 2.0, §10.5.5.1)."""

from collections.abc import Callable, Mapping
from typing import Final, final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.kind import EventKind, Plan, Position
from bpmnd.bpmn.elements.timers import plan_timer
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model import graph
from bpmnd.bpmn.model.graph import TimerDefinition
from bpmnd.bpmn.model.reading import Reading
from bpmnd.bpmn.model.texts import is_expression, read_text
from bpmnd.bpmn.model.timers import parse_cycle, parse_date, parse_duration
from bpmnd.bpmn.model.xml import Tag

_WHAT: Final = {
    graph.TimerKind.DATE: "an ISO 8601 date-time with an offset",
    graph.TimerKind.DURATION: "an ISO 8601 duration",
    graph.TimerKind.CYCLE: "an ISO 8601 repeating interval or a cron expression of six fields",
}
_PARSERS: Final[Mapping[graph.TimerKind, Callable[[str], object | None]]] = {
    graph.TimerKind.DATE: parse_date,
    graph.TimerKind.DURATION: parse_duration,
    graph.TimerKind.CYCLE: parse_cycle,
}
_MAY_INTERRUPT: Final = {
    Position.BOUNDARY: "boundary event",
    Position.EVENT_START: "start event of an event sub-process",
}


@final
class TimerKind(EventKind[TimerDefinition]):
    """At a date, after a duration, or again and again."""

    words = "timer"
    definition = TimerDefinition
    positions = frozenset({Position.START, Position.CATCH, Position.BOUNDARY, Position.EVENT_START})
    gathers = True

    def read(
        self, event: Tag, definition: Tag, position: Position, reading: Reading, *, interrupting: bool
    ) -> TimerDefinition:
        timer = _read(event, definition, reading)
        if timer.kind is graph.TimerKind.CYCLE:
            if position is Position.CATCH:
                reason = "an intermediate timer catch event must have a timeDuration or a timeDate"
                reading.report.add(event, reason)
            elif position in _MAY_INTERRUPT and interrupting:
                reason = f"an interrupting timer {_MAY_INTERRUPT[position]} must not have a timeCycle"
                reading.report.add(event, reason)
        return timer

    def plan(
        self,
        trigger: TimerDefinition,
        activation: Activation,
        element: int,
        *,
        interrupting: bool,
        outside: bool,
    ) -> Plan | Incident:
        return plan_timer(activation, element, trigger)


def _read(event: Tag, definition: Tag, reading: Reading) -> TimerDefinition:
    found = [(kind, tag) for kind in graph.TimerKind for tag in definition.all(f"bpmn:{kind}")]
    if len(found) != 1:
        reason = "must have exactly one of timeDuration, timeDate or timeCycle"
        reading.report.add(event, reason, at=definition)
        return TimerDefinition(graph.TimerKind.DURATION, "")

    ((kind, tag),) = found
    if not is_expression(tag.text):
        _check_literal(event, kind, tag, reading)
    return TimerDefinition(kind, read_text(tag.text, event, reading.report, at=tag))


def _check_literal(event: Tag, kind: graph.TimerKind, tag: Tag, reading: Reading) -> None:
    if _PARSERS[kind](tag.text) is None:
        reading.report.add(event, f"'{tag.text}' is not {_WHAT[kind]}", at=tag)
