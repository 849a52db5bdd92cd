"""Random models, played at random, are the same on both sides."""

from random import Random
from typing import Final

import pytest

from tests.differential.comparison import Comparison
from tests.differential.play import Play
from tests.differential.random_models import Models
from tests.differential.random_plays import Meddler
from tests.judged import JUDGE

_SEEDS: Final = range(40 if JUDGE else 2)
_ACTS: Final = 14 if JUDGE else 6


async def compare_seed(compare: Comparison, seed: int) -> None:
    chance = Random(seed)
    models = Models(chance)
    called = models.model("called", depth=1)
    models.elements.clear()
    model = models.model(called="called")
    # Modified, joins and scopes that are not active yet differ, as docs/support.md tells.
    known = (b"inclusiveGateway", b'executionListener eventType="start"')
    modifies = not any(each in model for each in known) and chance.random() < 0.4

    async def script(play: Play) -> None:
        await Meddler(play, Random(seed), models, modifies=modifies).play(_ACTS)

    await compare(script, called, model, concurrent="blocks beside each other")


@pytest.mark.representative
@pytest.mark.parametrize("seed", _SEEDS)
async def test_a_random_model_played_at_random(compare: Comparison, seed: int) -> None:
    await compare_seed(compare, seed)
