"""Task listeners: jobs that a change of a user task waits for, and that may deny or correct it."""

import pytest
from msgspec.structs import replace

from bpmnd.bpmn.commands import (
    AssignUserTask,
    CancelProcessInstance,
    Command,
    CommandId,
    CompleteJob,
    CompleteUserTask,
    DoOnce,
    FailJob,
    ResolveIncident,
    SetVariables,
    TaskResult,
    ThrowJobError,
    UpdateJob,
    UpdateUserTask,
)
from bpmnd.bpmn.events import (
    ElementTerminated,
    Event,
    IncidentCreated,
    JobCanceled,
    UserTaskAssigned,
    UserTaskCanceled,
    UserTaskCompleted,
    UserTaskCorrected,
    UserTaskCreated,
    UserTaskDenied,
    UserTaskUpdated,
)
from bpmnd.bpmn.outcomes import Accepted, ActivatedJob, Rejected, RejectionType
from bpmnd.bpmn.user_tasks import TaskAttributes, TaskChanges
from tests.bpmn import events
from tests.bpmn.people import assigned, heard, task_key, user_task
from tests.bpmn.playground import END, START, Playground, flow, path, process, rows_of

TIMER = "<timerEventDefinition><timeDuration>PT1M</timeDuration></timerEventDefinition>"
CHANGES: dict[str, Command] = {
    "assigning": AssignUserTask(0, "bob", action="give"),
    "updating": UpdateUserTask(0, TaskChanges(priority=7), action="raise"),
    "completing": CompleteUserTask(0, {"x": b"1"}, action="finish"),
}
DONE: dict[str, type[Event]] = {
    "assigning": UserTaskAssigned,
    "updating": UserTaskUpdated,
    "completing": UserTaskCompleted,
}


def with_task(*listeners: tuple[str, str], people: str = "", beside: str = "") -> Playground:
    play = Playground()
    task = user_task("do", people, heard(*listeners))
    play.deploy(process(START + task + END + path("start", "do", "end") + beside))
    play.create()
    return play


def change(play: Playground, event: str) -> int:
    """Begin a change of the task; the request that waits for it."""
    command = CHANGES[event]
    decision = play.decide(replace(command, key=task_key(play)))
    assert decision.outcome is None
    return decision.request


def hear(play: Playground, job_type: str, result: TaskResult | None = None) -> ActivatedJob:
    (job,) = play.jobs(job_type, 1)
    assert play.do(CompleteJob(job.key, task_result=result or TaskResult())) == Accepted()
    return job


@pytest.mark.parametrize("event", CHANGES)
def test_a_change_waits_for_its_listeners_and_is_answered_then(event: str) -> None:
    play = with_task((event, "first"), (event, "second"))
    request = change(play, event)

    hear(play, "first")
    assert not play.happened(DONE[event])
    hear(play, "second")

    assert play.happened(DONE[event])
    assert play.answers == {request: Accepted()}


@pytest.mark.parametrize("event", CHANGES)
def test_while_listeners_work_nothing_else_can_be_done(event: str) -> None:
    play = with_task((event, "slow"))
    change(play, event)

    for command in (
        CompleteUserTask(task_key(play)),
        AssignUserTask(task_key(play), "ann"),
        UpdateUserTask(task_key(play), TaskChanges(priority=1)),
    ):
        rejected = play.rejected(command)
        assert rejected.type is RejectionType.INVALID_STATE
        assert rejected.reason.endswith(f"but it is in state '{event.upper()}'")


@pytest.mark.parametrize("event", CHANGES)
def test_a_listener_denies_a_change(event: str) -> None:
    play = with_task((event, "first"), (event, "second"), people=assigned(assignee="ann"))
    if event == "assigning":  # It hears of the first assignee, too.
        hear(play, "first")
        hear(play, "second")
    before = [type(done) for done in play.happened(DONE[event])]
    request = change(play, event)

    hear(play, "first", TaskResult(denied=True, reason="not today"))

    assert [type(done) for done in play.happened(DONE[event])] == before
    (denied,) = play.happened(UserTaskDenied)
    assert (denied.denied, denied.reason) == (event.upper(), "not today")
    answer = play.answers[request]
    assert isinstance(answer, Rejected)
    assert answer.type is RejectionType.INVALID_STATE
    assert answer.reason.endswith("but a task listener denied it: 'not today'")
    assert not play.jobs("second")


def test_after_a_denial_the_task_is_as_it_was() -> None:
    play = with_task(("updating", "check"))
    change(play, "updating")
    hear(play, "check", TaskResult(denied=True))
    change(play, "updating")
    hear(play, "check")

    (updated,) = play.happened(UserTaskUpdated)
    assert (updated.before.priority, updated.attributes.priority) == (50, 7)


@pytest.mark.parametrize("event", CHANGES)
def test_a_listener_corrects_a_change(event: str) -> None:
    play = with_task((event, "first"), (event, "second"))
    change(play, event)
    corrections = TaskChanges(assignee="eve", candidate_groups=("g",), priority=9)

    hear(play, "first", TaskResult(corrections=corrections))
    (job,) = play.jobs("second")
    assert job.user_task is not None
    assert (job.user_task.attributes.assignee, job.user_task.attributes.priority) == ("eve", 9)
    play.do(CompleteJob(job.key, task_result=TaskResult(corrections=TaskChanges(due_date=""))))

    (done,) = play.happened(DONE[event])
    assert isinstance(done, UserTaskAssigned | UserTaskUpdated | UserTaskCompleted)
    assert done.attributes == TaskAttributes("eve", ("g",), (), "", "", 9)
    assert done.changed == ("assignee", "candidateGroupsList", "priority")
    assert len(play.happened(UserTaskCorrected)) == 1


def test_a_job_of_a_listener_shows_the_task_as_it_would_be() -> None:
    play = with_task(("assigning", "check"), people=assigned(candidateGroups="g"))
    change(play, "assigning")
    (job,) = play.jobs("check")

    assert (job.kind, job.listener_event, job.headers) == ("TASK_LISTENER", "ASSIGNING", ())
    assert job.user_task is not None
    assert (job.user_task.key, job.user_task.action) == (task_key(play), "give")
    assert job.user_task.attributes == TaskAttributes("bob", ("g",))
    assert job.user_task.changed == ("assignee",)


def test_a_task_is_created_when_the_listeners_of_that_have_worked() -> None:
    play = with_task(("creating", "check"), people=assigned(assignee="ann"))
    assert not play.happened(UserTaskCreated)
    assert play.rejected(CompleteUserTask(task_key(play))).type is RejectionType.INVALID_STATE
    hear(play, "check", TaskResult(corrections=TaskChanges(priority=1)))

    (created,) = play.happened(UserTaskCreated)
    assert created.attributes == TaskAttributes("ann", priority=1)
    assert play.do(CompleteUserTask(task_key(play))) == Accepted()


def test_the_first_assignee_is_heard_of_after_the_creation() -> None:
    play = with_task(("creating", "new"), ("assigning", "given"), people=assigned(assignee="ann"))
    hear(play, "new")
    (created,) = play.happened(UserTaskCreated)
    assert created.attributes.assignee == ""
    hear(play, "given")

    (done,) = play.happened(UserTaskAssigned)
    assert (done.before.assignee, done.attributes.assignee) == ("", "ann")


def test_a_first_assignee_who_is_denied_does_not_get_the_task() -> None:
    play = with_task(("assigning", "given"), people=assigned(assignee="ann"))
    hear(play, "given", TaskResult(denied=True))

    assert play.do(CompleteUserTask(task_key(play))) == Accepted()
    assert play.happened(UserTaskCompleted)[0].attributes.assignee == ""


def test_a_task_is_canceled_and_its_element_terminated_when_the_listeners_have_worked() -> None:
    play = with_task(("canceling", "goes"))
    instance = play.happened(UserTaskCreated)[0].instance_key
    play.do(CancelProcessInstance(instance))
    play.do(CancelProcessInstance(instance))

    assert not play.happened(ElementTerminated)
    assert hear(play, "goes").listener_event == "CANCELING"
    assert play.happened(UserTaskCanceled)
    assert play.is_over(instance)


def test_a_boundary_event_goes_on_when_the_listeners_have_worked() -> None:
    rings = events.boundary("late", "do", TIMER) + flow("late", "end")
    play = with_task(("canceling", "goes"), beside=rings)
    instance = play.happened(UserTaskCreated)[0].instance_key
    play.pass_time(60_000)
    assert not play.is_over(instance)
    hear(play, "goes")

    assert play.is_over(instance)


def test_a_change_that_waits_is_refused_when_the_task_is_canceled() -> None:
    play = with_task(("completing", "check"))
    instance = play.happened(UserTaskCreated)[0].instance_key
    request = change(play, "completing")
    play.do(CancelProcessInstance(instance))

    answer = play.answers[request]
    assert isinstance(answer, Rejected)
    assert answer.reason.endswith("but it was canceled meanwhile")
    assert len(play.happened(JobCanceled)) == 1
    assert play.is_over(instance)


@pytest.mark.parametrize("event", ["creating", "canceling"])
def test_what_is_not_up_to_people_cannot_be_denied(event: str) -> None:
    play = with_task((event, "check"))
    if event == "canceling":
        play.do(CancelProcessInstance(play.happened(UserTaskCreated)[0].instance_key))
    (job,) = play.jobs("check")

    rejected = play.rejected(CompleteJob(job.key, task_result=TaskResult(denied=True)))

    assert rejected.type is RejectionType.INVALID_ARGUMENT
    assert play.do(CompleteJob(job.key)) == Accepted()


def test_a_change_cannot_be_denied_and_corrected_at_once() -> None:
    play = with_task(("completing", "check"))
    change(play, "completing")
    (job,) = play.jobs("check")
    result = TaskResult(denied=True, corrections=TaskChanges(priority=1))

    assert play.rejected(CompleteJob(job.key, task_result=result)).type is RejectionType.INVALID_ARGUMENT


def test_a_task_listener_sets_no_variables() -> None:
    play = with_task(("completing", "check"))
    change(play, "completing")
    (job,) = play.jobs("check")

    assert play.rejected(CompleteJob(job.key, {"x": b"1"})).type is RejectionType.INVALID_ARGUMENT


def test_a_task_listener_throws_no_errors() -> None:
    play = with_task(("completing", "check"))
    change(play, "completing")
    (job,) = play.jobs("check")

    rejected = play.rejected(ThrowJobError(job.key, "E"))
    assert rejected.type is RejectionType.INVALID_STATE
    assert "TASK_LISTENER" in rejected.reason


def test_a_listener_without_retries_left_is_an_incident_of_its_own_type() -> None:
    play = with_task(("completing", "check"))
    request = change(play, "completing")
    (job,) = play.jobs("check")
    play.do(FailJob(job.key, 0))
    (incident,) = play.happened(IncidentCreated)
    assert incident.type == "TASK_LISTENER_NO_RETRIES"
    assert request not in play.answers

    play.do(UpdateJob(job.key, retries=1))
    play.do(ResolveIncident(incident.key))
    hear(play, "check")
    assert play.answers[request] == Accepted()


@pytest.mark.parametrize("event", ["creating", "completing", "canceling"])
def test_a_type_that_cannot_be_computed_is_an_incident_and_tried_again(event: str) -> None:
    play = with_task((event, "=kind"))
    if event == "completing":
        change(play, event)
    if event == "canceling":
        play.do(CancelProcessInstance(play.happened(UserTaskCreated)[0].instance_key))
    (incident,) = play.happened(IncidentCreated)
    play.do(SetVariables(incident.instance_key, {"kind": b'"found"'}))
    play.do(ResolveIncident(incident.key))

    assert hear(play, "found").listener_event == event.upper()


def test_execution_listeners_work_around_those_of_the_task() -> None:
    play = Playground()
    around = (
        '<zeebe:executionListeners><zeebe:executionListener eventType="start" type="before"/>'
        '<zeebe:executionListener eventType="end" type="after"/></zeebe:executionListeners>'
    )
    task = user_task("do", around, heard(("creating", "new"), ("completing", "done")))
    play.deploy(process(START + task + flow("start", "do")))
    instance = play.create()
    play.work("before")
    hear(play, "new")
    change(play, "completing")
    hear(play, "done")
    play.work("after")

    assert play.is_over(instance)


def test_a_replica_and_a_checkpoint_know_the_change_that_waits() -> None:
    play = with_task(("completing", "check"), ("completing", "again"))
    change(play, "completing")
    hear(play, "check", TaskResult(corrections=TaskChanges(priority=3)))

    assert rows_of(play.replayed()) == rows_of(play.state)


def test_a_repeated_request_waits_with_the_first_and_has_its_answer() -> None:
    play = with_task(("completing", "check"))
    once = DoOnce(CommandId("scope", "key", b"hash"), CompleteUserTask(task_key(play)))
    first = play.decide(once)
    again = play.decide(once)
    assert (first.outcome, again.outcome, again.request) == (None, None, first.request)
    hear(play, "check")

    assert play.answers == {first.request: Accepted()}
    assert play.decide(once).outcome == Accepted()
    assert len(play.happened(UserTaskCompleted)) == 1


def test_a_repeated_request_that_was_denied_is_denied_again() -> None:
    play = with_task(("completing", "check"))
    once = DoOnce(CommandId("scope", "key", b"hash"), CompleteUserTask(task_key(play)))
    play.decide(once)
    hear(play, "check", TaskResult(denied=True))

    assert isinstance(play.decide(once).outcome, Rejected)
    assert not play.happened(UserTaskCompleted)
