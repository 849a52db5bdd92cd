"""Majorities, to the letter of etcd's scripts."""

from collections.abc import Mapping
from typing import TypeVar

import pytest

from bpmnd.cluster.raft.quorum import NO_BOUND, Election, agreed, election, joint_election, jointly_agreed
from tests.cluster.raft.scripts import SCRIPTS, Command, commands_of

QUORUM = SCRIPTS / "quorum" / "testdata"
COMMANDS = [command for path in sorted(QUORUM.glob("*.txt")) for command in commands_of(path)]
T = TypeVar("T")
ELECTIONS = {Election.PENDING: "VotePending", Election.WON: "VoteWon", Election.LOST: "VoteLost"}


def halves(command: Command) -> tuple[list[int], list[int], bool]:
    """The voters, the outgoing ones, and whether the script means a joint group."""
    joint = "cfgj" in command.options
    outgoing = [] if command.options.get("cfgj") == ("zero",) else list(command.numbers("cfgj"))
    return list(command.numbers("cfg")), outgoing, joint


def by_member(values: Mapping[str, T], command: Command, option: str) -> dict[int, T]:
    """Values in the order in which members are first named; `_` stands for an unknown one."""
    voters, outgoing, _ = halves(command)
    members = list(dict.fromkeys([*voters, *outgoing]))
    given = command.options.get(option, ())
    assert len(given) == len(members), f"{command.place}: {given} for {members}"
    return {member: values[text] for member, text in zip(members, given, strict=True) if text != "_"}


def index_text(index: int) -> str:
    return "∞" if index == NO_BOUND else str(index)


def chart(members: list[int], indexes: dict[int, int]) -> str:
    """As etcd draws it: a bar as long as the number of members that are behind."""
    if not members:
        return "<empty majority quorum>"
    width = len(members)
    rows = [" " * width + "    idx"]
    for member in sorted(members):
        if member in indexes:
            behind = sum(indexes.get(other, 0) < indexes[member] for other in members)
            bar = "x" * behind + ">" + " " * (width - behind)
        else:
            bar = "?" + " " * width
        rows.append(f"{bar} {indexes.get(member, 0):5d}    (id={member})")
    return "\n".join(rows) + "\n"


def committed(command: Command) -> str:
    voters, outgoing, joint = halves(command)
    texts = {text: int(text) for text in command.options.get("idx", ()) if text != "_"}
    indexes = by_member(texts, command, "idx")
    index = jointly_agreed(
        [indexes.get(member, 0) for member in voters], [indexes.get(member, 0) for member in outgoing]
    )
    if not joint:
        assert index == agreed([indexes.get(member, 0) for member in voters])
    return chart(list(dict.fromkeys([*voters, *outgoing])), indexes) + index_text(index)


def vote(command: Command) -> str:
    voters, outgoing, joint = halves(command)
    votes = by_member({"y": True, "n": False}, command, "votes")
    result = joint_election(voters, outgoing, votes)
    if not joint:
        assert result is election(voters, votes)
    return ELECTIONS[result]


def test_the_scripts_are_here() -> None:
    assert len(COMMANDS) == 127


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.place)
def test_a_quorum_decides_as_the_script_says(command: Command) -> None:
    said = {"committed": committed, "vote": vote}[command.name](command)
    assert said == command.expected
