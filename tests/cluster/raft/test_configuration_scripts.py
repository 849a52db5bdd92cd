"""Changes of the members, to the letter of etcd's scripts."""

from pathlib import Path

import pytest

from bpmnd.cluster.raft import Configuration, Operation, Refusal
from tests.cluster.raft.formatting import configuration_text, operations_of, progress_text
from tests.cluster.raft.scripts import SCRIPTS, Command, commands_of

PATHS = sorted((SCRIPTS / "confchange" / "testdata").glob("*.txt"))


class Group:
    """A configuration, and the round in which each member was first replicated to."""

    def __init__(self) -> None:
        self.configuration = Configuration()
        self.next_indexes: dict[int, int] = {}
        self.round = 0

    def run(self, command: Command) -> str:
        changed = self.changed(command, operations_of(command.lines))
        try:
            if isinstance(changed, Refusal):
                return changed.reason
            self.configuration = changed
            self.next_indexes = {
                member: self.next_indexes.get(member, max(self.round, 1)) for member in changed.members
            }
            rows = [configuration_text(changed)]
            for member, next_index in self.next_indexes.items():
                learner = member in changed.learners
                rows.append(f"{member}: {progress_text('StateProbe', 0, next_index, learner=learner)}")
            return "\n".join(rows)
        finally:
            self.round += 1

    def changed(
        self, command: Command, operations: tuple[tuple[Operation, int], ...]
    ) -> Configuration | Refusal:
        match command.name:
            case "simple":
                return self.configuration.simple(operations)
            case "enter-joint":
                return self.configuration.joint(operations, auto_leave=command.flag("autoleave"))
            case "leave-joint":
                return self.configuration.without_outgoing()
            case name:
                raise AssertionError(f"{command.place}: what is {name}?")


def test_the_scripts_are_here() -> None:
    assert len(PATHS) == 9


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_members_change_as_the_script_says(path: Path) -> None:
    group = Group()
    for command in commands_of(path):
        assert group.run(command) == command.expected.rstrip(), command.place
