"""A real network that fails between the nodes of a cluster: what was acknowledged stands, on either side."""

from pathlib import Path
from typing import Final

import pytest

from tests.end_to_end.network_faults import (
    ALL,
    FLAPPING,
    LEADER_MUTE,
    survive,
)
from tests.end_to_end.networks import NoNamespacesError, networks
from tests.judged import JUDGE

pytestmark = pytest.mark.end_to_end

FAULTS: Final = 3 * ALL if JUDGE else (LEADER_MUTE, FLAPPING)
SECONDS: Final = 8.0 if JUDGE else 2.0


async def test_a_network_that_fails_loses_no_answer_and_is_recovered_from(tmp_path: Path) -> None:
    try:
        with networks((1, 2, 3)) as laid:
            survived = await survive(tmp_path / "cluster", laid, FAULTS, 1, seconds=SECONDS)
            assert laid.switch.lost > 0
    except NoNamespacesError as error:
        pytest.skip(f"no network namespaces here: {error}")

    assert len(survived) == len(FAULTS)
