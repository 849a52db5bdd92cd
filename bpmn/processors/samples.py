"""Samples of the state, by which replicas are compared."""

from bpmnd.bpmn.commands import SampleState
from bpmnd.bpmn.events import StateSampled
from bpmnd.bpmn.outcomes import Accepted, Outcome
from bpmnd.bpmn.turn import Turn


def sample(turn: Turn, command: SampleState) -> Outcome:
    """Name the rows in the log: so every replica looks at them where it stands at the same entry."""
    turn.emit(StateSampled(command.rows))
    return Accepted()
