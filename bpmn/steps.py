"""Steps: the internal commands that a turn works off, one after the other.

They are Zeebe's internal process instance commands. Those beyond a turn's budget, and those behind an
incident, stand encoded in the state.
"""

from typing import TypeAlias

import msgspec

from bpmnd.bpmn.channel import DeliverMessage
from bpmnd.bpmn.commands import Variables


class ActivateElement(msgspec.Struct, frozen=True, gc=False, tag=1, array_like=True):
    """Activate `element` in a scope. `key` is 0, or the instance that is being activated already.

    `flow` is the sequence flow that leads here, or -1 where none does. An event that has `happened` already
    does not wait. `listened` tells that inputs are mapped and the listeners of the start have been called.
    """

    instance_key: int
    scope_key: int
    element: int
    flow: int = -1
    key: int = 0
    variables: Variables = {}
    happened: bool = False
    listened: bool = False


class CompleteElement(msgspec.Struct, frozen=True, gc=False, tag=2, array_like=True):
    """`listened` tells that outputs are mapped and the listeners of the end have been called."""

    instance_key: int
    key: int
    listened: bool = False


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


class TriggerEvent(msgspec.Struct, frozen=True, gc=False, tag=6, array_like=True):
    """`element` happens to the element instance `key`, which waits for it; or only that one of its event
    definitions occurs which `part` is the number of."""

    instance_key: int
    key: int
    element: int
    variables: Variables = {}
    part: int = -1


class TriggerSignal(msgspec.Struct, frozen=True, gc=False, tag=7, array_like=True):
    instance_key: int
    subscription_key: int
    variables: Variables = {}


class CallListeners(msgspec.Struct, frozen=True, gc=False, tag=120, array_like=True):
    """Let the listeners of an element instance, or of its user task, work one after the other.

    `queue` are those still to come; `then` are the encoded steps that wait for the last of them.
    """

    instance_key: int
    key: int
    event: str
    queue: tuple[int, ...]
    then: bytes


class BeginItem(msgspec.Struct, frozen=True, gc=False, tag=30, array_like=True):
    """Begin the next instance of an activity in its multi-instance body `key`."""

    instance_key: int
    key: int


class TerminateChildren(msgspec.Struct, frozen=True, gc=False, tag=31, array_like=True):
    """Terminate what is active in a scope, some at a time: those whose keys are behind `after`."""

    instance_key: int
    key: int
    after: int = 0


class CreateAdHocJob(msgspec.Struct, frozen=True, gc=False, tag=33, array_like=True):
    """Ask the worker of the ad-hoc sub-process `key` what is to be done next."""

    instance_key: int
    key: int


class CheckJoins(msgspec.Struct, frozen=True, gc=False, tag=32, array_like=True):
    """Look whether gateways of a scope still have tokens to wait for."""

    instance_key: int
    scope_key: int


class ThrowNext(msgspec.Struct, frozen=True, gc=False, tag=170, array_like=True):
    """Throw the next of what the multiple event `key` throws."""

    instance_key: int
    key: int


class AwaitMessages(msgspec.Struct, frozen=True, gc=False, tag=171, array_like=True):
    """Wait again for the messages of the parallel multiple event `element`, which has happened to `key`."""

    instance_key: int
    key: int
    element: int


class ResetGateway(msgspec.Struct, frozen=True, gc=False, tag=180, array_like=True):
    """Look whether any token can still come to the complex gateway `key`; if none can, it is reset."""

    instance_key: int
    key: int


class EndTransition(msgspec.Struct, frozen=True, gc=False, tag=121, array_like=True):
    """The listeners of a change of the user task `key` have worked: the change comes to its end."""

    instance_key: int
    key: int


class Earned(msgspec.Struct, frozen=True, gc=False, tag=215, array_like=True):
    """Steps that the items of the bodies `earners` have earned, and that are not used up yet."""

    instance_key: int
    steps: int
    earners: tuple[tuple[int, int, int, int], ...]


# Steps of the partition have 0 for the process instance: they are done whatever has become of that.


class TakeDelivery(msgspec.Struct, frozen=True, gc=False, tag=8, array_like=True):
    """A message of this partition for a process instance of the same."""

    message: DeliverMessage
    instance_key: int = 0


class ReachSubscribers(msgspec.Struct, frozen=True, gc=False, tag=9, array_like=True):
    """A signal for the subscriptions behind `after`, up to the last that was there when it was broadcast, but
    not of the instances that it has `reached` already. `passes` are those of the turn that has thrown it."""

    tenant_id: str
    name: str
    variables: Variables
    after: int
    last: int
    instance_key: int = 0
    reached: tuple[int, ...] = ()
    passes: int = 0


class StartNext(msgspec.Struct, frozen=True, gc=False, tag=10, array_like=True):
    """Let the next buffered message start a process instance, now that the one before has ended."""

    tenant_id: str
    process_id: str
    correlation_key: str
    instance_key: int = 0
    ended: int = 0
    """The key of that instance; 0 if it is not known any more."""


class MoveSlots(msgspec.Struct, frozen=True, gc=False, tag=216, array_like=True):
    """Send the next piece of what goes to another partition in move `number` of slots."""

    number: int
    instance_key: int = 0


class OpenScope(msgspec.Struct, frozen=True, gc=False, tag=20, array_like=True):
    """Activate a process, which has the key of its instance, without its start event; `then` are the encoded
    steps to be done in it."""

    instance_key: int
    key: int
    then: bytes


class Change(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Names of variables that were created and updated in a scope. Who waits since after `last_key` has seen
    them before."""

    scope_key: int
    created: tuple[str, ...]
    updated: tuple[str, ...]
    last_key: int


class CheckConditions(msgspec.Struct, frozen=True, gc=False, tag=21, array_like=True):
    """Look at the conditions that read what has changed, behind all that is to be done at once."""

    instance_key: int
    changes: tuple[Change, ...]
    is_put_off: bool = False


class TriggerCondition(msgspec.Struct, frozen=True, gc=False, tag=22, array_like=True):
    instance_key: int
    key: int


Step: TypeAlias = (
    ActivateElement
    | CompleteElement
    | TerminateElement
    | TriggerTimer
    | ThrowError
    | TriggerEvent
    | TriggerSignal
    | BeginItem
    | TerminateChildren
    | CheckJoins
    | CreateAdHocJob
    | TakeDelivery
    | ReachSubscribers
    | Earned
    | StartNext
    | MoveSlots
    | OpenScope
    | CheckConditions
    | TriggerCondition
    | CallListeners
    | EndTransition
    | ThrowNext
    | AwaitMessages
    | ResetGateway
)

_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_decode = msgspec.msgpack.Decoder(tuple[Step, ...]).decode


def encode_steps(steps: tuple[Step, ...]) -> bytes:
    return _encode(steps)


def decode_steps(row: bytes) -> tuple[Step, ...]:
    return _decode(row)
