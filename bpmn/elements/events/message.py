"""Message events, as far as they wait (BPMN 2.0, §10.5.5.6). Messages are thrown by job workers."""

from typing import final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.kind import EventKind, Plan, Position
from bpmnd.bpmn.elements.subscriptions import plan_message
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import BrokenExpression, MessageDefinition
from bpmnd.bpmn.model.reading import Reading
from bpmnd.bpmn.model.texts import read_expression, read_name
from bpmnd.bpmn.model.xml import Tag


@final
class MessageKind(EventKind[MessageDefinition]):
    """What comes for the first message of that name, with that correlation key."""

    words = "message"
    definition = MessageDefinition
    positions = frozenset(Position)
    gathers = True
    is_worked = True

    def read(
        self, event: Tag, definition: Tag, position: Position, reading: Reading, *, interrupting: bool
    ) -> MessageDefinition:
        if position in (Position.THROW, Position.END):
            return MessageDefinition("")  # What is thrown is a matter of its job.
        return read_message(event, definition, reading, starts=position is Position.START)

    def plan(
        self,
        trigger: MessageDefinition,
        activation: Activation,
        element: int,
        *,
        interrupting: bool,
        outside: bool,
    ) -> Plan | Incident:
        return plan_message(activation, element, trigger, interrupting=interrupting, outside=outside)


def read_message(event: Tag, at: Tag, reading: Reading, *, starts: bool) -> MessageDefinition:
    """The message that `at`, an event definition or a receive task itself, refers to."""
    report = reading.report
    message = reading.referenced("message", event, at)
    if message is None:
        return MessageDefinition("")
    name = read_name(message, event, report)
    if starts:
        return MessageDefinition(name)

    subscriptions = message.extensions("zeebe:subscription")
    if len(subscriptions) != 1:
        report.add(message, "must have exactly one zeebe:subscription extension element")
        return MessageDefinition(name, BrokenExpression("", "it is missing"))
    (subscription,) = subscriptions
    key = subscription.attributes.get("correlationKey", "")
    return MessageDefinition(name, read_expression(key, message, report, at=subscription))
