from pathlib import Path

import pytest

from tests.end_to_end.crashes import kill_under_load
from tests.judged import JUDGE

pytestmark = pytest.mark.end_to_end

ROUNDS = 50 if JUDGE else 4


@pytest.mark.parametrize("seed", [1])
async def test_nothing_acknowledged_is_lost_or_doubled_by_kills_under_load(tmp_path: Path, seed: int) -> None:
    load = await kill_under_load(tmp_path / "data", ROUNDS, seed)
    print(f"{ROUNDS} rounds: {len(load.created)} instances, {len(load.completed)} jobs acknowledged")
    assert len(load.completed) > ROUNDS * 10
