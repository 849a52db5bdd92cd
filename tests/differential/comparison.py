"""One model and one script of commands, played to bpmnd and to the oracle, and what differs."""

import asyncio
import difflib
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias, final

import aiohttp

from tests.differential.facts import Facts, facts_of
from tests.differential.models import RUN
from tests.differential.play import Play, StuckError
from tests.differential.records import Records

Script: TypeAlias = Callable[[Play], Awaitable[None]]

_HTTP_SECONDS_MAX: Final = 30.0


class Side(NamedTuple):
    address: str
    records: Records


class _Played(NamedTuple):
    report: list[str]
    stuck: StuckError | None


@final
class Comparison:
    """Both sides, to be compared as often as one likes: every run has its own process ids and job types."""

    def __init__(self, node: Side, oracle: Side) -> None:
        self._node = node
        self._oracle = oracle

    async def __call__(
        self, script: Script, *models: bytes, concurrent: str = "", known: Mapping[str, str] | None = None
    ) -> None:
        """Deploy the models, play the script, and assert that nothing differs.

        `concurrent` says why the order among elements may differ: then only each element's own is compared.
        `known` are differences that shall be: a line of bpmnd's -> the oracle's. One that is not there is an
        error, too.
        """
        run = f"diff-{uuid.uuid4().hex[:8]}-"
        sides = [_play(side, run, script, models, bool(concurrent)) for side in (self._oracle, self._node)]
        oracle, node = await asyncio.gather(*sides)
        report = _with_known(node.report, known or {})
        difference = difflib.unified_diff(oracle.report, report, "oracle", "bpmnd", n=4, lineterm="")
        text = "\n".join(difference)
        assert not text, f"bpmnd differs from the oracle:\n{text}"
        if oracle.stuck is not None:
            raise oracle.stuck


async def _play(side: Side, run: str, script: Script, models: Sequence[bytes], concurrent: bool) -> _Played:
    timeout = aiohttp.ClientTimeout(total=_HTTP_SECONDS_MAX)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        play = Play(http, side.address, side.records, run)
        stuck = None
        try:
            if models and not await play.deploy(*models):
                raise StuckError("the models are not deployed")
            await script(play)
        except StuckError as error:
            stuck = error
            play.lines.append(f"STUCK: {error}".replace(run, RUN))
        await play.finish()
    facts = facts_of(side.records.read(), run, concurrent=concurrent)
    return _Played([*play.lines, *_lines_of(facts, run)], stuck)


def _with_known(report: list[str], known: Mapping[str, str]) -> list[str]:
    for line in known:
        assert line in report, f"bpmnd does not differ any more: {line}"
    return [known.get(line, line) for line in report]


def _lines_of(facts: Facts, run: str) -> list[str]:
    lines: list[str] = []
    for heading, facts_under in facts.items():
        lines += [f"# {heading}", *facts_under]
    return [line.replace(run, RUN) for line in lines]
