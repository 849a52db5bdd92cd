"""What stands in deploy/ can be used as it is."""

import configparser
import shlex
import shutil
import subprocess
import tomllib
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from bpmnd.cli import main
from bpmnd.config import address_of, load, nodes_of

DEPLOY: Final = Path(__file__).parents[1] / "deploy"
UNIT: Final = DEPLOY / "bpmnd@.service"
PROFILES: Final = ("s", "m", "l")


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_is_a_configuration_that_can_found_a_cluster(profile: str) -> None:
    config = load(DEPLOY / f"{profile}.toml", environment={})

    nodes = nodes_of(config.cluster.nodes)
    hosts = Counter(address_of(address)[0] for address in nodes.values())
    assert not nodes or config.node.id in nodes
    assert config.cluster.replication <= max(1, len(hosts)), "replicas stand on different hosts"
    assert config.cluster.partitions % max(1, len(nodes)) == 0, "leaders spread evenly"
    assert len(set(nodes.values())) == len(nodes)
    assert config.http.reuse_port == (max(hosts.values(), default=1) > 1)


def test_the_profiles_are_one_node_three_nodes_and_machines_times_cores() -> None:
    sizes = [
        len(nodes_of(load(DEPLOY / f"{profile}.toml", environment={}).cluster.nodes)) for profile in PROFILES
    ]
    assert sizes == [0, 3, 12]


def test_the_unit_starts_a_node_with_flags_that_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]  # names as they stand
    unit.read(UNIT)
    program, command, *flags = shlex.split(unit["Service"]["ExecStart"].replace("%i", "3"))
    assert (Path(program).name, command) == ("bpmnd", "start")
    flags[flags.index("--config") + 1] = str(DEPLOY / "m.toml")

    assert main(["config", "show", *flags]) == 0

    shown = tomllib.loads(capsys.readouterr().out)
    assert (shown["node"]["id"], shown["node"]["data_dir"]) == (3, "/var/lib/bpmnd/3")
    directories = unit["Service"]["StateDirectory"].replace("%i", "3").split()
    assert Path("/var/lib") / directories[-1] == Path(shown["node"]["data_dir"])


def test_systemd_knows_every_line_of_the_unit(tmp_path: Path) -> None:
    """The program is not installed here, so the unit is given one that is."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("there is no systemd-analyze")
    unit = tmp_path / "bpmnd@3.service"
    unit.write_text(UNIT.read_text().replace("/opt/bpmnd/bin/bpmnd", "/bin/true"))
    command = (analyze, "verify", "--man=no", "--generators=no", str(unit))
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    complaints = [line for line in done.stderr.splitlines() if str(unit) in line or "bpmnd@" in line]
    assert complaints == []
