"""What records need to know of live instances and definitions: a small fold over the events."""

import re
from dataclasses import dataclass, field
from typing import Final, TypeAlias, final

import msgspec
from msgspec.structs import replace

from bpmnd.bpmn import events
from bpmnd.bpmn.elements.registry import ELEMENTS
from bpmnd.bpmn.events import Event
from bpmnd.bpmn.model.details import is_event_sub_process
from bpmnd.bpmn.model.graph import ElementType, Problem, bodies_in
from bpmnd.bpmn.model.xml import Tag, read

_WORD: Final = re.compile(r"(?<!^)(?=[A-Z])")


@final
@dataclass(frozen=True, slots=True)
class Definition:
    process_id: str
    version: int
    element_ids: tuple[str, ...]
    element_types: dict[str, str]
    """Element id -> its type, `SERVICE_TASK`."""
    bodies: frozenset[int]
    """Indexes of the multi-instance bodies."""


@final
@dataclass(slots=True)
class Job:
    type: str
    retries: int
    element_instance_key: int
    element: int
    worker: str = ""


Subscription: TypeAlias = events.ProcessMessageSubscriptionCreated | events.SignalSubscriptionCreated
Start: TypeAlias = events.MessageStartEventSubscriptionCreated | events.SignalStartEventSubscriptionCreated


@final
@dataclass(slots=True)
class Instance:
    """A live process instance: what stands behind the keys that its events name."""

    definition_key: int
    tenant_id: str
    elements: dict[int, int] = field(default_factory=dict[int, int])
    jobs: dict[int, Job] = field(default_factory=dict[int, Job])
    timers: dict[int, events.TimerCreated] = field(default_factory=dict[int, events.TimerCreated])
    subscriptions: dict[int, Subscription] = field(default_factory=dict[int, Subscription])
    incidents: dict[int, events.IncidentCreated] = field(default_factory=dict[int, events.IncidentCreated])
    variables: dict[tuple[int, str], int] = field(default_factory=dict[tuple[int, str], int])
    """(scope, name) -> key."""


_Memory: TypeAlias = tuple[dict[int, Definition], dict[int, Instance], dict[int, Start]]
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(_Memory).decode


@final
class Instances:
    """Live instances and all definitions of one partition."""

    def __init__(self) -> None:
        self.definitions: dict[int, Definition] = {}
        self.by_key: dict[int, Instance] = {}
        self.starts: dict[int, Start] = {}
        """Subscriptions of start events, by their keys."""

    def memory(self) -> bytes:
        """All that is known, to go on from in another process."""
        return _encode((self.definitions, self.by_key, self.starts))

    def recall(self, memory: bytes) -> None:
        """Know what `memory` knew. Raises msgspec.DecodeError for what an earlier build wrote otherwise."""
        self.definitions, self.by_key, self.starts = _decode(memory)

    def note(self, event: Event) -> None:
        """Take in what happened."""
        match event:
            case events.ProcessCreated():
                self.definitions[event.key] = Definition(
                    event.process_id,
                    event.version,
                    event.element_ids,
                    _types_in(event.content),
                    bodies_in(event.element_ids),
                )
            case events.ProcessInstanceCreated(key, definition_key, tenant_id):
                self.by_key[key] = Instance(definition_key, tenant_id)
            case events.ProcessInstanceCalled(key, _, _, definition_key, tenant_id):
                self.by_key[key] = Instance(definition_key, tenant_id)
            case events.JobsActivated():
                for instance_key, job_key in zip(event.instance_keys, event.keys, strict=True):
                    self._lend(instance_key, job_key, event.worker)
            case events.MessageStartEventSubscriptionCreated() | events.SignalStartEventSubscriptionCreated():
                self.starts[event.key] = event
            case events.MessageStartEventSubscriptionDeleted() | events.SignalStartEventSubscriptionDeleted():
                self.starts.pop(event.key, None)
            case _:
                instance = self.by_key.get(getattr(event, "instance_key", 0))
                if instance is not None:
                    self._note_in(instance, event)

    def _lend(self, instance_key: int, job_key: int, worker: str) -> None:
        instance = self.by_key.get(instance_key)
        if instance is not None and job_key in instance.jobs:
            instance.jobs[job_key].worker = worker

    def _note_in(self, instance: Instance, event: Event) -> None:
        match event:
            case events.ElementActivating() | events.ElementActivated():
                instance.elements[event.key] = event.element
            case events.ElementCompleted() | events.ElementTerminated():
                instance.elements.pop(event.key, None)
                if event.key == event.instance_key:
                    del self.by_key[event.key]
            case events.ProcessInstanceMigrated():
                _migrate(instance, event)
            case events.VariablesCreated(first_key, _, scope_key, variables):
                for number, name in enumerate(variables):
                    instance.variables[scope_key, name] = first_key + number
            case events.JobCreated() | events.ListenerJobCreated() | events.JobWithHeadersCreated():
                job = Job(event.type, event.retries, event.element_instance_key, event.element)
                instance.jobs[event.key] = job
            case events.JobFailed() | events.JobRetriesUpdated():
                if event.key in instance.jobs:
                    instance.jobs[event.key].retries = event.retries
            case events.JobCompleted() | events.JobCanceled():
                instance.jobs.pop(event.key, None)
            case events.TimerCreated():
                instance.timers[event.key] = event
            case events.TimerCanceled():
                instance.timers.pop(event.key, None)
            case events.ProcessMessageSubscriptionCreated() | events.SignalSubscriptionCreated():
                instance.subscriptions[event.key] = event
            case events.ProcessMessageSubscriptionDeleted() | events.SignalSubscriptionDeleted():
                instance.subscriptions.pop(event.key, None)
            case events.ProcessMessageSubscriptionCorrelated():
                known = instance.subscriptions.get(event.key)
                if isinstance(known, events.ProcessMessageSubscriptionCreated) and known.interrupting:
                    del instance.subscriptions[event.key]
            case events.IncidentCreated():
                instance.incidents[event.key] = event
            case events.IncidentResolved():
                instance.incidents.pop(event.key, None)
            case _:
                pass  # Nothing of it is needed later.


def _migrate(instance: Instance, event: events.ProcessInstanceMigrated) -> None:
    """What is known of the instance by elements is about those of its new definition now."""
    new, interrupting = dict(event.elements), dict(event.interrupting)
    instance.definition_key = event.definition_key
    for key, element in instance.elements.items():
        instance.elements[key] = new.get(element, element)
    for job in instance.jobs.values():
        job.element = new.get(job.element, job.element)
    for key, timer in instance.timers.items():
        instance.timers[key] = replace(timer, element=new.get(timer.element, timer.element))
    for key, incident in instance.incidents.items():
        instance.incidents[key] = replace(incident, element=new.get(incident.element, incident.element))
    for key, known in instance.subscriptions.items():
        moved = replace(known, element=new.get(known.element, known.element))
        if isinstance(moved, events.ProcessMessageSubscriptionCreated):
            moved = replace(moved, interrupting=interrupting.get(key, moved.interrupting))
        instance.subscriptions[key] = moved


def _types_in(content: bytes) -> dict[str, str]:
    """The types of the elements of a file. One that this build cannot read has none."""
    root = read(content)
    if isinstance(root, Problem):
        return {}
    return {tag.id: _type_of(tag) for tag in root.descendants() if tag.id is not None}


def _type_of(tag: Tag) -> str:
    if is_event_sub_process(tag):
        return ElementType.EVENT_SUB_PROCESS
    registered = ELEMENTS.get(tag.name)
    return registered.element_type if registered else _WORD.sub("_", tag.bare_name).upper()
