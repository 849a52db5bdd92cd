"""Raft without I/O."""

from bpmnd.cluster.raft.messages import Entry, EntryKind, HardState, Message, Ready
from bpmnd.cluster.raft.raft import Raft, Role

__all__ = ["Entry", "EntryKind", "HardState", "Message", "Raft", "Ready", "Role"]
