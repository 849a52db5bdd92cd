"""What time brings: for timers, jobs, messages and commands with an id."""

from bpmnd.bpmn.commands import FireDue
from bpmnd.bpmn.elements.timers import trigger
from bpmnd.bpmn.outcomes import Accepted, Outcome
from bpmnd.bpmn.processors.jobs import fire_job
from bpmnd.bpmn.processors.messages import expire
from bpmnd.bpmn.processors.once import forget
from bpmnd.bpmn.start_timers import fire_start_timer
from bpmnd.bpmn.steps import TriggerTimer
from bpmnd.bpmn.turn import Turn


def fire(turn: Turn, command: FireDue) -> Outcome:
    """Nothing comes of it if what was due is gone."""
    instance = turn.state.owner_of(command.key)
    if instance is None:
        if not fire_start_timer(turn, command.key) and not expire(turn, command.key):
            forget(turn, command.key)
    elif command.key in instance.timers:
        trigger(turn, TriggerTimer(instance.key, command.key))
    else:
        fire_job(turn, instance, command.key)
    return Accepted()
