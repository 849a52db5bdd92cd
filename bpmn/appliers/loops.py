"""Appliers of multi-instance bodies."""

from msgspec.structs import replace

from bpmnd.bpmn.appliers.registry import applies
from bpmnd.bpmn.events import LoopEnded, LoopOutputCollected, LoopStarted
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.records import Loop


@applies(LoopStarted)
def loop_started(state: State, event: LoopStarted) -> None:
    instance = state.touch(event.instance_key)
    state.journal.put(instance.loops, event.key, Loop(event.items, event.output_collection))
    state.journal.assign(instance, "size", instance.size + sum(map(len, event.items)))


@applies(LoopOutputCollected)
def loop_output_collected(state: State, event: LoopOutputCollected) -> None:
    instance = state.touch(event.instance_key)
    outputs = instance.loop_outputs.get(event.key)
    if outputs is None:
        outputs = dict[int, bytes]()
        state.journal.put(instance.loop_outputs, event.key, outputs)
    growth = len(event.value) - len(outputs.get(event.index, b""))
    state.journal.put(outputs, event.index, event.value)
    state.journal.assign(instance, "size", instance.size + growth)


@applies(LoopEnded)
def loop_ended(state: State, event: LoopEnded) -> None:
    instance = state.touch(event.instance_key)
    state.journal.put(instance.loops, event.key, replace(instance.loops[event.key], ended=True))
