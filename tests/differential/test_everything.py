"""The small models of all elements and event positions (end_to_end/everything.py), beside the oracle."""

from typing import Final, final

import pytest

from tests.differential.comparison import Comparison
from tests.differential.models import RUN, with_ends
from tests.differential.play import Play
from tests.end_to_end.everything import CALLED, CASES, DECIDED, Case

_PROCESS: Final = "process"
_LIVE_MS: Final = 60_000

_NEWER: Final = ("conditional", "bpmn:adHocSubProcess")
_BEYOND: Final = (
    "bpmn:complexGateway",
    "bpmn:transaction",
    "cancel ",
    "compensation start",
    "multiple ",
    "parallel multiple ",
)
_OTHERWISE: Final = ("bpmn:userTask",)
"""How the names begin of what 8.6 has not got, what Camunda refuses, and what it has with other listeners."""

COMPARED: Final = sorted(
    name
    for name in CASES
    if not name.startswith((*_NEWER, *_BEYOND, *_OTHERWISE)) and not name.endswith("standard loop")
)


@final
class Played:
    """A case as a script of commands for one of the sides."""

    def __init__(self, play: Play) -> None:
        self._play = play
        self._instance = 0
        self._published = 0

    async def create(self) -> None:
        self._instance = await self._play.create()

    async def publish(self) -> None:
        """To somebody who waits, so that what the two sides do in turn does not matter."""
        if self._instance:
            self._published += 1
            await self._play.waits_for("message", f"{_PROCESS}.message", self._published)
        await self._play.publish(f"{_PROCESS}.message", "key", live_ms=_LIVE_MS)

    async def evaluate_conditions(self) -> None:
        raise AssertionError("8.6 has no conditions")

    async def work(self, job: str, *, broadcast: bool = False) -> None:
        if broadcast:
            await self._play.waits_for("signal", f"{_PROCESS}.signal")
            await self._play.broadcast(f"{_PROCESS}.signal")
        await self._play.work(f"{_PROCESS}.{job}")

    async def complete_user_task(self, job: str) -> None:
        raise AssertionError(f"8.6 has no listener {job}")

    async def ended(self) -> None:
        await self._play.ends(self._instance)


def _content(case: Case) -> bytes:
    return with_ends(case.content(f"{RUN}{_PROCESS}"))


@pytest.mark.parametrize("name", COMPARED)
async def test_the_records_are_the_same(compare: Comparison, name: str) -> None:
    case = CASES[name]

    async def play_it(play: Play) -> None:
        await play.deploy_any({"called.bpmn": CALLED, "decided.dmn": DECIDED})
        await play.deploy(_content(case))
        await case.script(Played(play))

    await compare(play_it, concurrent="forks, and what comes from outside")
