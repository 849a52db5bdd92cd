"""Listeners at work: each is a job, and what they hold up goes on when the last of them is done."""

from collections.abc import Sequence
from typing import Final

from bpmnd.bpmn.evaluation import evaluate_int, evaluate_string, lookup_in
from bpmnd.bpmn.events import ListenerJobCreated
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.keys import first_key
from bpmnd.bpmn.model.graph import Element, Listener, ListenerEvent, Process, SequenceFlow, UserTask
from bpmnd.bpmn.state.records import Lifecycle, ListenerCall, ProcessInstance
from bpmnd.bpmn.steps import CallListeners, Step, decode_steps, encode_steps
from bpmnd.bpmn.turn import JobNote, Turn

GLOBAL_MIN: Final = first_key(1)
"""From here on a number in a queue is the key of a global listener."""


def call_start_listeners(
    turn: Turn, instance: ProcessInstance, key: int, element: Element, *then: Step
) -> None:
    """Let the listeners of the start work; `then` is done when they have."""
    queue = tuple(range(len(element.start_listeners)))
    call_next(turn, CallListeners(instance.key, key, ListenerEvent.START, queue, encode_steps(then)))


def call_end_listeners(
    turn: Turn, instance: ProcessInstance, key: int, element: Element, *then: Step
) -> None:
    """The same at the end."""
    queue = tuple(range(len(element.end_listeners)))
    call_next(turn, CallListeners(instance.key, key, ListenerEvent.END, queue, encode_steps(then)))


def call_next(turn: Turn, step: CallListeners) -> None:
    """Create the job of the next listener of the queue, which is not empty. What stops it is an incident."""
    instance = turn.state.instances.get(step.instance_key)
    record = instance.elements.get(step.key) if instance is not None else None
    if instance is None or record is None:
        return
    if record.state is Lifecycle.TERMINATING and step.event != ListenerEvent.CANCELING:
        return
    element = turn.executable_of(instance).elements[record.element]
    assert not isinstance(element, SequenceFlow), f"{record} is no element"
    number, *rest = step.queue
    listener = _listener(turn, element, ListenerEvent(step.event), number)
    if listener is None:
        _after(turn, step, rest)
        return
    lookup = lookup_in(instance, step.key)
    job_type = evaluate_string(turn, listener.type, lookup)
    if isinstance(job_type, Incident):
        turn.raise_incident(instance, step.key, job_type, step)
        return
    retries = evaluate_int(turn, listener.retries, lookup)
    if isinstance(retries, Incident):
        turn.raise_incident(instance, step.key, retries, step)
        return

    then = encode_steps((_rest(step, rest),)) if rest else step.then
    turn.emit(
        ListenerJobCreated(
            turn.new_key(), instance.key, step.key, record.element, job_type, retries, step.event, then
        )
    )
    turn.offered.add((instance.tenant_id, job_type))
    turn.notes.append(JobNote(job_type, "created", 1))


def _after(turn: Turn, step: CallListeners, rest: Sequence[int]) -> None:
    """A listener that is not there any more is passed over."""
    if rest:
        call_next(turn, _rest(step, rest))
        return
    for then in decode_steps(step.then):
        turn.schedule(then)


def _rest(step: CallListeners, rest: Sequence[int]) -> CallListeners:
    return CallListeners(step.instance_key, step.key, step.event, tuple(rest), step.then)


def _listener(turn: Turn, element: Element, event: ListenerEvent, number: int) -> Listener | None:
    """That of the model with the number, or the global one with the key; None if that is deleted."""
    if number < GLOBAL_MIN:
        return listeners_of(element, event)[number]
    found = turn.state.global_listeners.get(number)
    return None if found is None else Listener(event, found.type, str(found.retries))


def before_process(key: int, root: Process, then: Step) -> CallListeners:
    """The step that lets the listeners of the start of a new process instance work, and `then` is done."""
    queue = tuple(range(len(root.start_listeners)))
    return CallListeners(key, key, ListenerEvent.START, queue, encode_steps((then,)))


def has_task_listeners(turn: Turn, element: UserTask, event: ListenerEvent) -> bool:
    return bool(_queue(turn, element, event))


def _queue(turn: Turn, element: UserTask, event: ListenerEvent) -> tuple[int, ...]:
    """Who is to hear of it, one after the other: numbers of those of the model, and keys of global ones."""
    own = [number for number, listener in enumerate(element.listeners) if listener.event is event]
    found = turn.state.global_listeners.items
    if not found:
        return tuple(own)
    heard = sorted(
        (-listener.priority, listener.id, key, listener.after_non_global)
        for key, listener in found.items()
        if listener.hears_of(event)
    )
    before = [key for _, _, key, is_after in heard if not is_after]
    after = [key for _, _, key, is_after in heard if is_after]
    return (*before, *own, *after)


def call_task_listeners(
    turn: Turn, instance: ProcessInstance, key: int, element: UserTask, event: ListenerEvent, then: Step
) -> bool:
    """Let those work who are to hear of a change of a user task; `then` is done when they have. False if
    there are none."""
    queue = _queue(turn, element, event)
    if queue:
        call_next(turn, CallListeners(instance.key, key, event, queue, encode_steps((then,))))
    return bool(queue)


def is_of_task(call: ListenerCall) -> bool:
    """Whether it listens to a user task, and not to the execution of an element."""
    return call.event not in (ListenerEvent.START, ListenerEvent.END)


def kind_of(call: ListenerCall) -> str:
    """The kind of its job, by the names of the REST API."""
    return "TASK_LISTENER" if is_of_task(call) else "EXECUTION_LISTENER"


def no_retries_of(call: ListenerCall) -> IncidentType:
    if is_of_task(call):
        return IncidentType.TASK_LISTENER_NO_RETRIES
    return IncidentType.EXECUTION_LISTENER_NO_RETRIES


def listeners_of(element: Element, event: ListenerEvent) -> tuple[Listener, ...]:
    match event:
        case ListenerEvent.START:
            return element.start_listeners
        case ListenerEvent.END:
            return element.end_listeners
        case _:
            assert isinstance(element, UserTask), f"{event} of {element}"
            return element.listeners
