"""The partition that lives: its turns may raise, its memory be evicted, its node be restarted."""

import random
from collections.abc import Iterator, Sequence

import pytest

from bpmnd.bpmn.appliers import replay
from bpmnd.bpmn.codec import decode_frame
from bpmnd.bpmn.commands import (
    ActivateJobs,
    Command,
    CommandId,
    Continue,
    DoOnce,
    RepeatableCommand,
)
from bpmnd.bpmn.engine import Decision, Engine
from bpmnd.bpmn.events import Event
from bpmnd.bpmn.outcomes import Outcome, Rejected, RejectionType
from bpmnd.bpmn.state import EmptyStore, State
from bpmnd.bpmn.state.records import (
    ProcessInstance,
)
from bpmnd.bpmn.turn import Turn
from tests.bpmn.lives.models import (
    ALL_MODELS,
    KEEP_MS,
    TYPES,
)
from tests.bpmn.playground import (
    replay_in_windows,
)
from tests.bpmn.test_state import Checkpointed


class PlantedError(Exception):
    """Raised by a test where a behaviour could raise by mistake."""


def live(state: State) -> Iterator[ProcessInstance]:
    for block in state.instances._live.values():  # pyright: ignore[reportPrivateUsage]  # all, at a look
        yield from block.values()


class World(Checkpointed):
    """A partition whose turns may raise, beside a state that is made of its frames alone."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self.chance = chance
        self.mirror = State(1, EmptyStore())
        self.raises = 0.0
        """How many of the turns are undone."""
        self.repeats = 0.0
        """How many of the commands have an id, and may come again."""
        self.sent: list[tuple[DoOnce, Decision, int]] = []
        """Those that had one, what came of them, and when."""
        self.engine = Engine(self.state, (1,), keep_ms=KEEP_MS)
        self.settles = 1.0
        """After how many of the commands everything is done that they left over."""
        self.versions: Sequence[int] = range(1, len(ALL_MODELS) + 1)
        """Of which instances are created."""
        self.types: Sequence[str] = TYPES
        """What is worked on."""
        self.waiting: set[int] = set()
        """Requests that wait for listeners."""
        self._mirrored = 0

    def decide(self, command: Command) -> Decision:
        with pytest.MonkeyPatch.context() as patch:
            if self.chance.random() < self.raises:
                raise_once(patch, self.chance.randrange(8))
            decision = super().decide(command)
        for frame in self.frames[self._mirrored :]:
            replay(self.mirror, decode_frame(frame))
        self._mirrored = len(self.frames)
        return decision

    def do(self, command: Command) -> Outcome | None:
        outcome = self.decide_with_id(command).outcome
        if self.chance.random() < self.settles:
            self.go_on()
        return outcome

    def decide_with_id(self, command: Command) -> Decision:
        if not isinstance(command, RepeatableCommand) or self.chance.random() >= self.repeats:
            return self.decide(command)
        identified = DoOnce(CommandId("scope", str(len(self.sent)), b"hash"), command)
        decision = self.decide(identified)
        self.sent.append((identified, decision, self.now))
        return decision

    def repeat(self) -> None:
        """A command that came before comes again: it has no effect, and the same answer."""
        command, first, since = self.chance.choice(self.sent)
        is_kept = not (
            isinstance(command.asked, ActivateJobs)
            or (isinstance(first.outcome, Rejected) and first.outcome.type is RejectionType.PROCESSING_ERROR)
        )
        if not is_kept or since + KEEP_MS <= self.now:
            return
        other = self.decide(DoOnce(CommandId("scope", command.id.key, b"other"), command.asked)).outcome
        assert isinstance(other, Rejected)
        assert other.type is RejectionType.IDEMPOTENCY_KEY_REUSED
        again = self.decide(command)
        assert not again.events
        if first.outcome is not None:
            assert again.outcome == first.outcome
        elif first.request in self.answers:
            assert again.outcome == self.answers[first.request]
        else:
            assert (again.outcome, again.request) == (None, first.request)

    def go_on(self) -> None:
        while self.state.continuations.items:
            self.decide(Continue(next(iter(self.state.continuations.items))))

    def restart(self) -> None:
        self.store = self.store.reopened()
        self.state = State(1, self.store)
        replay_in_windows(self.state, self.frames[self.checkpoint_at :], self.chance)
        self.engine = Engine(self.state, (1,), keep_ms=KEEP_MS)


def raise_once(patch: pytest.MonkeyPatch, position: int) -> None:
    emit, raised = Turn.emit, list[int]()

    def emit_and_raise(turn: Turn, event: Event) -> None:
        emit(turn, event)
        if not raised and len(turn.events) == position + 1:
            raised.append(position)
            raise PlantedError(f"at event {position}")

    patch.setattr(Turn, "emit", emit_and_raise)
