"""Elements that are activated by hand, wherever they stand. The scopes around them are opened on the way,
without input mappings and without starting what they would start themselves."""

from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias, final

import msgspec
from msgspec.structs import replace

from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.kind import Plan
from bpmnd.bpmn.elements.scopes import begin_here, is_shut_to
from bpmnd.bpmn.elements.triggers import can_happen
from bpmnd.bpmn.elements.waiting import begin_waiting, plan_events
from bpmnd.bpmn.events import ElementActivated, LoopStarted, ScopeReopened
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import (
    AdHocInner,
    AdHocSubProcess,
    Element,
    EventBasedGateway,
    ExecutableProcess,
    LoopBody,
    Process,
    SequenceFlow,
)
from bpmnd.bpmn.outcomes import Rejected, RejectionType
from bpmnd.bpmn.state.records import ElementInstance, Lifecycle, ProcessInstance, size_of
from bpmnd.bpmn.steps import ActivateElement
from bpmnd.bpmn.turn import Turn
from bpmnd.bpmn.variables import merge_local, oversize


class _Opened(msgspec.Struct, frozen=True, gc=False):
    """A scope to be opened, what is in it, and what it waits for."""

    key: int
    element: int
    scope_key: int
    variables: Variables
    plans: Sequence[Plan | None]


class _Set(msgspec.Struct, frozen=True, gc=False):
    """Variables for a scope that is there already."""

    scope_key: int
    variables: Variables


class _Begun(msgspec.Struct, frozen=True, gc=False):
    """An element to be activated."""

    key: int
    element: int
    scope_key: int
    variables: Variables


class _Reopened(msgspec.Struct, frozen=True, gc=False):
    """A scope in which something may begin again though an event sub-process has interrupted it."""

    scope_key: int


_Act: TypeAlias = _Opened | _Set | _Begun | _Reopened


class AmbiguousScope(msgspec.Struct, frozen=True):
    """There are several instances of a scope to choose from."""

    scope_id: str


class LoopScope(msgspec.Struct, frozen=True):
    """One of many instances of an activity would have to be opened, or be chosen."""

    scope_id: str


@final
class Opening:
    """All that is activated by one command. First everything is worked out, on a sketch of the instance as it
    will be, so that the command can still be rejected; then it is done."""

    def __init__(
        self,
        turn: Turn,
        process: ExecutableProcess,
        instance: ProcessInstance,
        *,
        ending: Collection[int] = (),
    ) -> None:
        """What is `ending`, element instances by their keys, is no place to activate anything in."""
        self._turn = turn
        self._process = process
        self._sketch = replace(
            instance,
            elements=dict(instance.elements),
            variables=dict(instance.variables),
            interruptions=dict(instance.interruptions),
        )
        self._ending = ending
        self._acts: list[_Act] = []
        self._process_plans: Sequence[Plan | None] = ()

    @property
    def activated(self) -> tuple[tuple[int, int], ...]:
        """Key and element of what is to be activated."""
        return tuple((act.key, act.element) for act in self._acts if isinstance(act, _Begun))

    @property
    def scopes(self) -> frozenset[int]:
        """The scopes in which something is to be opened or activated."""
        return frozenset(act.scope_key for act in self._acts if isinstance(act, _Opened | _Begun))

    def activate(
        self, element: Element, variables: Mapping[int, Variables], ancestor_key: int = 0
    ) -> AmbiguousScope | LoopScope | Rejected | None:
        """Activate the element in the one instance there is of each scope around it, or in a new one; with an
        ancestor, in new ones below that. `variables` are by the elements that they are local to."""
        around = scopes_around(self._process, element)
        place = self._below(ancestor_key, around) if ancestor_key else self._innermost(around)
        if isinstance(place, AmbiguousScope | LoopScope):
            return place
        scope_key, missing = place
        rejected = self._admit(scope_key, missing[0] if missing else element)
        if rejected is not None:
            return rejected
        rejected = self._set_above(scope_key, variables)
        if rejected is not None:
            return rejected

        for scope in missing:
            opened = self._open(scope, scope_key, variables.get(scope.index, {}))
            if isinstance(opened, Rejected):
                return opened
            scope_key = opened
        own = variables.get(element.index, {})
        key = self._turn.new_key()
        self._acts.append(_Begun(key, element.index, scope_key, own))
        return self._put(key, own)

    def wait_in_process(self) -> Rejected | None:
        """For a new instance: let the process wait for what starts event sub-processes in it."""
        key, root = self._sketch.key, self._process.root
        plans = self._plan(root, Activation(self._turn, self._sketch, key, key, (), True))
        if isinstance(plans, Rejected):
            return plans
        self._process_plans = plans
        return None

    def happen_in_new_process(self, variables: Variables) -> None:
        """Activate the process with these variables, and do all of it."""
        turn, key = self._turn, self._sketch.key
        turn.emit(ElementActivated(key, key, key, self._process.root.index, ()))
        instance = turn.state.touch(key)
        merge_local(turn, instance, key, variables)
        begin_waiting(Activation(turn, instance, key, key, (), True), self._process_plans)
        self.happen()

    def happen(self) -> None:
        """Do all of it. The elements are active with the steps that follow."""
        turn, instance = self._turn, self._turn.state.instances.get(self._sketch.key)
        assert instance is not None, f"no process instance {self._sketch.key}"
        for act in self._acts:
            match act:
                case _Reopened(scope_key):
                    turn.emit(ScopeReopened(scope_key, instance.key))
                case _Set(scope_key, variables):
                    merge_local(turn, instance, scope_key, variables)
                case _Opened(key, element, scope_key, variables, plans):
                    turn.emit(ElementActivated(key, instance.key, scope_key, element, ()))
                    merge_local(turn, instance, key, variables)
                    begin_waiting(Activation(turn, instance, key, scope_key, (), True), plans)
                    scope = self._process.element(element)
                    if isinstance(scope, AdHocSubProcess):
                        turn.emit(LoopStarted(key, instance.key, element, scope.output_collection, ()))
                case _Begun(key, element, scope_key, variables):
                    step = ActivateElement(instance.key, scope_key, element, key=key, variables=variables)
                    begin_here(turn, step)

    def _innermost(
        self, around: Sequence[Element]
    ) -> tuple[int, Sequence[Element]] | AmbiguousScope | LoopScope:
        """The innermost scope that is there, and those that are not, from the outermost inwards. Of many
        instances of an activity the only one that is left will do; none is opened."""
        scope_key, missing = self._sketch.key, list(around)
        body: LoopBody | None = None
        while missing:
            scope = missing[0]
            if isinstance(scope, AdHocInner):
                break  # What begins in an ad-hoc sub-process has one of its own.
            there = [record for record in self._sketch.elements.values() if self._is_open(record, scope)]
            if len(there) > 1:
                return AmbiguousScope(scope.id)
            if not there:
                break
            scope_key, body = there[0].key, scope if isinstance(scope, LoopBody) else None
            del missing[0]
        if body is None:
            body = next((scope for scope in missing if isinstance(scope, LoopBody)), None)
        return (scope_key, missing) if body is None else LoopScope(body.id)

    def _below(
        self, ancestor_key: int, around: Sequence[Element]
    ) -> tuple[int, Sequence[Element]] | LoopScope:
        if ancestor_key == self._sketch.key:
            missing = around
        else:
            index = self._sketch.elements[ancestor_key].element
            number = next(number for number, scope in enumerate(around) if scope.index == index)
            missing = around[number + 1 :]
            if isinstance(around[number], LoopBody):
                return LoopScope(around[number].id)
        loop = next((scope for scope in missing if isinstance(scope, LoopBody)), None)
        return (ancestor_key, missing) if loop is None else LoopScope(loop.id)

    def _admit(self, scope_key: int, element: Element) -> Rejected | None:
        """Let the element begin in the scope, even in one that an event sub-process has interrupted, if what
        was to end by that has ended."""
        sketch = self._sketch
        if not is_shut_to(sketch, scope_key, element.index):
            return None
        by = self._process.element(sketch.interruptions[scope_key].element)
        if any(is_shut_to(sketch, scope_key, child.element) for child in sketch.children_in(scope_key)):
            return Rejected(
                RejectionType.INVALID_ARGUMENT,
                f"Expected to activate element '{element.id}' in the element instance '{scope_key}', but that"
                f" is about to be interrupted by '{by.id}'",
            )
        self._acts.append(_Reopened(scope_key))
        del sketch.interruptions[scope_key]
        return None

    def _is_open(self, record: ElementInstance, scope: Element) -> bool:
        return (
            record.element == scope.index
            and can_happen(self._sketch, record.key)
            and record.key not in self._ending
        )

    def _set_above(self, scope_key: int, variables: Mapping[int, Variables]) -> Rejected | None:
        """What is for scopes that are there, from the outermost inwards."""
        keys: list[int] = []
        while scope_key not in keys:
            keys.append(scope_key)
            scope_key = self._sketch.elements[scope_key].scope_key
        for key in reversed(keys):
            values = variables.get(self._sketch.elements[key].element)
            if values:
                self._acts.append(_Set(key, values))
                rejected = self._put(key, values)
                if rejected is not None:
                    return rejected
        return None

    def _open(self, scope: Element, scope_key: int, variables: Variables) -> int | Rejected:
        key = self._turn.new_key()
        self._sketch.elements[key] = ElementInstance(key, scope.index, scope_key, Lifecycle.ACTIVATED)
        rejected = self._put(key, variables)
        if rejected is not None:
            return rejected
        plans = self._plan(scope, Activation(self._turn, self._sketch, key, scope_key, (), True))
        if isinstance(plans, Rejected):
            return plans
        self._acts.append(_Opened(key, scope.index, scope_key, variables, plans))
        return key

    def _plan(self, scope: Element, activation: Activation) -> Sequence[Plan | None] | Rejected:
        plans = plan_events(scope, activation)
        if isinstance(plans, Incident):
            reason = f"Expected to subscribe to catch event(s) of '{scope.id}' but {plans.message}"
            return Rejected(RejectionType.INVALID_ARGUMENT, reason)
        return plans

    def _put(self, key: int, variables: Variables) -> Rejected | None:
        """Let the sketch have the variables, if the instance can take them."""
        sketch = self._sketch
        too_large = oversize(sketch, key, variables, local=True)
        if too_large is not None:
            return Rejected(RejectionType.INVALID_ARGUMENT, too_large)
        before = sketch.variables.get(key, {})
        sketch.variables[key] = {**before, **variables}
        sketch.size += size_of(sketch.variables[key]) - size_of(before)
        return None


def scopes_around(process: ExecutableProcess, element: Element) -> Sequence[Element]:
    """The scopes around an element within its process, from the outermost inwards."""
    around: list[Element] = []
    index = element.scope
    while True:
        scope = process.element(index)
        if isinstance(scope, Process):
            return around[::-1]
        around.append(scope)
        index = scope.scope


def can_be_activated(turn: Turn, element: Element | SequenceFlow) -> bool:
    """Whether a command can activate such an element at all."""
    if isinstance(element, SequenceFlow | Process):
        return False
    return turn.kinds[type(element)].by_hand


def is_behind_event_based_gateway(process: ExecutableProcess, element: Element | SequenceFlow) -> bool:
    """Whether the element waits together with others, before it alone can be active."""
    if isinstance(element, SequenceFlow):
        return False
    sources = (_source_of(process, flow) for flow in element.incoming)
    return any(isinstance(source, EventBasedGateway) for source in sources)


def _source_of(process: ExecutableProcess, flow: int) -> Element | SequenceFlow:
    sequence_flow = process.elements[flow]
    assert isinstance(sequence_flow, SequenceFlow), f"{flow} is no sequence flow"
    return process.elements[sequence_flow.source]
