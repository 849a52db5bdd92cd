"""Processes that never come to rest by themselves, by what they go round in."""

from collections.abc import Mapping
from typing import Final

from tests.bpmn.playground import START, again, flow, many, path, process

_DULL = '<task id="dull"/>'
_MERGE = '<exclusiveGateway id="merge"/>'
_CYCLE = _MERGE + _DULL + path("start", "merge", "dull", "merge")
_DEAR = (
    '<scriptTask id="dear"><extensionElements><zeebe:script resultVariable="r"'
    ' expression="=count(for i in 1..8000 return i)"/></extensionElements></scriptTask>'
)
_FORK = (
    '<parallelGateway id="fork"/><task id="a"/><task id="b"/>'
    + path("start", "merge", "fork", "a", "merge")
    + path("fork", "b", "merge")
)


def _sub(element_id: str, *inner: str) -> str:
    return f'<subProcess id="{element_id}"><startEvent id="{element_id}_start"/>{"".join(inner)}</subProcess>'


def _calls(element_id: str, process_id: str) -> str:
    called = f'<zeebe:calledElement processId="{process_id}"/>'
    return f'<callActivity id="{element_id}"><extensionElements>{called}</extensionElements></callActivity>'


def _so_many(activity: str, cardinality: int) -> str:
    loop = f"<loopCardinality>{cardinality}</loopCardinality></multiInstanceLoopCharacteristics>"
    return activity.replace("/>", f"><multiInstanceLoopCharacteristics>{loop}</task>")


_THROWS = _sub(
    "sub",
    '<endEvent id="throws"><errorEventDefinition errorRef="error"/></endEvent>',
    flow("sub_start", "throws"),
)
_CAUGHT = '<boundaryEvent id="caught" attachedToRef="sub"><errorEventDefinition/></boundaryEvent>'

_BODIES: Final[Mapping[str, str]] = {
    "cycle": START + _CYCLE,
    "standard-loop": START + again(_DULL, condition="=true") + flow("start", "dull"),
    "items-in-a-cycle": START + _MERGE + many(_DULL, "=[1,2,3]") + path("start", "merge", "dull", "merge"),
    "calls-itself-twice": START
    + _calls("a", "calls-itself-twice")
    + _calls("b", "calls-itself-twice")
    + flow("start", "a")
    + flow("start", "b"),
}
_MORE: Final[Mapping[str, str]] = {
    "forks": START + _MERGE + _FORK,
    "errors": START + _THROWS + _CAUGHT + flow("start", "sub") + flow("caught", "sub"),
    "calls-itself": START + _calls("a", "calls-itself") + flow("start", "a"),
    "calls": START + _calls("a", "calls-back") + flow("start", "a"),
    "calls-back": START + _calls("a", "calls") + flow("start", "a"),
    "standard-loop-around-it": START
    + again(_sub("sub", _DULL, flow("sub_start", "dull")), condition="=true", before=True)
    + flow("start", "sub"),
    "cycle-in-items": START
    + many(_sub("sub", _MERGE, _DULL, path("sub_start", "merge", "dull", "merge")), "=[1,2,3]")
    + flow("start", "sub"),
    "too-many-items": START + _so_many(_DULL, 900_000) + flow("start", "dull"),
    "dear-expressions": START + _MERGE + _DEAR + path("start", "merge", "dear", "merge"),
}


def _all(bodies: Mapping[str, str]) -> Mapping[str, bytes]:
    error = '<error id="error" errorCode="E"/>'
    return {name: process(body, process_id=name, definitions=error) for name, body in bodies.items()}


ENDLESS: Final = _all(_BODIES)
"""Process id -> model."""
MORE: Final = _all(_MORE)
