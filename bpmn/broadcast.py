"""Signals: reach every subscription of every partition once."""

from typing import Final

from msgspec.structs import replace

from bpmnd.bpmn.channel import SpreadSignal
from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.events import ContinuationCreated, SignalBroadcasted
from bpmnd.bpmn.gathering import occur_at_start
from bpmnd.bpmn.model.graph import SignalDefinition
from bpmnd.bpmn.state.messages import entry_of, signal_group
from bpmnd.bpmn.state.records import ProcessInstance
from bpmnd.bpmn.steps import ReachSubscribers, Step, TriggerSignal, encode_steps
from bpmnd.bpmn.turn import Turn

_REACHED_PER_STEP: Final = 50

_PASSES_OF_CATCH: Final = 1
_PASSES_OF_START: Final = 4
"""What a signal that a process throws counts for towards `PASSES_MAX`, with whom it reaches and with what it
starts: they may throw again, and so on for ever, and what starts may become ever more."""
_LEFT_OVER_MANY: Final = 250
"""Work that waits for its turn: so much makes what goes on from what a signal has started count one more."""


def broadcast(turn: Turn, tenant_id: str, name: str, variables: Variables) -> int:
    """Here and everywhere else; the key of the signal. Start events start on this partition."""
    return _broadcast(turn, tenant_id, name, variables, ())


def throw(turn: Turn, thrower: ProcessInstance, name: str, variables: Variables) -> list[TriggerSignal]:
    """The same by a process instance. What comes of it in that instance, and in those that have called it, is
    to be done at once: in a turn to come they may have gone past where they catch it."""
    near: list[TriggerSignal] = []
    instance: ProcessInstance | None = thrower
    while instance is not None:
        for subscription in instance.signals.values():
            if subscription.name == name:
                near.append(TriggerSignal(instance.key, subscription.key, variables))
        parent = instance.parent
        instance = turn.state.instances.get(parent.instance_key) if parent is not None else None
    near.sort(key=lambda step: step.subscription_key)
    reached = tuple({step.instance_key: None for step in near})
    _broadcast(turn, thrower.tenant_id, name, variables, reached)
    return near


def arrive(turn: Turn, signal: SpreadSignal) -> None:
    """A signal that was broadcast on another partition."""
    _reach(turn, signal.key, signal.tenant_id, signal.name, signal.variables, signal.passes, ())


def _broadcast(turn: Turn, tenant_id: str, name: str, variables: Variables, reached: tuple[int, ...]) -> int:
    key, passes = turn.new_key(), turn.passes
    _reach(turn, key, tenant_id, name, variables, passes, reached)
    for start in turn.state.messages.signal_starts.named(tenant_id, name):
        started = occur_at_start(turn, start.definition_key, start.element, SignalDefinition, name, variables)
        if started is not None:
            counted = _counted(turn, passes, _PASSES_OF_START)
            _do_apart(turn, started.instance_key, started.step, passes=counted)
    for partition in turn.partitions:
        if partition != turn.state.partition_id:
            turn.send(partition, SpreadSignal(key, tenant_id, name, variables, passes))
    return key


def _reach(
    turn: Turn,
    key: int,
    tenant_id: str,
    name: str,
    variables: Variables,
    passes: int,
    reached: tuple[int, ...],
) -> None:
    turn.emit(SignalBroadcasted(key, tenant_id, name, variables))
    if turn.state.messages.signals.next(signal_group(tenant_id, name)) is not None:
        last = turn.state.last_key
        turn.schedule(ReachSubscribers(tenant_id, name, variables, 0, last, reached=reached, passes=passes))


def reach_subscribers(turn: Turn, step: ReachSubscribers) -> None:
    """The next few who wait get the signal, each process instance in a turn of its own: one that fails is no
    matter of the others, nor of who has thrown it."""
    group = signal_group(step.tenant_id, step.name)
    after, by_instance, is_done = step.after, dict[int, list[Step]](), False
    for _ in range(_REACHED_PER_STEP):
        found = turn.state.messages.signals.next(group, entry_of(after + 1))
        if found is None:
            is_done = True
            break
        entry, instance_key = found
        after = int.from_bytes(entry, "big")
        if after > step.last:
            is_done = True
            break
        if instance_key not in step.reached:
            trigger = TriggerSignal(instance_key, after, step.variables)
            by_instance.setdefault(instance_key, []).append(trigger)
    for instance_key, triggers in by_instance.items():
        counted = _counted(turn, step.passes, _PASSES_OF_CATCH)
        _do_apart(turn, instance_key, *triggers, passes=counted)
    if not is_done:
        _do_apart(turn, 0, replace(step, after=after), passes=0)


def _counted(turn: Turn, passes: int, weight: int) -> int:
    if passes < _PASSES_OF_START:
        return passes + weight
    return passes + weight + len(turn.state.continuations.items) // _LEFT_OVER_MANY


def _do_apart(turn: Turn, instance_key: int, *steps: Step, passes: int) -> None:
    turn.emit(ContinuationCreated(turn.new_key(), instance_key, encode_steps(steps), passes))
