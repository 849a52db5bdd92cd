"""Raft without I/O."""

from bpmnd.cluster.raft.configuration import (
    LEAVE_JOINT,
    Configuration,
    ConfigurationChange,
    Operation,
    Refusal,
    Transition,
)
from bpmnd.cluster.raft.messages import Entry, EntryId, EntryKind, HardState, Message, Ready, SnapshotOffer
from bpmnd.cluster.raft.progress import Progress, ProgressState
from bpmnd.cluster.raft.raft import Raft
from bpmnd.cluster.raft.settings import RaftSettings
from bpmnd.cluster.raft.storage import Snapshot, Storage
from bpmnd.cluster.raft.terms import Role

__all__ = [
    "LEAVE_JOINT",
    "Configuration",
    "ConfigurationChange",
    "Entry",
    "EntryId",
    "EntryKind",
    "HardState",
    "Message",
    "Operation",
    "Progress",
    "ProgressState",
    "Raft",
    "RaftSettings",
    "Ready",
    "Refusal",
    "Role",
    "Snapshot",
    "SnapshotOffer",
    "Storage",
    "Transition",
]
