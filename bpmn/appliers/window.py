"""Replay of several frames at once, which leaves out instances that begin and end among them.

Most instances of most processes are short. What they do to a follower's state is nothing in the end, but for
two counters; a follower that is some moments behind need not do it and take it back.
"""

from typing import Any, Final, cast, final

import msgspec

from bpmnd.bpmn.appliers import APPLIERS, replay
from bpmnd.bpmn.codec import Frame
from bpmnd.bpmn.events import (
    BoundaryEventTriggered,
    ElementActivated,
    ElementActivating,
    ElementCompleted,
    ElementCompleting,
    ElementTerminated,
    ElementTerminating,
    Event,
    EventPartAwaited,
    EventPartOccurred,
    EventPartsCleared,
    GatewayReset,
    GatewayStarted,
    JobCanceled,
    JobCompleted,
    JobCreated,
    JobFailed,
    JobRecurred,
    JobsActivated,
    JobTimedOut,
    JobTimeoutUpdated,
    JobYielded,
    LoopEnded,
    LoopOutputCollected,
    LoopStarted,
    ProcessInstanceCreated,
    SequenceFlowTaken,
    TimerCanceled,
    TimerCreated,
    TimerTriggered,
    VariablesCreated,
    VariablesUpdated,
)
from bpmnd.bpmn.state import State

WITHIN: Final[frozenset[type[Event]]] = frozenset(
    {
        BoundaryEventTriggered,
        ElementActivated,
        ElementActivating,
        ElementCompleted,
        ElementCompleting,
        ElementTerminated,
        ElementTerminating,
        EventPartAwaited,
        EventPartOccurred,
        EventPartsCleared,
        GatewayReset,
        GatewayStarted,
        JobCanceled,
        JobCompleted,
        JobCreated,
        JobFailed,
        JobRecurred,
        JobTimedOut,
        JobTimeoutUpdated,
        JobYielded,
        LoopEnded,
        LoopOutputCollected,
        LoopStarted,
        SequenceFlowTaken,
        TimerCanceled,
        TimerCreated,
        TimerTriggered,
        VariablesCreated,
        VariablesUpdated,
    }
)
"""Events that change nothing but their instance, what belongs to it, and the indexes that have its keys: when
the instance is gone, so is all of it. An instance that has any other event is never left out."""

_LAST: Final = frozenset({ElementCompleted, ElementTerminated})


@final
class Window:
    """Frames that follow each other and wait to be replayed."""

    __slots__ = ("_begun", "_ended", "_frames", "_job_owners", "_others")

    def __init__(self) -> None:
        self._frames: list[Frame] = []
        self._begun: set[int] = set()
        self._ended: set[int] = set()
        """Of these instances all of their life is in here."""
        self._others: set[int] = set()
        """Instances with an event that reaches beyond them."""
        self._job_owners: dict[int, int] = {}

    def add(self, frame: Frame) -> None:
        self._frames.append(frame)
        begun = self._begun
        for event in cast(tuple[Any, ...], frame.events):
            kind = event.__class__
            if kind in WITHIN:
                if kind in _LAST:
                    if event.key in begun:
                        self._ended.add(event.key)
                elif kind is JobCreated:
                    self._job_owners[event.key] = event.instance_key
            elif kind is ProcessInstanceCreated:
                begun.add(event.key)
            elif kind is not JobsActivated:
                self._others.add(getattr(event, "instance_key", 0))

    def replay(self, state: State) -> None:
        """Bring the state to where the last frame leaves it."""
        gone = self._ended - self._others
        for frame in self._frames:
            if gone:
                self._replay_others(state, frame, gone)
            else:
                replay(state, frame)
        state.journal.assign(state, "started", state.started + len(gone))
        state.journal.assign(state, "completed", state.completed + len(gone))
        state.journal.start()

    def _replay_others(self, state: State, frame: Frame, gone: set[int]) -> None:
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
                keys = tuple(key for key in event.keys if self._job_owners.get(key) not in gone)
                if not keys:
                    continue
                event = msgspec.structs.replace(event, keys=keys)
            APPLIERS[kind](state, event)
        state.last_key = frame.last_key
