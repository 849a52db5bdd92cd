"""Models to compare. Process ids and job types begin with `RUN-`, which is another word in every run."""

from typing import Final
from xml.etree import ElementTree

from tests.bpmn import events, playground
from tests.bpmn.playground import END, START, flow, path

__all__ = ["END", "START", "flow", "path"]

RUN: Final = "RUN-"
_BPMN: Final = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
_BEFORE_FLOWS: Final = (f"{_BPMN}documentation", f"{_BPMN}extensionElements")
ERRORS: Final = '<error id="e1" errorCode="E1"/><error id="e2" errorCode="E2"/>'


def process(body: str, *, process_id: str = "process", beside: str = "") -> bytes:
    """A BPMN file with one executable process, which knows the errors e1 (E1) and e2 (E2), and messages and
    signals if they stand `beside` it."""
    definitions = ERRORS + beside
    return with_ends(playground.process(body, process_id=f"{RUN}{process_id}", definitions=definitions))


def message(message_id: str, name: str, key: str = "") -> str:
    """A message, also for other runs' sake named by the run; without a key it is one for start events."""
    name = name if name.startswith("=") else f"{RUN}{name}"
    return events.message(message_id, _quoted(name), _quoted(key))


def signal(signal_id: str, name: str) -> str:
    name = name if name.startswith("=") else f"{RUN}{name}"
    return events.signal(signal_id, _quoted(name))


def event(
    kind: str,
    element_id: str,
    definition: str,
    *,
    job: str = "",
    inputs: dict[str, str] | None = None,
    outputs: dict[str, str] | None = None,
) -> str:
    """An event of a kind like `startEvent`; with a job type a worker throws it."""
    extensions = f'<zeebe:taskDefinition type="{RUN}{job}"/>' if job else ""
    extensions += playground.io_mapping(_all(inputs), _all(outputs))
    return events.event(kind, element_id, definition, extensions)


def receives(
    element_id: str,
    message_id: str,
    *,
    inputs: dict[str, str] | None = None,
    outputs: dict[str, str] | None = None,
) -> str:
    mapping = playground.io_mapping(_all(inputs), _all(outputs))
    extensions = f"<extensionElements>{mapping}</extensionElements>" if mapping else ""
    return f'<receiveTask id="{element_id}" messageRef="{message_id}">{extensions}</receiveTask>'


def task(
    element_id: str,
    job_type: str = "",
    *,
    retries: str = "3",
    inputs: dict[str, str] | None = None,
    outputs: dict[str, str] | None = None,
) -> str:
    """A service task whose job type is its id, or `job_type`; an expression is left as it is."""
    job_type = job_type or element_id
    if not job_type.startswith("="):
        job_type = f"{RUN}{job_type}"
    return playground.task(
        element_id, _quoted(job_type), retries=_quoted(retries), inputs=_all(inputs), outputs=_all(outputs)
    )


def fork(gateway_id: str) -> str:
    """A parallel gateway, to fork or to join."""
    return f'<parallelGateway id="{gateway_id}"/>'


def choice(gateway_id: str, *, default: str = "") -> str:
    """An exclusive gateway; `default` is the id of a flow."""
    attribute = f' default="{default}"' if default else ""
    return f'<exclusiveGateway id="{gateway_id}"{attribute}/>'


def sub_process(
    element_id: str, body: str, *, inputs: dict[str, str] | None = None, outputs: dict[str, str] | None = None
) -> str:
    mapping = playground.io_mapping(_all(inputs), _all(outputs))
    extensions = f"<extensionElements>{mapping}</extensionElements>" if mapping else ""
    return f'<subProcess id="{element_id}">{extensions}{body}</subProcess>'


def event_sub_process(
    element_id: str,
    definition: str,
    body: str = "",
    *,
    interrupting: bool = True,
    outputs: dict[str, str] | None = None,
) -> str:
    """An event sub-process that begins with `<id>-start`; then comes the task `in-<id>`, and the `body`."""
    mapping = playground.io_mapping(outputs=_all(outputs))
    extensions = f"<extensionElements>{mapping}</extensionElements>" if mapping else ""
    flag = str(interrupting).lower()
    begin = (
        f'<startEvent id="{element_id}-start" isInterrupting="{flag}">{extensions}{definition}</startEvent>'
    )
    body += task(f"in-{element_id}") + path(f"{element_id}-start", f"in-{element_id}")
    return f'<subProcess id="{element_id}" triggeredByEvent="true">{begin}{body}</subProcess>'


def start(element_id: str) -> str:
    return f'<startEvent id="{element_id}"/>'


def end(element_id: str, *, error: str = "") -> str:
    """An end event; `error` is the id of the error that it throws."""
    definition = f'<errorEventDefinition errorRef="{error}"/>' if error else ""
    return f'<endEvent id="{element_id}">{definition}</endEvent>'


def catches(
    element_id: str, attached_to: str, *, error: str = "", outputs: dict[str, str] | None = None
) -> str:
    """A boundary event for the error of that id, or for every error; then the task `after-<id>`."""
    reference = f' errorRef="{error}"' if error else ""
    mapping = playground.io_mapping(outputs=_all(outputs))
    extensions = f"<extensionElements>{mapping}</extensionElements>" if mapping else ""
    return (
        f'<boundaryEvent id="{element_id}" attachedToRef="{attached_to}">{extensions}'
        f"<errorEventDefinition{reference}/></boundaryEvent>"
        f"{task(f'after-{element_id}')}{path(element_id, f'after-{element_id}')}"
    )


def timer(kind: str, value: str) -> str:
    """A timer definition: `timeDuration`, `timeDate` or `timeCycle`."""
    return f"<timerEventDefinition><{kind}>{value}</{kind}></timerEventDefinition>"


def waits(element_id: str, definition: str) -> str:
    return f'<intermediateCatchEvent id="{element_id}">{definition}</intermediateCatchEvent>'


def rings(
    element_id: str,
    attached_to: str,
    definition: str,
    *,
    interrupting: bool = True,
    outputs: dict[str, str] | None = None,
) -> str:
    """A boundary event of a timer, a message or a signal; then the task `after-<id>`."""
    mapping = playground.io_mapping(outputs=_all(outputs))
    extensions = f"<extensionElements>{mapping}</extensionElements>" if mapping else ""
    return (
        f'<boundaryEvent id="{element_id}" attachedToRef="{attached_to}"'
        f' cancelActivity="{str(interrupting).lower()}">{extensions}{definition}</boundaryEvent>'
        f"{task(f'after-{element_id}')}{path(element_id, f'after-{element_id}')}"
    )


def with_ends(content: bytes) -> bytes:
    """The model as a modeller writes it, every element with its incoming and outgoing flows, and associations
    at the end. bpmnd does not need that; Zeebe looks at it when it validates."""
    root = ElementTree.fromstring(content)
    by_id = {element.get("id"): element for element in root.iter()}
    for end, attribute in (("outgoing", "sourceRef"), ("incoming", "targetRef")):
        for flow_ in reversed(root.findall(f".//{_BPMN}sequenceFlow")):
            element = by_id.get(flow_.get(attribute))
            if element is not None:
                mark = ElementTree.Element(f"{_BPMN}{end}")
                mark.text = flow_.get("id")
                element.insert(sum(child.tag in _BEFORE_FLOWS for child in element), mark)
    for container in list(root.iter()):
        for association in container.findall(f"{_BPMN}association"):
            container.remove(association)
            container.append(association)
    content = ElementTree.tostring(root, encoding="utf-8")
    assert isinstance(content, bytes), "it was asked for as UTF-8"
    return content


def _quoted(text: str) -> str:
    """An expression, to stand in an attribute."""
    return text.replace('"', "&quot;")


def _all(mappings: dict[str, str] | None) -> dict[str, str]:
    return {target: _quoted(source) for target, source in (mappings or {}).items()}


def calls(
    element_id: str,
    process_id: str,
    *,
    parent: bool = True,
    child: bool = True,
    binding: str = "",
    tag: str = "",
    inputs: dict[str, str] | None = None,
    outputs: dict[str, str] | None = None,
) -> str:
    """A call activity; `parent` and `child` say whether all variables go there, and come back."""
    called = process_id if process_id.startswith("=") else f"{RUN}{process_id}"
    attributes = f' bindingType="{binding}"' if binding else ""
    attributes += f' versionTag="{tag}"' if tag else ""
    return (
        f'<callActivity id="{element_id}"><extensionElements><zeebe:calledElement processId="{called}"'
        f' propagateAllParentVariables="{str(parent).lower()}"'
        f' propagateAllChildVariables="{str(child).lower()}"{attributes}/>'
        f"{playground.io_mapping(_all(inputs), _all(outputs))}</extensionElements></callActivity>"
    )


def many(
    activity: str,
    collection: str,
    *,
    item: str = "item",
    sequential: bool = False,
    outputs: tuple[str, str] | None = None,
    until: str = "",
) -> str:
    """The activity with many instances."""
    return playground.many(
        activity, collection, item=item, sequential=sequential, outputs=outputs, until=_quoted(until)
    )


def inclusive(gateway_id: str, *, default: str = "") -> str:
    """An inclusive gateway; `default` is the id of a flow."""
    attribute = f' default="{default}"' if default else ""
    return f'<inclusiveGateway id="{gateway_id}"{attribute}/>'


def script(
    element_id: str,
    expression: str,
    result: str,
    *,
    inputs: dict[str, str] | None = None,
    outputs: dict[str, str] | None = None,
) -> str:
    """A script task of a FEEL expression, whose result is a variable."""
    return (
        f'<scriptTask id="{element_id}"><extensionElements>'
        f'<zeebe:script expression="{_quoted(expression)}" resultVariable="{result}"/>'
        f"{playground.io_mapping(_all(inputs), _all(outputs))}</extensionElements></scriptTask>"
    )
