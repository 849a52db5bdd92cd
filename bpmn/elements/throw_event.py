"""Intermediate throw events and end events (BPMN 2.0, §10.5.3 and §10.5.4)."""

from typing import Final, final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.events.reading import definition_of, read_definition
from bpmnd.bpmn.elements.events.registry import EVENT_KINDS
from bpmnd.bpmn.elements.kind import ElementKind, Position
from bpmnd.bpmn.elements.lifecycle import pass_through
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.extensions import read_job
from bpmnd.bpmn.model.graph import (
    Element,
    ErrorDefinition,
    LinkDefinition,
    ServiceTask,
    SignalDefinition,
    TerminateDefinition,
    ThrowEvent,
)
from bpmnd.bpmn.model.reading import Common, Reading
from bpmnd.bpmn.model.surroundings import Item, Surroundings
from bpmnd.bpmn.model.xml import Tag

_END: Final = "bpmn:endEvent"


@final
class ThrowEventKind(ElementKind[Element]):
    """Throws what it is defined to, if anything. A message is thrown by a job worker, as a task is worked."""

    nodes = (ThrowEvent,)

    def read(self, tag: Tag, common: Common, reading: Reading) -> ThrowEvent | ServiceTask:
        position = Position.END if tag.name == _END else Position.THROW
        definition = definition_of(tag, position, reading)
        if definition is not None and definition.name == "bpmn:messageEventDefinition":
            return ServiceTask(**common, job=read_job(tag, reading.report))

        throws = None if definition is None else read_definition(tag, position, reading)
        if not isinstance(throws, SignalDefinition):
            common["inputs"] = ()
        if isinstance(throws, ErrorDefinition) and common["end_listeners"]:
            reading.report.add(tag, "an error end event must not have execution listeners of its end")
        if isinstance(throws, ErrorDefinition | TerminateDefinition):
            common["outputs"] = ()
        return ThrowEvent(**common, throws=throws)

    def check(self, item: Item, around: Surroundings) -> None:
        if item.tag.name == _END and around.outgoing[item.id]:
            around.report.add(item.tag, "an end event must not have outgoing sequence flows")
        if isinstance(item.node, ThrowEvent) and isinstance(item.node.throws, LinkDefinition):
            name = item.node.throws.name
            if around.outgoing[item.id]:
                around.report.add(item.tag, "a link throw event must not have outgoing sequence flows")
            if (item.scope, name) not in around.links:
                reason = f"there is no link catch event with the name '{name}' in the same scope"
                around.report.add(item.tag, reason)

    def activate(self, element: Element, activation: Activation) -> Incident | None:
        assert isinstance(element, ThrowEvent), f"{element} is worked"
        if element.throws is None:
            return pass_through(element, activation)
        incident: Incident | None = EVENT_KINDS[type(element.throws)].throw(
            element, element.throws, activation
        )
        return incident
