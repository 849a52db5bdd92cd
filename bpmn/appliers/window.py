"""Replay of several frames at once, which leaves out instances that begin and end among them.

Most instances of most processes are short. What they do to a follower's state is nothing in the end, but for
two counters; a follower that is some moments behind need not do it and take it back. Frames that have nothing
else are not even decoded.
"""

from typing import Any, Final, cast, final

import msgspec

from bpmnd.bpmn.appliers import APPLIERS, replay
from bpmnd.bpmn.codec import Frame, FrameHead
from bpmnd.bpmn.events import JobsActivated, ProcessInstanceCreated
from bpmnd.bpmn.lives import WITHIN
from bpmnd.bpmn.state import State

BYTES_MAX: Final = 2 << 20
"""Of frames that are replayed together,"""
NEEDED_BYTES_MAX: Final = 256 << 10
"""of those among them of which it is certain that they have to be applied,"""
UNENDED_MAX: Final = 500
"""and instances that have begun in them and not ended: more would stop the node for long."""


@final
class Window:
    """Frames that follow each other and wait to be replayed."""

    __slots__ = ("_begun", "_bytes", "_ended", "_frames", "_needed_bytes", "_reaching")

    def __init__(self) -> None:
        self._frames: list[tuple[FrameHead, Frame | None]] = []
        self._bytes = 0
        self._needed_bytes = 0
        self._begun: set[int] = set()
        self._ended: set[int] = set()
        """Of these instances all of their life is in here."""
        self._reaching: set[int] = set()
        """Instances with an event that reaches beyond them."""

    def add(self, head: FrameHead, frame: Frame | None = None) -> None:
        """The next frame, decoded or not."""
        self._frames.append((head, frame))
        lives, begun = head.lives, self._begun
        begun.update(lives.begun)
        ended = begun.intersection(lives.ended)
        self._ended.update(ended)
        self._reaching.update(lives.reaching)
        size = len(head.body)
        self._bytes += size
        if lives.reaching or len(ended) < len(lives.ended) or not begun.issuperset(lives.touched):
            self._needed_bytes += size

    @property
    def is_full(self) -> bool:
        """It is time to replay these: with more of them there would be too much to do at once."""
        return (
            self._bytes >= BYTES_MAX
            or self._needed_bytes >= NEEDED_BYTES_MAX
            or len(self._begun) - len(self._ended) >= UNENDED_MAX
        )

    def replay(self, state: State) -> None:
        """Bring the state to where the last frame leaves it. Raises CodecError."""
        gone = self._ended - self._reaching
        for head, frame in self._frames:
            lives = head.lives
            if (
                not lives.reaching
                and gone.issuperset(lives.begun)
                and gone.issuperset(lives.ended)
                and gone.issuperset(lives.touched)
            ):
                state.last_time, state.last_key = head.time, head.last_key
            elif gone:
                _replay_others(state, frame or head.frame(), gone)
            else:
                replay(state, frame or head.frame())
        state.journal.assign(state, "started", state.started + len(gone))
        state.journal.assign(state, "completed", state.completed + len(gone))
        state.journal.start()


def _replay_others(state: State, frame: Frame, gone: set[int]) -> None:
    """Apply the events of a frame but those of instances of which nothing is left."""
    state.last_time = frame.time
    for event in cast(tuple[Any, ...], frame.events):
        kind = event.__class__
        if kind in WITHIN:
            if event.instance_key in gone:
                continue
        elif kind is ProcessInstanceCreated:
            if event.key in gone:
                continue
        elif kind is JobsActivated:
            left = [each for each in zip(event.keys, event.instance_keys, strict=True) if each[1] not in gone]
            if not left:
                continue
            keys, instance_keys = zip(*left, strict=True)
            event = msgspec.structs.replace(event, keys=keys, instance_keys=instance_keys)
        APPLIERS[kind](state, event)
    state.last_key = frame.last_key
