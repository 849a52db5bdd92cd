"""Sequences, gateways, sub-processes: where a token goes, and in which order."""

import pytest

from tests.differential.comparison import Comparison
from tests.differential.models import END, START, flow, path, process, task
from tests.differential.play import Play

FORK_AND_JOIN = process(
    START
    + '<parallelGateway id="fork"/><parallelGateway id="join"/>'
    + task("a")
    + task("b")
    + task("after")
    + END
    + path("start", "fork", "a", "join", "after", "end")
    + path("fork", "b", "join")
)


@pytest.mark.representative
async def test_a_sequence_of_tasks(compare: Comparison) -> None:
    model = process(START + task("a") + task("b") + END + path("start", "a", "b", "end"))

    async def script(play: Play) -> None:
        instance = await play.create({"x": 1})
        await play.none("b")
        await play.work("a", {"y": 2})
        await play.work("b")
        await play.ends(instance)

    await compare(script, model)


async def test_both_branches_of_a_fork_are_joined(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("b")
        await play.none("after")
        await play.work("a")
        await play.work("after")
        await play.ends(instance)

    await compare(script, FORK_AND_JOIN)
