"""Changes of a cluster, decided as a pure function: the state before, and what is wanted or was seen.

An operation only sets goals. The leader of each group brings its own Raft configuration there; the operation
is finished when all of them report that they are there. So whoever crashes on the way, nothing is lost: the
goals stand in the state, and whoever leads goes on.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias, final

import msgspec

from bpmnd.cluster.membership import (
    CONTROLLER_GROUP,
    CONTROLLER_VOTERS_MAX,
    FINISHED_MAX,
    ClusterState,
    GroupPlan,
    Member,
    Operation,
    SlotMove,
    born,
    place,
)
from bpmnd.cluster.spreading import after_move, left_to_move, next_move

PARTITIONS_MAX: Final = 1024
_SPREADING: Final = ("add-partitions", "spread-slots")


class _Request(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    by: str = ""
    """Who asks, by his own word."""


@final
class AddNode(_Request, frozen=True, tag=1):
    """A node that has introduced itself becomes a member, and takes its share of the replicas."""

    member: Member


@final
class RemoveNode(_Request, frozen=True, tag=2):
    """What a node holds goes to others; then it is no member any more."""

    node: int


@final
class ReplaceNode(_Request, frozen=True, tag=3):
    """A node has come back with an empty disk, as another incarnation: it takes the place of the old one."""

    member: Member


@final
class MoveReplica(_Request, frozen=True, tag=4):
    partition: int
    node: int
    to: int


@final
class AddPartitions(_Request, frozen=True, tag=5):
    count: int


@final
class SetReplication(_Request, frozen=True, tag=6):
    replication: int


@final
class MoveNode(_Request, frozen=True, tag=8):
    """A member is at another address now, or on another host. Replicas stay where they are."""

    member: Member


@final
class SpreadSlots(_Request, frozen=True, tag=9):
    """Every partition gets its share of the correlation slots."""


@final
class GiveUp(_Request, frozen=True, tag=7):
    """Leave the operation under way as it stands: what it has reached stays, and another may begin."""


Request: TypeAlias = (
    AddNode
    | RemoveNode
    | ReplaceNode
    | MoveReplica
    | AddPartitions
    | SetReplication
    | SpreadSlots
    | MoveNode
    | GiveUp
)


@final
class Refused(msgspec.Struct, frozen=True, array_like=True, tag=2):
    reason: str


@final
class GroupReport(msgspec.Struct, frozen=True):
    """What the leader of a group says of it."""

    members: frozenset[int]
    """All that its committed configuration has, learners and outgoing voters too."""
    is_settled: bool
    """It is not in the middle of a change."""
    is_supplied: bool = True
    """It has all that was deployed."""
    taken: int = 0
    """The last move of slots to it that is known to have ended."""


def decide(state: ClusterState, request: Request) -> ClusterState | Refused:
    """The state in which the request is under way."""
    after = _decided(state, request)
    if isinstance(after, Refused) or after.operation is None or not request.by:
        return after
    if state.operation is not None and after.operation.number == state.operation.number:
        return after  # Another has begun it.
    return msgspec.structs.replace(after, operation=msgspec.structs.replace(after.operation, by=request.by))


def _decided(state: ClusterState, request: Request) -> ClusterState | Refused:
    if isinstance(request, GiveUp):
        if state.operation is None:
            return Refused("no operation is under way")
        return _finished(state, given_up=True)
    if isinstance(request, MoveNode):
        return _move_node(state, request.member)
    if isinstance(request, ReplaceNode) and state.operation is not None:
        return _replace_node(
            state, request.member, state.operation
        )  # It would wait for the lost one for ever.
    if state.operation is not None:
        return Refused(f"operation {state.operation.number}, {state.operation.kind}, is under way")
    number = state.finished[-1].number + 1 if state.finished else 1
    match request:
        case AddNode(member):
            return _add_node(state, member, number)
        case RemoveNode(node):
            return _remove_node(state, node, number)
        case ReplaceNode(member):
            return _replace_node(state, member, Operation(number, "replace-node", member.node))
        case MoveReplica(partition, node, to):
            return _move_replica(state, partition, node, to, number)
        case AddPartitions(count):
            return _add_partitions(state, count, number)
        case SetReplication(replication):
            return _set_replication(state, replication, number)
        case SpreadSlots():
            return _spread_slots(state, number)


def advanced(state: ClusterState, reports: Mapping[int, GroupReport]) -> ClusterState | None:
    """The state after what was seen: partitions that are supplied serve, slots that have moved are elsewhere,
    an operation that is through is finished. None if nothing of that is news."""
    partitions = tuple(
        msgspec.structs.replace(plan, is_serving=True)
        if not plan.is_serving and plan.group in reports and reports[plan.group].is_supplied
        else plan
        for plan in state.partitions
    )
    if partitions != state.partitions:
        return _next(state, partitions=partitions)
    if state.move is not None:
        return _moved(state, state.move, reports.get(state.move.to))
    if state.operation is not None and all(_is_reached(state, plan, reports) for plan in state.plans):
        move = next_move(state) if is_spreading(state) else None
        return _finished(state) if move is None else _next(state, **_begun(state, move))
    return None


def _moved(state: ClusterState, move: SlotMove, taker: GroupReport | None) -> ClusterState | None:
    """The table follows the partitions, never the other way round: whoever it names has the slots."""
    if taker is None or taker.taken < move.number:
        return None
    moved = _next(state, slots=after_move(state.slots, move), move=None)
    may_go_on = is_spreading(state) and all(plan.is_serving for plan in state.partitions)
    following = next_move(moved) if may_go_on else None
    return moved if following is None else msgspec.structs.replace(moved, **_begun(moved, following))


def is_spreading(state: ClusterState) -> bool:
    """Whether the operation under way ends only when every partition has its share of the slots."""
    return state.operation is not None and state.operation.kind in _SPREADING


def _begun(state: ClusterState, move: SlotMove) -> dict[str, Any]:
    return {"move": move, "moves": move.number, "first_slots": state.first_slots or state.slots}


def _is_reached(state: ClusterState, plan: GroupPlan, reports: Mapping[int, GroupReport]) -> bool:
    report = reports.get(plan.group)
    return report is not None and report.is_settled and plan.is_serving and report.members == state.goal(plan)


def _finished(state: ClusterState, *, given_up: bool = False) -> ClusterState:
    assert state.operation is not None, "nothing is under way"
    operation = msgspec.structs.replace(state.operation, was_given_up=given_up)
    finished = (*state.finished, operation)[-FINISHED_MAX:]
    if given_up:
        return _next(state, operation=None, finished=finished)
    return _next(
        state,
        operation=None,
        finished=finished,
        leaving=(),
        controller=_held(state.controller),
        partitions=tuple(_held(plan) for plan in state.partitions),
    )


def _held(plan: GroupPlan) -> GroupPlan:
    return msgspec.structs.replace(plan, held=plan.replicas)


def _add_node(state: ClusterState, member: Member, number: int) -> ClusterState | Refused:
    if state.member(member.node) is not None:
        return Refused(f"there is a node {member.node} already")
    if any(one.node == member.node and one.incarnation != member.incarnation for one in state.leaving):
        return Refused(f"an earlier node {member.node} still holds replicas")
    members = tuple(sorted((*state.members, member), key=lambda one: one.node))
    placed = _placed(state, members, state.replication, Operation(number, "add-node", member.node))
    leaving = tuple(one for one in state.leaving if one.node != member.node)
    return msgspec.structs.replace(placed, leaving=leaving)


def _remove_node(state: ClusterState, node: int, number: int) -> ClusterState | Refused:
    leaving = state.member(node)
    if leaving is None:
        return Refused(f"there is no node {node}")
    members = tuple(member for member in state.members if member.node != node)
    if len(members) < state.replication:
        return Refused(f"{len(members)} nodes are too few for replication {state.replication}")
    placed = _placed(state, members, state.replication, Operation(number, "remove-node", node))
    return msgspec.structs.replace(placed, leaving=(*state.leaving, leaving))


def _replace_node(state: ClusterState, member: Member, operation: Operation) -> ClusterState | Refused:
    """Another incarnation of a node. An operation that is under way goes on with it."""
    old = state.member(member.node)
    if old is None:
        return Refused(f"there is no node {member.node} to be replaced")
    if old.incarnation == member.incarnation:
        return Refused(f"node {member.node} is what it was")
    alone = [plan.group for plan in state.plans if plan.held == (member.node,)]
    if alone:
        return Refused(f"groups {alone} stood on node {member.node} alone: their data is lost with its disk")
    return _next(state, members=_with(state.members, member), operation=operation)


def _move_node(state: ClusterState, member: Member) -> ClusterState | Refused:
    known = state.known(member.node, member.incarnation)
    if known is None:
        return Refused(f"there is no node {member.node} of this incarnation")
    if known == member:
        return Refused(f"node {member.node} is where it was")
    if known in state.leaving:
        return _next(state, leaving=_with(state.leaving, member))
    return _next(state, members=_with(state.members, member))


def _with(members: tuple[Member, ...], member: Member) -> tuple[Member, ...]:
    return tuple(member if one.node == member.node else one for one in members)


def _move_replica(
    state: ClusterState, partition: int, node: int, to: int, number: int
) -> ClusterState | Refused:
    plan = state.plan(partition)
    if plan is None or partition == CONTROLLER_GROUP:
        return Refused(f"there is no partition {partition}")
    if node not in plan.replicas:
        return Refused(f"node {node} is not to have a replica of partition {partition}")
    if state.member(to) is None:
        return Refused(f"there is no node {to}")
    if to in plan.replicas:
        return Refused(f"node {to} has a replica of partition {partition} already")
    replicas = tuple(to if one == node else one for one in plan.replicas)
    moved = msgspec.structs.replace(plan, replicas=replicas)
    partitions = tuple(moved if one.group == partition else one for one in state.partitions)
    return _next(
        state, partitions=partitions, operation=Operation(number, "move-replica", node, partition, to)
    )


def _add_partitions(state: ClusterState, count: int, number: int) -> ClusterState | Refused:
    present = len(state.partitions)
    if count < 1 or present + count > PARTITIONS_MAX:
        return Refused(f"a cluster has at most {PARTITIONS_MAX} partitions, and {present} are there")
    groups = range(1, present + count + 1)
    placed = place(_kept(state), state.members, groups, state.replication)
    made = tuple(
        msgspec.structs.replace(born(group, state.members, placed[group]), is_serving=False)
        for group in groups[present:]
    )
    operation = Operation(number, "add-partitions", 0, present + 1, present + count)
    return _next(state, partitions=(*state.partitions, *made), operation=operation)


def _set_replication(state: ClusterState, replication: int, number: int) -> ClusterState | Refused:
    if not 1 <= replication <= len(state.members):
        return Refused(f"replication {replication} of {len(state.members)} nodes")
    operation = Operation(number, "set-replication", to=replication)
    return _placed(state, state.members, replication, operation)


def _spread_slots(state: ClusterState, number: int) -> ClusterState | Refused:
    if left_to_move(state) == 0:
        return Refused("every partition has its share of the slots already")
    return _next(state, operation=Operation(number, "spread-slots"))


def _kept(state: ClusterState) -> dict[int, tuple[int, ...]]:
    return {plan.group: plan.replicas for plan in state.partitions}


def _placed(
    state: ClusterState, members: tuple[Member, ...], replication: int, operation: Operation
) -> ClusterState:
    """The same partitions over other members."""
    placed = place(_kept(state), members, [plan.group for plan in state.partitions], replication)
    voters = place(
        {CONTROLLER_GROUP: state.controller.replicas}, members, (CONTROLLER_GROUP,), CONTROLLER_VOTERS_MAX
    )
    return _next(
        state,
        members=members,
        replication=replication,
        controller=msgspec.structs.replace(state.controller, replicas=voters[CONTROLLER_GROUP]),
        partitions=tuple(
            msgspec.structs.replace(plan, replicas=placed[plan.group]) for plan in state.partitions
        ),
        operation=operation,
    )


def _next(state: ClusterState, **changes: object) -> ClusterState:
    return msgspec.structs.replace(state, version=state.version + 1, **changes)
