"""Process instances that go on by another definition."""

import pytest

from bpmnd.bpmn import turn as turn_module
from bpmnd.bpmn.commands import (
    BroadcastSignal,
    CompleteJob,
    CompleteUserTask,
    CreateProcessInstance,
    FailJob,
    MigrateProcessInstance,
    PublishMessage,
    ResolveIncident,
    SetVariables,
    ThrowJobError,
    UpdateJob,
)
from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.start_event import StartEventKind
from bpmnd.bpmn.events import (
    ElementCompleted,
    ElementTerminated,
    IncidentCreated,
    MessageSubscriptionMigrated,
    ProcessMessageSubscriptionCreated,
    ProcessMessageSubscriptionDeleted,
    SignalSubscriptionCreated,
    SignalSubscriptionDeleted,
    TimerCanceled,
    TimerCreated,
    UserTaskCreating,
)
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import StartEvent
from bpmnd.bpmn.outcomes import Accepted, Outcome, ProcessInstanceCreated, Rejected, RejectionType
from bpmnd.bpmn.state.records import encode_instance
from tests.bpmn.events import (
    boundary,
    catch,
    compensable,
    event,
    message,
    on_compensation,
    on_message,
    on_signal,
    signal,
)
from tests.bpmn.people import execution, heard, user_task
from tests.bpmn.playground import START, Playground, flow, path, process, task
from tests.bpmn.test_modification import ids_in, instance_of, key_of

BESIDE = (
    message("go", "go", "=k")
    + message("stop", "stop", "=k")
    + message("lost", "lost", "=nothing")
    + message("begin", "begin")
    + signal("bell", "bell")
    + '<error id="e1" errorCode="E1"/>'
)
HALT = {"k": b'"1"'}


def after(duration: str) -> str:
    return f"<timerEventDefinition><timeDuration>{duration}</timeDuration></timerEventDefinition>"


def sub(element_id: str, *body: str) -> str:
    return f'<subProcess id="{element_id}"><startEvent id="{element_id}_start"/>{"".join(body)}</subProcess>'


class Migration:
    """An instance of one model, with the other one deployed, both as versions of one process unless told."""

    def __init__(
        self, source: str, target: str, *, process_id: str = "process", variables: dict[str, bytes] = HALT
    ) -> None:
        self.playground = Playground()
        self.playground.deploy(process(source, definitions=BESIDE))
        deployed = self.playground.deploy(process(target, definitions=BESIDE, process_id=process_id))
        self.definition_key = deployed.processes[0].key
        created = self.playground.do(CreateProcessInstance("process", 1, variables=variables))
        assert isinstance(created, ProcessInstanceCreated), created
        self.key = created.key

    def migrate(self, **mappings: str) -> Outcome | None:
        outcome = self.playground.do(
            MigrateProcessInstance(self.key, self.definition_key, tuple(mappings.items()))
        )
        here, there = (
            state.instances.get(self.key) for state in (self.playground.state, self.playground.replayed())
        )
        assert (here and encode_instance(here)) == (there and encode_instance(there))
        return outcome

    def refused(self, kind: RejectionType = RejectionType.INVALID_STATE, **mappings: str) -> str:
        """The reason, without its common beginning."""
        before = len(self.playground.events)
        rejected = self.migrate(**mappings)
        assert isinstance(rejected, Rejected), rejected
        assert rejected.type is kind
        assert len(self.playground.events) == before
        return rejected.reason.removeprefix(f"Expected to migrate process instance '{self.key}' but ")

    @property
    def ids(self) -> list[str]:
        return ids_in(self.playground, self.key)

    def publish(self, name: str, live_ms: int = 0) -> None:
        self.playground.do(PublishMessage(name, "1", live_ms))


def to(element: str, *more: str) -> str:
    return START + element + "".join(more)


A = to(task("a"), path("start", "a"))


# Elements and jobs


def test_what_is_active_goes_on_in_the_other_definition() -> None:
    migration = Migration(A, to(task("b"), task("next"), path("start", "b", "next")))
    assert migration.migrate(a="b") == Accepted()
    assert migration.ids == ["b", "process"]
    instance = instance_of(migration.playground, migration.key)
    assert instance.definition_key == migration.definition_key
    migration.playground.work("a")
    assert migration.ids == ["next", "process"]


def test_a_job_stays_as_it_is_but_is_handed_out_for_the_new_element() -> None:
    migration = Migration(A, to(task("b", "other"), path("start", "b")))
    migration.migrate(a="b")
    (job,) = migration.playground.jobs("a")
    assert (job.element_id, job.version) == ("b", 2)


def test_a_job_that_is_lent_can_be_completed() -> None:
    migration = Migration(A, to(task("b"), path("start", "b")))
    (job,) = migration.playground.jobs("a")
    migration.migrate(a="b")
    assert migration.playground.do(CompleteJob(job.key)) == Accepted()
    assert migration.playground.is_over(migration.key)


def test_input_mappings_of_the_target_are_not_made_up_for_but_its_output_mappings_count() -> None:
    target = task("b", inputs={"in": "=1"}, outputs={"out": "=r"})
    migration = Migration(A, to(target, task("next"), path("start", "b", "next")))
    migration.migrate(a="b")
    job = migration.playground.work("a", {"r": b"5"})
    assert "in" not in job.variables
    assert instance_of(migration.playground, migration.key).variables[migration.key]["out"] == b"5"


def test_an_instance_can_migrate_to_another_process() -> None:
    migration = Migration(A, to(task("b"), path("start", "b")), process_id="second")
    migration.migrate(a="b")
    assert migration.ids == ["b", "second"]
    migration.playground.work("a")
    assert migration.playground.is_over(migration.key)


def test_an_instance_can_migrate_back() -> None:
    migration = Migration(A, to(task("b"), path("start", "b")), process_id="second")
    first = instance_of(migration.playground, migration.key).definition_key
    migration.migrate(a="b")
    outcome = migration.playground.do(MigrateProcessInstance(migration.key, first, (("b", "a"),)))
    assert outcome == Accepted()
    assert migration.ids == ["a", "process"]


def test_two_elements_may_become_one() -> None:
    fork = '<parallelGateway id="fork"/>' + task("a") + task("b") + path("start", "fork", "a")
    migration = Migration(to(fork, path("fork", "b")), to(task("c"), path("start", "c")))
    migration.migrate(a="c", b="c")
    assert migration.ids == ["c", "c", "process"]


def test_sub_processes_go_along_with_what_is_in_them() -> None:
    migration = Migration(
        to(sub("outer", sub("inner", task("a"), path("inner_start", "a")), path("outer_start", "inner")))
        + path("start", "outer"),
        to(sub("o", sub("i", task("b"), path("i_start", "b")), path("o_start", "i")))
        + task("next")
        + path("start", "o", "next"),
    )
    migration.migrate(outer="o", inner="i", a="b")
    assert migration.ids == ["b", "i", "o", "process"]
    migration.playground.work("a")
    assert migration.ids == ["next", "process"]


def test_a_sub_process_that_has_not_begun_yet_begins_at_the_start_of_the_target(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    activate = StartEventKind.activate

    def activate_others(kind: StartEventKind, element: StartEvent, activation: Activation) -> Incident | None:
        assert element.id != "sub_start", "planted"
        return activate(kind, element, activation)

    source = to(sub("sub", task("a"), path("sub_start", "a")), path("start", "sub"))
    with monkeypatch.context() as patch:
        patch.setattr(turn_module, "STEPS_MAX", 1)
        patch.setattr(StartEventKind, "activate", activate_others)
        migration = Migration(source, source.replace("sub_start", "other_start"))
    assert migration.migrate(sub="sub") == Accepted()
    (incident,) = migration.playground.happened(IncidentCreated)
    migration.playground.do(ResolveIncident(incident.key))
    assert len(migration.playground.jobs("a")) == 1


def test_variables_stay() -> None:
    migration = Migration(A, to(task("b"), path("start", "b")))
    before = instance_of(migration.playground, migration.key).variables
    migration.migrate(a="b")
    assert instance_of(migration.playground, migration.key).variables == before


def test_a_called_instance_migrates_by_itself() -> None:
    playground = Playground()
    call = (
        '<callActivity id="call"><extensionElements><zeebe:calledElement processId="process"/>'
        "</extensionElements></callActivity>"
    )
    playground.deploy(process(A))
    playground.deploy(process(to(call, path("start", "call")), process_id="caller"))
    caller = playground.create(process_id="caller")
    (job,) = playground.jobs("a")
    newer = playground.deploy(process(to(task("b"), task("c"), path("start", "b", "c"))))
    outcome = playground.do(
        MigrateProcessInstance(job.process_instance_key, newer.processes[0].key, (("a", "b"),))
    )
    assert outcome == Accepted()
    playground.do(CompleteJob(job.key))
    playground.work("c")
    assert playground.is_over(caller)


# Incidents


def test_an_incident_of_a_job_goes_along() -> None:
    migration = Migration(A, to(task("b"), path("start", "b")))
    (job,) = migration.playground.jobs("a")
    migration.playground.do(FailJob(job.key))
    migration.migrate(a="b")
    (incident,) = migration.playground.happened(IncidentCreated)
    migration.playground.do(UpdateJob(job.key, retries=1))
    assert migration.playground.do(ResolveIncident(incident.key)) == Accepted()
    migration.playground.work("a")
    assert migration.playground.is_over(migration.key)


def test_an_element_that_could_not_be_activated_is_activated_as_the_new_one() -> None:
    source = task("a", inputs={"in": "=assert(x, x != null)"})
    migration = Migration(to(source, path("start", "a")), to(task("b"), path("start", "b")))
    migration.migrate(a="b")
    (incident,) = migration.playground.happened(IncidentCreated)
    migration.playground.do(ResolveIncident(incident.key))
    migration.playground.work("b")
    assert migration.playground.is_over(migration.key)


def test_an_element_that_could_not_be_completed_is_completed_as_the_new_one() -> None:
    source = task("a", outputs={"out": "=assert(x, x != null)"})
    migration = Migration(to(source, path("start", "a")), to(task("b"), path("start", "b")))
    migration.playground.work("a")
    migration.migrate(a="b")
    (incident,) = migration.playground.happened(IncidentCreated)
    migration.playground.do(ResolveIncident(incident.key))
    assert migration.playground.is_over(migration.key)


# Listeners


def listened(element_id: str, *types: str, event_type: str = "start") -> str:
    listeners = "".join(
        f'<zeebe:executionListener eventType="{event_type}" type="{each}"/>' for each in types
    )
    return (
        f'<serviceTask id="{element_id}"><extensionElements><zeebe:taskDefinition type="{element_id}"/>'
        f"<zeebe:executionListeners>{listeners}</zeebe:executionListeners></extensionElements></serviceTask>"
    )


@pytest.mark.parametrize(("types", "left"), [(("l1", "l2"), ["l2"]), (("l1", "other"), ["other"]), ((), [])])
def test_what_waits_for_a_listener_goes_on_with_those_of_the_new_element(
    types: tuple[str, ...], left: list[str]
) -> None:
    target = to(listened("b", *types), path("start", "b")) if types else to(task("b"), path("start", "b"))
    migration = Migration(to(listened("a", "l1", "l2"), path("start", "a")), target)
    migration.migrate(a="b")
    migration.playground.work("l1")
    for job_type in left:
        migration.playground.work(job_type)
    migration.playground.work("b")
    assert migration.playground.is_over(migration.key)


def test_what_waits_for_a_listener_of_the_end_goes_on_as_the_new_element() -> None:
    source = to(listened("a", "l", event_type="end"), path("start", "a"))
    migration = Migration(source, to(task("b"), task("next"), path("start", "b", "next")))
    migration.playground.work("a")
    migration.migrate(a="b")
    migration.playground.work("l")
    assert migration.ids == ["next", "process"]


LISTENED = f"<extensionElements>{execution(('start', 'first'))}</extensionElements>"


@pytest.mark.parametrize("mappings", [{}, {"start": "start"}])
def test_a_process_whose_listeners_work_begins_at_the_start_of_the_target(mappings: dict[str, str]) -> None:
    migration = Migration(LISTENED + A, LISTENED + to(task("b"), path("start", "b")))
    assert migration.migrate(**mappings) == Accepted()
    migration.playground.work("first")
    migration.playground.work("b")
    assert migration.playground.is_over(migration.key)


def test_a_process_whose_listeners_work_needs_a_start_in_the_target() -> None:
    alone = f'<startEvent id="told">{on_message("go")}</startEvent>' + task("b") + path("told", "b")
    migration = Migration(LISTENED + A, LISTENED + alone)
    assert "has no none start event" in migration.refused()


# What boundary events wait for


def bounded(activity: str, *events: str) -> str:
    return to(task(activity), task("next"), *events, path("start", activity))


def on(event_id: str, activity: str, definition: str, *, interrupting: bool = True) -> str:
    return boundary(event_id, activity, definition, interrupting=interrupting) + flow(event_id, "next")


def test_a_timer_that_is_not_mapped_is_cancelled_and_that_of_the_target_created() -> None:
    migration = Migration(
        bounded("a", on("t", "a", after("PT1H"))), bounded("b", on("u", "b", after("PT2H")))
    )
    migration.migrate(a="b")
    assert len(migration.playground.happened(TimerCanceled)) == 1
    assert len(migration.playground.happened(TimerCreated)) == 2
    migration.playground.pass_time(3_600_000)
    assert migration.ids == ["b", "process"]
    migration.playground.pass_time(3_600_000)
    assert migration.ids == ["next", "process"]


def test_a_timer_that_is_mapped_keeps_its_time() -> None:
    migration = Migration(
        bounded("a", on("t", "a", after("PT1H"))), bounded("b", on("u", "b", after("PT2H")))
    )
    migration.migrate(a="b", t="u")
    assert len(migration.playground.happened(TimerCreated)) == 1
    migration.playground.pass_time(3_600_000)
    assert migration.ids == ["next", "process"]


def test_a_mapped_event_takes_over_whether_it_interrupts() -> None:
    migration = Migration(
        bounded("a", on("m", "a", on_message("go"))),
        bounded("b", on("n", "b", on_message("go"), interrupting=False)),
    )
    migration.migrate(a="b", m="n")
    migration.publish("go")
    migration.publish("go")
    assert migration.ids == ["b", "next", "next", "process"]


def test_a_mapped_message_keeps_its_name() -> None:
    migration = Migration(
        bounded("a", on("m", "a", on_message("go"))), bounded("b", on("n", "b", on_message("stop")))
    )
    migration.migrate(a="b", m="n")
    migration.publish("stop")
    assert migration.ids == ["b", "process"]
    migration.publish("go")
    assert migration.ids == ["next", "process"]


def test_a_message_that_is_not_mapped_is_not_waited_for_any_more() -> None:
    migration = Migration(
        bounded("a", on("m", "a", on_message("go"))), bounded("b", on("n", "b", on_message("stop")))
    )
    migration.migrate(a="b")
    migration.publish("go")
    assert migration.ids == ["b", "process"]
    migration.publish("stop")
    assert migration.ids == ["next", "process"]


def test_the_same_message_can_be_waited_for_anew() -> None:
    migration = Migration(
        bounded("a", on("m", "a", on_message("go"))), bounded("b", on("n", "b", on_message("go")))
    )
    migration.migrate(a="b")
    assert len(migration.playground.happened(ProcessMessageSubscriptionDeleted)) == 1
    assert len(migration.playground.happened(ProcessMessageSubscriptionCreated)) == 2
    migration.publish("go")
    assert migration.ids == ["next", "process"]


def test_a_signal_is_kept_closed_and_opened_likewise() -> None:
    events = on("s", "a", on_signal("bell"), interrupting=False)
    migration = Migration(bounded("a", events), bounded("a", events))
    migration.migrate(a="a", s="s")
    assert not migration.playground.happened(SignalSubscriptionDeleted)
    migration.playground.do(MigrateProcessInstance(migration.key, migration.definition_key, (("a", "a"),)))
    assert len(migration.playground.happened(SignalSubscriptionDeleted)) == 1
    assert len(migration.playground.happened(SignalSubscriptionCreated)) == 2
    migration.playground.do(BroadcastSignal("bell"))
    assert migration.ids == ["a", "next", "process"]


def test_a_subscription_of_another_process_is_known_by_that() -> None:
    migration = Migration(
        bounded("a", on("m", "a", on_message("go"))),
        bounded("b", on("n", "b", on_message("go"))),
        process_id="second",
    )
    migration.migrate(a="b", m="n")
    (moved,) = migration.playground.happened(MessageSubscriptionMigrated)
    assert (moved.process_id, moved.new_process_id) == ("process", "second")
    migration.publish("go")
    assert migration.ids == ["next", "second"]


def test_a_subscription_of_another_process_can_still_be_closed() -> None:
    migration = Migration(
        bounded("a", on("m", "a", on_message("go"))),
        bounded("b", on("n", "b", on_message("go"))),
        process_id="second",
    )
    migration.migrate(a="b", m="n")
    migration.playground.work("a")
    assert migration.playground.is_over(migration.key)
    migration.publish("go", 1000)
    assert migration.playground.state.messages.subscriptions.count_in_memory() == 0


def test_errors_are_caught_as_the_target_says() -> None:
    caught = '<boundaryEvent id="e" attachedToRef="b"><errorEventDefinition errorRef="e1"/></boundaryEvent>'
    migration = Migration(A, bounded("b", caught, flow("e", "next")))
    migration.migrate(a="b")
    (job,) = migration.playground.jobs("a")
    migration.playground.do(ThrowJobError(job.key, "E1"))
    assert migration.ids == ["next", "process"]


@pytest.mark.parametrize(("mappings", "holds_at"), [({"a": "b"}, b"3"), ({"a": "b", "c": "e"}, b"3")])
def test_a_condition_is_that_of_the_target(mappings: dict[str, str], holds_at: bytes) -> None:
    def when(limit: int) -> str:
        return (
            f"<conditionalEventDefinition><condition>=v &gt; {limit}</condition></conditionalEventDefinition>"
        )

    migration = Migration(bounded("a", on("c", "a", when(1))), bounded("b", on("e", "b", when(2))))
    migration.migrate(**mappings)
    migration.playground.do(SetVariables(migration.key, {"v": b"2"}))
    assert migration.ids == ["b", "process"]
    migration.playground.do(SetVariables(migration.key, {"v": b"3"}))
    assert migration.ids == ["next", "process"]


# What elements themselves wait for


@pytest.mark.parametrize(
    ("definition", "happens"),
    [(on_message("go"), "go"), (on_signal("bell"), "bell"), (after("PT1H"), "time")],
)
def test_a_catch_event_goes_on_waiting(definition: str, happens: str) -> None:
    migration = Migration(
        to(catch("a", definition), path("start", "a")),
        to(catch("b", definition), task("next"), path("start", "b", "next")),
        process_id="second",
    )
    migration.migrate(a="b")
    migration.publish(happens)
    migration.playground.do(BroadcastSignal(happens))
    migration.playground.pass_time(3_600_000)
    assert migration.ids == ["next", "second"]


def test_a_receive_task_goes_on_waiting() -> None:
    migration = Migration(
        to('<receiveTask id="a" messageRef="go"/>', path("start", "a")),
        to('<receiveTask id="b" messageRef="stop"/>', task("next"), path("start", "b", "next")),
    )
    migration.migrate(a="b")
    migration.publish("go")
    assert migration.ids == ["next", "process"]


def either(gateway: str, *events: str) -> str:
    behind = [task(f"after_{event_id}") + path(gateway, event_id, f"after_{event_id}") for event_id in events]
    return f'<eventBasedGateway id="{gateway}"/>{path("start", gateway)}{"".join(behind)}'


def test_an_event_based_gateway_goes_on_waiting_for_what_is_mapped() -> None:
    migration = Migration(
        to(either("g", "a", "b"), catch("a", on_message("go")), catch("b", on_signal("bell"))),
        to(either("h", "c", "f"), catch("c", on_message("go")), catch("f", after("PT1H"))),
    )
    migration.migrate(g="h", a="c")
    migration.playground.do(BroadcastSignal("bell"))
    assert migration.ids == ["h", "process"]
    migration.publish("go")
    assert migration.ids == ["after_c", "process"]


def test_an_event_based_gateway_waits_for_what_is_new() -> None:
    migration = Migration(
        to(either("g", "a", "b"), catch("a", on_message("go")), catch("b", on_signal("bell"))),
        to(either("h", "c", "f"), catch("c", on_message("go")), catch("f", after("PT1H"))),
    )
    migration.migrate(g="h")
    migration.playground.pass_time(3_600_000)
    assert migration.ids == ["after_f", "process"]


# Joins


def joined(gateway: str, flows: str = "") -> str:
    return (
        '<parallelGateway id="fork"/>'
        + f'<parallelGateway id="{gateway}"/>'
        + task("a")
        + task("b")
        + task("next")
        + path("start", "fork", "a")
        + path("fork", "b")
        + (flows or flow("a", gateway, flow_id="f1") + flow("b", gateway, flow_id="f2"))
        + path(gateway, "next")
    )


def test_a_token_at_a_join_goes_along() -> None:
    migration = Migration(to(joined("j")), to(joined("k")))
    migration.playground.work("a")
    migration.migrate(b="b", j="k")
    migration.playground.work("b")
    assert migration.ids == ["next", "process"]


def test_the_flow_of_a_token_may_be_mapped() -> None:
    other = flow("a", "j", flow_id="g1") + flow("b", "j", flow_id="g2")
    migration = Migration(to(joined("j")), to(joined("j", other)))
    migration.playground.work("a")
    migration.migrate(b="b", j="j", f1="g1")
    migration.playground.work("b")
    assert migration.ids == ["next", "process"]


def test_a_token_whose_join_is_not_mapped_is_refused() -> None:
    migration = Migration(to(joined("j")), to(joined("j")))
    migration.playground.work("a")
    assert migration.refused(b="b").startswith(
        "no mapping instruction defined for active element with id 'j'"
    )


def test_a_token_whose_flow_is_not_there_any_more_is_refused() -> None:
    other = flow("a", "j", flow_id="g1") + flow("b", "j", flow_id="g2")
    migration = Migration(to(joined("j")), to(joined("j", other)))
    migration.playground.work("a")
    assert migration.refused(b="b", j="j").startswith(
        "a token waits on the sequence flow with id 'f1' at the element with id 'j'"
    )


# Event sub-processes


def handler(name: str, definition: str, *, interrupting: bool = True) -> str:
    flag = f'isInterrupting="{str(interrupting).lower()}"'
    return (
        f'<subProcess id="{name}" triggeredByEvent="true">'
        f'<startEvent id="{name}_on" {flag}>{definition}</startEvent>'
        f"{task(f'{name}_task')}{path(f'{name}_on', f'{name}_task')}</subProcess>"
    )


def test_an_event_sub_process_goes_on_waiting_if_its_start_event_is_mapped() -> None:
    migration = Migration(
        A + handler("es", on_message("go")), A + handler("et", on_message("stop")), process_id="second"
    )
    migration.migrate(a="a", es="et", es_on="et_on")
    migration.publish("go")
    assert migration.ids == ["et", "et_task", "second"]


def test_an_event_sub_process_waits_anew_if_its_start_event_is_not_mapped() -> None:
    migration = Migration(A + handler("es", on_message("go")), A + handler("et", on_message("stop")))
    migration.migrate(a="a")
    migration.publish("go")
    assert migration.ids == ["a", "process"]
    migration.publish("stop")
    assert migration.ids == ["et", "et_task", "process"]


def test_an_event_sub_process_that_is_active_goes_along() -> None:
    migration = Migration(
        A + handler("es", on_message("go"), interrupting=False),
        A + handler("et", on_message("go"), interrupting=False),
    )
    migration.publish("go")
    migration.migrate(a="a", es="et", es_task="et_task", es_on="et_on")
    migration.publish("go")
    assert migration.ids == ["a", "et", "et", "et_task", "et_task", "process"]


def test_a_scope_that_was_interrupted_stays_so() -> None:
    migration = Migration(A + handler("es", on_message("go")), A + handler("et", on_message("go")))
    migration.publish("go")
    migration.migrate(es="et", es_task="et_task")
    migration.publish("go")
    assert migration.ids == ["et", "et_task", "process"]
    migration.playground.work("es_task")
    assert migration.playground.is_over(migration.key)


# Activities with many instances


def many(element_id: str, *, sequential: bool = False) -> str:
    flag = str(sequential).lower()
    return task(element_id).replace(
        "</serviceTask>",
        f'<multiInstanceLoopCharacteristics isSequential="{flag}"><extensionElements>'
        '<zeebe:loopCharacteristics inputCollection="=[1,2,3]" inputElement="i" outputCollection="all"'
        ' outputElement="=i"/></extensionElements></multiInstanceLoopCharacteristics></serviceTask>',
    )


@pytest.mark.parametrize("sequential", [True, False])
def test_an_activity_with_many_instances_goes_along_with_all_of_them(sequential: bool) -> None:
    migration = Migration(
        to(many("a", sequential=sequential), path("start", "a")),
        to(many("b", sequential=sequential), task("next"), path("start", "b", "next")),
    )
    migration.playground.work("a")
    assert migration.migrate(a="b") == Accepted()
    migration.playground.work("a")
    migration.playground.work("b" if sequential else "a")
    assert migration.playground.jobs("next")[0].variables["all"] == b"[1,2,3]"


def test_an_activity_with_many_instances_becomes_one_with_many() -> None:
    source = to(many("a"), path("start", "a"))
    assert (
        Migration(source, A)
        .refused(a="a")
        .startswith(
            "active element with id 'a' and type 'MULTI_INSTANCE_BODY' is mapped to an element with id 'a'"
            " and different type 'SERVICE_TASK'."
        )
    )
    target = to(many("a", sequential=True), path("start", "a"))
    assert (
        Migration(source, target)
        .refused(a="a")
        .startswith(
            "active element with id 'a' is a parallel multi-instance activity and is mapped to an element"
            " with id 'a' that is a sequential one."
        )
    )


def test_what_was_begun_in_an_ad_hoc_sub_process_goes_along() -> None:
    def ad_hoc(name: str, inside: str) -> str:
        active = f'<zeebe:adHoc activeElementsCollection="=[&quot;{inside}&quot;]"/>'
        return (
            f'<adHocSubProcess id="{name}"><extensionElements>{active}</extensionElements>'
            f"{task(inside)}</adHocSubProcess>"
        )

    migration = Migration(
        to(ad_hoc("any", "a"), path("start", "any")),
        to(ad_hoc("some", "b"), task("next"), path("start", "some", "next")),
    )
    assert migration.migrate(any="some", a="b") == Accepted()
    assert migration.ids == ["b", "process", "some", "some#innerInstance"]
    migration.playground.work("a")
    assert migration.ids == ["next", "process"]


# Compensation


def undoable(activity: str, handler: str, event_id: str = "undone") -> str:
    """The activity, then another, then all of it is undone."""
    return to(
        task(activity),
        task("between"),
        compensable(activity, task(handler), handler).replace(f"undo_{activity}_event", event_id),
        event("intermediateThrowEvent", "undoes", on_compensation("undoes")),
        task("after"),
        path("start", activity, "between", "undoes", "after"),
    )


@pytest.mark.parametrize(
    ("activity", "event_id", "mappings", "is_undone"),
    [
        ("a", "undone", {}, True),
        ("b", "undone", {"a": "b"}, True),
        ("b", "undone", {}, False),
        ("a", "other", {}, False),
        ("a", "other", {"undone": "other"}, True),
    ],
)
def test_what_has_completed_is_undone_as_the_target_says(
    activity: str, event_id: str, mappings: dict[str, str], is_undone: bool
) -> None:
    migration = Migration(undoable("a", "undo"), undoable(activity, "undo_otherwise", event_id))
    migration.playground.work("a")
    assert migration.migrate(between="between", **mappings) == Accepted()
    migration.playground.work("between")
    undone = migration.playground.jobs("undo_otherwise")
    assert len(undone) == is_undone
    if is_undone:
        migration.playground.do(CompleteJob(undone[0].key))
    migration.playground.work("after")
    assert migration.playground.is_over(migration.key)


def test_what_is_being_undone_must_be_in_the_target() -> None:
    migration = Migration(undoable("a", "undo"), undoable("b", "undo", "other"))
    migration.playground.work("a")
    migration.playground.work("between")
    assert migration.refused(undo="undo", undoes="undoes").startswith(
        "the element with id 'a' is being compensated"
    )
    mapped = {"undo": "undo", "undoes": "undoes", "a": "b", "undone": "other"}
    assert migration.migrate(**mapped) == Accepted()
    migration.playground.work("undo")
    migration.playground.work("after")
    assert migration.playground.is_over(migration.key)


# Instances that a message has started


def started_by_message(process_id: str, activity: str) -> bytes:
    begin = event("startEvent", "begun", on_message("begin"))
    return process(
        begin + task(activity) + flow("begun", activity), definitions=BESIDE, process_id=process_id
    )


def test_the_next_instance_starts_when_the_one_before_has_become_another_process() -> None:
    playground = Playground()
    playground.deploy(started_by_message("first", "a"))
    second = playground.deploy(process(to(task("b"), path("start", "b")), process_id="second"))
    playground.do(PublishMessage("begin", "1", 100_000))
    playground.do(PublishMessage("begin", "1", 100_000))
    (job,) = playground.jobs("a")

    playground.do(MigrateProcessInstance(job.process_instance_key, second.processes[0].key, (("a", "b"),)))

    (other,) = playground.jobs("a")
    assert other.process_instance_key != job.process_instance_key


def test_an_instance_keeps_others_of_its_new_process_from_starting() -> None:
    playground = Playground()
    playground.deploy(started_by_message("first", "a"))
    playground.do(PublishMessage("begin", "1", 0))
    (job,) = playground.jobs("a")
    second = playground.deploy(started_by_message("second", "b"))
    key = job.process_instance_key
    assert playground.do(MigrateProcessInstance(key, second.processes[0].key, (("a", "b"),))) == Accepted()

    playground.do(PublishMessage("begin", "1", 100_000))
    assert playground.jobs("b") == ()
    playground.do(CompleteJob(job.key))
    assert len(playground.jobs("b")) == 1


# Rejections


def test_an_unknown_instance_is_not_found() -> None:
    migration = Migration(A, A)
    rejected = migration.playground.rejected(
        MigrateProcessInstance(7, migration.definition_key, (("a", "a"),))
    )
    assert rejected == Rejected(
        RejectionType.NOT_FOUND,
        "Expected to migrate process instance but no process instance found with key '7'",
    )


def test_an_unknown_definition_is_not_found() -> None:
    migration = Migration(A, A)
    rejected = migration.playground.rejected(MigrateProcessInstance(migration.key, 7, (("a", "a"),)))
    assert rejected == Rejected(
        RejectionType.NOT_FOUND,
        "Expected to migrate process instance to process definition but no process definition found with"
        " key '7'",
    )


def test_an_element_is_mapped_once() -> None:
    migration = Migration(A, A)
    rejected = migration.playground.rejected(
        MigrateProcessInstance(migration.key, migration.definition_key, (("a", "a"), ("a", "start")))
    )
    assert rejected.type is RejectionType.INVALID_ARGUMENT
    assert rejected.reason.endswith(
        "but the mapping instructions contain duplicate source element ids '[a]'."
    )


@pytest.mark.parametrize(("mapping", "kind"), [({"none": "a"}, "source"), ({"a": "none"}, "target")])
def test_mapped_elements_exist(mapping: dict[str, str], kind: str) -> None:
    assert Migration(A, A).refused(RejectionType.INVALID_ARGUMENT, **mapping) == (
        f"mapping instructions contain a non-existing {kind} element id 'none'. Elements provided in mapping"
        f" instructions must exist in the {kind} process definition."
    )


def test_all_that_is_active_is_mapped() -> None:
    assert Migration(A, A).refused(start="start") == (
        "no mapping instruction defined for active element with id 'a'. Elements cannot be migrated without"
        " a mapping."
    )


@pytest.mark.parametrize(
    ("element", "element_type"),
    [("start_a", "SEQUENCE_FLOW"), ("start", "START_EVENT"), ("process", "PROCESS")],
)
def test_an_element_becomes_one_of_the_same_type(element: str, element_type: str) -> None:
    assert Migration(A, A).refused(a=element) == (
        f"active element with id 'a' and type 'SERVICE_TASK' is mapped to an element with id '{element}' and"
        f" different type '{element_type}'. Elements must be mapped to elements of the same type."
    )


def test_an_element_stays_in_its_scope() -> None:
    target = to(task("a"), sub("s", task("b"), path("s_start", "b")), path("start", "a", "s"))
    assert Migration(A, target).refused(a="b") == (
        "the flow scope of active element with id 'a' is changed. The flow scope of the active element is"
        " expected to be 'process' but was 's'. The flow scope of an element cannot be changed during"
        " migration yet."
    )


def test_a_catch_event_stays_with_its_element() -> None:
    migration = Migration(
        bounded("a", on("m", "a", on_message("go"))),
        to(task("b"), task("next"), on("n", "next", on_message("go")), path("start", "b", "next")),
    )
    assert migration.refused(a="b", m="n") == (
        "active element with id 'a' is mapped to an element with id 'b' and has a catch event with id 'm'"
        " that is mapped to a catch event with id 'n'. These mappings detach the catch event from the element"
        " in the target process. Catch events must stay attached to the same element instance."
    )


def test_a_catch_event_keeps_its_type() -> None:
    migration = Migration(
        bounded("a", on("m", "a", on_message("go"))), bounded("b", on("n", "b", after("PT1H")))
    )
    assert migration.refused(a="b", m="n").startswith(
        "active element with id 'a' has a catch event with id 'm' that is mapped to a catch event with id"
        " 'n'. These catch events have different event types: 'MESSAGE' and 'TIMER'."
    )


def test_catch_events_are_not_merged() -> None:
    events = on("m", "a", on_message("go")) + on("n", "a", on_message("stop"))
    migration = Migration(bounded("a", events), bounded("b", on("o", "b", on_message("go"))))
    assert migration.refused(a="b", m="o", n="o").startswith(
        "active element with id 'a' has a catch event attached that is mapped to a catch event with id 'o'."
        " There are multiple mapping instructions that target this catch event: "
    )


def test_a_message_is_waited_for_once() -> None:
    migration = Migration(
        bounded("a", on("m", "a", on_message("go"))),
        bounded("b", on("n", "b", on_message("stop")) + on("o", "b", on_message("go"))),
    )
    assert migration.refused(a="b", m="n").startswith(
        "active element with id 'b' attempts to subscribe to a message it is already subscribed to with name"
        " 'go'."
    )


def test_what_the_target_waits_for_must_be_possible() -> None:
    migration = Migration(A, bounded("b", on("n", "b", on_message("lost"))))
    assert migration.refused(a="b").startswith(
        "active element with id 'a' is mapped to element with id 'b' that must be subscribed to a catch"
        " event. Failed to extract the correlation key for 'nothing':"
    )


def test_work_left_over_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    migration = Migration(A, A)
    (job,) = migration.playground.jobs("a")
    monkeypatch.setattr(turn_module, "STEPS_MAX", 0)
    migration.playground.decide(CompleteJob(job.key))
    outcome = migration.playground.decide(
        MigrateProcessInstance(migration.key, migration.definition_key, (("a", "a"),))
    ).outcome
    assert isinstance(outcome, Rejected)
    assert outcome.type is RejectionType.INVALID_STATE
    assert outcome.reason.endswith(
        "but a concurrent command was executed on the process instance. Please retry the migration."
    )


def test_runtime_instructions_go_along() -> None:
    playground = Playground()
    playground.deploy(process(A))
    target = playground.deploy(process(to(task("b"), task("c"), path("start", "b", "c"))))
    created = playground.do(CreateProcessInstance("process", 1, terminate_after=("a",)))
    assert isinstance(created, ProcessInstanceCreated)
    playground.do(MigrateProcessInstance(created.key, target.processes[0].key, (("a", "b"),)))
    playground.work("a")
    assert playground.is_over(created.key)
    assert playground.happened(ElementTerminated)


def test_the_variables_of_an_opened_subscription_are_those_of_the_instance() -> None:
    migration = Migration(A, bounded("b", on("n", "b", on_message("go"))))
    migration.playground.do(SetVariables(key_of(migration.playground, migration.key, "a"), {"k": b"2"}, True))
    migration.migrate(a="b")
    (opened,) = migration.playground.happened(ProcessMessageSubscriptionCreated)
    assert opened.correlation_key == "1"
    assert len(migration.playground.happened(ElementCompleted)) == 1


# User tasks


def test_a_user_task_goes_along_with_the_change_that_waits() -> None:
    source = to(user_task("a", heard(("completing", "one"), ("completing", "two"))), path("start", "a"))
    target = to(
        user_task("b", heard(("updating", "one"), ("completing", "three"))),
        task("next"),
        path("start", "b", "next"),
    )
    migration = Migration(source, target)
    play = migration.playground
    (creating,) = play.happened(UserTaskCreating)
    play.decide(CompleteUserTask(creating.key))
    assert migration.migrate(a="b") == Accepted()

    play.work("one")
    play.work("three")

    assert migration.ids == ["next", "process"]


@pytest.mark.parametrize("native", [True, False])
def test_a_user_task_stays_of_its_kind(native: bool) -> None:
    source = to(user_task("a", native=native), path("start", "a"))
    target = to(user_task("b", native=not native), path("start", "b"))
    assert "only one of them is managed by the engine" in Migration(source, target).refused(a="b")
