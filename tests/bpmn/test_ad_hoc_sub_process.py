"""Ad-hoc sub-processes, on the pure engine."""

import msgspec
import pytest

from bpmnd.bpmn.appliers.window import Window
from bpmnd.bpmn.codec import decode_head
from bpmnd.bpmn.commands import (
    ActivateAdHocActivities,
    AdHocResult,
    CancelProcessInstance,
    CompleteJob,
    FailJob,
    ResolveIncident,
    SetVariables,
    ThrowJobError,
    Variables,
)
from bpmnd.bpmn.events import ElementActivated, ElementTerminated, IncidentCreated
from bpmnd.bpmn.model.graph import AdHocInner, AdHocSubProcess
from bpmnd.bpmn.model.parser import Parsed, parse_resource, rebuild
from bpmnd.bpmn.outcomes import Accepted, Outcome, Rejected, RejectionType
from bpmnd.bpmn.state import EmptyStore, State
from tests.bpmn.events import boundary
from tests.bpmn.model.models import reasons
from tests.bpmn.playground import END, START, Playground, flow, many, path, process, rows_of, task
from tests.bpmn.test_flow import ERRORS


def ad_hoc(
    inside: str,
    *,
    active: str = "",
    outputs: tuple[str, str] | None = None,
    until: str = "",
    cancels: str = "true",
) -> str:
    attributes = f'activeElementsCollection="{active}"' if active else ""
    if outputs is not None:
        attributes += f' outputCollection="{outputs[0]}" outputElement="{outputs[1]}"'
    condition = f"<completionCondition>{until}</completionCondition>" if until else ""
    return (
        f'<adHocSubProcess id="tools" cancelRemainingInstances="{cancels}"><extensionElements>'
        f"<zeebe:adHoc {attributes}/></extensionElements>{inside}{condition}</adHocSubProcess>"
    )


TOOLS = task("a") + task("b") + task("c") + path("b", "c")


def model(activity: str, more: str = "") -> bytes:
    return process(
        START + activity + task("after") + path("start", "tools", "after") + more, definitions=ERRORS
    )


def started(content: bytes, variables: Variables | None = None) -> tuple[Playground, int]:
    playground = Playground()
    playground.deploy(content)
    return playground, playground.create(variables)


def key_of(playground: Playground, element_type: type[AdHocSubProcess | AdHocInner]) -> int:
    """The key of the element instance that was activated last."""
    (definition,) = playground.state.definitions.items
    elements = playground.engine._definitions.executable(definition).elements  # pyright: ignore[reportPrivateUsage]
    found = [
        e.key for e in playground.happened(ElementActivated) if isinstance(elements[e.element], element_type)
    ]
    return found[-1]


def test_the_elements_that_the_collection_names_begin_and_what_is_behind_them_follows() -> None:
    playground, key = started(model(ad_hoc(TOOLS, active="=chosen")), {"chosen": b'["a","b"]'})
    playground.work("a")
    playground.work("b")
    assert playground.jobs("after") == ()
    playground.work("c")
    playground.work("after")
    assert playground.is_over(key)


def test_the_same_element_may_begin_twice() -> None:
    playground, _ = started(model(ad_hoc(TOOLS, active="=chosen")), {"chosen": b'["a","a"]'})
    assert len(playground.jobs("a")) == 2


@pytest.mark.parametrize("chosen", [b"5", b"[1]", b'["c"]', b'["a","nothing"]'])
def test_what_cannot_begin_is_an_incident(chosen: bytes) -> None:
    """`c` has something that leads to it."""
    playground, key = started(model(ad_hoc(TOOLS, active="=chosen")), {"chosen": chosen})
    (incident,) = playground.happened(IncidentCreated)
    assert incident.type == "EXTRACT_VALUE_ERROR"
    assert playground.jobs("a") == ()

    playground.do(SetVariables(key, {"chosen": b'["a"]'}))
    playground.do(ResolveIncident(incident.key))

    assert len(playground.jobs("a")) == 1


def test_without_a_collection_it_waits_for_a_command() -> None:
    playground, key = started(model(ad_hoc(TOOLS)))
    tools = key_of(playground, AdHocSubProcess)

    assert playground.do(ActivateAdHocActivities(tools, (("a", {"x": b"1"}), ("b", {})))) == Accepted()

    assert playground.work("a").variables == {"x": b"1"}
    (job,) = playground.jobs("b")
    assert job.variables == {}, "the variables are those of one element"
    playground.do(CompleteJob(job.key))
    playground.work("c")
    playground.work("after")
    assert playground.is_over(key)


def test_a_command_may_cancel_what_is_active() -> None:
    playground, _ = started(model(ad_hoc(TOOLS, active="=[&quot;a&quot;]")))
    tools = key_of(playground, AdHocSubProcess)
    playground.do(ActivateAdHocActivities(tools, (("b", {}),), cancel_remaining=True))
    assert len(playground.happened(ElementTerminated)) == 2
    assert playground.jobs("a") == ()
    assert len(playground.jobs("b")) == 1


@pytest.mark.parametrize(
    ("elements", "kind"),
    [
        (("c",), RejectionType.NOT_FOUND),
        (("after",), RejectionType.NOT_FOUND),
        (("a", "nothing"), RejectionType.NOT_FOUND),
        (("a", "a"), RejectionType.INVALID_ARGUMENT),
    ],
)
def test_a_command_that_names_what_cannot_begin_is_rejected(
    elements: tuple[str, ...], kind: RejectionType
) -> None:
    playground, _ = started(model(ad_hoc(TOOLS)))
    tools = key_of(playground, AdHocSubProcess)
    assert (
        playground.rejected(ActivateAdHocActivities(tools, tuple((each, {}) for each in elements))).type
        is kind
    )


def test_only_an_ad_hoc_sub_process_takes_the_command() -> None:
    playground, key = started(model(ad_hoc(TOOLS, active="=[&quot;a&quot;]")))
    for other in (key, key_of(playground, AdHocInner), 5):
        rejected = playground.rejected(ActivateAdHocActivities(other, (("a", {}),)))
        assert rejected.type is RejectionType.NOT_FOUND


def test_variables_that_do_not_fit_are_rejected() -> None:
    playground, _ = started(model(ad_hoc(TOOLS)))
    tools = key_of(playground, AdHocSubProcess)
    much = {"x": b'"%s"' % (b"y" * 3_000_000)}
    rejected = playground.rejected(ActivateAdHocActivities(tools, (("a", much), ("b", much))))
    assert rejected.type is RejectionType.INVALID_ARGUMENT


def test_when_the_completion_condition_holds_what_is_active_is_terminated() -> None:
    activity = ad_hoc(TOOLS, active="=[&quot;a&quot;,&quot;b&quot;]", until="=done")
    playground, key = started(model(activity), {"done": b"false"})
    playground.work("a", {"done": b"true"})
    assert len(playground.happened(ElementTerminated)) == 2
    playground.work("after")
    assert playground.is_over(key)


def test_what_is_active_may_go_on_when_the_completion_condition_holds() -> None:
    activity = ad_hoc(TOOLS, active="=[&quot;a&quot;,&quot;b&quot;]", until="=done", cancels="false")
    playground, _ = started(model(activity), {"done": b"false"})
    playground.work("a", {"done": b"true"})
    tools = key_of(playground, AdHocSubProcess)
    rejected = playground.rejected(ActivateAdHocActivities(tools, (("a", {}),)))
    assert rejected.type is RejectionType.INVALID_STATE
    playground.work("b")
    assert playground.jobs("after") == ()
    playground.work("c")
    assert len(playground.jobs("after")) == 1


def test_while_the_completion_condition_does_not_hold_it_waits_for_more() -> None:
    activity = ad_hoc(TOOLS, active="=[&quot;a&quot;]", until="=done")
    playground, _ = started(model(activity), {"done": b"false"})
    playground.work("a")
    assert playground.jobs("after") == ()
    tools = key_of(playground, AdHocSubProcess)
    playground.do(ActivateAdHocActivities(tools, (("a", {}),)))
    playground.work("a", {"done": b"true"})
    assert len(playground.jobs("after")) == 1


def test_outputs_are_collected_in_the_order_of_completion() -> None:
    activity = ad_hoc(TOOLS, active="=[&quot;a&quot;,&quot;b&quot;]", outputs=("results", "=r"))
    playground, _ = started(model(activity))
    playground.work("b", {"r": b"1"})
    playground.work("c", {"r": b"2"})
    playground.work("a", {"r": b"3"})
    (job,) = playground.jobs("after")
    assert job.variables["results"] == b"[2,3]"


def test_a_completion_condition_that_fails_collects_nothing_twice() -> None:
    activity = ad_hoc(TOOLS, active="=[&quot;a&quot;]", outputs=("results", "=1"), until="=done")
    playground, key = started(model(activity))
    playground.work("a")
    (incident,) = playground.happened(IncidentCreated)
    playground.do(SetVariables(key, {"done": b"true"}))
    playground.do(ResolveIncident(incident.key))
    (job,) = playground.jobs("after")
    assert job.variables["results"] == b"[1]"


def test_an_error_inside_is_caught_at_the_sub_process() -> None:
    caught = boundary("caught", "tools", '<errorEventDefinition errorRef="e1"/>') + task("handle")
    activity = ad_hoc(TOOLS, active="=[&quot;a&quot;,&quot;b&quot;]")
    playground, key = started(model(activity, caught + flow("caught", "handle")))
    (job,) = playground.jobs("a")
    playground.do(ThrowJobError(job.key, "E1"))
    playground.work("handle")
    assert playground.is_over(key)


def test_an_ad_hoc_sub_process_for_each_item() -> None:
    activity = many(ad_hoc(TOOLS, active="=item", outputs=("got", "=1")), "=items", outputs=("all", "=got"))
    playground, key = started(model(activity), {"items": b'[["a","a"],["a"]]'})
    for job in playground.jobs("a"):
        playground.do(CompleteJob(job.key))
    assert playground.work("after").variables["all"] == b"[[1,1],[1]]"
    assert playground.is_over(key)


def test_its_elements_keep_their_indexes() -> None:
    content = model(many(ad_hoc(TOOLS), "=items"))
    parsed = parse_resource(content, name="1.bpmn")
    assert isinstance(parsed, Parsed)
    (executable,) = parsed.processes
    again = rebuild(content, executable.id, executable.element_ids())
    assert [(type(each), each.id, each.scope) for each in again.elements] == [
        (type(each), each.id, each.scope) for each in executable.elements
    ]
    assert [each.id for each in executable.elements if isinstance(each, AdHocInner)] == [
        "tools#innerInstance"
    ]


@pytest.mark.parametrize("steps_max", [1, 2, 3, 7])
def test_however_the_turns_are_cut_the_outcome_is_the_same(
    monkeypatch: pytest.MonkeyPatch, steps_max: int
) -> None:
    monkeypatch.setattr("bpmnd.bpmn.turn.STEPS_MAX", steps_max)
    inside = '<task id="x"/><task id="y"/>' + TOOLS + path("x", "y")
    activity = ad_hoc(
        inside, active="=[&quot;x&quot;,&quot;a&quot;,&quot;x&quot;]", outputs=("results", "=1")
    )
    playground, key = started(model(activity))
    playground.work("a")
    assert playground.work("after").variables["results"] == b"[1,1,1]"
    assert playground.is_over(key)
    playground.do(CancelProcessInstance(playground.create()))
    follower, window = State(1, EmptyStore()), Window()
    for frame in playground.frames:
        window.add(decode_head(frame))
    window.replay(follower)
    assert rows_of(playground.replayed()) == rows_of(playground.state) == rows_of(follower)


@pytest.mark.parametrize(
    ("inside", "element", "reason"),
    [
        ("", "tools", "an ad-hoc sub-process must have an activity"),
        (TOOLS + '<startEvent id="s"/>', "s", "an ad-hoc sub-process must not contain a startEvent"),
        (TOOLS + END, "end", "an ad-hoc sub-process must not contain a endEvent"),
    ],
)
def test_what_is_wrong_with_an_ad_hoc_sub_process_is_told(inside: str, element: str, reason: str) -> None:
    assert (element, reason) in reasons(model(ad_hoc(inside)))


AGENT = (
    '<adHocSubProcess id="tools"><extensionElements><zeebe:taskDefinition type="agent"/><zeebe:taskHeaders>'
    '<zeebe:header key="model" value="m"/></zeebe:taskHeaders>'
    '<zeebe:adHoc outputCollection="results" outputElement="=r"/></extensionElements>'
    '<serviceTask id="a" name="A"><documentation>does a</documentation><extensionElements>'
    '<zeebe:taskDefinition type="a"/><zeebe:properties>'
    '<zeebe:property name="p" value="v"/></zeebe:properties>'
    "</extensionElements></serviceTask>" + task("b") + task("c") + path("b", "c") + "</adHocSubProcess>"
)


def decide(playground: Playground, result: AdHocResult, variables: Variables | None = None) -> Outcome | None:
    """The worker of the ad-hoc sub-process completes its job."""
    (job,) = playground.jobs("agent")
    return playground.do(CompleteJob(job.key, variables or {}, ad_hoc_result=result))


def test_a_worker_is_told_what_can_begin() -> None:
    playground, _ = started(model(AGENT))
    (job,) = playground.jobs("agent")
    assert (job.kind, job.element_id, job.headers) == ("AD_HOC_SUB_PROCESS", "tools", (("model", "m"),))
    described = msgspec.json.decode(job.variables["adHocSubProcessElements"])
    assert described == [
        {"elementId": "a", "elementName": "A", "documentation": "does a", "properties": {"p": "v"}},
        {"elementId": "b", "elementName": None, "documentation": None, "properties": {}},
    ]


def test_a_worker_decides_what_begins_and_when_it_is_done() -> None:
    playground, key = started(model(AGENT))
    begins = AdHocResult((("a", {"x": b"1"}), ("b", {})))
    assert decide(playground, begins, {"context": b"7"}) == Accepted()
    assert playground.jobs("agent") == ()

    playground.work("a", {"r": b"5"})

    (job,) = playground.jobs("agent")
    assert (job.variables["results"], job.variables["context"]) == (b"[5]", b"7")
    playground.do(CompleteJob(job.key, ad_hoc_result=AdHocResult(is_done=True)))
    assert playground.jobs("after") == (), "b is still active"
    playground.work("b")
    playground.work("c", {"r": b"6"})
    assert playground.work("after").variables["results"] == b"[5,6]"
    assert playground.is_over(key)


def test_a_job_that_has_not_seen_what_completed_is_replaced() -> None:
    playground, _ = started(model(AGENT))
    decide(playground, AdHocResult((("a", {}), ("b", {}))))
    playground.work("a")
    (old,) = playground.jobs("agent")
    playground.work("b")
    playground.work("c")
    (new,) = playground.jobs("agent")
    assert new.key != old.key
    assert playground.rejected(CompleteJob(old.key)).type is RejectionType.NOT_FOUND


def test_a_worker_may_cancel_what_is_left() -> None:
    playground, key = started(model(AGENT))
    decide(playground, AdHocResult((("a", {}), ("b", {}))))
    playground.work("a")
    decide(playground, AdHocResult(is_done=True, cancel_remaining=True))
    playground.work("after")
    assert playground.is_over(key)


def test_a_worker_that_is_done_at_once_completes_it() -> None:
    playground, key = started(model(AGENT))
    decide(playground, AdHocResult(is_done=True))
    playground.work("after")
    assert playground.is_over(key)


def test_a_worker_that_names_what_cannot_begin_is_rejected_and_keeps_its_job() -> None:
    playground, _ = started(model(AGENT))
    outcome = decide(playground, AdHocResult((("nothing", {}),)))
    assert isinstance(outcome, Rejected)
    assert outcome.type is RejectionType.NOT_FOUND
    playground.pass_time(100_000)
    assert decide(playground, AdHocResult((("a", {}),))) == Accepted()


def test_a_worker_that_fails_for_good_is_an_incident() -> None:
    playground, _ = started(model(AGENT))
    (job,) = playground.jobs("agent")
    playground.do(FailJob(job.key))
    assert [each.type for each in playground.happened(IncidentCreated)] == ["AD_HOC_SUB_PROCESS_NO_RETRIES"]


def test_with_its_worker_at_work_it_can_be_cancelled() -> None:
    playground, key = started(model(AGENT))
    decide(playground, AdHocResult((("a", {}), ("b", {}))))
    playground.work("a")
    playground.do(CancelProcessInstance(key))
    assert playground.is_over(key)
    assert playground.jobs("agent") == ()
    assert rows_of(playground.replayed()) == rows_of(playground.state)


def test_a_job_and_conditions_exclude_each_other() -> None:
    content = model(
        AGENT.replace("</adHocSubProcess>", "<completionCondition>=x</completionCondition></adHocSubProcess>")
    )
    reason = "with a job it must have neither an activeElementsCollection nor a completionCondition"
    assert reasons(content) == [("tools", reason)]
