"""Messages on one partition: who gets them, what is buffered, and how often a process is started."""

import pytest

from bpmnd.bpmn import turn as turn_module
from bpmnd.bpmn.commands import (
    CancelProcessInstance,
    CorrelateMessage,
    PublishMessage,
    ResolveIncident,
    SetVariables,
)
from bpmnd.bpmn.events import (
    ContinuationCreated,
    IncidentCreated,
    MessageExpired,
    MessageStartEventSubscriptionDeleted,
    MessageSubscriptionDeleted,
    ProcessInstanceCreated,
    ProcessMessageSubscriptionCorrelated,
    VariablesCreated,
)
from bpmnd.bpmn.outcomes import (
    MessageCorrelated,
    MessagePublished,
    RejectionType,
)
from bpmnd.bpmn.variables import INSTANCE_SIZE_MAX
from tests.bpmn.events import boundary, catch, event, message, on_message
from tests.bpmn.playground import END, START, Playground, flow, io_mapping, path, process, rows_of, task

PAID = message("paid", "paid", "=order")
WAITING = process(
    START + catch("wait", on_message("paid")) + task("after") + path("start", "wait", "after"),
    definitions=PAID,
)
STARTED = process(
    event("startEvent", "begin", on_message("ordered")) + task("work") + path("begin", "work"),
    process_id="ordering",
    definitions=message("ordered", "ordered"),
)


def deployed(*contents: bytes) -> Playground:
    playground = Playground()
    playground.deploy(*contents)
    return playground


def publish(playground: Playground, name: str, key: str = "", live_ms: int = 0, **variables: bytes) -> int:
    outcome = playground.do(PublishMessage(name, key, live_ms, variables=variables))
    assert isinstance(outcome, MessagePublished), outcome
    return outcome.key


def correlate(playground: Playground, name: str, key: str = "", **variables: bytes) -> int:
    """The process instance that took the message."""
    outcome = playground.do(CorrelateMessage(name, key, variables=variables))
    outcome = outcome or playground.answers.popitem()[1]
    assert isinstance(outcome, MessageCorrelated), outcome
    return outcome.instance_key


def test_a_catch_event_completes_with_its_message() -> None:
    playground = deployed(WAITING)
    playground.create({"order": b'"1"'})

    publish(playground, "paid", "1", amount=b"5")

    (job,) = playground.jobs("after")
    assert job.variables == {"order": b'"1"', "amount": b"5"}


@pytest.mark.parametrize(("name", "key"), [("paid", "2"), ("sent", "1"), ("paid", "")])
def test_a_message_of_another_name_or_key_is_not_for_it(name: str, key: str) -> None:
    playground = deployed(WAITING)
    playground.create({"order": b'"1"'})
    publish(playground, name, key)
    assert playground.jobs("after") == ()


@pytest.mark.parametrize(
    ("value", "key"), [(b'"a"', "a"), (b"7", "7"), (b"1.9", "1"), (b"-0.5", "0"), (b'""', "")]
)
def test_a_correlation_key_is_a_string_or_the_whole_part_of_a_number(value: bytes, key: str) -> None:
    playground = deployed(WAITING)
    playground.create({"order": value})
    publish(playground, "paid", key)
    assert len(playground.jobs("after")) == 1


@pytest.mark.parametrize("value", [b"null", b"true", b"[1]", b"{}"])
def test_a_correlation_key_of_another_type_is_an_incident(value: bytes) -> None:
    playground = deployed(WAITING)
    key = playground.create({"order": value})
    (incident,) = playground.happened(IncidentCreated)
    assert incident.type == "EXTRACT_VALUE_ERROR"

    playground.do(SetVariables(key, {"order": b'"1"'}))
    playground.do(ResolveIncident(incident.key))
    publish(playground, "paid", "1")

    assert len(playground.jobs("after")) == 1


def test_a_message_that_nobody_waits_for_is_buffered() -> None:
    playground = deployed(WAITING)
    publish(playground, "paid", "1", 1000, amount=b"5")
    playground.pass_time(999)
    playground.create({"order": b'"1"'})
    assert len(playground.jobs("after")) == 1


def test_a_message_expires_with_its_time_to_live() -> None:
    playground = deployed(WAITING)
    publish(playground, "paid", "1", 1000)
    playground.pass_time(1000)
    assert len(playground.happened(MessageExpired)) == 1
    playground.create({"order": b'"1"'})
    assert playground.jobs("after") == ()


def test_a_message_whose_time_has_come_is_not_given_away_before_it_expires() -> None:
    playground = deployed(WAITING)
    publish(playground, "paid", "1", 1000)
    playground.now += 1000
    playground.create({"order": b'"1"'})
    assert playground.jobs("after") == ()


def test_the_oldest_message_in_the_buffer_comes_first() -> None:
    playground = deployed(WAITING)
    for number in (b"1", b"2"):
        publish(playground, "paid", "1", 1000, n=number)
    for _ in range(3):
        playground.create({"order": b'"1"'})
    assert [job.variables["n"] for job in playground.jobs("after")] == [b"1", b"2"]


def test_a_message_goes_to_the_oldest_instance_of_each_process_and_to_no_other() -> None:
    other = WAITING.replace(b'id="process"', b'id="other"')
    playground = deployed(WAITING, other)
    first = [playground.create({"order": b'"1"'}, process_id) for process_id in ("other", "process")]
    for process_id in ("other", "process"):
        playground.create({"order": b'"1"'}, process_id)

    publish(playground, "paid", "1", 1000)

    assert [job.process_instance_key for job in playground.jobs("after")] == first


def test_a_buffered_message_is_had_by_each_process_once() -> None:
    playground = deployed(WAITING, WAITING.replace(b'id="process"', b'id="other"'))
    publish(playground, "paid", "1", 1000)
    for process_id in ("process", "process", "other", "other"):
        playground.create({"order": b'"1"'}, process_id)
    assert {job.process_id for job in playground.jobs("after")} == {"process", "other"}
    assert len(playground.happened(ProcessMessageSubscriptionCorrelated)) == 2


def test_a_message_id_is_given_once_as_long_as_its_message_is_buffered() -> None:
    playground = deployed(WAITING)
    command = PublishMessage("paid", "1", 1000, "id")
    assert isinstance(playground.do(command), MessagePublished)

    assert playground.rejected(command).type is RejectionType.ALREADY_EXISTS
    assert isinstance(playground.do(PublishMessage("paid", "2", 1000, "id")), MessagePublished)
    playground.pass_time(1000)

    assert isinstance(playground.do(command), MessagePublished)


def test_outputs_of_a_catch_event_see_the_message_and_nobody_else_does() -> None:
    outputs = io_mapping(outputs={"total": "=amount + 1"})
    body = START + catch("wait", on_message("paid"), outputs) + task("after") + path("start", "wait", "after")
    playground = deployed(process(body, definitions=PAID))
    playground.create({"order": b'"1"'})
    publish(playground, "paid", "1", amount=b"5")
    (job,) = playground.jobs("after")
    assert job.variables == {"order": b'"1"', "total": b"6"}


RECEIVE = process(
    START
    + '<receiveTask id="wait" messageRef="paid"/>'
    + boundary("late", "wait", on_message("canceled"))
    + task("after")
    + task("handle")
    + path("start", "wait", "after")
    + flow("late", "handle"),
    definitions=PAID + message("canceled", "canceled", "=order"),
)


def test_a_receive_task_completes_with_its_message_and_its_boundary_event_waits_no_more() -> None:
    playground = deployed(RECEIVE)
    playground.create({"order": b'"1"'})
    publish(playground, "paid", "1")
    publish(playground, "canceled", "1")
    assert len(playground.jobs("after")) == 1
    assert playground.jobs("handle") == ()


def test_a_receive_task_behind_a_gateway_takes_its_message_and_the_variables_of_it() -> None:
    body = (
        START + '<eventBasedGateway id="either"/><receiveTask id="wait" messageRef="paid"/>' + task("after")
    )
    late = "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>"
    body += catch("late", late) + path("start", "either", "wait", "after") + flow("either", "late")
    playground = deployed(process(body, definitions=message("paid", "paid", "=order")))
    key = playground.create({"order": b'"1"'})
    playground.do(PublishMessage("paid", "1", 0, "", {"sum": b"5"}))
    assert playground.work("after").variables["sum"] == b"5"
    assert playground.is_over(key)


def test_a_boundary_event_interrupts_a_receive_task() -> None:
    playground = deployed(RECEIVE)
    playground.create({"order": b'"1"'})
    publish(playground, "canceled", "1", why=b"1")
    publish(playground, "paid", "1")
    (job,) = playground.jobs("handle")
    assert job.variables["why"] == b"1"
    assert playground.jobs("after") == ()


def at_task(*, interrupting: bool, extensions: str = "") -> bytes:
    return process(
        START
        + task("work", inputs={"order": "=&quot;inner&quot;"})
        + boundary("note", "work", on_message("paid"), interrupting=interrupting, extensions=extensions)
        + task("handle")
        + END
        + path("start", "work", "end")
        + flow("note", "handle"),
        definitions=PAID,
    )


def test_the_correlation_key_of_a_boundary_event_is_of_the_scope_around_its_activity() -> None:
    playground = deployed(at_task(interrupting=True))
    playground.create({"order": b'"1"'})
    publish(playground, "paid", "inner")
    assert playground.jobs("handle") == ()
    publish(playground, "paid", "1")
    assert len(playground.jobs("handle")) == 1
    assert playground.jobs("work") == ()


def test_a_boundary_event_that_does_not_interrupt_takes_every_message() -> None:
    playground = deployed(at_task(interrupting=False))
    playground.create({"order": b'"1"'})
    for _ in range(3):
        publish(playground, "paid", "1")
    assert len(playground.jobs("handle")) == 3
    playground.work("work")
    publish(playground, "paid", "1")
    assert len(playground.jobs("handle")) == 0


def test_a_boundary_event_that_does_not_interrupt_takes_all_that_is_buffered_in_bounded_turns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turn_module, "STEPS_MAX", 10)
    playground = deployed(at_task(interrupting=False))
    for _ in range(50):
        publish(playground, "paid", "1", 1000)
    playground.create({"order": b'"1"'})
    assert len(playground.jobs("handle", 100)) == 50
    assert playground.happened(ContinuationCreated)


def test_outputs_of_a_boundary_event_see_the_message() -> None:
    playground = deployed(at_task(interrupting=True, extensions=io_mapping(outputs={"why": "=reason + 1"})))
    playground.create({"order": b'"1"'})
    publish(playground, "paid", "1", reason=b"1")
    (job,) = playground.jobs("handle")
    assert job.variables == {"order": b'"1"', "why": b"2"}


def test_who_has_ended_does_not_wait_any_more() -> None:
    playground = deployed(WAITING)
    key = playground.create({"order": b'"1"'})
    playground.do(CancelProcessInstance(key))
    assert len(playground.happened(MessageSubscriptionDeleted)) == 1
    publish(playground, "paid", "1", 1000)
    playground.create({"order": b'"1"'})
    assert len(playground.jobs("after")) == 1


def test_a_message_starts_an_instance_with_its_variables() -> None:
    playground = deployed(STARTED)
    publish(playground, "ordered", amount=b"5")
    (job,) = playground.jobs("work")
    assert job.variables == {"amount": b"5"}


def test_without_a_correlation_key_every_message_starts_an_instance() -> None:
    playground = deployed(STARTED)
    for _ in range(3):
        publish(playground, "ordered")
    assert len(playground.jobs("work")) == 3


def test_of_one_correlation_key_only_one_instance_lives_and_the_next_message_waits_in_the_buffer() -> None:
    playground = deployed(STARTED)
    for number in (b"1", b"2", b"3"):
        publish(playground, "ordered", "a", 10_000, n=number)
    publish(playground, "ordered", "b", n=b"4")

    assert [job.variables["n"] for job in playground.jobs("work")] == [b"1", b"4"]
    started = [event.key for event in playground.happened(ProcessInstanceCreated)]
    playground.do(CancelProcessInstance(started[0]))
    assert [job.variables["n"] for job in playground.jobs("work")] == [b"2"]
    assert len(playground.happened(ProcessInstanceCreated)) == 3


def test_a_message_that_was_not_buffered_does_not_start_the_next() -> None:
    playground = deployed(STARTED)
    for _ in range(2):
        publish(playground, "ordered", "a")
    playground.work("work")
    assert playground.jobs("work") == ()
    publish(playground, "ordered", "a")
    assert len(playground.jobs("work")) == 1


def test_a_message_older_than_the_start_event_is_not_lost_when_its_turn_comes() -> None:
    """As in Zeebe: nothing happens at the deployment, but the end of an instance looks for it."""
    playground = Playground()
    publish(playground, "ordered", "a", 10_000, n=b"1")
    playground.deploy(STARTED)
    publish(playground, "ordered", "a", 10_000, n=b"2")
    assert playground.work("work").variables["n"] == b"2"
    assert playground.work("work").variables["n"] == b"1"
    assert playground.jobs("work") == ()


def test_only_the_latest_version_of_a_process_is_started() -> None:
    playground = deployed(STARTED)
    playground.deploy(STARTED.replace(b'type="work"', b'type="renewed"'))
    assert len(playground.happened(MessageStartEventSubscriptionDeleted)) == 1
    publish(playground, "ordered")
    assert playground.jobs("work") == ()
    assert len(playground.jobs("renewed")) == 1


def test_a_version_without_start_messages_ends_those_of_the_version_before() -> None:
    playground = deployed(STARTED)
    playground.deploy(process(START, process_id="ordering"))
    publish(playground, "ordered")
    assert playground.jobs("work") == ()


def test_a_process_has_several_start_events() -> None:
    definitions = message("m1", "one") + message("m2", "two")
    body = START + event("startEvent", "s1", on_message("m1")) + event("startEvent", "s2", on_message("m2"))
    body += task("a") + task("b") + task("c") + flow("start", "a") + flow("s1", "b") + flow("s2", "c")
    playground = deployed(process(body, definitions=definitions))
    publish(playground, "two")
    playground.create()
    assert [len(playground.jobs(job_type)) for job_type in "abc"] == [1, 0, 1]


@pytest.mark.parametrize("name", ["=x", "=1"])
def test_what_starts_a_process_must_be_constant(name: str) -> None:
    playground = Playground()
    content = process(event("startEvent", "s", on_message("m")), definitions=message("m", name))
    with pytest.raises(AssertionError, match="must be constant"):
        playground.deploy(content)


def test_a_name_may_be_computed() -> None:
    name = message("m", "=&quot;pa&quot; + what", "=order")
    body = START + catch("wait", on_message("m")) + task("after") + path("start", "wait", "after")
    playground = deployed(process(body, definitions=name))
    playground.create({"order": b'"1"', "what": b'"id"'})
    publish(playground, "paid", "1")
    assert len(playground.jobs("after")) == 1


def test_a_correlation_is_answered_with_the_instance_that_took_the_message() -> None:
    playground = deployed(WAITING)
    key = playground.create({"order": b'"1"'})
    assert correlate(playground, "paid", "1") == key
    assert playground.jobs("after")[0].process_instance_key == key


def test_a_correlation_is_answered_with_the_instance_that_it_has_started() -> None:
    playground = deployed(STARTED)
    assert correlate(playground, "ordered", "a") == playground.jobs("work")[0].process_instance_key


def test_a_correlation_with_nobody_is_refused_and_leaves_nothing() -> None:
    playground = deployed(STARTED, WAITING)
    correlate(playground, "ordered", "a")
    for command in (CorrelateMessage("ordered", "a"), CorrelateMessage("paid", "1")):
        events = len(playground.events)
        assert playground.rejected(command).type is RejectionType.NOT_FOUND
        assert len(playground.events) == events
    playground.create({"order": b'"1"'})
    assert playground.jobs("after") == ()


def test_variables_that_an_instance_cannot_take_are_an_incident_and_come_after_it() -> None:
    playground = deployed(WAITING)
    key = playground.create({"order": b'"1"', "large": b'"' + b"x" * (INSTANCE_SIZE_MAX - 1000) + b'"'})
    publish(playground, "paid", "1", more=b'"' + b"x" * 2000 + b'"')
    (incident,) = playground.happened(IncidentCreated)
    assert incident.type == "MESSAGE_SIZE_EXCEEDED"

    playground.do(SetVariables(key, {"large": b"1"}))
    playground.do(ResolveIncident(incident.key))

    (job,) = playground.jobs("after")
    assert len(job.variables["more"]) == 2002


GATEWAY = process(
    START
    + '<eventBasedGateway id="gateway"/>'
    + catch("paid", on_message("m"))
    + catch("late", "<timerEventDefinition><timeDuration>PT1S</timeDuration></timerEventDefinition>")
    + task("a")
    + task("b")
    + path("start", "gateway", "paid", "a")
    + path("gateway", "late", "b"),
    definitions=message("m", "paid", "=order"),
)


def test_behind_an_event_based_gateway_the_first_event_decides() -> None:
    playground = deployed(GATEWAY)
    playground.create({"order": b'"1"'})
    publish(playground, "paid", "1", amount=b"5")
    playground.pass_time(1000)
    (job,) = playground.jobs("a")
    assert job.variables["amount"] == b"5"
    assert playground.jobs("b") == ()


def test_behind_an_event_based_gateway_a_message_can_be_too_late() -> None:
    playground = deployed(GATEWAY)
    playground.create({"order": b'"1"'})
    playground.pass_time(1000)
    publish(playground, "paid", "1")
    assert playground.jobs("a") == ()
    assert len(playground.jobs("b")) == 1


def test_messages_leave_nothing_behind() -> None:
    playground = Playground()
    before = set(rows_of(playground.replayed()))
    playground.deploy(WAITING, GATEWAY.replace(b'id="process"', b'id="gateway-process"'))
    for order in (b'"1"', b'"2"'):
        publish(playground, "paid", order.decode().strip('"'), 1000)
        playground.create({"order": order}, "gateway-process")
        for key in [playground.create({"order": order}) for _ in range(2)]:
            if not playground.is_over(key):
                playground.do(CancelProcessInstance(key))
    playground.pass_time(1000)
    for instance in playground.happened(ProcessInstanceCreated):
        playground.do(CancelProcessInstance(instance.key))
    left = {row for row in rows_of(playground.replayed()) if row[:1] != b"d"}
    assert left == before
    assert len(playground.happened(VariablesCreated)) == 6
