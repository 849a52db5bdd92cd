"""Messages, signals and event-based gateways in the executable graph, and what is wrong with them."""

import pytest

from bpmnd.bpmn.feel import Expression
from bpmnd.bpmn.model.graph import (
    BoundaryEvent,
    CatchEvent,
    ElementType,
    EventBasedGateway,
    MessageDefinition,
    ReceiveTask,
    ServiceTask,
    SignalDefinition,
    StartEvent,
    TerminateDefinition,
    ThrowEvent,
)
from bpmnd.bpmn.model.multiple import MultipleDefinition, WorkedThrowEvent
from bpmnd.bpmn.model.parser import rebuild
from tests.bpmn.events import boundary, catch, event, message, on_message, on_signal, signal, together
from tests.bpmn.model.models import END, START, WORK, element, flow, model, parsed, reasons, sub_process

GO = message("m", "go", "=key")
BELL = signal("s", "bell")
JOB = '<zeebe:taskDefinition type="send"/>'
GATEWAY = '<eventBasedGateway id="gate"/>' + catch("one", on_message("m")) + catch("two", on_signal("s"))
LEADS = flow("f1", "gate", "one") + flow("f2", "gate", "two")


def test_a_message_catch_event_has_a_name_and_a_correlation_key() -> None:
    node = element(model(START + catch("e", on_message("m")), beside=GO), "e")
    assert isinstance(node, CatchEvent)
    assert isinstance(node.trigger, MessageDefinition)
    assert node.trigger.name == "go"
    assert isinstance(node.trigger.correlation_key, Expression)


def test_a_receive_task_refers_to_its_message() -> None:
    node = element(model(START + '<receiveTask id="e" messageRef="m"/>', beside=GO), "e")
    assert isinstance(node, ReceiveTask)
    assert isinstance(node.trigger, MessageDefinition)
    assert node.trigger.name == "go"


@pytest.mark.parametrize(
    ("definition", "kind"), [(on_message("m"), MessageDefinition), (on_signal("s"), SignalDefinition)]
)
@pytest.mark.parametrize("interrupting", [True, False])
def test_a_boundary_event_interrupts_or_not(definition: str, kind: type, interrupting: bool) -> None:
    content = model(
        START
        + WORK
        + END
        + boundary("e", "work", definition, interrupting=interrupting)
        + flow("f", "e", "end"),
        beside=GO + BELL,
    )
    node = element(content, "e")
    assert isinstance(node, BoundaryEvent)
    assert isinstance(node.trigger, kind)
    assert node.interrupting is interrupting
    assert element(content, "work").index == node.attached_to


def test_a_signal_is_caught_by_its_name() -> None:
    node = element(model(START + catch("e", on_signal("s")), beside=BELL), "e")
    assert isinstance(node, CatchEvent)
    assert node.trigger == SignalDefinition("bell")


def test_a_process_knows_its_start_events_and_one_of_them_is_none() -> None:
    content = model(
        event("startEvent", "a", on_message("m")) + START + event("startEvent", "b", on_signal("s")),
        beside=message("m", "go") + BELL,
    )
    process = parsed(content)
    assert process.root.start_event is not None
    assert process.elements[process.root.start_event].id == "start"
    assert [process.elements[index].id for index in process.root.triggered_starts] == ["a", "b"]
    assert rebuild(content, "process", process.element_ids()) == process


def test_a_process_may_have_no_none_start_event() -> None:
    process = parsed(model(event("startEvent", "a", on_message("m")), beside=message("m", "go")))
    assert process.root.start_event is None
    node = process.elements[1]
    assert isinstance(node, StartEvent)
    assert node.trigger is not None


@pytest.mark.parametrize(
    ("kind", "type_"),
    [
        ("intermediateThrowEvent", ElementType.INTERMEDIATE_THROW_EVENT),
        ("endEvent", ElementType.END_EVENT),
    ],
)
def test_a_message_is_thrown_by_a_job_and_a_signal_by_the_engine(kind: str, type_: ElementType) -> None:
    thrown = element(model(START + event(kind, "e", on_message("m"), JOB), beside=GO), "e")
    assert isinstance(thrown, ServiceTask)
    assert (thrown.element_type, thrown.job.type) == (type_, "send")
    thrown = element(model(START + event(kind, "e", on_signal("s")), beside=BELL), "e")
    assert isinstance(thrown, ThrowEvent)
    assert thrown.throws == SignalDefinition("bell")


def test_events_that_throw_nothing() -> None:
    content = model(START + '<intermediateThrowEvent id="a"/><endEvent id="b"/>')
    for id_ in ("a", "b"):
        node = element(content, id_)
        assert isinstance(node, ThrowEvent)
        assert node.throws is None


def test_an_event_based_gateway_leads_to_events() -> None:
    content = model(START + GATEWAY + LEADS, beside=GO + BELL)
    node = element(content, "gate")
    assert isinstance(node, EventBasedGateway)
    assert len(node.outgoing) == 2


CATCHES = catch("e", on_message("m"))


@pytest.mark.parametrize(
    ("inside", "beside", "expected"),
    [
        (catch("e", "<messageEventDefinition/>"), GO, ("e", "must reference a message")),
        (CATCHES, "", ("e", "references the message 'm', which does not exist")),
        (
            CATCHES,
            message("m", "go"),
            ("m", "must have exactly one zeebe:subscription extension element"),
        ),
        (
            CATCHES,
            message("m", "go", "static"),
            (
                "m",
                "expected an expression but found the static value 'static'; an expression starts with '='",
            ),
        ),
        (CATCHES, message("m", "", "=k"), ("m", "the name of a message must be present and not empty")),
        ('<receiveTask id="e"/>', GO, ("e", "must reference a message")),
        (catch("e", "<signalEventDefinition/>"), BELL, ("e", "must reference a signal")),
        (
            catch("e", on_signal("s")),
            '<signal id="s"/>',
            ("s", "the name of a signal must be present and not empty"),
        ),
        (
            event("endEvent", "e", on_message("m")),
            GO,
            ("e", "must have exactly one zeebe:taskDefinition extension element"),
        ),
        (
            sub_process(event("startEvent", "e", on_signal("s"))),
            BELL,
            ("e", "the start event of a sub-process must have no event definition"),
        ),
        (
            event("startEvent", "a", on_message("m")) + event("startEvent", "e", on_message("m")),
            message("m", "go"),
            ("e", "another event here already waits for the message 'go'"),
        ),
        (
            WORK
            + END
            + boundary("a", "work", on_signal("s"))
            + boundary("e", "work", on_signal("s"))
            + flow("f1", "a", "end")
            + flow("f2", "e", "end"),
            BELL,
            ("e", "another event here already waits for the signal 'bell'"),
        ),
        (
            '<receiveTask id="task" messageRef="m"/>'
            + END
            + boundary("e", "task", on_message("m"))
            + flow("f", "e", "end"),
            GO,
            ("e", "another event here already waits for the message 'go'"),
        ),
        (
            GATEWAY + flow("f", "gate", "one"),
            GO + BELL,
            ("gate", "an event-based gateway must have at least two outgoing sequence flows"),
        ),
        (
            GATEWAY + LEADS + WORK + flow("f3", "gate", "work"),
            GO + BELL,
            (
                "gate",
                "must only lead to catch events and receive tasks, not to the serviceTask 'work'",
            ),
        ),
        (
            GATEWAY
            + LEADS
            + END
            + '<receiveTask id="task" messageRef="n"/>'
            + boundary("e", "task", on_signal("s"))
            + flow("f3", "gate", "task")
            + flow("f4", "e", "end"),
            GO + BELL + message("n", "come", "=key"),
            ("task", "a receive task behind an event-based gateway must have no boundary event and no loop"),
        ),
        (
            GATEWAY + LEADS + WORK + flow("f3", "work", "two"),
            GO + BELL,
            ("two", "an event behind an event-based gateway must have no other incoming sequence flow"),
        ),
    ],
)
def test_what_is_wrong_is_told(inside: str, beside: str, expected: tuple[str, str]) -> None:
    start = "" if inside.startswith("<startEvent") else START
    assert reasons(model(start + inside, beside=beside)) == [expected]


def test_a_reference_may_be_qualified() -> None:
    node = element(model(START + catch("e", on_message("t:m")), beside=GO), "e")
    assert isinstance(node, CatchEvent)


def test_names_that_are_computed_are_not_compared() -> None:
    content = model(
        START
        + WORK
        + END
        + boundary("a", "work", on_message("m"))
        + boundary("b", "work", on_message("m"))
        + flow("f1", "a", "end")
        + flow("f2", "b", "end"),
        beside=message("m", "=name", "=k"),
    )
    assert reasons(content) == []


ON_ERROR = '<errorEventDefinition errorRef="err"/>'
ESCAPES = GO + BELL + '<error id="err" errorCode="E"/>'


def reasons_of(event_tag: str, *, beside: str = ESCAPES) -> list[str]:
    way_out = "" if "<endEvent" in event_tag else flow("f", "e", "end")
    return [reason for _, reason in reasons(model(START + WORK + END + event_tag + way_out, beside=beside))]


def test_an_event_with_several_definitions_waits_for_one_of_them_or_for_all() -> None:
    two = catch("e", on_message("m") + on_signal("s"))
    for content, parallel in ((two, False), (together(two, "e"), True)):
        node = element(model(START + content, beside=GO + BELL), "e")
        assert isinstance(node, CatchEvent)
        assert isinstance(node.trigger, MultipleDefinition)
        assert [type(part) for part in node.trigger.parts] == [MessageDefinition, SignalDefinition]
        assert node.trigger.parallel is parallel


def test_a_single_definition_is_all_of_them() -> None:
    node = element(model(START + together(catch("e", on_signal("s")), "e"), beside=BELL), "e")
    assert isinstance(node, CatchEvent)
    assert node.trigger == SignalDefinition("bell")


def test_an_event_refers_to_definitions_beside_the_processes() -> None:
    beside = BELL + '<signalEventDefinition id="rung" signalRef="s"/>'
    node = element(
        model(START + catch("e", "<eventDefinitionRef>rung</eventDefinitionRef>"), beside=beside), "e"
    )
    assert isinstance(node, CatchEvent)
    assert node.trigger == SignalDefinition("bell")


def test_a_definition_that_an_event_refers_to_is_one_of_several() -> None:
    beside = GO + BELL + '<d:signalEventDefinition xmlns:d="urn:other" id="rung"/>'
    beside += '<signalEventDefinition id="x:rung" signalRef="s"/>'.replace("x:rung", "ringing")
    both = on_message("m") + '<eventDefinitionRef xmlns:t="test">t:ringing</eventDefinitionRef>'
    node = element(model(START + catch("e", both), beside=beside), "e")
    assert isinstance(node, CatchEvent)
    assert isinstance(node.trigger, MultipleDefinition)
    assert node.trigger.parts[1] == SignalDefinition("bell")


def test_a_definition_that_an_event_refers_to_must_be_there() -> None:
    found = reasons_of(catch("e", "<eventDefinitionRef>nobody</eventDefinitionRef>"))
    assert found == ["references the event definition 'nobody', which does not exist"]


def test_an_event_sub_process_may_be_triggered_by_a_definition_elsewhere() -> None:
    start = '<startEvent id="e"><eventDefinitionRef>rung</eventDefinitionRef></startEvent>'
    inside = sub_process(start, attributes='triggeredByEvent="true"')
    beside = BELL + '<signalEventDefinition id="rung" signalRef="s"/>'
    node = element(model(START + inside, beside=beside), "e")
    assert isinstance(node, StartEvent)
    assert node.trigger == SignalDefinition("bell")


@pytest.mark.parametrize(
    ("event_tag", "reason"),
    [
        (
            boundary("e", "work", '<compensateEventDefinition id="c"/>' + on_signal("s")),
            "a compensation event definition must be the only one of its event",
        ),
        (
            event("intermediateCatchEvent", "e", '<linkEventDefinition name="L"/>' + on_signal("s")),
            "a link event definition must be the only one of its event",
        ),
        (
            event("endEvent", "e", "<terminateEventDefinition/>" + ON_ERROR),
            "must not have both terminate event definition and error event definition",
        ),
        (
            together(boundary("e", "work", ON_ERROR + on_signal("s")), "e"),
            "an error event definition must not be one of several that must all occur",
        ),
        (
            boundary("e", "work", ON_ERROR + on_signal("s"), interrupting=False),
            "an error boundary event must interrupt",
        ),
        (catch("e", on_signal("s") * 2), "another event here already waits for the signal 'bell'"),
        (
            boundary("e", "work", ON_ERROR * 2),
            "another boundary event of 'work' already catches the error code 'E'",
        ),
        (
            event("intermediateThrowEvent", "e", on_message("m") + on_signal("s")),
            "must have exactly one zeebe:taskDefinition extension element",
        ),
        (catch("e", on_signal("s") * 51), "must not have more than 50 event definitions"),
    ],
)
def test_definitions_that_do_not_go_together_are_refused(event_tag: str, reason: str) -> None:
    assert reason in reasons_of(event_tag)


def test_of_what_starts_a_process_together_there_is_one_timer() -> None:
    timer = "<timerEventDefinition><timeDuration>PT1S</timeDuration></timerEventDefinition>"
    content = together(event("startEvent", "e", on_signal("s") + timer * 2), "e")
    found = reasons(model(content, beside=BELL))
    assert found == [("e", "a parallel multiple start event must not have more than one timer")]


def test_what_an_event_throws_ends_with_what_ends_its_scope() -> None:
    end = event("endEvent", "e", "<terminateEventDefinition/>" + on_signal("s"))
    node = element(model(START + end, beside=BELL), "e")
    assert isinstance(node, ThrowEvent)
    assert node.throws == MultipleDefinition((SignalDefinition("bell"), TerminateDefinition()))


def test_an_event_that_throws_a_message_among_others_has_a_job() -> None:
    node = element(
        model(START + event("endEvent", "e", on_signal("s") + on_message("m"), JOB), beside=BELL), "e"
    )
    assert isinstance(node, WorkedThrowEvent)
    assert node.job.type == "send"
    assert node.throws == MultipleDefinition((MessageDefinition(""), SignalDefinition("bell")))
