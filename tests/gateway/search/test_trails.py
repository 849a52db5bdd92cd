"""The read of a trail: which query it makes, and how it answers."""

from typing import Any

import aiohttp
import pytest

from bpmnd.actors.history.queries import Found, TrailOf
from tests.actors.history.histories import LocalHistory
from tests.gateway.search.conftest import Played, ask

ROWS = [(5, 1, '{"position":[5,1]}', "one"), (6, 2, '{"position":[6,2]}', "two")]


def at(key: int) -> str:
    return f"/bpmnd/process-instances/{key}/trail"


async def test_records_come_as_they_are_exported(
    client: aiohttp.ClientSession, history: LocalHistory, played: Played
) -> None:
    history.trail = Found(list(ROWS), 2, is_more=True)

    status, answer = await ask(client, "GET", f"{at(played.over)}?withCalled=true&limit=2")

    assert status == 200
    assert answer["items"] == [{"position": [5, 1]}, {"position": [6, 2]}]
    assert answer["page"]["hasMoreItems"]
    assert history.trails == [TrailOf(played.over, True, (0, 0), 2)]


async def test_a_cursor_goes_on_behind_the_last_record(
    client: aiohttp.ClientSession, history: LocalHistory, played: Played
) -> None:
    history.trail = Found(list(ROWS), 2, is_more=True)
    _, answer = await ask(client, "GET", at(played.over))
    await ask(client, "GET", f"{at(played.over)}?after={answer['page']['endCursor']}")
    assert history.trails == [TrailOf(played.over), TrailOf(played.over, after=(6, 2))]


async def test_a_trail_can_be_read_as_lines(
    client: aiohttp.ClientSession, history: LocalHistory, played: Played
) -> None:
    history.trail = Found(list(ROWS), 2)
    status, text = await ask(client, "GET", f"{at(played.over)}?format=text")
    assert status == 200
    lines = text.decode().splitlines()
    assert lines[0].split() == ["TIME", "WHO", "ELEMENT", "WHAT"]
    assert lines[1:] == ["one", "two"]


async def test_an_instance_that_left_nothing_is_a_404(client: aiohttp.ClientSession, played: Played) -> None:
    assert (await ask(client, "GET", at(played.over)))[0] == 404
    assert (await ask(client, "GET", at(9 << 51)))[0] == 404


@pytest.mark.parametrize(
    "asked",
    [
        "limit=0",
        "limit=10001",
        "limit=x",
        f"limit={'9' * 5000}",
        "format=xml",
        "withCalled=yes",
        "after=!",
        "after=WzFd",
    ],
)
async def test_what_cannot_be_read_is_a_400(
    client: aiohttp.ClientSession, played: Played, asked: str
) -> None:
    status, problem = await ask(client, "GET", f"{at(played.over)}?{asked}")
    assert status == 400
    place: Any = problem["detail"]
    assert asked.partition("=")[0] in place
