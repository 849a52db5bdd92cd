"""Applier of samples."""

from bpmnd.bpmn.appliers.registry import applies
from bpmnd.bpmn.events import StateSampled
from bpmnd.bpmn.state import State


@applies(StateSampled)
def state_sampled(state: State, event: StateSampled) -> None:
    """Whoever replays it looks at the state; it stays as it is."""
