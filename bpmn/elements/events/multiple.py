"""Events with several event definitions (BPMN 2.0, §10.5.5.7 and §10.5.5.8)."""

from collections.abc import Mapping
from typing import final

import msgspec

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.beginning import activated
from bpmnd.bpmn.elements.kind import AnyEventKind, EventKind, Plan, Position
from bpmnd.bpmn.events import EventPartAwaited
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import Element, EventDefinition
from bpmnd.bpmn.model.multiple import MultipleDefinition
from bpmnd.bpmn.model.reading import Reading
from bpmnd.bpmn.model.xml import Tag
from bpmnd.bpmn.steps import ThrowNext


class _PartPlan(msgspec.Struct, frozen=True, gc=False):
    """One of several definitions to wait for, by its number."""

    number: int
    plan: Plan

    def begin(self, activation: Activation) -> int:
        key = self.plan.begin(activation)
        if self.number:
            activation.turn.emit(EventPartAwaited(key, activation.instance.key, self.number))
        return key


class _Plans(msgspec.Struct, frozen=True, gc=False):
    plans: tuple[_PartPlan, ...]

    def begin(self, activation: Activation) -> int:
        """The key of the first; 0 if the event finds its way without any."""
        return next(iter([plan.begin(activation) for plan in self.plans]), 0)


@final
class MultipleKind(EventKind[MultipleDefinition]):
    """Happens when one of its definitions occurs, or once all have; throws all of them.

    Those of which it takes all, take one message each: they wait for the next when the event has happened.
    """

    words = "multiple"
    definition = MultipleDefinition
    positions = frozenset(Position)

    def __init__(self, kinds: Mapping[type[EventDefinition], AnyEventKind]) -> None:
        self._kinds = kinds

    def read(
        self, event: Tag, definition: Tag, position: Position, reading: Reading, *, interrupting: bool
    ) -> MultipleDefinition:
        raise AssertionError(f"{definition} is one definition; `read_definition` puts several together")

    def plan(
        self,
        trigger: MultipleDefinition,
        activation: Activation,
        element: int,
        *,
        interrupting: bool,
        outside: bool,
    ) -> Plan | Incident:
        return self.plan_those(
            trigger, activation, element, EventDefinition, interrupting=interrupting, outside=outside
        )

    def plan_those(
        self,
        trigger: MultipleDefinition,
        activation: Activation,
        element: int,
        kind: type[EventDefinition],
        *,
        interrupting: bool,
        outside: bool,
    ) -> Plan | Incident:
        """What is to be waited for of the definitions of a kind."""
        plans: list[_PartPlan] = []
        for number, part in enumerate(trigger.parts):
            if not isinstance(part, kind):
                continue
            plan: Plan | Incident | None = self._kinds[type(part)].plan(
                part, activation, element, interrupting=interrupting or trigger.parallel, outside=outside
            )
            if isinstance(plan, Incident):
                return plan
            if plan is not None:
                plans.append(_PartPlan(number, plan))
        return _Plans(tuple(plans))

    def throw(self, element: Element, thrown: MultipleDefinition, activation: Activation) -> Incident | None:
        activated(element, activation)
        activation.turn.schedule(ThrowNext(activation.instance.key, activation.key))
        return None
