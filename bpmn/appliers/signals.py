"""Applier of broadcasts."""

from bpmnd.bpmn.appliers.registry import applies
from bpmnd.bpmn.events import SignalBroadcasted
from bpmnd.bpmn.state import State


@applies(SignalBroadcasted)
def signal_broadcasted(state: State, event: SignalBroadcasted) -> None:
    """Whom it reaches has events of its own; the broadcast is for the audit."""
