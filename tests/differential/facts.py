"""Facts: what the records say of a run, as lines that must be equal on both sides.

Left out is what the two write down differently without any difference to a user:

- the steps on the way (ACTIVATING, COMPLETING, TERMINATING), keys, times, and where records of different
  kinds stand among each other;
- timers of start events: Zeebe names the process instance that they start;
- user tasks, whose scripts tell of them themselves;
- subscriptions to signals, and those to messages as the partition has them that the message belongs to;
- what a multi-instance body has collected so far: variables in Zeebe, something of its own here;
- updates of jobs: one record in Zeebe, one for each of retries and time-out here. The next worker sees them;
- what a migration changes: one record for each of its parts in Zeebe, one for all here;
- that a job is over whose error was caught: Zeebe says nothing more, here it is cancelled with its element.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from tests.differential.records import Record, roots_in

Facts: TypeAlias = dict[str, list[str]]
"""Heading -> lines."""

_LIFE: Final = frozenset(
    {"ELEMENT_ACTIVATED", "ELEMENT_COMPLETED", "ELEMENT_TERMINATED", "SEQUENCE_FLOW_TAKEN"}
)
_SUBSCRIBED: Final = {"CREATING": "CREATED", "DELETING": "DELETED"}
"""What Zeebe begins and may not come to end, for it is overtaken by a message."""
_UPDATES: Final = frozenset({"UPDATED", "RETRIES_UPDATED", "TIMEOUT_UPDATED"})
_DETAILS: Final[dict[str, tuple[str, ...]]] = {
    "JOB CREATED": ("type", "retries"),
    "JOB FAILED": ("retries", "errorMessage"),
    "JOB ERROR_THROWN": ("errorCode", "errorMessage"),
    "INCIDENT CREATED": ("errorType",),
    "TIMER CREATED": ("repetitions",),
    "PROCESS_MESSAGE_SUBSCRIPTION CREATED": ("messageName", "correlationKey", "interrupting"),
}


class _Moment(NamedTuple):
    key: int
    name: str
    what: str

    def __str__(self) -> str:
        return f"{self.name} {self.what}"


class _Other(NamedTuple):
    key: int
    line: str


def facts_of(records: Sequence[Record], run: str, *, concurrent: bool) -> Facts:
    """With `concurrent` the life of each element instance, job and variable is compared by itself, not the
    order among them."""
    facts: Facts = {}
    for number, instance in enumerate(roots_in(records, run), start=1):
        own = [record for record in records if record.value.get("processInstanceKey") == instance]
        facts |= {
            f"instance {number}, {name}": lines for name, lines in _of_instance(own, concurrent).items()
        }
    return facts


def _of_instance(records: Sequence[Record], concurrent: bool) -> Facts:
    life: list[_Moment] = []
    others: defaultdict[str, list[_Other]] = defaultdict(list)
    elements = {
        record.key: record.value["elementId"] for record in records if record.kind == "PROCESS_INSTANCE"
    }
    bodies = {record.key for record in records if _is_body(record)}
    thrown: set[int] = set()
    subscribed: set[tuple[int, str]] = set()
    for record in records:
        value = record.value
        match record.kind:
            case _ if record.intent == "MIGRATED":
                pass
            case "PROCESS_INSTANCE":
                if record.intent in _LIFE:
                    life.append(_Moment(record.key, _named(record), record.intent.removeprefix("ELEMENT_")))
            case "VARIABLE" if value["scopeKey"] in bodies:
                pass
            case "VARIABLE":
                name = f"variable {value['name']} of {elements[value['scopeKey']]}"
                others[name].append(_Other(record.key, f"{record.intent} {shown(value['value'])}"))
            case "JOB" if record.intent in _UPDATES:
                pass
            case "MESSAGE_SUBSCRIPTION" | "SIGNAL_SUBSCRIPTION" | "USER_TASK":
                pass
            case "PROCESS_MESSAGE_SUBSCRIPTION":
                intent = _SUBSCRIBED.get(record.intent, record.intent)
                if intent == "CORRELATED" or (record.key, intent) not in subscribed:
                    subscribed.add((record.key, intent))
                    name = f"message subscriptions of {value['elementId']}"
                    others[name].append(_other(record._replace(intent=intent)))
            case "JOB" if record.intent == "CANCELED" and record.key in thrown:
                pass
            case "TIMER" if value.get("elementInstanceKey") == -1:
                pass
            case "TIMER":
                element = value.get("targetElementId") or value["elementId"]
                others[f"timers of {element}"].append(_other(record))
            case kind:
                if record.intent == "ERROR_THROWN":
                    thrown.add(record.key)
                # An element id in the record may be one of Zeebe's own, as of an error that nobody caught.
                others[f"{kind.lower()}s of {elements[value['elementInstanceKey']]}"].append(_other(record))
    facts = {"life": [str(moment) for moment in life]} if not concurrent else _by_element(life)
    return facts | {name: _lines(others[name], concurrent) for name in sorted(others)}


def _is_body(record: Record) -> bool:
    return record.value.get("bpmnElementType") == "MULTI_INSTANCE_BODY"


def _named(record: Record) -> str:
    """The element; a multi-instance body has the id of its activity."""
    element_id: str = record.value["elementId"]
    return f"body-of-{element_id}" if _is_body(record) else element_id


def _by_element(life: Iterable[_Moment]) -> Facts:
    facts: defaultdict[str, defaultdict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for moment in life:
        facts[f"life of {moment.name}"][moment.key].append(str(moment))
    return {
        name: [line for lines in by_key.values() for line in lines] for name, by_key in sorted(facts.items())
    }


def _lines(others: Sequence[_Other], concurrent: bool) -> list[str]:
    if not concurrent:
        return [other.line for other in others]
    by_key: defaultdict[int, list[str]] = defaultdict(list)
    for other in others:
        by_key[other.key].append(other.line)
    return [line for lines in by_key.values() for line in lines]


def _other(record: Record) -> _Other:
    details = _DETAILS.get(f"{record.kind} {record.intent}", ())
    line = " ".join([record.intent, *(f"{name}={record.value[name]}" for name in details)])
    return _Other(record.key, line)


def shown(value: Any) -> str:
    """A value as JSON, the entries of its objects in one order."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
