"""From frames to records: every event with what it is called outside, and with what its keys stand for.

Pure: a fold over the frames of one partition, from its first. What is remembered of an instance is dropped
when it ends, so memory grows by live instances, not by the length of the log.
"""

from collections.abc import Container, Iterator
from typing import Final, final

import msgspec

from bpmnd.actors.exporters.describing import value_of
from bpmnd.actors.exporters.instances import Instances
from bpmnd.actors.exporters.names import COMMAND_NAMES, EVENT_NAMES, VALUE_TYPES
from bpmnd.actors.exporters.places import Places
from bpmnd.actors.exporters.values import Value, json_values, moment
from bpmnd.bpmn import events
from bpmnd.bpmn.codec import Frame
from bpmnd.bpmn.commands import NO_ORIGIN, Origin, Variables
from bpmnd.bpmn.events import Event

EVERYTHING: Final[Container[str]] = VALUE_TYPES


class Record(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One event, to be read without the log beside it. A line of `bpmnd log export`."""

    position: tuple[int, int]
    """Index of the log entry, number within it."""
    time: str
    partition_id: int
    value_type: str
    intent: str
    key: str | None
    value: Value
    cause: str | None = None
    """The command that led to it, `JOB/COMPLETE`."""
    user: str | None = None
    """Who has asked for that, as far as it is known."""
    operation_reference: int | None = None
    """What the request that led to it was called by its client."""
    hash: str | None = None
    """The chain hash of the entry: who has it can prove that nothing up to here was altered."""


@final
class Records:
    """The records of one partition, entry after entry."""

    def __init__(self, partition_id: int, wanted: Container[str] = EVERYTHING) -> None:
        """`wanted` are value types: of the others no records are made, but they count and are remembered."""
        self._partition_id = partition_id
        self._wanted = wanted
        self._instances = Instances()
        self._places = Places(self._instances)

    def memory(self) -> bytes:
        return self._instances.memory()

    def recall(self, memory: bytes) -> None:
        """Go on where another has stopped. Raises msgspec.DecodeError."""
        self._instances.recall(memory)

    def note(self, frame: Frame) -> None:
        """Take in an entry of which no records are wanted."""
        for event in frame.events:
            self._instances.note(event)

    def of(self, index: int, frame: Frame, hash: bytes = b"") -> Iterator[Record]:
        """The records of the entry `index`. Consume them all before the next entry."""
        time, digest, number = moment(frame.time), hash.hex() or None, 0
        for cause, origin, event in _with_causes(frame):
            name = EVENT_NAMES[type(event)]
            if name.value_type not in self._wanted:
                number += _count_of(event)
                self._instances.note(event)
                continue
            for key, value in self._values(event):
                number += 1
                yield Record(
                    (index, number),
                    time,
                    self._partition_id,
                    name.value_type,
                    name.intent,
                    str(key) if key else None,
                    value,
                    cause,
                    origin.user or None,
                    origin.operation_reference or None,
                    digest,
                )
            self._instances.note(event)

    def _values(self, event: Event) -> Iterator[tuple[int, Value]]:
        """Key and value; of variables one for each."""
        match event:
            case events.VariablesCreated(first_key, instance_key, scope_key, variables):
                base = self._places.in_instance(instance_key, scope_key)
                for number, value in enumerate(_each(variables, base)):
                    yield first_key + number, value
            case events.VariablesUpdated(instance_key, scope_key, variables):
                base = self._places.in_instance(instance_key, scope_key)
                instance = self._instances.by_key.get(instance_key)
                for value in _each(variables, base):
                    known = instance.variables.get((scope_key, value["name"]), 0) if instance else 0
                    yield known, value
            case events.ProcessInstanceModified(instance_key) | events.ProcessInstanceMigrated(instance_key):
                yield instance_key, value_of(event, self._places)
            case _:
                yield _key_of(event), value_of(event, self._places)


def _with_causes(frame: Frame) -> Iterator[tuple[str | None, Origin, Event]]:
    position, happened = 0, frame.events
    for number, (command, _, count) in enumerate(frame.commands):
        cause, origin = str(COMMAND_NAMES[command]), frame.origins.get(number, NO_ORIGIN)
        for event in happened[position : position + count]:
            yield cause, origin, event
        position += count
    for event in happened[position:]:
        yield None, NO_ORIGIN, event


def _count_of(event: Event) -> int:
    """How many records an event has: their numbers must not depend on what is wanted."""
    match event:
        case events.VariablesCreated() | events.VariablesUpdated():
            return len(event.variables)
        case _:
            return 1


def _key_of(event: Event) -> int:
    key: int = getattr(event, "key", 0)
    return key


def _each(variables: Variables, base: Value) -> Iterator[Value]:
    for name, value in json_values(variables).items():
        yield {**base, "name": name, "value": value}
