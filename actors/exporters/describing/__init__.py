"""What events mean outside: the value of a record, by a function for each kind of event.

Pure: it takes the event and what is known of the keys that it names. The files are named as those of the
events (`bpmn/events/`); variables have a record each, and are in `actors/exporters/records.py`.
"""

from typing import get_args

from bpmnd.actors.exporters.describing import (
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
    slots,
    subscriptions,
    timers,
    user_tasks,
)
from bpmnd.actors.exporters.describing.registry import described, value_of
from bpmnd.bpmn.events import Event, VariablesCreated, VariablesUpdated

__all__ = [
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
    "samples",
    "slots",
    "subscriptions",
    "timers",
    "user_tasks",
    "value_of",
]

assert described() == set(get_args(Event)) - {VariablesCreated, VariablesUpdated}, "every event is described"
