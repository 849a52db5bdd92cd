"""Appliers: how each event changes the state."""

from typing import get_args

from bpmnd.bpmn.appliers import (
    changes,
    channels,
    compensation,
    conditions,
    continuations,
    decisions,
    deployments,
    elements,
    exports,
    gateways,
    incidents,
    jobs,
    loops,
    messages,
    multiple,
    noted,
    samples,
    signals,
    slots,
    subscriptions,
    timers,
    user_tasks,
    variables,
)
from bpmnd.bpmn.appliers.registry import APPLIERS
from bpmnd.bpmn.codec import Frame
from bpmnd.bpmn.events import Event
from bpmnd.bpmn.state import State

__all__ = [
    "APPLIERS",
    "apply",
    "changes",
    "channels",
    "compensation",
    "conditions",
    "continuations",
    "decisions",
    "deployments",
    "elements",
    "exports",
    "gateways",
    "incidents",
    "jobs",
    "loops",
    "messages",
    "multiple",
    "noted",
    "replay",
    "samples",
    "signals",
    "slots",
    "subscriptions",
    "timers",
    "user_tasks",
    "variables",
]

assert set(APPLIERS) == set(get_args(Event)), "every event has an applier"


def apply(state: State, event: Event) -> None:
    APPLIERS[type(event)](state, event)


def replay(state: State, frame: Frame) -> None:
    """Apply all that one tick decided, as a follower or after a restart."""
    state.last_time = frame.time
    for event in frame.events:
        APPLIERS[type(event)](state, event)
    state.journal.start()
    state.last_key = frame.last_key
