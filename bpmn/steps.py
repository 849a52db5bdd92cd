"""Steps: the internal commands that a turn works off, one after the other.

They are Zeebe's internal process instance commands. Those beyond a turn's budget, and those behind an
incident, stand encoded in the state.
"""

from typing import TypeAlias

import msgspec

from bpmnd.bpmn.commands import Variables


class ActivateElement(msgspec.Struct, frozen=True, gc=False, tag=1, array_like=True):
    """Activate `element` in a scope. `key` is 0, or the instance that is being activated already.

    `flow` is the sequence flow that leads here, or -1 where none does.
    """

    instance_key: int
    scope_key: int
    element: int
    flow: int = -1
    key: int = 0
    variables: Variables = {}


class CompleteElement(msgspec.Struct, frozen=True, gc=False, tag=2, array_like=True):
    instance_key: int
    key: int


class TerminateElement(msgspec.Struct, frozen=True, gc=False, tag=3, array_like=True):
    instance_key: int
    key: int


class TriggerTimer(msgspec.Struct, frozen=True, gc=False, tag=4, array_like=True):
    instance_key: int
    timer_key: int


class ThrowError(msgspec.Struct, frozen=True, gc=False, tag=5, array_like=True):
    """Throw a BPMN error out of an element instance."""

    instance_key: int
    key: int
    code: str
    message: str
    variables: Variables = {}


Step: TypeAlias = ActivateElement | CompleteElement | TerminateElement | TriggerTimer | ThrowError

_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_decode = msgspec.msgpack.Decoder(tuple[Step, ...]).decode


def encode_steps(steps: tuple[Step, ...]) -> bytes:
    return _encode(steps)


def decode_steps(row: bytes) -> tuple[Step, ...]:
    return _decode(row)
