"""Call activities, on the pure engine."""

import pytest

from bpmnd.bpmn.appliers.window import Window
from bpmnd.bpmn.codec import decode_head
from bpmnd.bpmn.commands import (
    CancelProcessInstance,
    ResolveIncident,
    SetVariables,
    ThrowJobError,
)
from bpmnd.bpmn.events import (
    ElementTerminated,
    IncidentCreated,
    JobCanceled,
    ProcessInstanceCalled,
)
from bpmnd.bpmn.outcomes import Accepted, RejectionType
from bpmnd.bpmn.state import EmptyStore, State
from bpmnd.bpmn.state.records import decode_instance, encode_instance
from tests.bpmn.playground import END, START, Playground, io_mapping, many, path, process, rows_of, task
from tests.bpmn.test_flow import ERRORS


def calls(element_id: str, process_id: str, attributes: str = "", extensions: str = "") -> str:
    called = f'<zeebe:calledElement processId="{process_id}" {attributes}/>'
    return (
        f'<callActivity id="{element_id}"><extensionElements>{called}{extensions}</extensionElements>'
        "</callActivity>"
    )


def on_error(attached_to: str, error: str = "e1") -> str:
    definition = f'<errorEventDefinition errorRef="{error}"/>'
    return (
        f'<boundaryEvent id="caught" attachedToRef="{attached_to}">{definition}</boundaryEvent>'
        f"{task('handle')}{path('caught', 'handle')}"
    )


CHILD = process(START + task("inner") + END + path("start", "inner", "end"), process_id="child")
MIDDLE = process(START + calls("call", "child") + path("start", "call"), process_id="middle")
CALLER = process(START + calls("call", "child") + task("after") + path("start", "call", "after"))


def started(*contents: bytes, variables: dict[str, bytes] | None = None) -> tuple[Playground, int]:
    playground = Playground()
    playground.deploy(*contents)
    return playground, playground.create(variables)


def called_by(playground: Playground, number: int = 0) -> int:
    return playground.happened(ProcessInstanceCalled)[number].key


def test_the_call_activity_completes_when_the_called_instance_does() -> None:
    playground, key = started(CHILD, CALLER)
    child = called_by(playground)

    playground.work("inner", {"r": b"1"})

    assert playground.is_over(child)
    assert playground.work("after").variables == {"r": b"1"}
    assert playground.is_over(key)


def test_a_job_of_a_called_instance_knows_the_root() -> None:
    caller = process(START + calls("call", "middle") + path("start", "call"))
    playground, key = started(CHILD, MIDDLE, caller)
    (job,) = playground.jobs("inner")
    assert job.process_instance_key == called_by(playground, 1)
    assert job.root_process_instance_key == key


def test_without_the_flag_only_the_inputs_go_to_the_called_process() -> None:
    call = calls("call", "child", 'propagateAllParentVariables="false"', io_mapping({"x": "=a + 1"}))
    playground, _ = started(CHILD, process(START + call + path("start", "call")), variables={"a": b"1"})
    (job,) = playground.jobs("inner")
    assert job.variables == {"x": b"2"}


def test_without_the_flag_nothing_comes_back() -> None:
    call = calls("call", "child", 'propagateAllChildVariables="false"')
    playground, _ = started(CHILD, process(START + call + task("after") + path("start", "call", "after")))
    playground.work("inner", {"r": b"1"})
    (job,) = playground.jobs("after")
    assert job.variables == {}


def test_an_error_goes_up_into_the_caller_of_the_caller() -> None:
    caller = process(
        START + calls("call", "middle") + path("start", "call") + on_error("call"), definitions=ERRORS
    )
    playground, key = started(CHILD, MIDDLE, caller)
    (job,) = playground.jobs("inner")

    playground.do(ThrowJobError(job.key, "E1"))

    assert {event.key for event in playground.happened(ElementTerminated)} >= {
        called_by(playground),
        called_by(playground, 1),
    }
    playground.work("handle")
    assert playground.is_over(key)


def test_an_interruption_terminates_the_called_instance_before_the_boundary_event_goes_on() -> None:
    timer = "<timerEventDefinition><timeDuration>PT1S</timeDuration></timerEventDefinition>"
    late = f'<boundaryEvent id="late" attachedToRef="call">{timer}</boundaryEvent>'
    caller = process(
        START
        + calls("call", "child")
        + late
        + task("handle")
        + path("start", "call")
        + path("late", "handle")
    )
    playground, key = started(CHILD, caller)

    playground.pass_time(2000)

    assert playground.is_over(called_by(playground))
    playground.work("handle")
    assert playground.is_over(key)


def test_cancelling_the_root_terminates_all_that_it_called() -> None:
    playground, key = started(CHILD, MIDDLE, process(START + calls("call", "middle") + path("start", "call")))
    assert playground.do(CancelProcessInstance(key)) == Accepted()
    assert len(playground.happened(JobCanceled)) == 1
    assert all(playground.is_over(each) for each in (key, called_by(playground), called_by(playground, 1)))


def test_only_a_root_can_be_cancelled() -> None:
    playground, key = started(CHILD, CALLER)
    rejected = playground.rejected(CancelProcessInstance(called_by(playground)))
    assert rejected.type is RejectionType.INVALID_STATE
    assert str(key) in rejected.reason


def test_a_process_that_is_missing_is_an_incident_until_it_is_deployed() -> None:
    playground, key = started(CALLER)
    (incident,) = playground.happened(IncidentCreated)
    assert incident.type == "CALLED_ELEMENT_ERROR"

    playground.deploy(CHILD)
    playground.do(ResolveIncident(incident.key))

    playground.work("inner")
    playground.work("after")
    assert playground.is_over(key)


def test_the_binding_to_the_deployment_does_not_see_a_newer_version() -> None:
    playground = Playground()
    playground.deploy(
        CHILD, process(START + calls("call", "child", 'bindingType="deployment"') + path("start", "call"))
    )
    playground.deploy(process(START + task("newer") + path("start", "newer"), process_id="child"))
    playground.create()
    assert len(playground.jobs("inner")) == 1


def test_a_process_that_calls_itself_ends_in_an_incident_at_depth_1000() -> None:
    playground = Playground()
    playground.deploy(process(START + calls("call", "process") + path("start", "call")))
    key = playground.create()
    (incident,) = playground.happened(IncidentCreated)
    assert incident.type == "CALLED_ELEMENT_ERROR"
    assert len(playground.happened(ProcessInstanceCalled)) == 999

    playground.do(CancelProcessInstance(key))

    assert playground.state.completed == 1000


def test_a_process_that_calls_itself_with_much_data_ends_sooner() -> None:
    playground = Playground()
    playground.deploy(process(START + calls("call", "process") + path("start", "call")))
    playground.create({"much": b'"%s"' % (b"x" * 1_000_000)})
    assert len(playground.happened(IncidentCreated)) == 1
    assert len(playground.happened(ProcessInstanceCalled)) < 100


def test_a_loop_around_a_call_that_never_waits_ends_in_an_incident() -> None:
    child = process(START + END + path("start", "end"), process_id="child")
    loop = process(
        START
        + '<exclusiveGateway id="again"/>'
        + calls("call", "child")
        + path("start", "again", "call", "again")
    )
    playground, key = started(child, loop)
    assert [incident.type for incident in playground.happened(IncidentCreated)] == ["UNKNOWN"]
    playground.do(CancelProcessInstance(key))
    assert playground.is_over(key)


def test_what_a_full_caller_cannot_take_back_is_an_incident_in_the_called_instance() -> None:
    call = calls("call", "child", 'propagateAllParentVariables="false"')
    much = {"much": b'"%s"' % (b"x" * 3_000_000)}
    playground, key = started(CHILD, process(START + call + path("start", "call")), variables=much)
    playground.work("inner", {"more": b'"%s"' % (b"y" * 2_000_000)})
    (incident,) = playground.happened(IncidentCreated)
    assert incident.instance_key == called_by(playground)

    playground.do(SetVariables(key, {"much": b"0"}))
    playground.do(ResolveIncident(incident.key))

    assert playground.is_over(key)


def test_caller_and_called_instance_are_read_as_they_were_written() -> None:
    playground, key = started(CHILD, CALLER)
    for each in (key, called_by(playground)):
        instance = playground.state.instances.get(each)
        assert instance is not None
        assert decode_instance(encode_instance(instance)) == instance


@pytest.mark.parametrize("steps_max", [1, 2, 3, 7])
def test_however_the_turns_are_cut_the_outcome_is_the_same(
    monkeypatch: pytest.MonkeyPatch, steps_max: int
) -> None:
    monkeypatch.setattr("bpmnd.bpmn.turn.STEPS_MAX", steps_max)
    playground, key = started(CHILD, MIDDLE, process(START + calls("call", "middle") + path("start", "call")))
    playground.do(CancelProcessInstance(key))
    assert playground.state.completed == 3
    assert rows_of(playground.replayed()) == rows_of(playground.state)


def test_frames_that_are_replayed_together_leave_the_same_state() -> None:
    playground, _ = started(CHILD, CALLER)
    playground.work("inner")
    playground.work("after")
    follower, window = State(1, EmptyStore()), Window()
    for frame in playground.frames:
        window.add(decode_head(frame))
    window.replay(follower)
    assert rows_of(follower) == rows_of(playground.state)


@pytest.mark.parametrize(("mapping", "seen"), [("", []), (io_mapping({"x": "=item"}), ["item", "x"])])
def test_an_item_goes_to_the_called_process_only_with_mappings(mapping: str, seen: list[str]) -> None:
    called = many(calls("call", "child", 'propagateAllParentVariables="false"', mapping), "=[7]")
    playground, _ = started(CHILD, process(START + called + path("start", "call")))
    (job,) = playground.jobs("inner")
    assert [name for name in sorted(job.variables) if name != "loopCounter"] == seen
