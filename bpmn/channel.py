"""What partitions tell each other over their ordered channels (design: numbered outbox and inbox)."""

from typing import TypeAlias

import msgspec

from bpmnd.bpmn.state.deployed import Definition


class DistributeDeployment(msgspec.Struct, frozen=True, tag=1, array_like=True):
    """Take over a deployment with the keys and versions that the deploying partition gave it."""

    key: int
    tenant_id: str
    definitions: tuple[Definition, ...]


ChannelMessage: TypeAlias = DistributeDeployment

_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_decode = msgspec.msgpack.Decoder(ChannelMessage).decode


def encode_message(message: ChannelMessage) -> bytes:
    return _encode(message)


def decode_message(payload: bytes) -> ChannelMessage:
    return _decode(payload)
