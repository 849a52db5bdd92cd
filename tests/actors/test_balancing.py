"""To whom leaders hand over, as the plan and the clocks of the nodes have it."""

from dataclasses import dataclass, field

from bpmnd.actors.balancing import Balancing
from bpmnd.actors.messages import HandOver
from bpmnd.cluster.membership import Member, found

HERE, NEXT, THIRD = 1, 2, 3
ITSELF = 0


@dataclass
class Nodes:
    """The others: who is there, and whose clocks are wrong."""

    connected: set[int] = field(default_factory=lambda: {NEXT, THIRD})
    wrong: set[int] = field(default_factory=set[int])
    """`ITSELF` is the clock here."""

    def is_far_off(self, node: int | None = None) -> bool:
        return (ITSELF if node is None else node) in self.wrong


@dataclass
class Leader:
    told: list[HandOver] = field(default_factory=list[HandOver])

    def tell(self, message: HandOver) -> None:
        self.told.append(message)


MEMBERS = tuple(Member(node, 7, f"host{node}", f"node{node}:1") for node in (HERE, NEXT, THIRD))
STATE = found("cluster", MEMBERS, 1, 3)
PLAN = STATE.partitions[0]
IDS = {member.node: member.id for member in MEMBERS}
LOOKS = 10


def told(nodes: Nodes, *, here: int = HERE) -> set[HandOver]:
    """What a leader on the node is told when it is looked at for a while."""
    leader, balancing = Leader(), Balancing(here, nodes)
    for _ in range(LOOKS):
        balancing.look(STATE, PLAN, leader)
    return set(leader.told)


def test_who_is_to_lead_leads_on() -> None:
    assert PLAN.replicas[0] == HERE
    assert told(Nodes()) == set()


def test_who_is_not_to_lead_hands_over_to_who_is() -> None:
    assert told(Nodes({HERE, THIRD}), here=NEXT) == {HandOver((IDS[HERE],))}


def test_nobody_hands_over_to_who_is_not_there() -> None:
    assert told(Nodes({THIRD}), here=NEXT) == set()


def test_nobody_hands_over_to_a_clock_that_is_wrong() -> None:
    assert told(Nodes({HERE, THIRD}, wrong={HERE}), here=NEXT) == set()


def test_a_leader_with_a_wrong_clock_hands_over_to_any_whose_clock_is_right() -> None:
    assert told(Nodes(wrong={ITSELF, THIRD})) == {HandOver((IDS[NEXT],))}


def test_a_leader_with_a_wrong_clock_goes_on_where_no_other_is_right() -> None:
    assert told(Nodes(wrong={ITSELF, NEXT, THIRD})) == set()
    assert told(Nodes({NEXT}, wrong={ITSELF, NEXT})) == set()
