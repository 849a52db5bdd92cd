"""Some seeds of the simulator on every run; that it repeats itself, and that it finds what was planted.

`make sim SEEDS=2000` runs as many as wanted.
"""

import os
import subprocess
import sys

import pytest

from tests.judged import JUDGE
from tests.simulation.command import kinds_of, replay_of
from tests.simulation.planted import BUGS, planted
from tests.simulation.simulation import simulate

SEEDS = range(12)
FOUND_WITHIN = 200
CHEAP = {"vote-not-persisted": 7, "answer-before-commit": 12, "checkpoint-ahead-of-commit": 3}
"""Bug -> the seed to begin with."""
FAULTS_FOR = {
    "rejection-before-confirmation": "freeze,isolate,pause,cut",
    "hidden-damage-stays": "flip,trim",
    "slots-moved-without-ids": "+grow",
    "slots-moved-without-records": "+grow",
}
"""What a leader must not notice is found sooner without faults of other kinds; slots have to move."""

FIRST_FOR = {"rejection-before-confirmation": 300}
"""One seed in some seventy finds it, and by chance none of the first two hundred."""


GROWS = 33
"""From here on most seeds get partitions that slots move to while there are faults."""
DIFFERS = 0
"""A seed with several replicas, of which one has another applier than the others if it is planted."""


@pytest.mark.parametrize("seed", SEEDS)
def test_a_cluster_keeps_its_promises_whatever_fails(seed: int) -> None:
    report = simulate(seed)
    assert report.violation is None, f"{report.violation}\n{replay_of(seed)}"


@pytest.mark.parametrize("seed", range(200 if JUDGE else 2))
def test_slots_move_to_partitions_that_are_added_whatever_fails(seed: int) -> None:
    report = simulate(GROWS + seed, kinds_of("+grow"))
    assert report.violation is None, f"{report.violation}\n{replay_of(GROWS + seed, '+grow')}"


def test_replicas_compare_their_states_and_find_one_that_has_another() -> None:
    kinds = kinds_of("none")
    assert simulate(DIFFERS, kinds).states > 0
    with planted("applier-differs-on-one-replica"):
        violation = simulate(DIFFERS, kinds).violation
    assert violation is not None
    assert "others have another state" in violation


def trace_of(hash_seed: str) -> str:
    command = [sys.executable, "-m", "tests.simulation", "--seeds", "3", "--trace"]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return "\n".join(line for line in run.stdout.splitlines() if "trace" in line)


def test_a_seed_gives_the_same_trace_in_every_process() -> None:
    first = trace_of("1")
    assert first.count("trace") == 3
    assert trace_of("2") == first


def seed_that_finds(bug: str, first: int = 0) -> int | None:
    kinds = kinds_of(FAULTS_FOR.get(bug, ""))
    with planted(bug):
        for seed in range(first, first + FOUND_WITHIN):
            if simulate(seed, kinds).violation is not None:
                return seed
    return None


@pytest.mark.parametrize("bug", CHEAP)
def test_a_planted_bug_is_found_soon(bug: str) -> None:
    assert seed_that_finds(bug, CHEAP[bug]) is not None


@pytest.mark.skipif(not JUDGE, reason="takes minutes: BPMND_JUDGE=1 or `make judge`")
@pytest.mark.parametrize("bug", sorted(BUGS))
def test_every_planted_bug_is_found_within_200_seeds(bug: str) -> None:
    seed = seed_that_finds(bug, FIRST_FOR.get(bug, 0))
    assert seed is not None, f"{bug} was not found"
    print(f"{bug}: seed {seed}")
