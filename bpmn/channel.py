"""What partitions tell each other over their ordered channels (design: numbered outbox and inbox)."""

from typing import TypeAlias

import msgspec

from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.state.decisions import DecisionDefinition, DecisionRequirements
from bpmnd.bpmn.state.deployed import Definition
from bpmnd.bpmn.state.library import Form, PlainFile
from bpmnd.bpmn.state.slots import SlotRecords, SlotRuns
from bpmnd.bpmn.user_tasks import GlobalListener


class DistributeDeployment(msgspec.Struct, frozen=True, tag=1, array_like=True):
    """Take over a deployment with the keys and versions that the deploying partition gave it. `definitions`
    are its processes, `others` is what else there is in it."""

    key: int
    tenant_id: str
    definitions: tuple[Definition, ...]
    others: tuple[DecisionRequirements | DecisionDefinition | Form | PlainFile, ...] = ()


class OpenSubscription(msgspec.Struct, frozen=True, gc=False, tag=2, array_like=True):
    """To the partition of the correlation key: an element instance waits."""

    subscription_key: int
    instance_key: int
    element_instance_key: int
    process_id: str
    tenant_id: str
    name: str
    correlation_key: str
    interrupting: bool


class CloseSubscription(msgspec.Struct, frozen=True, gc=False, tag=3, array_like=True):
    """It does not wait any more."""

    subscription_key: int
    instance_key: int
    element_instance_key: int
    process_id: str
    tenant_id: str
    name: str
    correlation_key: str


class DeliverMessage(msgspec.Struct, frozen=True, gc=False, tag=4, array_like=True):
    """To the partition of the process instance: here is what it waits for.

    `deadline` is that of the message, or 0 if it is not buffered.
    """

    subscription_key: int
    instance_key: int
    element_instance_key: int
    process_id: str
    tenant_id: str
    name: str
    correlation_key: str
    message_key: int
    deadline: int
    variables: Variables


class ConfirmDelivery(msgspec.Struct, frozen=True, gc=False, tag=5, array_like=True):
    """Back: the message was taken."""

    subscription_key: int
    instance_key: int
    element_instance_key: int
    process_id: str
    tenant_id: str
    name: str
    correlation_key: str
    message_key: int


class RefuseDelivery(msgspec.Struct, frozen=True, gc=False, tag=6, array_like=True):
    """Back: nobody waits there any more. The message comes back with it, for somebody else."""

    message: DeliverMessage


class SpreadSignal(msgspec.Struct, frozen=True, gc=False, tag=7, array_like=True):
    """To every other partition: a signal was broadcast, in a turn after so many `passes` without a rest."""

    key: int
    tenant_id: str
    name: str
    variables: Variables
    passes: int = 0


class MigrateSubscription(msgspec.Struct, frozen=True, gc=False, tag=140, array_like=True):
    """To the partition of the correlation key: who waits is an instance of another process now, or is
    interrupted otherwise than before."""

    subscription_key: int
    instance_key: int
    element_instance_key: int
    process_id: str
    new_process_id: str
    tenant_id: str
    name: str
    correlation_key: str
    interrupting: bool


class DistributeDeletion(msgspec.Struct, frozen=True, gc=False, tag=120, array_like=True):
    """To every other partition: what was deployed under the key is deleted. `key` is that of the deletion."""

    key: int
    resource_key: int
    user: str


class DistributeGlobalListener(msgspec.Struct, frozen=True, gc=False, tag=121, array_like=True):
    """To every other partition: a listener as it is now, or None for one that is deleted. `key` is that of
    the change, or 0 if nobody waits."""

    key: int
    listener_key: int
    listener: GlobalListener | None
    user: str


class OccurAtStart(msgspec.Struct, frozen=True, gc=False, tag=170, array_like=True):
    """To the partition of the deployment: of all that a start event waits for, number `part` has occurred."""

    definition_key: int
    element: int
    part: int
    variables: Variables


class ReleaseLock(msgspec.Struct, frozen=True, gc=False, tag=216, array_like=True):
    """To the partition of the correlation key: the process instance that a message had started has ended (0:
    one has before), and the next may be started."""

    tenant_id: str
    process_id: str
    correlation_key: str
    instance_key: int


class TakeLock(msgspec.Struct, frozen=True, gc=False, tag=217, array_like=True):
    """To the partition of the correlation key: a process instance that a message had started is one of this
    process now. If no other is there, none is to be started."""

    tenant_id: str
    process_id: str
    correlation_key: str
    instance_key: int


class SettleCorrelation(msgspec.Struct, frozen=True, gc=False, tag=218, array_like=True):
    """To the partition that was asked to correlate a message whose slot has moved since: a process instance
    has taken it, or somebody has not (0)."""

    message_key: int
    instance_key: int


class MoveRecords(msgspec.Struct, frozen=True, gc=False, tag=219, array_like=True):
    """To the next owner of slots: some of what is kept under them."""

    number: int
    records: SlotRecords


class HandOverSlots(msgspec.Struct, frozen=True, gc=False, tag=220, array_like=True):
    """That was all: the slots are the receiver's."""

    number: int
    slots: SlotRuns


ChannelMessage: TypeAlias = (
    DistributeDeployment
    | DistributeDeletion
    | DistributeGlobalListener
    | OpenSubscription
    | CloseSubscription
    | DeliverMessage
    | ConfirmDelivery
    | RefuseDelivery
    | SpreadSignal
    | MigrateSubscription
    | OccurAtStart
    | ReleaseLock
    | TakeLock
    | SettleCorrelation
    | MoveRecords
    | HandOverSlots
)

_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_decoder: msgspec.msgpack.Decoder[ChannelMessage] = msgspec.msgpack.Decoder(ChannelMessage)


def encode_message(message: ChannelMessage) -> bytes:
    return _encode(message)


def decode_message(payload: bytes) -> ChannelMessage:
    return _decoder.decode(payload)
