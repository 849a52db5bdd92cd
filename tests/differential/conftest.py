from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.differential.comparison import Comparison, Side
from tests.differential.oracle import NoOracleError, Oracle, running_oracle
from tests.differential.records import NodeRecords, OracleRecords
from tests.judged import JUDGE
from tests.nodes import RunningNode

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this starts real nodes; what is not marked as representative belongs to the long form."""
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.end_to_end)
            if not JUDGE and item.get_closest_marker("representative") is None:
                item.add_marker(pytest.mark.skip(reason="long form, for `make judge` (BPMND_JUDGE=1)"))


@pytest.fixture(scope="session")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracle]:
    try:
        with running_oracle(tmp_path_factory.mktemp("zeebe")) as oracle:
            yield oracle
    except NoOracleError as error:
        pytest.skip(f"no oracle to compare with: {error}")


@pytest.fixture(scope="session")
def compare(oracle: Oracle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Comparison]:
    directory = tmp_path_factory.mktemp("bpmnd") / "data"
    with RunningNode(directory, "--partitions", "1") as node:
        records = OracleRecords(oracle.log)
        yield Comparison(Side(node.address, NodeRecords(directory)), Side(oracle.address, records))
        records.close()
