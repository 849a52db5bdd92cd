"""What a node does with queries: waits for its history, asks other leaders, and never for ever."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bpmnd.actors.clock import LoopScheduler
from bpmnd.actors.errors import AnswerTooLarge, HistoryUnavailable, NoLeader
from bpmnd.actors.history import service as service_module
from bpmnd.actors.history.projector import Follow, Projected, Stuck, ToProjector, history_path
from bpmnd.actors.history.queries import Search, TrailOf
from bpmnd.actors.history.service import History
from bpmnd.actors.peer_messages import (
    HistoryMessage,
    HistoryRequest,
    decode_peer_message,
    encode_peer_message,
)
from bpmnd.bpmn.codec import decode_frame
from bpmnd.storage.entry import Position
from tests.actors.history.histories import write_history
from tests.bpmn.playground import ONE_TASK, Playground

ALL = Search("process instance", count_max=10)


def _ignore(index: int) -> None: ...


def _node_7(partition: int) -> tuple[int, int]:
    """Term and node of the leader elsewhere."""
    return 1, 7


class Side:
    """A node with one partition, that it leads or not."""

    def __init__(self, directory: Path, *, leads: bool) -> None:
        self.told: list[ToProjector] = []
        self.now = 0.0
        self.committed = 3
        self.deliver: Callable[[HistoryMessage], None] | None = None
        self.actor = SimpleNamespace(
            committed=3,
            mending=SimpleNamespace(position=lambda: Position(self.committed, 1, bytes(32))),
            is_projected=_ignore,
            confirm=self.confirm,
        )
        self.is_leader: bool | None = True
        """What a majority says; None: it says nothing yet."""
        self.asked: list[Callable[[bool], None]] = []
        hosted = {1: SimpleNamespace(id=1, leads=leads, actor=self.actor)} if leads else {}
        loop = asyncio.get_running_loop()
        self.history = History(
            directory,
            cast(Any, hosted),
            cast(Any, SimpleNamespace(leader_of=_node_7)),
            cast(Any, self),
            LoopScheduler(loop),
            cast(Any, SimpleNamespace(monotonic=lambda: self.now)),
            cast(Any, SimpleNamespace(send=self.told.append)),
            loop.create_future,
        )

    def confirm(self, then: Callable[[bool], None]) -> None:
        if self.is_leader is None:
            self.asked.append(then)
        else:
            then(self.is_leader)

    def send(self, node: int, item: bytes, control: bool = False) -> bool:
        if self.deliver is None:
            return False
        self.deliver(cast(HistoryMessage, decode_peer_message(item)))
        return True


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    playground = Playground()
    playground.deploy(ONE_TASK)
    playground.create()
    playground.jobs("work")
    frames = [decode_frame(frame) for frame in playground.frames]
    write_history(history_path(tmp_path, 1), 1, frames)
    return tmp_path


async def test_a_query_waits_until_what_was_committed_is_there(directory: Path) -> None:
    side = Side(directory, leads=True)
    found = side.history.read(1, ALL)
    assert side.told == [Follow(1, 3, 1, bytes(32))], "the projector is told at once"
    side.history.heard(Projected(1, 2, 0))
    await every_turn()
    assert not found.done()

    side.history.heard(Projected(1, 3, 0))
    assert (await found).total == 1
    assert (await side.history.read(1, ALL)).total == 1
    side.history.stop()


async def test_a_history_that_is_always_a_little_behind_is_not_long_behind(directory: Path) -> None:
    side = Side(directory, leads=True)
    for moment in range(1, 50):
        side.committed = 10 * moment
        side.now = moment
        side.history.tell()
        side.history.heard(Projected(1, 10 * moment - 1, 0))
    side.now += 2
    assert side.history.lag_seconds(1) == 2
    assert side.history.standings[1].lag.entries == 1
    side.history.stop()


async def every_turn() -> None:
    """Let all that could go on now do so, threads too."""
    loop = asyncio.get_running_loop()
    for _ in range(3):
        await loop.run_in_executor(None, int)
        await asyncio.sleep(0)


async def test_nothing_is_answered_before_it_is_sure_that_this_still_leads(directory: Path) -> None:
    side = Side(directory, leads=True)
    side.history.tell()
    side.history.heard(Projected(1, 3, 0))
    side.is_leader = None

    found = side.history.read(1, ALL)
    await every_turn()
    assert not found.done()

    side.asked[0](True)
    assert (await found).total == 1
    side.history.stop()


async def test_what_was_committed_when_it_was_sure_is_in_the_answer(directory: Path) -> None:
    side = Side(directory, leads=True)
    side.history.heard(Projected(1, 2, 0))
    side.is_leader = None
    side.actor.committed = 2
    found = side.history.read(1, ALL)

    side.actor.committed = 3
    side.asked[0](True)
    side.history.heard(Projected(1, 2, 0))
    await every_turn()
    assert not found.done()

    side.history.heard(Projected(1, 3, 0))
    assert (await found).total == 1
    side.history.stop()


async def test_who_leads_no_more_answers_nothing(directory: Path) -> None:
    asking, deposed = Side(directory, leads=False), Side(directory, leads=True)
    soon = asyncio.get_running_loop().call_soon
    asking.deliver = lambda message: cast(None, soon(deposed.history.received, 1, message))
    deposed.deliver = lambda message: cast(None, soon(asking.history.received, 7, message))
    deposed.is_leader = False

    for side in (deposed, asking):
        with pytest.raises(NoLeader, match="no leader that can be reached"):
            await side.history.read(1, ALL)
    deposed.history.stop()


async def test_one_that_waits_too_long_is_told_why(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_module, "WAIT_SECONDS_MAX", 0.05)
    side = Side(directory, leads=True)
    side.history.tell()
    side.history.heard(Stuck(1, "the disk is full"))
    with pytest.raises(HistoryUnavailable, match="the disk is full"):
        await side.history.read(1, ALL)
    side.history.stop()


async def test_what_is_found_while_a_history_is_made_anew_does_not_count(directory: Path) -> None:
    """Its projector has yet to say that it has begun again."""
    side = Side(directory, leads=True)
    side.history.tell()
    side.history.heard(Projected(1, 4, 0))
    side.actor.committed = 4
    with pytest.raises(HistoryUnavailable, match="made anew"):
        await side.history.read(1, ALL)
    side.history.stop()


async def test_a_projector_that_begins_anew_is_told_all_anew(directory: Path) -> None:
    side = Side(directory, leads=True)
    side.history.tell()
    side.history.tell()
    side.history.projector_began()
    assert side.told == [Follow(1, 3, 1, bytes(32))] * 2
    side.history.stop()


def test_a_trail_can_be_asked_of_another_node() -> None:
    asked = HistoryRequest(1, 2, TrailOf(5, True, (3, 4), 7))
    assert decode_peer_message(encode_peer_message(asked)) == asked


async def test_the_leader_on_another_node_is_asked(directory: Path) -> None:
    asking, leading = Side(directory, leads=False), Side(directory, leads=True)
    asking.deliver = lambda message: leading.history.received(1, message)
    leading.deliver = lambda message: asking.history.received(7, message)
    leading.history.tell()
    leading.history.heard(Projected(1, 3, 0))
    assert (await asking.history.read(1, ALL)).total == 1

    leading.actor.committed = 4
    found = asking.history.read(1, ALL)
    asking.history.disconnected(7)
    with pytest.raises(NoLeader):
        await found
    asking.deliver = None
    with pytest.raises(NoLeader):
        await asking.history.read(1, ALL)
    leading.history.stop()


async def test_what_is_too_large_for_one_answer_is_refused_here_and_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be in memory whole, and hold up what nodes say to each other."""
    monkeypatch.setattr("bpmnd.storage.history.ANSWER_SIZE_MAX", 1 << 20)
    playground = Playground()
    playground.deploy(ONE_TASK)
    for _ in range(6):
        playground.create({"long": b'"%s"' % (b"x" * (200 << 10))})
    write_history(history_path(tmp_path, 1), 1, [decode_frame(frame) for frame in playground.frames])
    asking, leading = Side(tmp_path, leads=False), Side(tmp_path, leads=True)
    asking.deliver = lambda message: leading.history.received(1, message)
    leading.deliver = lambda message: asking.history.received(7, message)
    leading.history.tell()
    leading.history.heard(Projected(1, 3, 0))

    for side in (leading, asking):
        with pytest.raises(AnswerTooLarge, match="partition 1 has more than 1 MiB"):
            await side.history.read(1, Search("variable"))
        assert len((await side.history.read(1, Search("variable", limit=4))).rows) == 4
        cut = await side.history.read(1, Search("variable", cut=10))
        assert [len(str(row[2])) for row in cut.rows] == [10] * 6
    leading.history.stop()


async def test_a_glance_waits_for_nothing_and_tells_what_is_there(directory: Path) -> None:
    """As metrics do: they are read of a history that is behind, too."""
    side = Side(directory, leads=True)
    assert side.history.led() == [1]
    side.actor.committed = 1000
    assert (await side.history.glance(1, ALL)).total == 1
    with pytest.raises(HistoryUnavailable):
        await side.history.glance(2, ALL)
    side.history.stop()
