"""Operations on the cluster as JSON: what is asked for, and how it stands."""

from collections import Counter
from typing import Annotated, Any, Final, TypeAlias

import msgspec

from bpmnd.actors.control import Control
from bpmnd.actors.node import Node
from bpmnd.cluster.membership import CONTROLLER_GROUP, ClusterState, GroupPlan, Member, Operation, node_of
from bpmnd.cluster.operations import (
    AddNode,
    AddPartitions,
    GiveUp,
    MoveReplica,
    RemoveNode,
    ReplaceNode,
    Request,
    SetReplication,
    SpreadSlots,
    is_spreading,
)
from bpmnd.cluster.spreading import left_to_move, owners_of


class NotUnderstood(Exception):  # noqa: N818  says what is wrong
    """What is asked for cannot be read, or is about a node that is not there."""


_NAME_LENGTH_MAX: Final = 256
_Name: TypeAlias = Annotated[str, msgspec.Meta(max_length=_NAME_LENGTH_MAX)]


class _Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="operation", kw_only=True):
    by: _Name = ""
    """Who asks, by his own word."""


class _AddNode(_Wanted, frozen=True, forbid_unknown_fields=True, tag="add-node"):
    node: int


class _RemoveNode(_Wanted, frozen=True, forbid_unknown_fields=True, tag="remove-node"):
    node: int


class _ReplaceNode(_Wanted, frozen=True, forbid_unknown_fields=True, tag="replace-node"):
    node: int


class _MoveReplica(_Wanted, frozen=True, forbid_unknown_fields=True, tag="move-replica"):
    partition: int
    node: int
    to: int


class _AddPartitions(_Wanted, frozen=True, forbid_unknown_fields=True, tag="add-partitions"):
    count: int


class _SetReplication(_Wanted, frozen=True, forbid_unknown_fields=True, tag="set-replication"):
    replication: int


class _SpreadSlots(_Wanted, frozen=True, forbid_unknown_fields=True, tag="spread-slots"):
    pass


class _GiveUp(_Wanted, frozen=True, forbid_unknown_fields=True, tag="give-up"):
    pass


_Asked: TypeAlias = (
    _AddNode
    | _RemoveNode
    | _ReplaceNode
    | _MoveReplica
    | _AddPartitions
    | _SetReplication
    | _SpreadSlots
    | _GiveUp
)
_DECODER: Final[msgspec.json.Decoder[_Asked]] = msgspec.json.Decoder(_Asked)


def wanted_of(body: bytes, control: Control) -> Request:
    """The request in a JSON body. Raises NotUnderstood."""
    try:
        wanted = _DECODER.decode(body)
    except msgspec.DecodeError as error:
        raise NotUnderstood(str(error)) from error
    return msgspec.structs.replace(_request_of(wanted, control), by=wanted.by)


def _request_of(wanted: _Asked, control: Control) -> Request:
    match wanted:
        case _AddNode(node):
            return AddNode(_leaving(control, node) or _applicant(control, node))
        case _ReplaceNode(node):
            return ReplaceNode(_applicant(control, node))
        case _RemoveNode(node):
            return RemoveNode(node)
        case _MoveReplica(partition, node, to):
            return MoveReplica(partition, node, to)
        case _AddPartitions(count):
            return AddPartitions(count)
        case _SetReplication(replication):
            return SetReplication(replication)
        case _SpreadSlots():
            return SpreadSlots()
        case _GiveUp():
            return GiveUp()


def _leaving(control: Control, node: int) -> Member | None:
    """A node that was to be removed and has not gone yet may stay after all."""
    state = control.state
    leaving = () if state is None else state.leaving
    return next((member for member in leaving if member.node == node), None)


def _applicant(control: Control, node: int) -> Member:
    member = control.applicants.get(node)
    if member is None:
        raise NotUnderstood(
            f"node {node} has not introduced itself here: start it with --join and this node's peer address,"
            " on an empty directory"
        )
    return member


def cluster_report(node: Node) -> dict[str, Any]:
    """The cluster as this node knows it: members, goals, where the groups are, and what is under way."""
    state = node.control.state
    if state is None:
        return {"clusterId": None, "applicants": sorted(node.control.applicants)}
    reports = node.reports()
    controller = node.control.controller
    if controller is not None and controller.leads:
        reports[CONTROLLER_GROUP] = controller.report()
    members = [
        {
            "nodeId": member.node,
            "host": member.host,
            "peer": member.peer_address,
            "connected": member.node == node.identity.node or member.node in node.peers.connected,
        }
        for member in state.members
    ]

    def group(plan: GroupPlan) -> dict[str, Any]:
        report = reports.get(plan.group)
        goal = state.goal(plan)
        return {
            "group": plan.group,
            "goal": list(plan.replicas),
            "members": sorted(node_of(member) for member in report.members) if report else None,
            "reached": report is not None and report.is_settled and report.members == goal,
            "serving": plan.is_serving,
        }

    return {
        "clusterId": state.cluster_id,
        "version": state.version,
        "replication": state.replication,
        "controllerLeader": _leader_of_controller(node),
        "members": members,
        "leaving": sorted(member.node for member in state.leaving),
        "installing": _installing(node),
        "applicants": sorted(node.control.applicants),
        "groups": [group(plan) for plan in state.plans],
        "operation": _operation(state.operation),
        "slots": _slots(state),
        "finished": [_operation(operation) for operation in state.finished],
    }


def _leader_of_controller(node: Node) -> int | None:
    controller = node.control.controller
    if controller is not None and controller.leads:
        return node.identity.node
    leader = node.peers.leader_of(CONTROLLER_GROUP)
    return None if leader is None else leader[1]


def _installing(node: Node) -> list[dict[str, Any]]:
    """Copies of partitions that are on their way to a node."""
    statuses = {node.identity.node: node.status(), **node.peers.statuses}
    return [
        {"nodeId": number, "partitionId": replica.partition, "progress": replica.installing}
        for number, status in sorted(statuses.items())
        for replica in status.replicas
        if replica.installing
    ]


def _slots(state: ClusterState) -> dict[str, Any]:
    """Partition -> how many correlation slots it has; what is on its way, and how many are still to go."""
    shown: dict[str, Any] = {
        "owned": {str(group): count for group, count in sorted(Counter(owners_of(state.slots)).items())}
    }
    if state.move is not None:
        shown["moving"] = {
            "number": state.move.number,
            "from": state.move.giver,
            "to": state.move.to,
            "slots": sum(count for _, count in state.move.slots),
        }
    if is_spreading(state):
        shown["left"] = left_to_move(state)
    return shown


def _operation(operation: Operation | None) -> dict[str, Any] | None:
    if operation is None:
        return None
    shown: dict[str, Any] = {"number": operation.number, "kind": operation.kind}
    shown |= {name: value for name in ("node", "partition", "to") if (value := getattr(operation, name))}
    if operation.by:
        shown["by"] = operation.by
    if operation.was_given_up:
        shown["givenUp"] = True
    return shown
