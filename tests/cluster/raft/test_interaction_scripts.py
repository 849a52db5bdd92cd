"""Whole groups, held to etcd's interaction scripts: Readys, messages, states, progress and errors.

Left out of the comparison, everywhere: the lines of etcd's logger (INFO, DEBUG and so on), since we have no
logger in here; what they tell shows in the states and messages that are compared.
"""

import re
from itertools import zip_longest
from pathlib import Path

import pytest

from tests.cluster.raft.script_group import ScriptGroup
from tests.cluster.raft.scripts import SCRIPTS, commands_of

LEFT_OUT = {
    "confchange_disable_validation": "a change that may not fit the configuration never enters our log",
    "forget_leader_read_only_lease_based": "we have no reads by lease: a clock is never trusted (design §3)",
}

PATHS = sorted((SCRIPTS / "testdata").glob("*.txt"))
_LOGGED = re.compile(r"\s*(DEBUG|INFO|WARN|ERROR) ")


def without_log(text: str) -> list[str]:
    lines = [line.rstrip() for line in text.splitlines() if not _LOGGED.match(line)]
    return [line for line in lines if line] or ["ok"]


def test_the_scripts_are_here() -> None:
    assert len(PATHS) == 28
    assert set(LEFT_OUT) <= {path.stem for path in PATHS}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_group_behaves_as_the_script_says(path: Path) -> None:
    if path.stem in LEFT_OUT:
        pytest.skip(LEFT_OUT[path.stem])
    group = ScriptGroup()
    for command in commands_of(path):
        said, expected = without_log(group.run(command)), without_log(command.expected)
        if said != expected:
            pairs = zip_longest(said, expected, fillvalue="(nothing)")
            difference = "\n".join(f"said     {a}\nexpected {b}" for a, b in pairs if a != b)
            pytest.fail(f"{command.place}: {command.name} {command.rest}\n{difference}")
