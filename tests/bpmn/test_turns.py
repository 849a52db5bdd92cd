"""A turn stands whole or not at all, whatever raises; and no turn goes on for ever."""

from collections.abc import Callable

import pytest

from bpmnd.bpmn import turn as turn_module
from bpmnd.bpmn.appliers import APPLIERS
from bpmnd.bpmn.commands import (
    BroadcastSignal,
    CancelProcessInstance,
    Command,
    CompleteJob,
    Continue,
    CreateProcessInstance,
    FailJob,
    FireDue,
    PublishMessage,
    ResolveIncident,
    ThrowJobError,
)
from bpmnd.bpmn.events import (
    BoundaryEventTriggered,
    ContinuationCreated,
    ElementCompleted,
    Event,
    IncidentCreated,
    IncidentResolved,
    JobCreated,
)
from bpmnd.bpmn.outcomes import Accepted, MessagePublished, Rejected, RejectionType
from bpmnd.bpmn.state.journal import Journal
from bpmnd.bpmn.turn import PASSES_MAX, STEPS_MAX, BrokenStateError, Turn
from tests.bpmn.playground import ONE_TASK, START, Playground, flow, many, path, process, rows_of, task
from tests.bpmn.test_flow import CATCH, ERRORS, PARALLEL, boundary_timer
from tests.bpmn.test_messages import STARTED, WAITING
from tests.bpmn.test_signals import STARTED as ALARMED
from tests.bpmn.test_signals import WAITING as SIGNALLED


class PlantedError(Exception):
    """Raised by a test where a behaviour could raise by mistake."""


def raise_at(monkeypatch: pytest.MonkeyPatch, position: int) -> None:
    """Let the emission of the event at a position of each turn raise, after it was applied."""
    emit = Turn.emit

    def emit_and_raise(turn: Turn, event: Event) -> None:
        emit(turn, event)
        if len(turn.events) == position + 1 and not isinstance(event, IncidentCreated):
            raise PlantedError(f"at event {position}")

    monkeypatch.setattr(Turn, "emit", emit_and_raise)


def boundary_and_error(playground: Playground) -> Command:
    playground.deploy(boundary_timer(interrupting=True))
    playground.create({"a": b"1"})
    (job,) = playground.jobs("work")
    return ThrowJobError(job.key, "E")


def completion(playground: Playground) -> Command:
    playground.deploy(PARALLEL)
    playground.create({"a": b"1"})
    playground.work("a", {"b": b"1"})
    (job,) = playground.jobs("b")
    return CompleteJob(job.key, {"c": b"2", "a": b"2"})


def failure(playground: Playground) -> Command:
    playground.deploy(ONE_TASK)
    playground.create()
    (job,) = playground.jobs("work")
    return FailJob(job.key, variables={"x": b"1"})


def creation(playground: Playground) -> Command:
    playground.deploy(PARALLEL)
    return CreateProcessInstance("process", variables={"a": b"1"})


def cancellation(playground: Playground) -> Command:
    playground.deploy(boundary_timer(interrupting=False))
    key = playground.create({"a": b"1"})
    playground.jobs("work")
    return CancelProcessInstance(key)


def publication(playground: Playground) -> Command:
    """To one who waits, to a start event, and into the buffer."""
    playground.deploy(WAITING, STARTED.replace(b'name="ordered"', b'name="paid"'))
    playground.create({"order": b'"1"'})
    return PublishMessage("paid", "1", 1000, "id", {"a": b"1"})


def opening(playground: Playground) -> Command:
    playground.deploy(WAITING)
    playground.do(PublishMessage("paid", "1", 1000, "id", {"a": b"1"}))
    return CreateProcessInstance("process", variables={"order": b'"1"'})


def end_of_the_first(playground: Playground) -> Command:
    playground.deploy(STARTED)
    for _ in range(2):
        playground.do(PublishMessage("ordered", "1", 1000))
    return CompleteJob(playground.jobs("work")[0].key)


def expiry(playground: Playground) -> Command:
    playground.deploy(WAITING)
    playground.create({"order": b'"1"'})
    published = playground.do(PublishMessage("paid", "1", 1000, "id"))
    assert isinstance(published, MessagePublished)
    playground.now += 1000
    return FireDue(published.key)


def signal(playground: Playground) -> Command:
    playground.deploy(SIGNALLED, ALARMED)
    playground.create()
    return BroadcastSignal("alarm", {"a": b"1"})


GIVEN = [
    boundary_and_error,
    completion,
    failure,
    creation,
    cancellation,
    publication,
    opening,
    end_of_the_first,
    expiry,
    signal,
]


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("position", range(12))
def test_a_decision_that_raises_leaves_the_state_as_it_was(
    monkeypatch: pytest.MonkeyPatch, given: Callable[[Playground], Command], position: int
) -> None:
    playground, control = Playground(), Playground()
    command = given(playground)
    assert given(control) == command
    events_of_command = len(control.decide(command).events)
    before = rows_of(playground.replayed())

    with monkeypatch.context() as patch:
        raise_at(patch, position)
        outcome = playground.decide(command).outcome

    if position < events_of_command and isinstance(outcome, Rejected):
        assert outcome.type is RejectionType.PROCESSING_ERROR
        incidents = playground.happened(IncidentCreated)
        if not incidents:
            assert rows_of(playground.replayed()) == before
    assert rows_of(playground.state) == rows_of(playground.replayed())


def test_a_change_without_its_undo_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    playground = Playground()
    command = completion(playground)
    before = rows_of(playground.replayed())
    put = Journal.put

    def put_without_undo(journal: Journal, mapping: dict[object, object], key: object, value: object) -> None:
        if isinstance(value, bytes):
            mapping[key] = value
        else:
            put(journal, mapping, key, value)

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "put", put_without_undo)
        raise_at(patch, 2)
        playground.engine.decide(command, playground.now)

    assert rows_of(playground.state) != before


def test_a_timer_that_raises_is_parked_behind_its_incident(monkeypatch: pytest.MonkeyPatch) -> None:
    playground = Playground()
    playground.deploy(CATCH)
    key = playground.create()
    playground.now += 10_000
    (due,) = playground.state.due(playground.now, 10)

    with monkeypatch.context() as patch:
        raise_at(patch, 1)
        playground.do(FireDue(due))

    (incident,) = playground.happened(IncidentCreated)
    assert playground.state.next_due() is None
    playground.do(ResolveIncident(incident.key))
    playground.work("after")
    assert playground.is_over(key)


def test_a_worker_can_try_again_after_a_decision_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    playground = Playground()
    playground.deploy(ONE_TASK)
    key = playground.create()
    (job,) = playground.jobs("work")
    with monkeypatch.context() as patch:
        raise_at(patch, 3)
        assert isinstance(playground.do(CompleteJob(job.key)), Rejected)
    assert len(playground.happened(IncidentCreated)) == 1

    playground.do(CompleteJob(job.key))

    assert len(playground.happened(IncidentResolved)) == 1
    assert playground.is_over(key)


def test_an_applier_that_raises_breaks_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(state: object, event: object) -> None:
        raise PlantedError

    playground = Playground()
    playground.deploy(ONE_TASK)
    monkeypatch.setitem(APPLIERS, JobCreated, broken)  # type: ignore[misc]  # stub has no invariant keys
    with pytest.raises(BrokenStateError):
        playground.create()


def wide(count: int) -> bytes:
    """A process with so many parallel tasks."""
    branches = "".join(task(f"t{number}", "work") + flow("start", f"t{number}") for number in range(count))
    return process(START + branches)


def test_work_beyond_the_budget_of_a_turn_stands_in_the_state() -> None:
    playground = Playground()
    playground.deploy(wide(STEPS_MAX + 50))

    playground.decide(CreateProcessInstance("process"))

    assert len(playground.happened(JobCreated)) == STEPS_MAX - 1
    assert len(playground.state.continuations.items) == 1


def test_work_left_over_is_done_in_turns_of_its_own() -> None:
    playground = Playground()
    playground.deploy(wide(STEPS_MAX + 50))
    key = playground.create()
    assert len(playground.happened(JobCreated)) == STEPS_MAX + 50

    playground.do(CancelProcessInstance(key))

    assert playground.is_over(key)
    assert rows_of(playground.replayed()) == rows_of(playground.state)


def test_work_left_over_is_found_again_after_a_restart() -> None:
    playground = Playground()
    playground.deploy(wide(STEPS_MAX + 50))
    playground.decide(CreateProcessInstance("process"))
    assert len(playground.replayed().continuations.items) == 1


def test_a_cycle_without_a_wait_state_ends_in_an_incident_that_can_be_resolved() -> None:
    body = (
        START
        + '<task id="a"/><exclusiveGateway id="x" default="x_a"/>'
        + task("out")
        + path("start", "a", "x")
        + flow("x", "a")
        + flow("x", "out", "=stop = true")
    )
    playground = Playground()
    playground.deploy(process(body))
    key = playground.create({"stop": b"false"})

    (incident,) = playground.happened(IncidentCreated)
    assert "endless loop" in incident.message
    assert len(playground.happened(ContinuationCreated)) == PASSES_MAX

    playground.do(CancelProcessInstance(key))
    assert playground.is_over(key)


CALLS_TWO = process(
    START
    + '<parallelGateway id="fork"/>'
    + "".join(
        f'<callActivity id="{each}"><extensionElements><zeebe:calledElement processId="process"/>'
        f"</extensionElements></callActivity>{flow('fork', each)}"
        for each in "ab"
    )
    + flow("start", "fork")
)
FORKS = process(
    START
    + '<exclusiveGateway id="merge"/><parallelGateway id="fork"/><task id="a"/><task id="b"/>'
    + path("start", "merge", "fork", "a", "merge")
    + path("fork", "b", "merge")
)
THROWS = process(
    START
    + '<subProcess id="sub"><startEvent id="s"/><endEvent id="e"><errorEventDefinition errorRef="error"/>'
    + f"</endEvent>{flow('s', 'e')}</subProcess>"
    + '<boundaryEvent id="caught" attachedToRef="sub"><errorEventDefinition/></boundaryEvent>'
    + path("start", "sub")
    + flow("caught", "sub"),
    definitions='<error id="error" errorCode="E"/>',
)
ROUND_AND_ROUND = process(
    START + many('<task id="each"/>', "=[1,2,3]") + '<task id="a"/>' + path("start", "a", "each", "a")
)
ENDLESS = {"calls": CALLS_TWO, "forks": FORKS, "errors": THROWS, "items": ROUND_AND_ROUND}


@pytest.fixture
def few_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bpmnd.bpmn.engine.PASSES_MAX", 20)


@pytest.mark.usefixtures("few_passes")
@pytest.mark.parametrize("name", ENDLESS)
@pytest.mark.parametrize("steps", [7, 8, 9, 10, 200])
def test_what_goes_round_without_a_rest_ends_in_an_incident(
    monkeypatch: pytest.MonkeyPatch, name: str, steps: int
) -> None:
    monkeypatch.setattr("bpmnd.bpmn.turn.STEPS_MAX", steps)
    playground = Playground()
    playground.deploy(ENDLESS[name])
    key = playground.create()
    assert "endless loop" in playground.happened(IncidentCreated)[0].message
    assert (
        len(playground.happened(ContinuationCreated)) <= 42
    )  # Now and then one leaves more active than it found.

    playground.do(CancelProcessInstance(key))
    assert playground.is_over(key)
    assert not playground.state.incidents


@pytest.mark.usefixtures("few_passes")
def test_many_items_may_wait_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bpmnd.bpmn.turn.STEPS_MAX", 10)
    playground = Playground()
    playground.deploy(process(START + many(task("work"), "=items") + flow("start", "work")))
    playground.create({"items": b"[" + b",".join([b"1"] * 500) + b"]"})
    assert len(playground.happened(ContinuationCreated)) > 50
    assert len(playground.jobs("work", 500)) == 500
    assert not playground.happened(IncidentCreated)


@pytest.mark.parametrize("sequential", [True, False])
@pytest.mark.usefixtures("few_passes")
def test_items_that_wait_for_nothing_may_be_as_many_as_one_likes(
    monkeypatch: pytest.MonkeyPatch, sequential: bool
) -> None:
    monkeypatch.setattr("bpmnd.bpmn.turn.STEPS_MAX", 10)
    playground = Playground()
    each = many('<task id="each"/>', "=items", sequential=sequential)
    playground.deploy(process(START + each + flow("start", "each")))
    key = playground.create({"items": b"[" + b",".join([b"1"] * 500) + b"]"})
    assert playground.is_over(key)
    assert not playground.happened(IncidentCreated)


@pytest.mark.usefixtures("few_passes")
def test_so_may_the_items_of_items(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bpmnd.bpmn.turn.STEPS_MAX", 10)
    playground = Playground()
    inner = many('<task id="each"/>', "=items") + '<startEvent id="in"/>' + flow("in", "each")
    outer = many(f'<subProcess id="sub">{inner}</subProcess>', "=items")
    playground.deploy(process(START + outer + flow("start", "sub")))
    key = playground.create({"items": b"[" + b",".join([b"1"] * 25) + b"]"})
    assert playground.is_over(key)
    assert not playground.happened(IncidentCreated)


ROUND_INSIDE = many(
    '<subProcess id="sub"><startEvent id="in"/><exclusiveGateway id="merge"/><task id="a"/>'
    + path("in", "merge", "a", "merge")
    + "</subProcess>",
    "=items",
)
ITEMS_INSIDE = ROUND_INSIDE.replace('<task id="a"/>', many('<task id="a"/>', "=items"))
AROUND_ITEMS = '<exclusiveGateway id="before"/>' + many('<task id="sub"/>', "=items") + path("sub", "before")


@pytest.mark.usefixtures("few_passes")
@pytest.mark.parametrize("body", [ROUND_INSIDE, ITEMS_INSIDE, AROUND_ITEMS], ids=["in", "items", "around"])
def test_items_that_go_round_without_a_rest_end_in_an_incident(
    monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    monkeypatch.setattr("bpmnd.bpmn.turn.STEPS_MAX", 10)
    playground = Playground()
    first = ("start", "before", "sub") if body is AROUND_ITEMS else ("start", "sub")
    playground.deploy(process(START + body + path(*first)))
    playground.create({"items": b"[" + b",".join([b"1"] * 10) + b"]"})
    assert "endless loop" in playground.happened(IncidentCreated)[0].message
    assert len(playground.happened(ContinuationCreated)) < 150


@pytest.mark.usefixtures("few_passes")
def test_each_called_instance_that_goes_on_has_an_incident_of_its_own() -> None:
    playground = Playground()
    playground.deploy(CALLS_TWO)
    playground.create()
    incidents = playground.happened(IncidentCreated)
    assert len(incidents) > 1
    assert len({incident.instance_key for incident in incidents}) == len(incidents)


def test_an_instance_that_was_parked_ends_when_it_is_let_go() -> None:
    playground = Playground()
    playground.deploy(wide(3))
    key = playground.create()
    for _ in range(3):
        playground.work("work")
    assert playground.happened(ElementCompleted)[-1].key == key


def drain(playground: Playground) -> None:
    while playground.state.continuations.items:
        playground.decide(Continue(next(iter(playground.state.continuations.items))))


def test_what_completes_before_its_termination_comes_to_it_is_terminated() -> None:
    playground = Playground()
    playground.deploy(wide(STEPS_MAX + 50))
    key = playground.create()
    jobs = [job for _ in range(3) for job in playground.jobs("work", 100)]
    playground.decide(CancelProcessInstance(key))
    left = [job.key for job in jobs if playground.state.owner_of(job.key) is not None]
    assert left

    for job_key in left:
        assert playground.decide(CompleteJob(job_key)).outcome == Accepted()
    drain(playground)

    assert playground.is_over(key)


@pytest.mark.parametrize("steps_before", range(STEPS_MAX - 6, STEPS_MAX + 1))
def test_a_boundary_event_that_is_left_over_keeps_its_scope_open(steps_before: int) -> None:
    branches = "".join(
        task(f"t{number}", "work") + flow("inner", f"t{number}") for number in range(steps_before)
    )
    timer = "<timerEventDefinition><timeDuration>PT1S</timeDuration></timerEventDefinition>"
    body = (
        START
        + f'<subProcess id="sub"><startEvent id="inner"/>{branches}</subProcess>'
        + f'<boundaryEvent id="late" attachedToRef="sub">{timer}</boundaryEvent>'
        + task("sibling")
        + task("handle")
        + flow("start", "sub")
        + flow("start", "sibling")
        + flow("late", "handle")
    )
    playground = Playground()
    playground.deploy(process(body))
    playground.create()
    (sibling,) = playground.jobs("sibling")
    playground.now += 1000
    (due,) = playground.state.due(playground.now, 10)

    playground.decide(FireDue(due))
    playground.decide(CompleteJob(sibling.key))
    drain(playground)

    assert len(playground.jobs("handle")) == 1


def test_a_turn_ends_early_when_its_expressions_take_long() -> None:
    heavy = {"x": "=sum(for i in 1..20000 return i)"}
    branches = "".join(
        task(f"t{number}", "work", inputs=heavy) + flow("start", f"t{number}") for number in range(5)
    )
    playground = Playground()
    playground.deploy(process(START + branches))

    playground.decide(CreateProcessInstance("process"))
    assert len(playground.happened(JobCreated)) < 5
    drain(playground)

    assert len(playground.happened(JobCreated)) == 5


def test_a_turn_ends_early_when_it_writes_large_variables() -> None:
    branches = "".join(
        task(f"t{number}", "work", inputs={"x": "=big"}) + flow("start", f"t{number}") for number in range(5)
    )
    playground = Playground()
    playground.deploy(process(START + branches))

    playground.decide(CreateProcessInstance("process", variables={"big": b'"' + b"x" * 500_000 + b'"'}))

    assert len(playground.happened(JobCreated)) < 5


@pytest.mark.parametrize("steps_max", range(1, 8))
def test_an_activity_is_interrupted_once(monkeypatch: pytest.MonkeyPatch, steps_max: int) -> None:
    timer = "<timerEventDefinition><timeDuration>PT1S</timeDuration></timerEventDefinition>"
    error = '<errorEventDefinition errorRef="e1"/>'
    body = (
        START
        + '<subProcess id="sub"><startEvent id="inner"/>'
        + task("a")
        + f'<endEvent id="thrown">{error}</endEvent>{path("inner", "a", "thrown")}</subProcess>'
        + f'<boundaryEvent id="late" attachedToRef="sub">{timer}</boundaryEvent>'
        + f'<boundaryEvent id="wrong" attachedToRef="sub">{error}</boundaryEvent>'
        + task("after")
        + path("start", "sub")
        + flow("late", "after")
        + flow("wrong", "after")
    )
    playground = Playground()
    playground.deploy(process(body, definitions=ERRORS))
    playground.create()
    (job,) = playground.jobs("a")
    playground.now += 1000
    (due,) = playground.state.due(playground.now, 10)

    monkeypatch.setattr(turn_module, "STEPS_MAX", steps_max)
    playground.decide(CompleteJob(job.key))
    playground.decide(FireDue(due))
    drain(playground)

    assert len(playground.happened(BoundaryEventTriggered)) == 1
    assert len(playground.jobs("after")) == 1
