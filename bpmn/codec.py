"""The codec of frames: what one tick of a partition leaves in the log.

A frame is one MessagePack array `[format, time, last key, lives, body]`. `lives` are the process instances
that the frame is about (`lives.py`), so that whoever needs no more can pass over the rest. The body is a byte
string, itself an array `[commands, events]`. Each event is an array of its code and its fields; codes are the
tags in events/. `commands` is flat: code, key, number of events, for each command that had events. Where one
of them tells its origin there is a third element, `[number, origin]` of each that does, by the number of the
command in the frame.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias, cast, get_args

import msgspec

from bpmnd.bpmn import commands
from bpmnd.bpmn.commands import Command, Origin
from bpmnd.bpmn.events import Event
from bpmnd.bpmn.lives import Lives, lives_of

FRAME_FORMAT: Final = 2


class CodecError(Exception):
    """Bytes that are no frame of a format known here. Whoever meets them must stop, not guess."""


EVENT_CODES: Final[dict[int, type[Event]]] = {
    cast(int, struct.__struct_config__.tag): struct for struct in get_args(Event)
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
    100: commands.EvaluateDecision,
    101: commands.EvaluateExpression,
    102: commands.ReadDecision,
    103: commands.ReadDecisionRequirements,
    110: commands.ActivateAdHocActivities,
    111: commands.EvaluateConditionals,
    120: commands.AssignUserTask,
    121: commands.UpdateUserTask,
    122: commands.CompleteUserTask,
    123: commands.DeleteResource,
    124: commands.ReadUserTaskForm,
    125: commands.ReadStartForm,
    126: commands.ReadResource,
    127: commands.CreateGlobalListener,
    128: commands.UpdateGlobalListener,
    129: commands.DeleteGlobalListener,
    130: commands.ReadGlobalListener,
    140: commands.ModifyProcessInstance,
    141: commands.MigrateProcessInstance,
    155: commands.ReadGlobalListeners,
    170: commands.SampleState,
    171: commands.GiveSlots,
    172: commands.ConfirmSlots,
    165: commands.AcknowledgeExport,
    166: commands.NoteExportGap,
}
assert len(EVENT_CODES) == len(get_args(Event)), "every event has a code of its own"
# With an id a command is noted as itself: the id stands in an event.
assert set(COMMAND_CODES.values()) == set(get_args(Command)) - {commands.DoOnce}, "every command has a code"

_COMMAND_CODE_OF: Final = {struct: code for code, struct in COMMAND_CODES.items()}

CommandNote: TypeAlias = tuple[type[Command], int, int]
"""Which command, the key it was about (0: none), and how many of the frame's events are its own."""


class _Body(msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True):
    commands: list[int]
    events: tuple[Event, ...]
    origins: tuple[tuple[int, Origin], ...] = ()


class Frame(msgspec.Struct, frozen=True):
    """A decoded frame. `time` is log time, `last_key` the last key given out when the tick ended."""

    time: int
    last_key: int
    commands: tuple[CommandNote, ...]
    events: tuple[Event, ...]
    origins: Mapping[int, Origin] = {}
    """Place in `commands` -> where that command came from, of those that tell it."""


class FrameHead(msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True):
    """What is known of a frame before its commands and events are decoded."""

    format: int
    time: int
    last_key: int
    lives: Lives
    body: bytes

    def frame(self) -> Frame:
        """All of it. Raises CodecError for bytes that are none, and for codes this build does not know."""
        try:
            body = _decode_body(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise CodecError(f"no frame: {error}") from error
        if len(body.commands) % 3:
            raise CodecError("a frame with commands that cannot be")
        notes = tuple(_notes(body.commands))
        return Frame(self.time, self.last_key, notes, body.events, dict(body.origins))


_encode: Final = msgspec.msgpack.Encoder().encode
_decode_head: Final = msgspec.msgpack.Decoder(FrameHead).decode
_decode_body: Final = msgspec.msgpack.Decoder(_Body).decode


def encode_frame(
    time: int,
    last_key: int,
    notes: Iterable[CommandNote],
    happened: Sequence[Event],
    origins: Sequence[tuple[int, Origin]] = (),
) -> bytes:
    flat_commands: list[int] = []
    for command, key, count in notes:
        flat_commands += (_COMMAND_CODE_OF[command], key, count)
    body = _encode((flat_commands, happened, origins) if origins else (flat_commands, happened))
    return _encode((FRAME_FORMAT, time, last_key, lives_of(happened), body))


def decode_head(payload: bytes) -> FrameHead:
    """Raises CodecError for bytes that are no frame of the format known here."""
    try:
        head = _decode_head(payload)
    except msgspec.DecodeError as error:
        raise CodecError(f"no frame: {error}") from error
    if head.format != FRAME_FORMAT:
        raise CodecError(f"no frame of format {FRAME_FORMAT}")
    return head


def decode_frame(payload: bytes) -> Frame:
    """Raises CodecError for bytes that are no frame, and for codes this build does not know."""
    return decode_head(payload).frame()


def _notes(flat: Sequence[int]) -> Iterator[CommandNote]:
    for start in range(0, len(flat), 3):
        code, key, count = flat[start : start + 3]
        if code not in COMMAND_CODES:
            raise CodecError(f"unknown command code {code}")
        yield COMMAND_CODES[code], key, count
