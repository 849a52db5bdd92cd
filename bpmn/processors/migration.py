"""Migration of process instances: what is active goes on by the elements of another definition."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias, final

from msgspec.structs import replace

from bpmnd.bpmn.channel import MigrateSubscription, TakeLock
from bpmnd.bpmn.commands import MigrateProcessInstance
from bpmnd.bpmn.correlation import migrate_subscription
from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.events.registry import EVENT_KINDS
from bpmnd.bpmn.elements.kind import Plan
from bpmnd.bpmn.elements.listeners import GLOBAL_MIN, listeners_of
from bpmnd.bpmn.elements.subscriptions import MessagePlan, close_message, close_signal, told_at
from bpmnd.bpmn.elements.waiting import (
    Catcher,
    begin_waiting,
    catchers_of,
    is_interrupting,
    plan_event,
    takes_one_message,
)
from bpmnd.bpmn.events import (
    CompensationSubscriptionDeleted,
    ConditionalSubscriptionDeleted,
    ProcessInstanceMigrated,
    TimerCanceled,
)
from bpmnd.bpmn.forwarding import pass_on
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import (
    AdHocSubProcess,
    BoundaryEvent,
    CatchEvent,
    CompensationDefinition,
    Element,
    EventSubProcess,
    ExecutableProcess,
    ListenerEvent,
    LoopBody,
    SequenceFlow,
    StandardLoop,
    StartEvent,
    SubProcess,
    UserTask,
)
from bpmnd.bpmn.model.multiple import gathers, parts_of
from bpmnd.bpmn.outcomes import Accepted, Outcome, Rejected, RejectionType
from bpmnd.bpmn.state.records import (
    CompensationSubscription,
    ElementInstance,
    Lifecycle,
    MessageSubscription,
    ProcessInstance,
)
from bpmnd.bpmn.steps import (
    ActivateElement,
    AwaitMessages,
    CallListeners,
    OpenScope,
    StartNext,
    Step,
    TriggerEvent,
    decode_steps,
    encode_steps,
)
from bpmnd.bpmn.turn import Turn

_WithInner: Final = (LoopBody, AdHocSubProcess)
_Elements: TypeAlias = Mapping[str, Element | SequenceFlow]


def migrate(turn: Turn, command: MigrateProcessInstance) -> Outcome:
    """All that is active is mapped, or nothing happens. Of what it waits for, mapped events are kept as they
    are, others are closed; events of the target to which none is mapped are opened."""
    instance = turn.state.instances.get(command.key)
    if instance is None:
        return Rejected(
            RejectionType.NOT_FOUND,
            f"Expected to migrate process instance but no process instance found with key '{command.key}'",
        )
    definition = turn.state.definitions.get(command.definition_key)
    if definition is None or definition.tenant_id != instance.tenant_id:
        return Rejected(
            RejectionType.NOT_FOUND,
            "Expected to migrate process instance to process definition but no process definition found with"
            f" key '{command.definition_key}'",
        )
    request = _Request(turn, instance, command)
    rejected = next(request.rejections(), None)
    if rejected is not None:
        return rejected
    plans = request.plans()
    if isinstance(plans, Rejected):
        return plans
    request.happen(plans)
    return Accepted()


@final
class _Request:
    """A command beside the instance that it is for."""

    def __init__(self, turn: Turn, instance: ProcessInstance, command: MigrateProcessInstance) -> None:
        self._turn = turn
        self._instance = instance
        self._command = command
        self._source = turn.executable_of(instance)
        self._target = turn.definitions.executable(command.definition_key)
        self._source_ids: _Elements = self._source.by_id()
        self._target_ids: _Elements = self._target.by_id()
        self._mapped: dict[str, str] = dict(command.mappings)
        self._indexes: dict[int, int] | None = None

    # What stands against it

    def rejections(self) -> Iterator[Rejected]:
        for problem in self._problems_of_mappings():
            yield self._rejected(RejectionType.INVALID_ARGUMENT, problem)
        for problem in self._problems_of_instance():
            yield self._rejected(RejectionType.INVALID_STATE, problem)

    def _rejected(self, kind: RejectionType, problem: str) -> Rejected:
        key = self._instance.key
        return Rejected(kind, f"Expected to migrate process instance '{key}' but {problem}")

    def _problems_of_mappings(self) -> Iterator[str]:
        mappings = self._command.mappings
        counted = Counter(source for source, _ in mappings)
        twice = [source for source, count in counted.items() if count > 1]
        if twice:
            yield f"the mapping instructions contain duplicate source element ids '[{', '.join(twice)}]'."
        for known, kind, ids in (
            (self._source_ids, "source", [source for source, _ in mappings]),
            (self._target_ids, "target", [target for _, target in mappings]),
        ):
            unknown = next((each for each in ids if each not in known), None)
            if unknown is not None:
                yield (
                    f"mapping instructions contain a non-existing {kind} element id '{unknown}'. Elements"
                    f" provided in mapping instructions must exist in the {kind} process definition."
                )

    def _problems_of_instance(self) -> Iterator[str]:
        if self._is_under_way():
            yield "a concurrent command was executed on the process instance. Please retry the migration."
        for record in self._records():
            source = self._source.element(record.element)
            if record.key != self._instance.key:
                yield from self._problems_of_element(source)
            yield from self._problems_of_catchers(source)
        for subscription in self._instance.compensations.values():
            if subscription.throw_key and not self._is_undone_alike(subscription):
                activity = self._source.element(subscription.activity).id
                yield (
                    f"the element with id '{activity}' is being compensated, and neither this nor its"
                    " compensation event has a mapping instruction or is there with the same id in the target"
                    " process definition."
                )
        if any(self._has_no_start(decode_steps(steps)) for _, steps in self._held_up()):
            yield "the process is not active yet, and the target process definition has no none start event."
        for flow in {flow for tokens in self._instance.tokens.values() for flow in tokens}:
            yield from self._problems_of_token(flow)

    def _is_under_way(self) -> bool:
        """Whether work is left over that is about elements of the definition as it is."""
        continuations = self._turn.state.continuations.items.values()
        return any(each.instance_key == self._instance.root_key for each in continuations)

    def _problems_of_element(self, source: Element) -> Iterator[str]:
        target = self._target_of(source)
        if target is None:
            yield (
                f"no mapping instruction defined for active element with id '{source.id}'."
                " Elements cannot be migrated without a mapping."
            )
            return
        target_type = "SEQUENCE_FLOW" if isinstance(target, SequenceFlow) else target.element_type
        if source.element_type != target_type:
            yield (
                f"active element with id '{source.id}' and type '{source.element_type}' is mapped to an"
                f" element with id '{target.id}' and different type '{target_type}'."
                " Elements must be mapped to elements of the same type."
            )
        if isinstance(source, LoopBody) and isinstance(target, LoopBody):
            before, after = _way_of(source), _way_of(target)
            if before != after:
                yield (
                    f"active element with id '{source.id}' is a {before} and is mapped to an element with id"
                    f" '{target.id}' that is a {after.replace('multi-instance activity', 'one')}. The loop"
                    " characteristics of an element cannot be changed by process instance migration."
                )
        if isinstance(source, UserTask) != isinstance(target, UserTask):
            yield (
                f"active user task with id '{source.id}' is mapped to one with id '{target.id}', and only one"
                " of them is managed by the engine. User tasks must be mapped to user tasks of the same kind."
            )
        expected = self._target_of(self._source.elements[source.scope])
        found = self._target.elements[target.scope]
        if expected is not None and expected.index != found.index:
            yield (
                f"the flow scope of active element with id '{source.id}' is changed. The flow scope of the"
                f" active element is expected to be '{expected.id}' but was '{found.id}'."
                " The flow scope of an element cannot be changed during migration yet."
            )

    def _problems_of_catchers(self, source: Element) -> Iterator[str]:
        target = self._target_of(source)
        assert isinstance(target, Element), f"{source} has become {target}"
        attached = {catcher.index for catcher in catchers_of(self._target, target)}
        mapped: dict[str, list[str]] = {}
        for catcher in catchers_of(self._source, source):
            new = self._target_of(catcher)
            if new is None:
                continue
            if new.index not in attached:
                yield (
                    f"active element with id '{source.id}' is mapped to an element with id '{target.id}' and"
                    f" has a catch event with id '{catcher.id}' that is mapped to a catch event with id"
                    f" '{new.id}'. These mappings detach the catch event from the element in the target"
                    " process. Catch events must stay attached to the same element instance."
                )
            before, after = _event_type(catcher), _event_type(new)
            if before != after:
                yield (
                    f"active element with id '{source.id}' has a catch event with id '{catcher.id}' that is"
                    f" mapped to a catch event with id '{new.id}'. These catch events have different event"
                    f" types: '{before}' and '{after}'. The event type of a catch event cannot be changed by"
                    " process instance migration. Please ensure the event type of the catch event remains"
                    " the same or remove the mapping instruction for these catch events."
                )
            mapped.setdefault(new.id, []).append(catcher.id)
        for new_id, catchers in mapped.items():
            if len(catchers) > 1:
                names = ", ".join(f"'{each}'" for each in catchers)
                yield (
                    f"active element with id '{source.id}' has a catch event attached that is mapped to a"
                    f" catch event with id '{new_id}'. There are multiple mapping instructions that target"
                    f" this catch event: {names}. Catch events cannot be merged by process instance"
                    " migration. Please ensure the mapping instructions target a catch event only once."
                )

    def _problems_of_token(self, flow: int) -> Iterator[str]:
        """A token that waits at a join: the gateway must be mapped, and the flow lead to it there, too."""
        old = self._source.elements[flow]
        assert isinstance(old, SequenceFlow), f"{old} is no sequence flow"
        gateway = self._source.element(old.target)
        yield from self._problems_of_element(gateway)
        new, target = self._flow_of(old), self._target_of(gateway)
        assert target is not None, f"{gateway} has no target"
        if new is None or new.target != target.index:
            yield (
                f"a token waits on the sequence flow with id '{old.id}' at the element with id"
                f" '{gateway.id}', and there is no such sequence flow to the element with id '{target.id}'"
                " that this is mapped to. Sequence flows with tokens must keep their id or be mapped."
            )

    # What it comes to

    def plans(self) -> dict[int, list[Plan | None]] | Rejected:
        """What element instances are to wait for besides what they do wait for."""
        made: dict[int, list[Plan | None]] = {}
        for record in self._records():
            if record.state is not Lifecycle.ACTIVATED:
                continue
            source = self._source.element(record.element)
            target = self._target.element(self._elements()[record.element])
            kept = {self._elements().get(catcher.index) for catcher in catchers_of(self._source, source)}
            plans = made[record.key] = []
            for catcher in catchers_of(self._target, target):
                if catcher.index in kept:
                    continue
                plan = self._plan(record, source, target, catcher)
                if isinstance(plan, Rejected):
                    return plan
                plans.append(plan)
        return made

    def _plan(
        self, record: ElementInstance, source: Element, target: Element, catcher: Catcher
    ) -> Plan | Rejected | None:
        activation = Activation(self._turn, self._instance, record.key, record.scope_key, (), True)
        assert catcher.trigger is not None, f"nothing triggers {catcher}"
        plan = plan_event(
            activation,
            catcher,
            catcher.trigger,
            interrupting=is_interrupting(catcher),
            outside=isinstance(catcher, BoundaryEvent),
        )
        if isinstance(plan, Incident):
            return self._rejected(
                RejectionType.INVALID_STATE,
                f"active element with id '{source.id}' is mapped to element with id '{target.id}' that must"
                f" be subscribed to a catch event. {plan.message}",
            )
        if isinstance(plan, MessagePlan) and any(
            each.name == plan.name and each.element_instance_key == record.key and self._is_kept(each.element)
            for each in self._instance.subscriptions.values()
        ):
            return self._rejected(
                RejectionType.INVALID_STATE,
                f"active element with id '{target.id}' attempts to subscribe to a message it is already"
                f" subscribed to with name '{plan.name}'. Migrating active elements that subscribe to a"
                " message they are already subscribed to is not possible yet. Please provide a mapping"
                f" instruction to message catch event with id '{catcher.id}' to migrate the respective"
                " message subscription.",
            )
        return plan

    def happen(self, plans: Mapping[int, Sequence[Plan | None]]) -> None:
        turn, instance, command = self._turn, self._instance, self._command
        definitions = turn.state.definitions.items
        old_process_id = definitions[instance.definition_key].process_id
        new_process_id = definitions[command.definition_key].process_id
        correlation_key = instance.correlation_key
        self._close()
        interrupting = self._changed_interruptions()
        migrated = [
            each
            for each in instance.subscriptions.values()
            if old_process_id != new_process_id or each.key in interrupting
        ]
        turn.emit(
            ProcessInstanceMigrated(
                instance.key,
                command.definition_key,
                tuple(sorted(self._elements().items())),
                self._waiting_steps(),
                tuple(sorted(interrupting.items())),
            )
        )
        for subscription in migrated:
            now = interrupting.get(subscription.key, subscription.interrupting)
            self._tell(replace(subscription, interrupting=now), old_process_id, new_process_id)
        for key, planned in plans.items():
            record = instance.elements[key]
            begin_waiting(Activation(turn, instance, key, record.scope_key, (), True), planned)
        if correlation_key is not None and old_process_id != new_process_id:
            slot = turn.state.slots.given(correlation_key)
            if slot is not None and instance.correlation_key is not None:
                taken = TakeLock(instance.tenant_id, new_process_id, correlation_key, instance.key)
                pass_on(turn, slot, taken)
            ended = StartNext(instance.tenant_id, old_process_id, correlation_key, ended=instance.key)
            turn.schedule(ended)

    # What is what

    def _records(self) -> Sequence[ElementInstance]:
        """All element instances, the outer ones first."""
        return sorted(self._instance.elements.values(), key=lambda record: record.key)

    def _target_of(self, source: Element | SequenceFlow) -> Element | SequenceFlow | None:
        """What an element is mapped to."""
        if source.index == 0:
            return self._target.root
        body = self._source.elements[source.scope]
        if isinstance(body, _WithInner) and body.inner == source.index:
            return _inner(self._target, self._target_of(body))
        target_id = self._mapped.get(source.id)
        return None if target_id is None else self._target_ids[target_id]

    def _flow_of(self, source: SequenceFlow) -> SequenceFlow | None:
        """A flow needs no mapping if it keeps its id."""
        target = self._target_of(source) or self._target_ids.get(source.id)
        return target if isinstance(target, SequenceFlow) else None

    def _kept(self, source: Element) -> Element | None:
        """What an element that is not active is in the target: what it is mapped to, or what has its id."""
        target = self._target_of(source) or self._target_ids.get(source.id)
        is_alike = isinstance(target, Element) and target.element_type is source.element_type
        return target if isinstance(target, Element) and is_alike else None

    def _is_undone_alike(self, subscription: CompensationSubscription) -> bool:
        """Whether what is to be compensated has the same place in the target."""
        activity = self._kept(self._source.element(subscription.activity))
        if activity is None or subscription.boundary_event < 0:
            return activity is not None
        event = self._kept(self._source.element(subscription.boundary_event))
        return (
            isinstance(event, BoundaryEvent)
            and isinstance(event.trigger, CompensationDefinition)
            and event.attached_to == activity.index
        )

    def _elements(self) -> dict[int, int]:
        """All that is mapped, the flows that tokens wait on, and what may have to be compensated."""
        if self._indexes is None:
            self._indexes = {0: 0}
            for source_id, target_id in self._mapped.items():
                source, target = self._source_ids[source_id], self._target_ids[target_id]
                self._indexes[source.index] = target.index
                if isinstance(source, _WithInner) and isinstance(target, _WithInner):
                    self._indexes[source.inner] = target.inner
            for tokens in self._instance.tokens.values():
                for index in tokens:
                    flow = self._source.elements[index]
                    assert isinstance(flow, SequenceFlow), f"{flow} is no sequence flow"
                    new = self._flow_of(flow)
                    assert new is not None, f"{flow} has no target"
                    self._indexes[index] = new.index
            for flows in self._instance.started_gateways.values():
                for index in flows:
                    flow = self._source.elements[index]
                    assert isinstance(flow, SequenceFlow), f"{flow} is no sequence flow"
                    if (kept_flow := self._flow_of(flow)) is not None:
                        self._indexes[index] = kept_flow.index
            for subscription in self._instance.compensations.values():
                if self._is_undone_alike(subscription):
                    for index in (subscription.activity, subscription.boundary_event):
                        kept = self._kept(self._source.element(index)) if index >= 0 else None
                        if kept is not None:
                            self._indexes[index] = kept.index
        return self._indexes

    def _is_kept(self, element: int) -> bool:
        return element in self._elements()

    def _catcher_in_target(self, element: int) -> Catcher:
        """The event of the target that an event waited for is mapped to."""
        catcher = self._target.elements[self._elements()[element]]
        assert isinstance(catcher, CatchEvent | BoundaryEvent | StartEvent), f"{catcher} catches nothing"
        return catcher

    # What happens

    def _close(self) -> None:
        """End the waiting for events that are not mapped."""
        turn, instance = self._turn, self._instance
        for compensation in list(instance.compensations.values()):
            if not self._is_undone_alike(compensation):
                turn.emit(CompensationSubscriptionDeleted(compensation.key, instance.key))
        for timer in list(instance.timers.values()):
            if not self._is_kept(timer.element):
                turn.emit(TimerCanceled(timer.key, instance.key))
        for message in list(instance.subscriptions.values()):
            if not self._is_kept(message.element):
                close_message(turn, instance, message)
        for signal in list(instance.signals.values()):
            if not self._is_kept(signal.element):
                close_signal(turn, instance, signal)

        for condition in list(instance.conditions.values()):
            if not self._is_kept(condition.element):
                turn.emit(ConditionalSubscriptionDeleted(condition.key, instance.key))

    def _changed_interruptions(self) -> dict[int, bool]:
        changed: dict[int, bool] = {}
        for subscription in self._instance.subscriptions.values():
            now = takes_one_message(self._catcher_in_target(subscription.element))
            if now != subscription.interrupting:
                changed[subscription.key] = now
        return changed

    def _waiting_steps(self) -> tuple[tuple[int, bytes], ...]:
        """The work that waits behind incidents and for listeners, as it is about the new elements."""
        migrated = [(key, steps, self._migrated(steps)) for key, steps in self._held_up()]
        return tuple((key, now) for key, before, now in sorted(migrated) if now != before)

    def _held_up(self) -> Iterator[tuple[int, bytes]]:
        """Incident or job of a listener -> the encoded steps that wait for it."""
        for incident in self._instance.incidents.values():
            yield incident.key, incident.steps
        for job in self._instance.jobs.values():
            if job.listener is not None:
                yield job.key, job.listener.then

    def _migrated(self, steps: bytes) -> bytes:
        return encode_steps(tuple(self._migrated_steps(decode_steps(steps))))

    def _migrated_steps(self, steps: Sequence[Step]) -> Iterator[Step]:
        """An event that has happened but is not mapped has happened in vain; listeners that the new element
        does not have are not called."""
        for step in steps:
            match step:
                case OpenScope(then=then):
                    first = [self._migrated_start(begins) for begins in decode_steps(then)]
                    yield replace(step, then=encode_steps(tuple(begins for begins in first if begins)))
                case CallListeners(key=key, event=event, queue=queue, then=then):
                    element = self._target.element(self._elements()[self._instance.elements[key].element])
                    listeners = listeners_of(element, ListenerEvent(event))
                    there = [number for number, one in enumerate(listeners) if one.event == event]
                    if left := tuple(number for number in queue if number in there or number >= GLOBAL_MIN):
                        yield replace(step, queue=left, then=self._migrated(then))
                    else:
                        yield from self._migrated_steps(decode_steps(then))
                case (
                    ActivateElement(element=element)
                    | TriggerEvent(element=element)
                    | AwaitMessages(element=element)
                ):
                    if element in self._elements():
                        yield replace(step, element=self._elements()[element])
                    elif isinstance(step, ActivateElement) and (start := self._start_in(step)) is not None:
                        yield replace(step, element=start)
                case _:
                    yield step

    def _start_in(self, step: ActivateElement) -> int | None:
        """Where a sub-process of the target begins whose source is active, but has not begun yet."""
        scope = self._instance.elements.get(step.scope_key)
        if scope is None or not isinstance(self._source.element(step.element), StartEvent):
            return None
        target = self._target.element(self._elements()[scope.element])
        return target.start_event if isinstance(target, SubProcess | EventSubProcess) else None

    def _migrated_start(self, step: Step) -> Step | None:
        """Where the process is to begin once it is active; None if the target has no such place."""
        if not isinstance(step, ActivateElement):
            return step
        start = self._kept(self._source.element(step.element))
        element = self._target.root.start_event if start is None else start.index
        return None if element is None else replace(step, element=element)

    def _has_no_start(self, steps: Sequence[Step]) -> bool:
        """Whether the process is not active yet, and would never begin in the target."""
        for step in steps:
            match step:
                case OpenScope(then=then):
                    if any(self._migrated_start(begins) is None for begins in decode_steps(then)):
                        return True
                case CallListeners(then=then):
                    if self._has_no_start(decode_steps(then)):
                        return True
                case _:
                    pass
        return False

    def _tell(self, subscription: MessageSubscription, old_process_id: str, new_process_id: str) -> None:
        """The partition of its correlation key has the process of a subscription, and how it interrupts."""
        turn, instance = self._turn, self._instance
        message = MigrateSubscription(
            subscription.key,
            instance.key,
            subscription.element_instance_key,
            old_process_id,
            new_process_id,
            instance.tenant_id,
            subscription.name,
            subscription.correlation_key,
            subscription.interrupting,
        )
        partition = told_at(turn, subscription)
        if partition == turn.state.partition_id:
            migrate_subscription(turn, message)
        else:
            turn.send(partition, message)


def _inner(process: ExecutableProcess, body: Element | SequenceFlow | None) -> Element | SequenceFlow | None:
    """What a multi-instance body or an ad-hoc sub-process has many instances of."""
    return process.element(body.inner) if isinstance(body, _WithInner) else body


def _way_of(body: LoopBody) -> str:
    if isinstance(body.loop, StandardLoop):
        return "standard loop"
    return f"{'sequential' if body.loop.sequential else 'parallel'} multi-instance activity"


def _event_type(element: Element | SequenceFlow) -> str:
    if isinstance(element, CatchEvent | BoundaryEvent | StartEvent) and element.trigger is not None:
        words = [EVENT_KINDS[type(part)].words.upper() for part in parts_of(element.trigger)]
        return (" and " if gathers(element.trigger) else " or ").join(words)
    return "NONE"
