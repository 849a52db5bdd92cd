"""Conditional events (BPMN 2.0, §10.5.5.2)."""

from typing import Final, final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.conditionals import plan_condition
from bpmnd.bpmn.elements.kind import EventKind, Plan, Position
from bpmnd.bpmn.feel import Expression
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import BrokenExpression, ConditionalDefinition
from bpmnd.bpmn.model.reading import Reading
from bpmnd.bpmn.model.texts import read_expression
from bpmnd.bpmn.model.xml import Tag

_CREATE: Final = "create"
_UPDATE: Final = "update"


@final
class ConditionalKind(EventKind[ConditionalDefinition]):
    """Happens when its condition holds. It is looked at again when variables that it reads change."""

    words = "conditional"
    definition = ConditionalDefinition
    positions = frozenset({Position.START, Position.EVENT_START, Position.CATCH, Position.BOUNDARY})
    gathers = True

    def read(
        self, event: Tag, definition: Tag, position: Position, reading: Reading, *, interrupting: bool
    ) -> ConditionalDefinition:
        conditions = definition.all("bpmn:condition")
        if len(conditions) != 1:
            reading.report.add(event, "must have exactly one condition", at=definition)
            return ConditionalDefinition(BrokenExpression("", "it is missing"))
        (tag,) = conditions
        condition = read_expression(tag.text, event, reading.report, at=tag)
        names = condition.variables if isinstance(condition, Expression) else frozenset[str]()
        events = _read_filter(event, definition, reading)
        return ConditionalDefinition(condition, names, _CREATE in events, _UPDATE in events)

    def plan(
        self,
        trigger: ConditionalDefinition,
        activation: Activation,
        element: int,
        *,
        interrupting: bool,
        outside: bool,
    ) -> Plan | Incident:
        return plan_condition(activation, element, trigger)


def _read_filter(event: Tag, definition: Tag, reading: Reading) -> frozenset[str]:
    """At which changes of variables the condition is looked at again; without a filter at all."""
    texts = [tag.attributes.get("variableEvents") for tag in definition.extensions("zeebe:conditionalFilter")]
    events = {part.strip() for text in texts if text for part in text.split(",") if part.strip()}
    for unknown in sorted(events - {_CREATE, _UPDATE}):
        reason = f"'{unknown}' is no event of a variable; there are '{_CREATE}' and '{_UPDATE}'"
        reading.report.add(event, reason, at=definition)
    return frozenset(events or {_CREATE, _UPDATE})
