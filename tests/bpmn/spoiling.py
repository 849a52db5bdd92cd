"""Models with something wrong with them: bytes, nodes, names and values in places that are not theirs."""

import copy
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from random import Random
from typing import Final

BPMN: Final = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
_SPACES: Final = (BPMN, "{http://camunda.org/schema/zeebe/1.0}", "{http://x}", "")
_TAGS: Final = (
    "startEvent", "endEvent", "task", "serviceTask", "userTask", "scriptTask", "receiveTask", "sendTask",
    "process", "businessRuleTask", "callActivity", "subProcess", "transaction", "adHocSubProcess",
    "exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway", "complexGateway",
    "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent", "timerEventDefinition",
    "messageEventDefinition", "association", "signalEventDefinition", "errorEventDefinition",
    "escalationEventDefinition", "linkEventDefinition", "signal", "terminateEventDefinition",
    "cancelEventDefinition", "compensateEventDefinition", "conditionalEventDefinition", "sequenceFlow",
    "message", "error", "escalation", "laneSet", "lane", "multiInstanceLoopCharacteristics",
    "standardLoopCharacteristics", "conditionExpression", "timeDuration", "timeCycle", "extensionElements",
    "nope",
)  # fmt: skip
_ATTRIBUTES: Final = (
    "id", "name", "isExecutable", "sourceRef", "targetRef", "default", "attachedToRef", "cancelActivity",
    "type", "messageRef", "signalRef", "errorRef", "escalationRef", "activityRef", "triggeredByEvent",
    "isForCompensation", "isInterrupting", "isSequential", "loopMaximum", "testBefore", "parallelMultiple",
    "instantiate", "retries", "expression", "resultVariable", "source", "target", "processId",
    "inputCollection", "inputElement", "formId", "outputCollection", "outputElement", "correlationKey",
    "decisionId", "bindingType", "versionTag", "assignee", "eventType", "dueDate", "priority", "hitPolicy",
    "typeRef", "href", "errorCode", "escalationCode", "ordering",
)  # fmt: skip
_VALUES: Final = (
    "", "a", " ", "x" * 300, "x" * 70_000, "=", "=1", "=(", "=null", "=a.b.c", "=[1,2]", "={", '= "a"',
    "0", "-1", "3", "1e9", "true", "false", "TRUE", "PT1H", "PT0S", "P", "R3/PT1S", "R/PT0S", "R-1/PT1S",
    "0 0 31 2 *", "2020-01-01T00:00:00Z", "*/1 * * * * *", "\t", "\n", "ä😀", "a:b", "${x}", "=1/0",
    '="a"+1', "=now()", "start", "=for i in 1..3 return i", "process", "9" * 30, "<", '"', "../x",
    "\u202e", "=[1,null,\"a\"]", "={a:1}", "=-1", '="PT1S"', '=duration("PT1S")', "=99999999999999999999",
    "=0.5",
)  # fmt: skip
_BYTES: Final = (
    b"\xff", b"\x00", b'"', b"<", b">", b"&", b"&x;", b"<!--", b"]]>", b"<![CDATA[", b"<?pi?>", b"{", b"[",
    b",null", b"\\ud800", b"&#0;", b"&#xD800;", b"9" * 400, b"\xef\xbb\xbf",
)  # fmt: skip
_STARTS: Final = (
    b'<!DOCTYPE a SYSTEM "file:///etc/passwd">', b'<!DOCTYPE a [<!ENTITY x "y">]>', b"\xef\xbb\xbf",
    b"\xfe\xff", b" ", b'<?xml version="1.1"?>', b'<?xml version="1.0" encoding="utf-16"?>',
    b'<?xml version="1.0" encoding="nope"?>',
)  # fmt: skip


def spoilt(content: bytes, random: Random) -> bytes:
    """The file, changed in one to five places."""
    times = random.choice((1, 1, 1, 2, 3, 5))
    if not content.lstrip().startswith(b"<") or random.random() < 0.15:
        return _spoilt_bytes(content, random, times)
    root = ET.fromstring(content)
    for _ in range(times):
        _spoil(root, random)
    return ET.tostring(root)


def _spoilt_bytes(content: bytes, random: Random, times: int) -> bytes:
    changed = bytearray(content)
    for _ in range(times):
        at, other = random.randrange(len(changed) + 1), random.randrange(len(changed) + 1)
        match random.randrange(6):
            case 0:
                del changed[at : at + random.randrange(1, 9)]
            case 1:
                changed[at:at] = random.choice(_BYTES)
            case 2:
                changed[at : at + 1] = bytes((random.randrange(256),))
            case 3:
                del changed[at:]
            case 4:
                changed[at:at] = changed[other : other + random.randrange(200)]
            case _:
                changed[:0] = random.choice(_STARTS)
    return bytes(changed)


def _spoil(root: ET.Element, random: Random) -> None:
    nodes = list(root.iter())
    node, other = random.choice(nodes), random.choice(nodes)
    parent = next((one for one in nodes if node in list(one)), None)
    ids = [one.attrib["id"] for one in nodes if "id" in one.attrib]
    value = random.choice((*_VALUES, *ids * 2))
    match random.randrange(10):
        case 0 if parent is not None:
            parent.remove(node)
        case 1 if parent is not None:
            parent.insert(random.randrange(len(parent) + 1), copy.deepcopy(node))
        case 2 if parent is not None:
            moved = copy.deepcopy(node)
            parent.remove(node)
            random.choice(list(root.iter())).append(moved)
        case 3:
            node.tag = BPMN + random.choice(_TAGS)
        case 4:
            node.tag = random.choice(_SPACES) + node.tag.rpartition("}")[2]
        case 5 if node.attrib:
            node.set(random.choice(list(node.attrib)), value)
        case 6 if node.attrib:
            del node.attrib[random.choice(list(node.attrib))]
        case 7:
            node.text = value
        case 8 if node.attrib and other.attrib:
            node.set(random.choice(list(node.attrib)), random.choice(list(other.attrib.values())))
        case 9:
            added = ET.SubElement(node, BPMN + random.choice(_TAGS))
            added.attrib.update(_some_attributes(random, ids))
        case _:
            node.set(random.choice(_ATTRIBUTES), value)


def _some_attributes(random: Random, ids: list[str]) -> Iterator[tuple[str, str]]:
    for _ in range(random.randrange(4)):
        yield random.choice(_ATTRIBUTES), random.choice((*_VALUES, *ids * 2))
