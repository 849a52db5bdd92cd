"""Correlation slots that move from one partition to another, and what follows them on their way."""

from bpmnd.bpmn.events.struct import EventStruct
from bpmnd.bpmn.state.slots import SlotRecords, SlotRuns


class SlotsGiven(EventStruct, frozen=True, gc=False, tag=216):
    """The slots belong to the partition `to` as soon as that has all that is kept under them: here nothing
    new comes to them from now on."""

    number: int
    to: int
    slots: SlotRuns


class SlotRecordsGiven(EventStruct, frozen=True, gc=False, tag=217):
    """What has these keys in the table of the phase is on its way; in phase `then` it goes on at `cursor`."""

    number: int
    phase: int
    keys: tuple[bytes, ...]
    then: int
    cursor: bytes


class SlotRecordsTaken(EventStruct, frozen=True, gc=False, tag=218):
    """They are kept here, for slots that are still to come."""

    number: int
    records: SlotRecords


class SlotsTaken(EventStruct, frozen=True, gc=False, tag=219):
    """All has come from the partition `sender`, at log time `time`: the slots belong to this one."""

    number: int
    sender: int
    slots: SlotRuns
    time: int


class SlotMessageHeld(EventStruct, frozen=True, gc=False, tag=220):
    """A message for a slot that is on its way waits to follow it."""

    number: int
    payload: bytes


class SlotMessagesPassedOn(EventStruct, frozen=True, gc=False, tag=221):
    """Those held back up to number `last` have followed."""

    number: int
    last: int


class SlotMoveEnded(EventStruct, frozen=True, gc=False, tag=222):
    """Nothing is held back any more: what still comes for the slots is passed on at once."""

    number: int


class SlotMovePaused(EventStruct, frozen=True, gc=False, tag=226):
    """So much is on its way that the receiver has to acknowledge some of it first; or not any more."""

    number: int
    paused: bool


class MessageStartLockTaken(EventStruct, frozen=True, gc=False, tag=223):
    """A process instance of another partition keeps others of the process from being started by messages
    with the correlation key."""

    tenant_id: str
    process_id: str
    correlation_key: str
    instance_key: int


class MessageStartLockReleased(EventStruct, frozen=True, gc=False, tag=224):
    tenant_id: str
    process_id: str
    correlation_key: str
    instance_key: int


class ProcessMessageSubscriptionOpened(EventStruct, frozen=True, gc=False, tag=225):
    """The subscription was opened at this partition, as its slot has moved; all about it goes there."""

    key: int
    instance_key: int
    partition: int
