import json
from typing import Any

import msgspec

from bpmnd.actors.exporters.names import EVENT_NAMES
from bpmnd.actors.exporters.records import Record, Records
from bpmnd.actors.exporters.trail import Trail
from bpmnd.bpmn import events
from bpmnd.bpmn.codec import CommandNote, Frame
from bpmnd.bpmn.commands import ActivateJobs, CompleteJob, CreateProcessInstance
from bpmnd.bpmn.events import Event
from bpmnd.bpmn.outcomes import Accepted, Rejected, RejectionType, encode_outcome
from bpmnd.bpmn.state.slots import SlotRecords
from bpmnd.bpmn.user_tasks import GlobalListener, TaskAttributes

DEFINITION, ONE, TWO = 10, 100, 200
MODEL = (
    b'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL">'
    b'<process id="order"><serviceTask id="pay"/><sequenceFlow id="on"/></process></definitions>'
)
DEPLOYED = events.ProcessCreated(
    DEFINITION, 9, "order", 3, "", "order.bpmn", b"\1", "<default>", ("order", "pay", "on"), MODEL
)
ORDER, PAY, FLOW = range(3)


def created(key: int) -> list[Event]:
    return [
        events.ProcessInstanceCreated(key, DEFINITION, "<default>", (), f"business {key}", (), 0, ()),
        events.ElementActivated(key, key, key, ORDER, ()),
    ]


def with_job(key: int) -> list[Event]:
    return [
        *created(key),
        events.ElementActivated(key + 1, key, key, PAY, ()),
        events.JobCreated(key + 2, key, key + 1, PAY, "pay", 3),
    ]


class Export:
    """What comes out of frames, one entry each."""

    def __init__(self, *before: Event) -> None:
        self._records = Records(partition_id=1)
        self._index = 0
        self.all: list[Record] = []
        self.of(DEPLOYED, *before)

    def of(self, *happened: Event, notes: tuple[CommandNote, ...] = ()) -> list[Record]:
        self._index += 1
        found = list(self._records.of(self._index, Frame(1_000, 0, notes, happened)))
        self.all += found
        return found

    def value(self, event: Event) -> dict[str, Any]:
        """The value of the only record of an event, as a reader of the line sees it."""
        (record,) = self.of(event)
        value: dict[str, Any] = line(record)["value"]
        return value


def line(record: Record) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(msgspec.json.encode(record))
    return decoded


def name_of(record: Record) -> str:
    return f"{record.value_type}/{record.intent}"


def test_no_two_events_have_one_name() -> None:
    """But where Zeebe has one name: who waits for a signal may be a start event, an event is triggered at an
    activity or in a scope, and a job may be a listener's."""
    alike: dict[type[events.Event], type[events.Event]] = {
        events.ListenerJobCreated: events.JobCreated,
        events.JobWithHeadersCreated: events.JobCreated,
        events.SignalStartEventSubscriptionCreated: events.SignalSubscriptionCreated,
        events.SignalStartEventSubscriptionDeleted: events.SignalSubscriptionDeleted,
        events.ScopeInterrupted: events.BoundaryEventTriggered,
        events.ConditionalStartSubscriptionCreated: events.ConditionalSubscriptionCreated,
        events.ConditionalStartSubscriptionDeleted: events.ConditionalSubscriptionDeleted,
        events.StartTimerCreated: events.TimerCreated,
        events.StartTimerTriggered: events.TimerTriggered,
        events.StartTimerCanceled: events.TimerCanceled,
    }
    others = {event: name for event, name in EVENT_NAMES.items() if event not in alike}
    assert len(set(others.values())) == len(others)
    assert all(EVENT_NAMES[start] == EVENT_NAMES[same] for start, same in alike.items())


def test_elements_are_named_by_the_table_of_the_deployment() -> None:
    export = Export(*created(ONE))

    activated = export.value(events.ElementActivated(101, ONE, ONE, PAY, ()))
    taken = export.value(events.SequenceFlowTaken(ONE, ONE, FLOW))

    assert activated == {
        "processDefinitionKey": "10",
        "bpmnProcessId": "order",
        "version": 3,
        "tenantId": "<default>",
        "processInstanceKey": "100",
        "elementInstanceKey": "101",
        "elementId": "pay",
        "bpmnElementType": "SERVICE_TASK",
        "flowScopeKey": "100",
    }
    assert (taken["elementId"], taken["bpmnElementType"]) == ("on", "SEQUENCE_FLOW")


def test_without_the_deployment_there_is_the_index_alone() -> None:
    """Retention may have dropped the beginning of the archive."""
    records = Records(partition_id=1)

    (record,) = records.of(1, Frame(0, 0, (), (events.ElementCompleted(101, ONE, PAY),)))

    assert record.value == {"processInstanceKey": "100", "elementInstanceKey": "101", "elementIndex": PAY}


def test_every_variable_has_a_record_with_its_own_key() -> None:
    export = Export(*created(ONE))

    new = export.of(events.VariablesCreated(50, ONE, ONE, {"a": b"1", "b": b"2"}))
    changed = export.of(events.VariablesUpdated(ONE, ONE, {"b": b"3"}))

    assert [
        (record.key, line(record)["value"]["name"], line(record)["value"]["value"]) for record in new
    ] == [
        ("50", "a", 1),
        ("51", "b", 2),
    ]
    assert [(name_of(record), record.key) for record in changed] == [("VARIABLE/UPDATED", "51")]
    assert line(changed[0])["value"]["scopeKey"] == "100"


def test_a_variable_keeps_its_digits_and_stays_on_its_line() -> None:
    export = Export(*created(ONE))

    (record,) = export.of(events.VariablesCreated(50, ONE, ONE, {"a": b'[1.10,\r\n"x\\n"]'}))

    text = msgspec.json.encode(record)
    assert b"\n" not in text
    assert b"1.10" in text
    assert line(record)["value"]["value"] == [1.1, "x\n"]


def test_positions_count_records_within_an_entry() -> None:
    export = Export()

    export.of(*created(ONE), events.VariablesCreated(50, ONE, ONE, {"a": b"1", "b": b"2"}))

    assert [record.position for record in export.all] == [(1, 1), (2, 1), (2, 2), (2, 3), (2, 4)]


def test_every_record_names_the_command_that_led_to_it() -> None:
    export = Export()

    found = export.of(
        *created(ONE),
        *created(TWO),
        events.TimerTriggered(5, TWO),
        notes=((CreateProcessInstance, 0, 2), (CompleteJob, 7, 2)),
    )

    creation, completion = "PROCESS_INSTANCE_CREATION/CREATE", "JOB/COMPLETE"
    assert [record.cause for record in found] == [creation, creation, completion, completion, None]


def test_a_job_is_known_until_it_ends() -> None:
    export = Export(*with_job(ONE))

    export.of(events.JobsActivated((102,), "<default>", "pay", "alice", 2_500, (ONE,)))
    failed = export.value(events.JobFailed(102, ONE, 2, 3_000, "oh no"))
    completed = export.value(events.JobCompleted(102, ONE))

    assert failed["errorMessage"] == "oh no"
    assert failed["recurringTime"] == "1970-01-01T00:00:03.000Z"
    assert {name: completed[name] for name in ("type", "worker", "retries", "elementId")} == {
        "type": "pay",
        "worker": "alice",
        "retries": 2,
        "elementId": "pay",
    }


def test_an_incident_is_known_until_it_is_resolved() -> None:
    export = Export(*with_job(ONE))

    made = export.value(
        events.IncidentCreated(103, ONE, 101, PAY, 102, 0, "JOB_NO_RETRIES", "oh no", b"secret")
    )
    resolved = export.value(events.IncidentResolved(103, ONE))

    assert (made["errorType"], made["errorMessage"], made["jobKey"]) == ("JOB_NO_RETRIES", "oh no", "102")
    assert resolved == made


def test_a_timer_is_known_until_it_is_gone() -> None:
    export = Export(*created(ONE))

    made = export.value(events.TimerCreated(103, ONE, 101, PAY, 4_000, 1, ""))
    triggered = export.value(events.TimerTriggered(103, ONE))

    assert made["dueDate"] == "1970-01-01T00:00:04.000Z"
    assert triggered == made


def test_an_instance_is_filtered_with_its_own_jobs_of_a_batch() -> None:
    export = Export(*with_job(ONE), *with_job(TWO))
    export.of(
        events.JobsActivated((102, 202), "<default>", "pay", "alice", 2_500, (ONE, TWO)),
        notes=((ActivateJobs, 0, 1),),
    )
    export.of(events.JobCompleted(102, ONE))

    own = list(Trail(TWO).of(export.all))

    assert [name_of(record) for record in own] == [
        "PROCESS_INSTANCE_CREATION/CREATED",
        "PROCESS_INSTANCE/ELEMENT_ACTIVATED",
        "PROCESS_INSTANCE/ELEMENT_ACTIVATED",
        "JOB/CREATED",
        "JOB_BATCH/ACTIVATED",
    ]
    assert [job["jobKey"] for job in own[-1].value["jobs"]] == ["202"]
    (batch,) = (record for record in export.all if record.value_type == "JOB_BATCH")
    assert len(batch.value["jobs"]) == 2


def test_nothing_is_remembered_of_an_instance_that_has_ended() -> None:
    export = Export(*with_job(ONE))
    export.of(events.JobsActivated((102,), "<default>", "pay", "alice", 2_500, (ONE,)))

    export.of(events.ElementTerminated(101, ONE, PAY), events.ElementTerminated(ONE, ONE, ORDER))

    (late,) = export.of(events.JobsActivated((102,), "<default>", "pay", "bob", 2_500, (ONE,)))
    assert late.value["jobs"] == [{"jobKey": "102", "processInstanceKey": str(ONE)}]


def test_every_event_has_a_record_that_is_json() -> None:
    """Also those whose instance is not known."""
    samples: dict[object, Any] = {
        int: 7,
        str: "x",
        bytes: b"5",
        str | None: None,
        dict[str, bytes]: {"a": b"1"},
        tuple[bytes, ...]: (b"1",),
        TaskAttributes: TaskAttributes(),
        bool: True,
        SlotRecords: SlotRecords(locks=((b"1", 7),)),
        GlobalListener: GlobalListener("l", "check", ("all",)),
    }
    for event_type, name in EVENT_NAMES.items():
        fields = msgspec.structs.fields(event_type)
        arguments = [samples.get(field.type, ()) for field in fields]
        for export in (Records(partition_id=1), Export(*created(7))._records):  # pyright: ignore[reportPrivateUsage]
            records = list(export.of(9, Frame(0, 0, (), (event_type(*arguments),))))
            assert records, event_type
            for record in records:
                assert name_of(record) == str(name)
                assert line(record)["position"] == [9, records.index(record) + 1]


def test_of_a_command_with_an_id_it_is_told_how_it_is_known_and_what_became_of_it() -> None:
    export = Export()
    rejected = encode_outcome(Rejected(RejectionType.NOT_FOUND, "no such job"))
    assert export.value(events.CommandNoted(7, "scope", "key", b"\1", 0, 5_000, rejected)) == {
        "scope": "scope",
        "idempotencyKey": "key",
        "requestHash": "01",
        "deadline": "1970-01-01T00:00:05.000Z",
        "outcome": "Rejected",
        "rejectionType": "NOT_FOUND",
    }
    assert "outcome" not in export.value(events.CommandNoted(8, "scope", "other", b"\1", -9, 5_000, b""))
    assert export.value(events.CommandAnswered(8, encode_outcome(Accepted()))) == {"outcome": "Accepted"}
    assert export.value(events.CommandForgotten(8)) == {}
