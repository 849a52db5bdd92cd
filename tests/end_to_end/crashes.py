"""Kill a node under load, again and again, and see that nothing acknowledged is lost or doubled."""

import asyncio
import random
from pathlib import Path

from bpmnd.storage.verify import verify
from tests.bpmn.playground import END, START, path, process, task
from tests.end_to_end.load import History, Load, check_history, events_of
from tests.nodes import RunningNode

MODEL = process(START + task("work", "crash-work") + END + path("start", "work", "end"), process_id="crash")


async def kill_under_load(directory: Path, rounds: int, seed: int, *, partitions: int = 2) -> Load:
    """`rounds` times: load for a random moment, SIGKILL, restart. Then work everything off and check it."""
    chance = random.Random(seed)
    settings = ("--partitions", str(partitions))
    with RunningNode(directory, *settings) as node:
        load = Load([node.address], "crash", "crash-work")
        await load.deploy(MODEL)
        for _ in range(rounds):
            running = asyncio.ensure_future(load.run(chance.uniform(0.3, 1.2) + 0.3))
            await asyncio.sleep(chance.uniform(0.2, 1.2))
            node.kill()
            await running
            await asyncio.to_thread(node.restart)
        await load.work_off()
        assert node.terminate() == 0

    check_history(load, History(events_of(directory, running=False)))
    for partition in range(1, partitions + 1):
        report = verify(directory / "partitions" / str(partition))
        assert report.damage is None, report
    return load
