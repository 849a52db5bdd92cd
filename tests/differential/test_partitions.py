"""All the scripts of this directory once more, without an oracle: on one partition, and on three."""

from collections.abc import Iterator
from typing import Final

import pytest

from tests.differential import (
    test_deployments,
    test_errors,
    test_flow,
    test_incidents,
    test_instances,
    test_jobs,
    test_messages,
    test_parallel,
    test_signals,
    test_timers,
    test_values,
    test_variables,
)
from tests.differential.cluster import Sameness
from tests.nodes import RunningCluster, RunningNode

_ORDERED: Final = ("test_many_instances_at_once", "test_jobs_are_handed_out_oldest_first")

for _module in (
    test_deployments,
    test_errors,
    test_flow,
    test_incidents,
    test_instances,
    test_jobs,
    test_messages,
    test_parallel,
    test_signals,
    test_timers,
    test_values,
    test_variables,
):
    _topic = _module.__name__.rpartition(".")[2]
    globals().update(
        {
            f"{_topic}_{name.removeprefix('test_')}": test
            for name, test in vars(_module).items()
            if name.startswith("test_")
        }
    )


@pytest.fixture(scope="module")
def sameness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sameness]:
    directory = tmp_path_factory.mktemp("partitions")
    with (
        RunningNode(directory / "alone", "--partitions", "1") as node,
        RunningCluster(directory / "cluster") as cluster,
    ):
        yield Sameness(node, cluster)


@pytest.fixture
def compare(sameness: Sameness, request: pytest.FixtureRequest) -> Sameness:
    """In place of the comparison with the oracle, for what is imported here."""
    if request.function.__name__ in _ORDERED:
        pytest.skip("jobs are handed out in the order of their creation within a partition, not over several")
    return sameness
