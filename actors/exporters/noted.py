"""Records of commands with an id."""

import msgspec

from bpmnd.actors.exporters.values import Value, moment
from bpmnd.bpmn.events import CommandAnswered, CommandForgotten, CommandNoted
from bpmnd.bpmn.outcomes import Rejected, decode_outcome


def of_noted(event: CommandNoted | CommandAnswered | CommandForgotten) -> Value:
    """Of the outcome only what it is: its parts stand in the records of what was done."""
    match event:
        case CommandNoted():
            value: Value = {
                "scope": event.scope,
                "idempotencyKey": event.id,
                "requestHash": event.hash.hex(),
                "deadline": moment(event.deadline),
            }
            return value | _outcome(event.outcome) if event.outcome else value
        case CommandAnswered(_, outcome):
            return _outcome(outcome)
        case CommandForgotten():
            return {}


def _outcome(row: bytes) -> Value:
    try:
        outcome = decode_outcome(row)
    except msgspec.DecodeError:
        return {"outcome": "UNKNOWN"}  # Of a build that knows other outcomes: the rest of the log tells more.
    if isinstance(outcome, Rejected):
        return {"outcome": "Rejected", "rejectionType": str(outcome.type)}
    return {"outcome": type(outcome).__name__}
