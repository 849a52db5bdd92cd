"""Escalations: who catches one (BPMN 2.0, §10.5.1 and §13.5.3)."""

from bpmnd.bpmn.elements.errors import Caught, catching_in, interrupt, outwards
from bpmnd.bpmn.elements.triggers import can_happen, happen, occur
from bpmnd.bpmn.events import EscalationThrown
from bpmnd.bpmn.model.graph import EscalationDefinition
from bpmnd.bpmn.model.multiple import gathers
from bpmnd.bpmn.state.records import ProcessInstance
from bpmnd.bpmn.turn import Turn


def escalate(turn: Turn, instance: ProcessInstance, key: int, code: str) -> bool:
    """Throw an escalation out of the element instance `key`. Whether something around it is interrupted."""
    caught = _catcher_of(turn, instance, key, code) if can_happen(instance, key) else None
    element = instance.elements[key].element
    catch_id = turn.executable_of(caught.instance).element(caught.event.index).id if caught else ""
    turn.emit(EscalationThrown(key, instance.key, element, code, catch_id))
    if caught is None:
        return False
    if gathers(caught.event.trigger):
        return _occur(turn, caught)
    if caught.event.interrupting:
        interrupt(turn, caught, {})
        return True
    if can_happen(caught.instance, caught.place.key):
        happen(turn, caught.instance, caught.place.key, caught.event.index, {})
    return False


def _occur(turn: Turn, caught: Caught) -> bool:
    """It is one of what an event takes together. Whether that interrupts."""
    instance, key = caught.instance, caught.place.key
    if can_happen(instance, key):
        occur(turn, instance, key, caught.event.index, caught.part, {})
    return caught.event.interrupting and (key in instance.triggers or key in instance.interruptions)


def _catcher_of(turn: Turn, instance: ProcessInstance, key: int, code: str) -> Caught | None:
    for outer, record in outwards(turn, instance, key):
        process = turn.executable_of(outer)
        catch_all: Caught | None = None
        for event, part, escalation in catching_in(process, outer, record, EscalationDefinition):
            if escalation.code == code:
                return Caught(outer, record, event, part)
            if escalation.code is None:
                catch_all = catch_all or Caught(outer, record, event, part)
        if catch_all is not None:
            return catch_all
    return None
