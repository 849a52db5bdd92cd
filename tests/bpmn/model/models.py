"""Small BPMN files to parse: the parts are written as in a file, the frame around them is made here."""

from bpmnd.bpmn.model.graph import Element, ExecutableProcess, SequenceFlow
from bpmnd.bpmn.model.parser import Invalid, Parsed, parse_resource

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
ZEEBE = "http://camunda.org/schema/zeebe/1.0"

START = '<startEvent id="start"/>'
END = '<endEvent id="end"/>'
WORK = (
    '<serviceTask id="work"><extensionElements><zeebe:taskDefinition type="work"/></extensionElements>'
    "</serviceTask>"
)


def flow(id_: str, source: str, target: str, condition: str | None = None) -> str:
    inside = "" if condition is None else f"<conditionExpression>{condition}</conditionExpression>"
    return f'<sequenceFlow id="{id_}" sourceRef="{source}" targetRef="{target}">{inside}</sequenceFlow>'


def task(extensions: str, *, kind: str = "serviceTask", attributes: str = "") -> str:
    return f'<{kind} id="task" {attributes}><extensionElements>{extensions}</extensionElements></{kind}>'


def sub_process(inside: str, *, id_: str = "sub", attributes: str = "") -> str:
    return f'<subProcess id="{id_}" {attributes}>{inside}</subProcess>'


def timer(kind: str, text: str) -> str:
    return f"<timerEventDefinition><{kind}>{text}</{kind}></timerEventDefinition>"


def catch(inside: str) -> str:
    return f'<intermediateCatchEvent id="catch">{inside}</intermediateCatchEvent>'


def boundary(inside: str, *, id_: str = "boundary", on: str = "work", attributes: str = "") -> str:
    """A boundary event and the flow from it to the end event."""
    event = f'<boundaryEvent id="{id_}" attachedToRef="{on}" {attributes}>{inside}</boundaryEvent>'
    return event + flow(f"from_{id_}", id_, "end")


def definitions(inside: str) -> bytes:
    return f'<definitions xmlns="{BPMN}" xmlns:zeebe="{ZEEBE}" id="file">{inside}</definitions>'.encode()


def process(inside: str, *, id_: str = "process", attributes: str = 'isExecutable="true"') -> str:
    return f'<process id="{id_}" {attributes}>{inside}</process>'


def model(inside: str, *, beside: str = "") -> bytes:
    """A file with one executable process, and `beside` it what else stands in the definitions."""
    return definitions(beside + process(inside))


def parsed(content: bytes) -> ExecutableProcess:
    """The only process of a valid file."""
    result = parse_resource(content, name="test.bpmn")
    assert isinstance(result, Parsed), [str(problem) for problem in result.problems]
    (only,) = result.processes
    return only


def element(content: bytes, id_: str) -> Element | SequenceFlow:
    """The element of that id in a valid file with one process."""
    return next(found for found in parsed(content).elements if found.id == id_)


def reasons(content: bytes) -> list[tuple[str | None, str]]:
    """Element id and reason of each problem; none if the file is valid."""
    match parse_resource(content, name="test.bpmn"):
        case Parsed():
            return []
        case Invalid(problems):
            return [(problem.element_id, problem.reason) for problem in problems]
