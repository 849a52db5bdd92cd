"""What a cluster acknowledged stands, whichever nodes are killed, and service goes on; it prints how soon."""

import itertools
from pathlib import Path
from typing import Final

import pytest

from tests.end_to_end.cluster_crashes import KINDS, kill_under_load, table
from tests.judged import JUDGE

pytestmark = pytest.mark.end_to_end

ROUNDS: Final = 100 if JUDGE else 3


async def test_nothing_acknowledged_is_lost_or_doubled_by_killing_nodes_of_a_cluster(tmp_path: Path) -> None:
    kinds = list(itertools.islice(itertools.cycle(KINDS), ROUNDS))
    rounds, load = await kill_under_load(tmp_path / "cluster", kinds, seed=1)

    print(*table(rounds), sep="\n")
    print(f"{len(load.created)} instances, {len(load.completed)} jobs acknowledged, {load.unknown} unknown")
    assert len(load.completed) > ROUNDS * 10
