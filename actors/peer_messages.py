"""What nodes say to each other, besides the handshake: one closed union, in MessagePack.

All of it may get lost with the connection. Who needs certainty asks again: Raft by its ticks, channels by
numbers, gateways by the client's own retry.
"""

from enum import IntEnum
from typing import Final, TypeAlias

import msgspec

from bpmnd.actors.history.queries import Found, Query
from bpmnd.bpmn.commands import ClientCommand
from bpmnd.bpmn.outcomes import Outcome
from bpmnd.cluster.membership import ClusterState
from bpmnd.cluster.operations import Refused as ControlRefused
from bpmnd.cluster.operations import Request
from bpmnd.cluster.raft import Entry
from bpmnd.cluster.raft import Message as RaftMessage


class _PeerMessage(msgspec.Struct, frozen=True, gc=False, array_like=True):
    pass


class ForGroup(_PeerMessage, frozen=True, gc=False, tag=1):
    """A message of Raft to the member of a group. Group 0 is the controller's."""

    group: int
    message: RaftMessage


class CommandRequest(_PeerMessage, frozen=True, gc=False, tag=2):
    """A command for the leader of a partition. `number` is the sender's own, and comes back."""

    number: int
    partition: int
    command: ClientCommand


class CommandReply(_PeerMessage, frozen=True, gc=False, tag=3):
    number: int
    outcome: Outcome


class Failure(IntEnum):
    NO_LEADER = 1
    REFUSED = 2
    OUTCOME_UNKNOWN = 3


class CommandFailed(_PeerMessage, frozen=True, gc=False, tag=4):
    number: int
    failure: Failure
    reason: str


class CommandGivenUp(_PeerMessage, frozen=True, gc=False, tag=5):
    """Nobody waits for the reply any more."""

    number: int


class SubscribeJobs(_PeerMessage, frozen=True, gc=False, tag=6):
    partition: int
    job_type: str


class UnsubscribeJobs(_PeerMessage, frozen=True, gc=False, tag=7):
    partition: int
    job_type: str


class JobsAvailable(_PeerMessage, frozen=True, gc=False, tag=8):
    partition: int
    job_type: str


class ChannelMessage(_PeerMessage, frozen=True, gc=False, tag=9):
    """A numbered message of one partition to another."""

    sender: int
    receiver: int
    number: int
    payload: bytes


class ChannelAcknowledgement(_PeerMessage, frozen=True, gc=False, tag=10):
    sender: int
    receiver: int
    number: int


class ReplicaStatus(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """How a node sees its own replica. `leads`: it may be sent commands."""

    partition: int
    term: int
    leads: bool
    is_healthy: bool
    index: int = 0
    """What it has committed and on disk, near the end: an entry,"""
    hash: bytes = b""
    """and the chain hash there."""
    members: tuple[int, ...] = ()
    """Of a leader: all members of its group, as committed,"""
    is_settled: bool = False
    """and whether that is not about to change."""
    supplied: tuple[int, ...] = ()
    """Of the leader of partition 1: the partitions that have all that was deployed."""
    live: int = 0
    """Process instances under way."""
    installing: str = ""
    """How far a transfer to here has come, for people."""
    sampled: int = 0
    """Index of the newest committed entry at which rows of the state were looked at,"""
    digest: bytes = b""
    """and what was seen there."""
    taken: int = 0
    """Of a leader: the last move of slots to its partition that is known to have ended."""


class NodeStatus(_PeerMessage, frozen=True, gc=False, tag=11):
    """Said to every node once in a while, and when something of it changes."""

    wall_ms: int
    cluster_version: int
    """Of the cluster's state that the node knows; 0 if it belongs to none yet."""
    http_host: str
    http_port: int
    version: str
    replicas: tuple[ReplicaStatus, ...]


class ClusterUpdate(_PeerMessage, frozen=True, gc=False, tag=12):
    """A newer state of the cluster than the receiver seems to know; the first one founds it."""

    state: ClusterState


class ControlRequest(_PeerMessage, frozen=True, gc=False, tag=20):
    """A change that somebody wants of the cluster, for the leader of group 0."""

    number: int
    request: Request


class ControlReply(_PeerMessage, frozen=True, gc=False, tag=21):
    number: int
    outcome: ClusterState | ControlRefused


class RequestInstall(_PeerMessage, frozen=True, gc=False, tag=13):
    """Have a copy of the checkpoint of a partition made, to be fetched."""

    partition: int


class FrozenFile(msgspec.Struct, frozen=True, gc=False, array_like=True):
    name: str
    size: int
    sha256: bytes


class InstallManifest(_PeerMessage, frozen=True, gc=False, tag=14):
    """What there is to fetch. The sender has the entries after `begins_after`."""

    partition: int
    install: int
    index: int
    term: int
    hash: bytes
    begins_after: int
    files: tuple[FrozenFile, ...]


class ReadFile(_PeerMessage, frozen=True, gc=False, tag=15):
    partition: int
    install: int
    file: int
    offset: int


class InstallChunk(_PeerMessage, frozen=True, gc=False, tag=16):
    partition: int
    install: int
    file: int
    offset: int
    data: bytes


class ReadEntries(_PeerMessage, frozen=True, gc=False, tag=17):
    """Entries from `first` on, up to `last`: as many as go into one message."""

    partition: int
    install: int
    first: int
    last: int


class InstallEntries(_PeerMessage, frozen=True, gc=False, tag=18):
    partition: int
    install: int
    first: int
    entries: tuple[Entry, ...]


class InstallRefused(_PeerMessage, frozen=True, gc=False, tag=19):
    partition: int
    reason: str


class InstallDone(_PeerMessage, frozen=True, gc=False, tag=24):
    """The copy is in use. It may be an older one than the leader offered: what follows is in its log."""

    partition: int


class HistoryRequest(_PeerMessage, frozen=True, gc=False, tag=30):
    """A query for the leader of a partition. `number` is the sender's own, and comes back."""

    number: int
    partition: int
    query: Query


class HistoryReply(_PeerMessage, frozen=True, gc=False, tag=31):
    number: int
    found: Found


class HistoryFailed(_PeerMessage, frozen=True, gc=False, tag=32):
    """`is_led_elsewhere`: ask again, whoever leads then. `is_too_large`: ask for less."""

    number: int
    reason: str
    is_led_elsewhere: bool = False
    is_too_large: bool = False


HistoryMessage: TypeAlias = HistoryRequest | HistoryReply | HistoryFailed
InstallRequest: TypeAlias = RequestInstall | ReadFile | ReadEntries
InstallAnswer: TypeAlias = InstallManifest | InstallChunk | InstallEntries | InstallRefused

PeerMessage: TypeAlias = (
    ForGroup
    | CommandRequest
    | CommandReply
    | CommandFailed
    | CommandGivenUp
    | SubscribeJobs
    | UnsubscribeJobs
    | JobsAvailable
    | ChannelMessage
    | ChannelAcknowledgement
    | NodeStatus
    | ClusterUpdate
    | RequestInstall
    | ReadFile
    | ReadEntries
    | InstallManifest
    | InstallChunk
    | InstallEntries
    | InstallRefused
    | InstallDone
    | ControlRequest
    | ControlReply
    | HistoryMessage
)

encode_peer_message: Final = msgspec.msgpack.Encoder().encode
decode_peer_message: Final = msgspec.msgpack.Decoder(PeerMessage).decode
