"""Appliers of work left over by a turn."""

from bpmnd.bpmn.appliers.registry import applies
from bpmnd.bpmn.events import ContinuationCreated, ContinuationRemoved
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.deployed import Continuation


@applies(ContinuationCreated)
def continuation_created(state: State, event: ContinuationCreated) -> None:
    continuation = Continuation(event.key, event.instance_key, event.steps, event.passes)
    state.continuations.put(event.key, continuation, state.journal)


@applies(ContinuationRemoved)
def continuation_removed(state: State, event: ContinuationRemoved) -> None:
    state.continuations.remove(event.key, state.journal)
