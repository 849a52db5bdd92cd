"""Who belongs to a group, and how that changes: one member at a time, or several by joint consensus.

A configuration is joint while `outgoing` is not empty: elections, commits and reads then need a majority of
the voters *and* one of the outgoing voters (Raft, §6). Changes are applied when their entry is committed and
applied, not when it is appended, as in etcd/raft; a leader therefore lets only one be under way.
"""

from enum import IntEnum
from typing import Final, Self, assert_never

import msgspec


class Transition(IntEnum):
    """How to get through the joint configuration. Part of the log's format: never renumbered."""

    AUTO = 0
    """Without one if a single change allows it; otherwise through one that is left by itself."""
    IMPLICIT = 1
    """Through one that is left by itself."""
    EXPLICIT = 2
    """Through one that stands until somebody proposes to leave it."""


class Operation(IntEnum):
    """Part of the log's format: never renumbered."""

    ADD_VOTER = 0
    ADD_LEARNER = 1
    REMOVE = 2
    UPDATE = 3
    """Changes nothing here; carries a context for the others."""


class Refusal(msgspec.Struct, frozen=True, gc=False):
    """Why a change cannot be."""

    reason: str


class ConfigurationChange(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The payload of a `CONFIGURATION` entry. Without operations it leaves the joint configuration."""

    transition: Transition = Transition.AUTO
    operations: tuple[tuple[Operation, int], ...] = ()
    context: bytes = b""

    @property
    def leaves_joint(self) -> bool:
        return not self.operations and self.transition is Transition.AUTO

    @property
    def enters_joint(self) -> bool:
        return self.transition is not Transition.AUTO or len(self.operations) > 1

    def to_bytes(self) -> bytes:
        return msgspec.msgpack.encode(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        return msgspec.msgpack.decode(data, type=cls)


LEAVE_JOINT: Final = ConfigurationChange()


class Configuration(msgspec.Struct, frozen=True, array_like=True):
    """The members of a group, each list in ascending order.

    `learners_next` are outgoing voters that become learners when the joint configuration is left: until then
    they vote, so they cannot be learners yet.
    """

    voters: tuple[int, ...] = ()
    outgoing: tuple[int, ...] = ()
    learners: tuple[int, ...] = ()
    learners_next: tuple[int, ...] = ()
    auto_leave: bool = False

    @property
    def is_joint(self) -> bool:
        return bool(self.outgoing)

    @property
    def members(self) -> tuple[int, ...]:
        """Everybody that is replicated to."""
        return tuple(sorted({*self.voters, *self.outgoing, *self.learners}))

    def may_lead(self, member: int) -> bool:
        """`member` votes in one of the halves."""
        return member in self.voters or member in self.outgoing

    def __contains__(self, member: int) -> bool:
        return member in self.voters or member in self.outgoing or member in self.learners

    def to_bytes(self) -> bytes:
        return msgspec.msgpack.encode(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        return msgspec.msgpack.decode(data, type=cls)

    def changed(self, change: ConfigurationChange) -> "Configuration | Refusal":
        """What stands after `change`."""
        if change.leaves_joint:
            return self.without_outgoing()
        if change.enters_joint:
            return self.joint(change.operations, auto_leave=change.transition is not Transition.EXPLICIT)
        return self.simple(change.operations)

    def simple(self, operations: tuple[tuple[Operation, int], ...]) -> "Configuration | Refusal":
        """At most one voter more or less, so that majorities before and after have a member in common."""
        if self.is_joint:
            return Refusal("can't apply simple config change in joint config")
        changed = _apply(self, operations)
        if not changed.voters:
            return Refusal("removed all voters")
        if len(set(self.voters) ^ set(changed.voters)) > 1:
            return Refusal("more than one voter changed without entering joint config")
        return changed

    def joint(
        self, operations: tuple[tuple[Operation, int], ...], *, auto_leave: bool
    ) -> "Configuration | Refusal":
        """The new voters beside the old ones."""
        if self.is_joint:
            return Refusal("config is already joint")
        if not self.voters:
            return Refusal("can't make a zero-voter config joint")
        changed = _apply(
            Configuration(self.voters, self.voters, self.learners, auto_leave=auto_leave), operations
        )
        return changed if changed.voters else Refusal("removed all voters")

    def without_outgoing(self) -> "Configuration | Refusal":
        """The joint configuration is left."""
        if not self.is_joint:
            return Refusal("can't leave a non-joint config")
        return Configuration(self.voters, (), _ascending({*self.learners, *self.learners_next}))


def _apply(before: Configuration, operations: tuple[tuple[Operation, int], ...]) -> Configuration:
    voters, learners, learners_next = set(before.voters), set(before.learners), set(before.learners_next)
    for operation, member in operations:
        if member == 0:
            continue  # Nobody: how a proposer takes a change back without giving up its place in the log.
        match operation:
            case Operation.ADD_VOTER:
                learners.discard(member)
                learners_next.discard(member)
                voters.add(member)
            case Operation.ADD_LEARNER:
                voters.discard(member)
                (learners_next if member in before.outgoing else learners).add(member)
            case Operation.REMOVE:
                voters.discard(member)
                learners.discard(member)
                learners_next.discard(member)
            case Operation.UPDATE:
                pass
            case _:
                assert_never(operation)
    return Configuration(
        _ascending(voters),
        before.outgoing,
        _ascending(learners),
        _ascending(learners_next),
        before.auto_leave,
    )


def _ascending(members: set[int]) -> tuple[int, ...]:
    return tuple(sorted(members))
