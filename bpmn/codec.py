"""The codec of frames: what one tick of a partition leaves in the log.

A frame is one CBOR array `[format, time, last key, commands, events]`. `events` is flat: for each event its
number of fields, its code, then the fields. `commands` is flat too: code, key, number of events, for each
command that had events. The table of codes only ever grows: a code is never given twice, and the fields of a
released code never change; a change is a new code with a new struct.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, TypeAlias, get_args

import cbor2
import msgspec

from bpmnd.bpmn import commands, events
from bpmnd.bpmn.commands import Command
from bpmnd.bpmn.events import Event

FRAME_FORMAT: Final = 1


class CodecError(Exception):
    """Bytes that are no frame of a format known here. Whoever meets them must stop, not guess."""


EVENT_CODES: Final[dict[int, type[Event]]] = {
    1: events.DeploymentCreated,
    2: events.ProcessCreated,
    3: events.DeploymentDistributing,
    4: events.DeploymentDistributed,
    5: events.DeploymentFullyDistributed,
    6: events.ChannelMessageSent,
    7: events.ChannelMessageReceived,
    8: events.ChannelMessageAcknowledged,
    9: events.ProcessInstanceCreated,
    10: events.ElementActivating,
    11: events.ElementActivated,
    12: events.ElementCompleting,
    13: events.ElementCompleted,
    14: events.ElementTerminating,
    15: events.ElementTerminated,
    16: events.SequenceFlowTaken,
    17: events.BoundaryEventTriggered,
    18: events.VariablesCreated,
    19: events.VariablesUpdated,
    20: events.JobCreated,
    21: events.JobsActivated,
    22: events.JobCompleted,
    23: events.JobFailed,
    24: events.JobRecurred,
    25: events.JobTimedOut,
    26: events.JobYielded,
    27: events.JobErrorThrown,
    28: events.JobRetriesUpdated,
    29: events.JobTimeoutUpdated,
    30: events.JobCanceled,
    31: events.TimerCreated,
    32: events.TimerTriggered,
    33: events.TimerCanceled,
    34: events.IncidentCreated,
    35: events.IncidentResolved,
    36: events.ContinuationCreated,
    37: events.ContinuationRemoved,
    38: events.MessagePublished,
    39: events.MessageExpired,
    40: events.MessageSubscriptionCreated,
    41: events.MessageSubscriptionCorrelating,
    42: events.MessageSubscriptionCorrelated,
    43: events.MessageSubscriptionRejected,
    44: events.MessageSubscriptionDeleted,
    45: events.MessageStartEventSubscriptionCreated,
    46: events.MessageStartEventSubscriptionDeleted,
    47: events.MessageStartEventSubscriptionCorrelated,
    48: events.MessageCorrelating,
    49: events.MessageCorrelated,
    50: events.MessageNotCorrelated,
    51: events.ProcessMessageSubscriptionCreated,
    52: events.ProcessMessageSubscriptionCorrelated,
    53: events.ProcessMessageSubscriptionDeleted,
    54: events.SignalBroadcasted,
    55: events.SignalSubscriptionCreated,
    56: events.SignalSubscriptionDeleted,
    57: events.SignalStartEventSubscriptionCreated,
    58: events.SignalStartEventSubscriptionDeleted,
    59: events.CommandNoted,
    60: events.CommandAnswered,
    61: events.CommandForgotten,
}
COMMAND_CODES: Final[dict[int, type[Command]]] = {
    1: commands.Deploy,
    2: commands.CreateProcessInstance,
    3: commands.CancelProcessInstance,
    4: commands.SetVariables,
    5: commands.ActivateJobs,
    6: commands.YieldJobs,
    7: commands.CompleteJob,
    8: commands.FailJob,
    9: commands.ThrowJobError,
    10: commands.UpdateJob,
    11: commands.ResolveIncident,
    12: commands.FireDue,
    13: commands.Continue,
    14: commands.ReceiveChannelMessage,
    15: commands.AcknowledgeChannel,
    16: commands.PublishMessage,
    17: commands.CorrelateMessage,
    18: commands.BroadcastSignal,
    90: commands.Supply,
}
assert set(EVENT_CODES.values()) == set(get_args(Event)), "every event has a code"
# With an id a command is noted as itself: the id stands in an event.
assert set(COMMAND_CODES.values()) == set(get_args(Command)) - {commands.DoOnce}, "every command has a code"

_CODE_OF: Final = {struct: code for code, struct in EVENT_CODES.items()}
_COMMAND_CODE_OF: Final = {struct: code for code, struct in COMMAND_CODES.items()}
_FIELD_COUNT: Final = {struct: len(struct.__struct_fields__) for struct in EVENT_CODES.values()}
_TUPLES: Final = {
    struct: tuple(
        position
        for position, field in enumerate(msgspec.structs.fields(struct))
        if getattr(field.type, "__origin__", None) is tuple
    )
    for struct in EVENT_CODES.values()
}

CommandNote: TypeAlias = tuple[type[Command], int, int]
"""Which command, the key it was about (0: none), and how many of the frame's events are its own."""

_astuple = msgspec.structs.astuple


_Wire: TypeAlias = tuple[int, int, int, list[int], list[Any]]


class Frame(msgspec.Struct, frozen=True):
    """A decoded frame. `time` is log time, `last_key` the last key given out when the tick ended."""

    time: int
    last_key: int
    commands: tuple[CommandNote, ...]
    events: tuple[Event, ...]


def encode_frame(time: int, last_key: int, notes: Iterable[CommandNote], happened: Iterable[Event]) -> bytes:
    flat_commands: list[int] = []
    for command, key, count in notes:
        flat_commands += (_COMMAND_CODE_OF[command], key, count)
    flat: list[Any] = []
    for event in happened:
        kind = type(event)
        flat += (_FIELD_COUNT[kind], _CODE_OF[kind])
        flat += _astuple(event)
    return cbor2.dumps([FRAME_FORMAT, time, last_key, flat_commands, flat])


def decode_frame(payload: bytes) -> Frame:
    """Raises CodecError for bytes that are no frame, and for codes this build does not know."""
    try:
        wire = msgspec.convert(cbor2.loads(payload), _Wire)
    except (cbor2.CBORDecodeError, ValueError) as error:
        raise CodecError(f"no frame: {error}") from error
    number, time, last_key, flat_commands, flat = wire
    if number != FRAME_FORMAT or len(flat_commands) % 3:
        raise CodecError(f"no frame of format {FRAME_FORMAT}")
    return Frame(time, last_key, tuple(_notes(flat_commands)), tuple(_events(flat)))


def _notes(flat: Sequence[int]) -> Iterator[CommandNote]:
    for start in range(0, len(flat), 3):
        code, key, count = flat[start : start + 3]
        if code not in COMMAND_CODES:
            raise CodecError(f"unknown command code {code}")
        yield COMMAND_CODES[code], key, count


def _events(flat: list[Any]) -> Iterator[Event]:
    position = 0
    while position < len(flat):
        length, code = flat[position], flat[position + 1] if position + 1 < len(flat) else 0
        struct = EVENT_CODES.get(code)
        count = _FIELD_COUNT[struct] if struct is not None else -1
        fields = flat[position + 2 : position + 2 + count]
        if struct is None or length != count or len(fields) != count:
            raise CodecError(f"unknown event code {code} with {length} fields")
        for index in _TUPLES[struct]:
            fields[index] = tuple(fields[index])
        yield struct(*fields)
        position += 2 + count
