"""Signals: reach every subscription of every partition once."""

from typing import Final

from bpmnd.bpmn.channel import SpreadSignal
from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.events import ContinuationCreated, SignalBroadcasted
from bpmnd.bpmn.gathering import occur_at_start
from bpmnd.bpmn.model.graph import SignalDefinition
from bpmnd.bpmn.state.messages import entry_of, signal_group
from bpmnd.bpmn.steps import ReachSubscribers, Step, TriggerSignal, encode_steps
from bpmnd.bpmn.turn import Turn

_REACHED_PER_STEP: Final = 50


def broadcast(turn: Turn, tenant_id: str, name: str, variables: Variables) -> int:
    """Here and everywhere else; the key of the signal. Start events start on this partition."""
    key = turn.new_key()
    _reach(turn, key, tenant_id, name, variables)
    for start in turn.state.messages.signal_starts.named(tenant_id, name):
        started = occur_at_start(turn, start.definition_key, start.element, SignalDefinition, name, variables)
        if started is not None:
            _do_apart(turn, started.instance_key, started.step)
    for partition in turn.peers.partitions:
        if partition != turn.state.partition_id:
            turn.send(partition, SpreadSignal(key, tenant_id, name, variables))
    return key


def arrive(turn: Turn, signal: SpreadSignal) -> None:
    """A signal that was broadcast on another partition."""
    _reach(turn, signal.key, signal.tenant_id, signal.name, signal.variables)


def _reach(turn: Turn, key: int, tenant_id: str, name: str, variables: Variables) -> None:
    turn.emit(SignalBroadcasted(key, tenant_id, name, variables))
    if turn.state.messages.signals.next(signal_group(tenant_id, name)) is not None:
        turn.schedule(ReachSubscribers(tenant_id, name, variables, 0, turn.state.last_key))


def reach_subscribers(turn: Turn, step: ReachSubscribers) -> None:
    """The next few who wait get the signal, each in a turn of its own: one that fails is no matter of the
    others, nor of who has thrown it."""
    group = signal_group(step.tenant_id, step.name)
    after = step.after
    for _ in range(_REACHED_PER_STEP):
        found = turn.state.messages.signals.next(group, entry_of(after + 1))
        if found is None:
            return
        entry, instance_key = found
        after = int.from_bytes(entry, "big")
        if after > step.last:
            return
        _do_apart(turn, instance_key, TriggerSignal(instance_key, after, step.variables))
    rest = ReachSubscribers(step.tenant_id, step.name, step.variables, after, step.last)
    _do_apart(turn, 0, rest)


def _do_apart(turn: Turn, instance_key: int, step: Step) -> None:
    turn.emit(ContinuationCreated(turn.new_key(), instance_key, encode_steps((step,)), 0))
