"""A leader brings the configuration of its group to where the cluster's state wants it, step by step."""

from collections.abc import Sequence, Set
from typing import Final

from bpmnd.cluster.operations import GroupReport
from bpmnd.cluster.raft import ConfigurationChange, Operation, ProgressState, Raft, Transition

LAG_MAX: Final = 1000
"""A member that lacks no more entries than this has caught up."""


def next_change(raft: Raft, goal: Set[int]) -> ConfigurationChange | None:
    """What to propose next; None if nothing is to be done, or nothing can be done now.

    New members first learn, and vote when they have caught up; in the same step the others leave. Nobody
    leaves before a majority of those who are to stay is there: the group could not go on without it.
    """
    configuration = raft.configuration
    if not goal or configuration.is_joint or not raft.may_propose or not raft.leads:
        return None
    voters, learners = set(configuration.voters), set(configuration.learners)
    if voters == goal and not learners:
        return None
    strangers = goal - voters - learners
    if strangers:
        return _change([(Operation.ADD_LEARNER, member) for member in sorted(strangers)])
    promoted = sorted(goal & learners)
    if not all(has_caught_up(raft, member) for member in promoted):
        return None
    if sum(has_caught_up(raft, member) for member in goal) <= len(goal) // 2:
        return None
    removed = sorted((voters | learners) - goal)
    steps = [(Operation.ADD_VOTER, member) for member in promoted]
    steps += [(Operation.REMOVE, member) for member in removed]
    return _change(steps)


def has_caught_up(raft: Raft, member: int, *, lag_max: int = LAG_MAX) -> bool:
    """As far as this leader knows, a member is there and lacks little."""
    progress = raft.progress().get(member)
    return (
        progress is not None
        and progress.active
        and progress.state is ProgressState.REPLICATE
        and not progress.damaged
        and progress.match + lag_max >= raft.last_index
    )


def successor(raft: Raft, *, to: Sequence[int] = (), lag_max: int) -> int:
    """The voter that this leader may hand over to: of those in `to`, or of all if none are named, the one
    that is furthest; 0 if none is there that lacks so little."""
    able = [
        (raft.progress()[member].match, member)
        for member in raft.configuration.voters
        if member != raft.member and has_caught_up(raft, member, lag_max=lag_max)
    ]
    return max((one for one in able if not to or one[1] in to), default=(0, 0))[1]


def report_of(raft: Raft) -> GroupReport:
    """What the leader of a group says of it."""
    configuration = raft.configuration
    is_settled = not configuration.is_joint and not configuration.learners
    return GroupReport(frozenset(configuration.members), is_settled)


def _change(steps: list[tuple[Operation, int]]) -> ConfigurationChange:
    transition = Transition.AUTO if len(steps) == 1 else Transition.IMPLICIT
    return ConfigurationChange(transition, tuple(steps))
