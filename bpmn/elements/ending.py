"""What ends together with an element instance, whichever way it ends."""

from bpmnd.bpmn.events import IncidentResolved, TimerCanceled
from bpmnd.bpmn.state.records import ProcessInstance
from bpmnd.bpmn.steps import StartNext, TerminateChildren, TerminateElement, decode_steps
from bpmnd.bpmn.turn import InstanceNote, Turn


def cancel_timers(turn: Turn, instance: ProcessInstance, element_instance_key: int) -> None:
    if instance.timers:
        for timer in instance.timers_of(element_instance_key):
            turn.emit(TimerCanceled(timer.key, instance.key))


def resolve_incidents(turn: Turn, instance: ProcessInstance, element_instance_key: int) -> None:
    """The incidents of an element instance end with it. What was to be terminated inside still is."""
    if instance.incidents:
        while (incident := instance.incident_of(element_instance_key)) is not None:
            turn.emit(IncidentResolved(incident.key, instance.key))
            for step in decode_steps(incident.steps):
                if isinstance(step, TerminateElement | TerminateChildren):
                    turn.schedule(step)


def note_end(turn: Turn, instance: ProcessInstance) -> None:
    definition = turn.state.definitions.items[instance.definition_key]
    turn.notes.append(InstanceNote(definition.process_id, turn.now - instance.started_at))


def start_next(turn: Turn, instance: ProcessInstance) -> None:
    """The instance that has ended kept another with the same correlation key from starting."""
    if instance.correlation_key is not None:
        process_id = turn.state.definitions.items[instance.definition_key].process_id
        ended = StartNext(instance.tenant_id, process_id, instance.correlation_key, ended=instance.key)
        turn.schedule(ended)
