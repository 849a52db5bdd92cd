"""Which process instances a frame is about: so much is known of it without reading its events.

Most instances of most processes are short: they begin and end while a follower lets committed frames wait.
A frame that is about such instances alone need not even be decoded there (`appliers/window.py`).
"""

from collections.abc import Iterable
from typing import Any, Final, cast

import msgspec

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

ENDING: Final = frozenset[type[Event]]({ElementCompleted, ElementTerminated})
"""Of the process itself, whose element instance has the key of the process instance, they end it."""
WITHIN: Final = ENDING | {
    BoundaryEventTriggered,
    ElementActivated,
    ElementActivating,
    ElementCompleting,
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
"""Events that change nothing but their instance, what belongs to it, and the indexes that have its keys: when
the instance is gone, so is all of it."""


class Lives(msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True):
    """Keys of process instances."""

    begun: tuple[int, ...] = ()
    ended: tuple[int, ...] = ()
    touched: tuple[int, ...] = ()
    """Others that have events here which stay within them,"""
    reaching: tuple[int, ...] = ()
    """and those that have any other event; 0 for an event that is of no instance."""


def lives_of(happened: Iterable[Event]) -> Lives:
    """What the events of a frame are about."""
    begun: list[int] = []
    ended: list[int] = []
    touched: list[int] = []
    reaching: set[int] = set()
    last = 0
    for event in cast(Iterable[Any], happened):
        kind = event.__class__
        if kind in WITHIN:
            key = event.instance_key
            if key != last:  # Most events follow others of the same instance.
                touched.append(key)
                last = key
            if kind in ENDING and event.key == key:
                ended.append(key)
        elif kind is ProcessInstanceCreated:
            last = event.key
            begun.append(last)
        elif kind is JobsActivated:
            touched += event.instance_keys
        else:
            reaching.add(getattr(event, "instance_key", 0))
    others = set(touched).difference(begun, ended)
    return Lives(tuple(begun), tuple(ended), tuple(sorted(others)), tuple(sorted(reaching)))
