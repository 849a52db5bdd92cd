"""A leader brings the configuration of its group to where the cluster's state wants it, step by step."""

from collections.abc import Set
from typing import Final

from bpmnd.cluster.raft import ConfigurationChange, Operation, ProgressState, Raft, Transition

_LAG_MAX: Final = 1000
"""A learner that lacks no more entries than this is let into the vote."""


def next_change(raft: Raft, goal: Set[int]) -> ConfigurationChange | None:
    """What to propose next; None if nothing is to be done, or nothing can be done now.

    New members first learn, and vote when they have caught up; in the same step the others leave.
    """
    configuration = raft.configuration
    if not goal or configuration.is_joint or not raft.may_propose or not raft.leads:
        return None
    voters, learners = set(configuration.voters), set(configuration.learners)
    strangers = goal - voters - learners
    if strangers:
        return _change([(Operation.ADD_LEARNER, member) for member in sorted(strangers)])
    promoted = sorted(goal & learners)
    if not all(_has_caught_up(raft, member) for member in promoted):
        return None
    removed = sorted((voters | learners) - goal)
    steps = [(Operation.ADD_VOTER, member) for member in promoted]
    steps += [(Operation.REMOVE, member) for member in removed]
    return _change(steps) if steps else None


def _has_caught_up(raft: Raft, member: int) -> bool:
    progress = raft.progress().get(member)
    return (
        progress is not None
        and progress.state is ProgressState.REPLICATE
        and not progress.damaged
        and progress.match + _LAG_MAX >= raft.last_index
    )


def _change(steps: list[tuple[Operation, int]]) -> ConfigurationChange:
    transition = Transition.AUTO if len(steps) == 1 else Transition.IMPLICIT
    return ConfigurationChange(transition, tuple(steps))
