"""Activities with many instances, on the pure engine."""

import pytest

from bpmnd.bpmn.appliers.window import Window
from bpmnd.bpmn.codec import decode_head
from bpmnd.bpmn.commands import (
    CancelProcessInstance,
    CompleteJob,
    CreateProcessInstance,
    ResolveIncident,
    SetVariables,
    ThrowJobError,
)
from bpmnd.bpmn.events import (
    ContinuationCreated,
    ElementTerminated,
    IncidentCreated,
    JobCreated,
)
from bpmnd.bpmn.model.graph import ElementType, LoopBody, ServiceTask
from bpmnd.bpmn.model.parser import Parsed, parse_resource, rebuild
from bpmnd.bpmn.outcomes import ProcessInstanceCreated, RejectionType
from bpmnd.bpmn.state import EmptyStore, State
from bpmnd.bpmn.state.records import decode_instance, encode_instance
from tests.bpmn.model.models import reasons
from tests.bpmn.playground import START, Playground, flow, many, path, process, rows_of, task
from tests.bpmn.test_flow import ERRORS

ITEMS = {"items": b"[10,20,30]"}


def model(activity: str, more: str = "", *, activity_id: str = "work") -> bytes:
    return process(
        START + activity + task("after") + path("start", activity_id, "after") + more, definitions=ERRORS
    )


def started(content: bytes, variables: dict[str, bytes] | None = None) -> tuple[Playground, int]:
    playground = Playground()
    playground.deploy(content)
    return playground, playground.create(ITEMS if variables is None else variables)


def test_parallel_instances_are_there_all_at_once_each_with_its_item() -> None:
    playground, _ = started(model(many(task("work"), "=items")))
    assert [(job.variables["item"], job.variables["loopCounter"]) for job in playground.jobs("work")] == [
        (b"10", b"1"),
        (b"20", b"2"),
        (b"30", b"3"),
    ]


def test_the_body_completes_with_the_last_of_its_instances() -> None:
    playground, key = started(model(many(task("work"), "=items")))
    for _ in range(3):
        assert playground.jobs("after") == ()
        playground.work("work")
    playground.work("after")
    assert playground.is_over(key)


def test_sequential_instances_come_one_after_the_other() -> None:
    playground, _ = started(model(many(task("work"), "=items", sequential=True)))
    seen: list[bytes] = []
    while jobs := playground.jobs("work"):
        assert len(jobs) == 1
        seen.append(jobs[0].variables["item"])
        playground.do(CompleteJob(jobs[0].key))
    assert seen == [b"10", b"20", b"30"]
    assert len(playground.jobs("after")) == 1


def test_outputs_stand_in_the_order_of_the_items_however_they_come() -> None:
    activity = many(task("work"), "=items", outputs=("results", "=item * 2"))
    playground, _ = started(model(activity))
    for job in reversed(playground.jobs("work")):
        playground.do(CompleteJob(job.key))
    (job,) = playground.jobs("after")
    assert job.variables["results"] == b"[20,40,60]"


def test_what_is_collected_so_far_is_seen_inside() -> None:
    activity = many(task("work"), "=items", sequential=True, outputs=("results", "=item * 2"))
    playground, _ = started(model(activity))
    playground.work("work")
    (job,) = playground.jobs("work")
    assert job.variables["results"] == b"[20,null,null]"


@pytest.mark.parametrize("sequential", [False, True])
def test_an_empty_collection_completes_at_once(sequential: bool) -> None:
    activity = many(task("work"), "=items", sequential=sequential, outputs=("results", "=item"))
    playground, _ = started(model(activity), {"items": b"[]"})
    (job,) = playground.jobs("after")
    assert job.variables["results"] == b"[]"


def test_a_collection_that_is_none_is_an_incident() -> None:
    playground, key = started(model(many(task("work"), "=items")), {"items": b"5"})
    (incident,) = playground.happened(IncidentCreated)
    assert incident.type == "EXTRACT_VALUE_ERROR"
    assert "'ARRAY', but was 'NUMBER'" in incident.message

    playground.do(SetVariables(key, ITEMS))
    playground.do(ResolveIncident(incident.key))

    assert len(playground.jobs("work")) == 3


def test_the_completion_condition_terminates_what_is_left() -> None:
    activity = many(task("work"), "=items", until="=numberOfCompletedInstances &gt;= 2")
    playground, key = started(model(activity))
    playground.work("work")
    playground.work("work")
    assert len(playground.happened(ElementTerminated)) == 1
    playground.work("after")
    assert playground.is_over(key)


def test_the_completion_condition_sees_what_the_instance_has_made() -> None:
    activity = many(
        task("work"),
        "=items",
        sequential=True,
        until="=count(results[item = 1]) = 2",
        outputs=("results", "=r"),
    )
    playground, _ = started(model(activity))
    playground.work("work", {"r": b"1"})
    playground.work("work", {"r": b"1"})
    assert len(playground.jobs("after")) == 1


def test_a_completion_condition_that_fails_is_an_incident_of_the_instance() -> None:
    activity = many(task("work"), "=items", sequential=True, until="=enough")
    playground, key = started(model(activity))
    playground.work("work")
    (incident,) = playground.happened(IncidentCreated)
    assert incident.type == "EXTRACT_VALUE_ERROR"

    playground.do(SetVariables(key, {"enough": b"true"}))
    playground.do(ResolveIncident(incident.key))

    assert len(playground.jobs("after")) == 1


def test_a_boundary_event_stands_on_the_body_and_interrupts_all_instances() -> None:
    caught = (
        '<boundaryEvent id="caught" attachedToRef="work"><errorEventDefinition errorRef="e1"/>'
        + "</boundaryEvent>"
        + task("handle")
        + flow("caught", "handle")
    )
    playground, key = started(model(many(task("work"), "=items"), caught))
    first, *_ = playground.jobs("work")
    playground.do(ThrowJobError(first.key, "E1"))
    assert len(playground.happened(ElementTerminated)) == 4
    playground.work("handle")
    assert playground.is_over(key)


def test_input_mappings_see_the_item() -> None:
    playground, _ = started(model(many(task("work", inputs={"x": "=item + loopCounter"}), "=items")))
    assert [job.variables["x"] for job in playground.jobs("work")] == [b"11", b"22", b"33"]


SUB = (
    '<subProcess id="sub"><startEvent id="s"/>'
    + many(task("work"), "=item", item="inner", outputs=("sums", "=inner + 1"))
    + path("s", "work")
    + "</subProcess>"
)


@pytest.mark.parametrize("sequential", [False, True])
def test_nested_multi_instances(sequential: bool) -> None:
    activity = many(SUB, "=items", sequential=sequential, outputs=("all", "=sums"))
    playground, key = started(model(activity, activity_id="sub"), {"items": b"[[1,2],[],[3]]"})
    while jobs := playground.jobs("work"):
        for job in jobs:
            playground.do(CompleteJob(job.key))
    (job,) = playground.jobs("after")
    assert job.variables["all"] == b"[[2,3],[],[4]]"
    playground.do(CompleteJob(job.key))
    assert playground.is_over(key)


def test_a_cardinality_says_how_often() -> None:
    activity = task("work").replace(
        "</serviceTask>",
        "<multiInstanceLoopCharacteristics><loopCardinality>=n + 1</loopCardinality>"
        "</multiInstanceLoopCharacteristics></serviceTask>",
    )
    playground, _ = started(model(activity), {"n": b"2"})
    assert [job.variables["loopCounter"] for job in playground.jobs("work")] == [b"1", b"2", b"3"]


@pytest.mark.parametrize("sequential", [False, True])
def test_many_items_go_on_in_slices_and_come_to_an_end(sequential: bool) -> None:
    body = many(
        '<task id="pass"/>', "=for i in 1..n return i", sequential=sequential, outputs=("r", "=loopCounter")
    )
    playground, key = started(process(START + body + path("start", "pass")), {"n": b"3000"})
    assert playground.is_over(key)
    assert len(playground.happened(ContinuationCreated)) > 10
    assert max(len(event.steps) for event in playground.happened(ContinuationCreated)) < 20_000


def test_more_items_than_an_instance_has_room_for_are_an_incident() -> None:
    activity = many('<task id="pass"/>', "=concatenate(l, l, l, l, l, l, l, l)")
    numbers = b"[" + b",".join([b"123456"] * 100_000) + b"]"
    playground, key = started(process(START + activity + path("start", "pass")), {"l": numbers})
    assert [incident.type for incident in playground.happened(IncidentCreated)] == ["EXTRACT_VALUE_ERROR"]
    playground.do(CancelProcessInstance(key))
    assert playground.is_over(key)


def test_many_parallel_instances_are_terminated_in_slices() -> None:
    body = many(task("work"), "=for i in 1..n return i")
    playground, key = started(process(START + body + path("start", "work")), {"n": b"2000"})
    assert len(playground.happened(JobCreated)) == 2000
    playground.do(CancelProcessInstance(key))
    assert playground.is_over(key)
    assert max(len(event.steps) for event in playground.happened(ContinuationCreated)) < 20_000


def test_a_body_has_the_id_of_its_activity_and_the_first_index() -> None:
    content = model(many(task("work"), "=items"))
    parsed = parse_resource(content, name="1.bpmn")
    assert isinstance(parsed, Parsed)
    (executable,) = parsed.processes
    first, second = [element for element in executable.elements if element.id == "work"]
    assert isinstance(first, LoopBody)
    assert first.element_type is ElementType.MULTI_INSTANCE_BODY
    assert isinstance(second, ServiceTask)
    assert (first.inner, second.scope) == (second.index, first.index)
    again = rebuild(content, executable.id, executable.element_ids())
    assert [type(element) for element in again.elements] == [type(element) for element in executable.elements]


def test_an_instance_can_start_at_the_body_but_not_inside() -> None:
    playground = Playground()
    playground.deploy(model(many(SUB, "=items"), activity_id="sub"))
    inside = playground.rejected(CreateProcessInstance("process", start_elements=("work",)))
    assert inside.type is RejectionType.INVALID_ARGUMENT

    variables = {"items": b"[[1],[2]]"}
    created = playground.do(CreateProcessInstance("process", variables=variables, start_elements=("sub",)))

    assert isinstance(created, ProcessInstanceCreated)
    assert len(playground.jobs("work")) == 2


def test_an_instance_with_loops_is_read_as_it_was_written() -> None:
    playground, key = started(model(many(task("work"), "=items", outputs=("r", "=item"))))
    playground.work("work")
    instance = playground.state.instances.get(key)
    assert instance is not None
    assert instance.loops
    assert decode_instance(encode_instance(instance)) == instance


@pytest.mark.parametrize("steps_max", [1, 2, 3, 7])
@pytest.mark.parametrize("until", ["", "=loopCounter = 2"])
def test_however_the_turns_are_cut_the_outcome_is_the_same(
    monkeypatch: pytest.MonkeyPatch, steps_max: int, until: str
) -> None:
    monkeypatch.setattr("bpmnd.bpmn.turn.STEPS_MAX", steps_max)
    inner = '<subProcess id="sub"><startEvent id="s"/><task id="t"/>' + path("s", "t") + "</subProcess>"
    activity = many(inner, "=items", outputs=("r", "=item"), until=until)
    playground, key = started(model(activity, activity_id="sub"))
    (job,) = playground.jobs("after")
    assert job.variables["r"].startswith(b"[10,20")
    playground.do(CompleteJob(job.key))
    assert playground.is_over(key)
    follower, window = State(1, EmptyStore()), Window()
    for frame in playground.frames:
        window.add(decode_head(frame))
    window.replay(follower)
    assert rows_of(playground.replayed()) == rows_of(playground.state) == rows_of(follower)


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ("", "the inputCollection must be present and not empty"),
        (
            'inputCollection="=a" outputCollection="r"',
            "outputCollection and outputElement must be present together",
        ),
        (
            'inputCollection="=a" outputElement="=r"',
            "outputCollection and outputElement must be present together",
        ),
    ],
)
def test_what_is_wrong_with_a_loop_is_told(attributes: str, reason: str) -> None:
    activity = many(task("work"), "").replace(' inputElement="item"', attributes)
    assert reasons(model(activity)) == [("work", reason)]
