"""Whatever a client sends: a fitting answer, nothing changed by what is refused, and a node that works on."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.api_content import populate, works
from tests.end_to_end.api_fuzz import Fuzz
from tests.end_to_end.api_requests import Api
from tests.gateway.schemas import API_FILE, ApiDescription
from tests.judged import JUDGE
from tests.nodes import Place, RunningNode

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(not API_FILE.exists(), reason=f"there is no API description at {API_FILE}"),
]

SEEDS = [random.randrange(10**6) for _ in range(5)] if JUDGE else [1]
REQUESTS = 6000 if JUDGE else 300


@pytest.fixture
def node(tmp_path: Path) -> Iterator[RunningNode]:
    place = Place(environment={"BPMND_HISTORY__ENABLED": "true"})
    with RunningNode(tmp_path / "data", "--partitions", "2", place=place) as node:
        yield node


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_is_sent_is_answered_as_described_and_harms_nothing(node: RunningNode, seed: int) -> None:
    deployed = populate(node)
    fuzz = Fuzz(node, Api(API_FILE), ApiDescription(API_FILE), seed)
    assert len(fuzz.operations) > 80
    fuzz.pool.harvest(deployed, fuzz.random)
    fuzz.look_around()
    fuzz.run(REQUESTS)
    fuzz.close()
    assert not fuzz.complaints, f"seed {seed}:\n" + "\n".join(fuzz.complaints)
    works(node)
    node.restart()
    works(node)
    said = node.said()
    assert "Traceback" not in said
    assert '"level": "error"' not in said
