"""Disks that fail, clocks that jump, nodes that stand still, restarts in turn: the cluster goes on."""

import asyncio
import random
import time
from pathlib import Path
from typing import Final

import pytest

from tests.end_to_end.cluster_crashes import MODEL, check_cluster, served
from tests.end_to_end.load import Load
from tests.end_to_end.machines import Machine, NotPossibleError, SmallDisk, compiled, small_disk
from tests.end_to_end.network_faults import check_terms
from tests.end_to_end.trials import (
    A_DAY_AHEAD,
    A_DAY_BACK,
    ALL_A_DAY_AHEAD,
    ALL_A_DAY_BACK,
    CLOCK_MODEL,
    NO_SPACE,
    ROLLING_RESTART,
    STANDS_STILL,
    STANDS_STILL_LONG,
    SYNCS_FAIL,
    TIMER_MODEL,
    WRITES_FAIL,
    Stage,
    Trial,
)
from tests.judged import JUDGE
from tests.nodes import RunningCluster

pytestmark = pytest.mark.end_to_end

WITHOUT_LIBRARY: Final = (ROLLING_RESTART, STANDS_STILL, STANDS_STILL_LONG)
SHORT: Final = (ROLLING_RESTART, STANDS_STILL, WRITES_FAIL)
LONG: Final = (
    *(3 * (ROLLING_RESTART, WRITES_FAIL, SYNCS_FAIL, NO_SPACE)),
    *(STANDS_STILL_LONG, A_DAY_AHEAD, A_DAY_BACK, ALL_A_DAY_AHEAD, ALL_A_DAY_BACK),
)
_SMALL_DISK_MIB: Final = 160
_FULL_SECONDS_MAX: Final = 120.0
_REQUEST_SECONDS_MAX: Final = 60.0
"""Longer than any node stands still: its late answers count."""


async def test_no_trial_of_one_node_loses_or_doubles_what_was_acknowledged(tmp_path: Path) -> None:
    await run(tmp_path, LONG if JUDGE else SHORT)


async def run(directory: Path, trials: tuple[Trial, ...]) -> None:
    """Where no library can be made, at least what needs none; the rest is skipped, and says so."""
    machines: dict[int, Machine] = {}
    missing = ""
    try:
        library = compiled(directory)
        machines = {node: Machine(library, directory / f"faults-{node}") for node in (1, 2, 3)}
    except NotPossibleError as error:
        missing = f"no library that fails the disk: {error}"
        trials = tuple(trial for trial in trials if trial in WITHOUT_LIBRARY)
    await suffer(directory, trials, machines)
    if missing:
        pytest.skip(missing)


async def suffer(directory: Path, trials: tuple[Trial, ...], machines: dict[int, Machine]) -> None:
    places = {node: machine.place for node, machine in machines.items()}
    with await asyncio.to_thread(RunningCluster, directory / "cluster", places=places) as cluster:
        load = Load(cluster.addresses, "crash", "crash-work", request_seconds_max=_REQUEST_SECONDS_MAX)
        for model in (MODEL, CLOCK_MODEL, TIMER_MODEL):
            await load.deploy(model)
        stage = Stage(cluster, load, machines, random.Random(1))
        async with load.running(creators=9, workers=3):
            for trial in trials:
                print(await trial(stage), flush=True)
        await load.work_off()
        assert await asyncio.to_thread(cluster.terminate) == [0, 0, 0]
    check_cluster(cluster, load)
    check_terms(cluster)


@pytest.mark.skipif(not JUDGE, reason="long form, for `make judge` (BPMND_JUDGE=1)")
async def test_a_node_whose_disk_is_full_exits_and_comes_back_when_there_is_room(tmp_path: Path) -> None:
    directory, mounted = tmp_path / "cluster", tmp_path / "small"
    directory.mkdir()
    try:
        with small_disk(mounted, _SMALL_DISK_MIB) as disk:
            data = directory / "node-1"
            disk.outside.joinpath("data").mkdir()
            mounted.joinpath("data").mkdir()  # What the link leads to for those who do not see the mount.
            data.symlink_to(mounted / "data")
            with await asyncio.to_thread(RunningCluster, directory, places={1: disk.place}) as cluster:
                load = await _suffer_from_full_disk(cluster, disk)
            data.unlink()
            data.symlink_to(disk.outside / "data")
            check_cluster(cluster, load)
    except NotPossibleError as error:
        pytest.skip(f"no small disk: {error}")


async def _suffer_from_full_disk(cluster: RunningCluster, disk: SmallDisk) -> Load:
    load = Load(cluster.addresses, "crash", "crash-work")
    await load.deploy(MODEL)
    async with load.running():
        await asyncio.sleep(1)
        disk.fill()
        status = await asyncio.to_thread(cluster.nodes[1].exit_status, _FULL_SECONDS_MAX)
        assert status == 1, cluster.nodes[1].said()
        assert "No space left" in cluster.nodes[1].said()
        await served(load, cluster.partitions, time.monotonic(), 20)
        disk.make_room()
        await asyncio.to_thread(cluster.start, 1)
        await served(load, cluster.partitions, time.monotonic(), 20, cluster.addresses)
    await load.work_off()
    assert await asyncio.to_thread(cluster.terminate) == [0, 0, 0]
    return load
