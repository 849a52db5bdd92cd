"""Records of commands with an id."""

import msgspec

from bpmnd.actors.exporters.describing.registry import describes
from bpmnd.actors.exporters.places import Places
from bpmnd.actors.exporters.values import Value, moment
from bpmnd.bpmn.events import CommandAnswered, CommandForgotten, CommandNoted
from bpmnd.bpmn.outcomes import Rejected, decode_outcome


@describes
def command_noted(event: CommandNoted, places: Places) -> Value:
    value: Value = {
        "scope": event.scope,
        "idempotencyKey": event.id,
        "requestHash": event.hash.hex(),
        "deadline": moment(event.deadline),
    }
    return value | _outcome(event.outcome) if event.outcome else value


@describes
def command_answered(event: CommandAnswered, places: Places) -> Value:
    return _outcome(event.outcome)


@describes
def command_forgotten(event: CommandForgotten, places: Places) -> Value:
    return {}


def _outcome(row: bytes) -> Value:
    """Only what it is: its parts stand in the records of what was done."""
    try:
        outcome = decode_outcome(row)
    except msgspec.DecodeError:
        return {"outcome": "UNKNOWN"}  # Of a build that knows other outcomes: the rest of the log tells more.
    if isinstance(outcome, Rejected):
        return {"outcome": "Rejected", "rejectionType": str(outcome.type)}
    return {"outcome": type(outcome).__name__}
