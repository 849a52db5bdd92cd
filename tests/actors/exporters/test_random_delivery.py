"""Random lives of an exporter on two nodes: it fails, leaders change, processes die, segments move."""

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from bpmnd.actors.exporters.protocol import Source
from bpmnd.actors.exporters.records import Record, Records
from bpmnd.bpmn.codec import decode_frame
from bpmnd.bpmn.commands import AcknowledgeExport
from tests.actors.exporters.deliveries import BOOKKEEPING, Receiver, Side, Written
from tests.judged import JUDGE

SEEDS: Final = range(300 if JUDGE else 6)
STEPS: Final = 40


class Place:
    """Where all instances bring their records, and by chance do something else with them."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.is_hostile = True
        self.received: dict[tuple[int, int], Record] = {}
        self.repeats = 0
        self.wrong: list[str] = []

    def take(self, records: Sequence[Record]) -> None:
        for record in records:
            known = self.received.setdefault(record.position, record)
            self.repeats += known is not record
            self.expect(known == record, f"{record} was {known} before")

    def expect(self, holds: bool, what: str) -> None:
        """What an exporter raises is only tried again: so it is said at the end."""
        if not holds:
            self.wrong.append(what)


class Fickle:
    """An instance of the exporter."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._last = 0
        self._source: Source | None = None

    async def open(self, source: Source) -> None:
        self._source = source
        self._last = source.position
        self._maybe_fail(0.05)

    async def export(self, records: Sequence[Record]) -> None:
        place, source = self._place, self._source
        assert source is not None, "it is opened first"
        positions = [record.position for record in records]
        place.expect(positions == sorted(set(positions)), f"in order: {positions}")
        place.expect(positions[0][0] > self._last, f"{positions[0]} after entry {self._last}")
        self._last = positions[-1][0]
        self._maybe_fail(0.1)
        if place.is_hostile and place.chance.random() < 0.1:
            place.take(records[: place.chance.randrange(len(records))])
            await asyncio.sleep(3600)
        place.take(records)
        self._maybe_fail(0.1)
        match place.chance.randrange(3) if place.is_hostile else 0:
            case 0:
                source.acknowledge(self._last)
            case 1:
                asyncio.get_running_loop().call_later(0.02, source.acknowledge, self._last)
            case _:
                pass  # With the next ones.

    async def close(self) -> None:
        self._maybe_fail(0.1)

    def _maybe_fail(self, share: float) -> None:
        if self._place.is_hostile and self._place.chance.random() < share:
            raise RuntimeError("planted")


class Two:
    """Two nodes over one log, one of which leads, and what the partition keeps."""

    def __init__(self, directory: Path, place: Place) -> None:
        self.written = Written()
        self.kept = 0
        self.leader = 0
        self._directory = directory
        self._place = place
        self.sides = [self._made(0), self._made(1)]

    def _made(self, number: int) -> Side:
        directory = self._directory / str(number)
        make = lambda: Fickle(self._place)  # noqa: E731 - it is what a process is configured with
        return Side(self.written, directory, Receiver(), seconds_max=0.05, make=make)

    def keep(self) -> None:
        """The partition keeps what its leader has acknowledged."""
        position = self.sides[self.leader].position
        if position > self.kept:
            self.kept = position
            self.written.playground.do(AcknowledgeExport("test", position, 0))
            self.written.write()

    def tell(self) -> None:
        for number, side in enumerate(self.sides):
            side.tell(self.kept, leads=number == self.leader)

    def expected(self) -> set[tuple[int, int]]:
        """The positions of all records that exporters get; hashes are not of interest here."""
        records = Records(1)
        return {
            record.position
            for index, frame in enumerate(self.written.playground.frames, 1)
            for record in records.of(index, decode_frame(frame))
            if (record.value_type, record.intent) not in BOOKKEEPING
        }

    async def begin_anew(self, number: int) -> None:
        await self.sides[number].stop()
        self.sides[number] = self._made(number)


@pytest.mark.parametrize("seed", SEEDS)
async def test_nothing_is_missing_whatever_happens(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    place = Place(chance)
    two = Two(tmp_path, place)
    for _ in range(STEPS):
        match chance.randrange(8):
            case 0 | 1 | 2:
                two.written.create(chance.randint(1, 4))
            case 3:
                two.leader = chance.randrange(2)
            case 4:
                await two.begin_anew(chance.randrange(2))
            case 5:
                two.written.archive(two.kept)
            case _:
                two.keep()
        two.tell()
        await asyncio.sleep(chance.choice((0, 0.001, 0.01)))

    place.is_hostile = False
    for _ in range(200):
        two.keep()
        two.tell()
        if two.sides[two.leader].at == two.written.log.last_index:
            break
        await asyncio.sleep(0.05)
    for side in two.sides:
        await side.stop()
    assert place.wrong == []
    assert sorted(place.received) == sorted(two.expected())
