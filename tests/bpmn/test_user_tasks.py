"""User tasks: what is worked out of them, and what people do with them."""

from typing import Any

import pytest

from bpmnd.bpmn.commands import (
    AssignUserTask,
    CancelProcessInstance,
    CompleteJob,
    CompleteUserTask,
    Origin,
    ResolveIncident,
    SetVariables,
    UpdateUserTask,
)
from bpmnd.bpmn.events import (
    ElementTerminated,
    IncidentCreated,
    JobWithHeadersCreated,
    UserTaskAssigned,
    UserTaskAssigning,
    UserTaskCanceled,
    UserTaskCompleted,
    UserTaskCreated,
    UserTaskCreating,
    UserTaskUpdated,
    VariablesCreated,
)
from bpmnd.bpmn.outcomes import Accepted, RejectionType
from bpmnd.bpmn.user_tasks import TaskAttributes, TaskChanges
from tests.bpmn import events
from tests.bpmn.people import assigned, formed, prioritized, scheduled, task_key, user_task
from tests.bpmn.playground import END, START, Playground, flow, io_mapping, path, process, rows_of

TIMER = "<timerEventDefinition><timeDuration>PT1M</timeDuration></timerEventDefinition>"
HEADERS = '<zeebe:taskHeaders><zeebe:header key="h" value="v"/></zeebe:taskHeaders>'


def with_task(
    *extensions: str, beside: str = "", native: bool = True, variables: dict[str, bytes] | None = None
) -> Playground:
    """An instance at its user task `do`."""
    play = Playground()
    body = START + user_task("do", *extensions, native=native) + END + path("start", "do", "end") + beside
    play.deploy(process(body))
    play.create(variables)
    return play


def attributes_of(*extensions: str, **variables: bytes) -> TaskAttributes:
    return with_task(*extensions, variables=variables).happened(UserTaskCreated)[0].attributes


def incident_of(*extensions: str, native: bool = True) -> IncidentCreated:
    play = with_task(*extensions, native=native)
    assert not play.happened(UserTaskCreated)
    (incident,) = play.happened(IncidentCreated)
    return incident


def test_a_task_without_anything_said_has_the_middle_priority() -> None:
    assert attributes_of() == TaskAttributes("", (), (), "", "", 50)


def test_who_is_to_do_it_may_be_written_down() -> None:
    people = assigned(assignee="ann", candidateGroups="a, b ,c", candidateUsers="x")
    assert attributes_of(people) == TaskAttributes("ann", ("a", "b", "c"), ("x",))


def test_who_is_to_do_it_may_be_computed() -> None:
    people = assigned(assignee="=who", candidateGroups='=["a", who]', candidateUsers="=[]")
    assert attributes_of(people, who=b'"ann"') == TaskAttributes("ann", ("a", "ann"))


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2024-01-01T10:00Z", "2024-01-01T10:00:00Z"),
        ("2024-01-01T10:00:00.120+01:00[Europe/Berlin]", "2024-01-01T10:00:00.120+01:00"),
        ("2024-01-01T10:00-05", "2024-01-01T10:00:00-05:00"),
        ('=date and time("2024-01-01T10:00:00")', "2024-01-01T10:00:00Z"),
        ('=date and time("2024-01-01T10:00:00@Europe/Berlin")', "2024-01-01T10:00:00+01:00"),
        ('="2024-01-01T10:00Z"', "2024-01-01T10:00:00Z"),
        ("=null", ""),
        ("", ""),
    ],
)
def test_dates_are_written_as_rfc_3339_has_them(text: str, date: str) -> None:
    found = attributes_of(scheduled(dueDate=text, followUpDate=text))
    assert (found.due_date, found.follow_up_date) == (date, date)


@pytest.mark.parametrize(("text", "priority"), [("0", 0), ("100", 100), ("=x + 1", 8), ("", 50)])
def test_a_task_has_a_priority(text: str, priority: int) -> None:
    assert attributes_of(prioritized(text), x=b"7").priority == priority


@pytest.mark.parametrize(
    ("extension", "message"),
    [
        (assigned(assignee="=1"), "to be 'STRING', but was 'NUMBER'"),
        (assigned(assignee="=null"), "to be 'STRING', but was 'NULL'"),
        (assigned(candidateGroups="=1"), "to be 'ARRAY', but was 'NUMBER'"),
        (assigned(candidateUsers="=[1]"), "containing at least one non-'STRING' item"),
        (scheduled(dueDate="=1"), "to be one of '[NULL, DATE_TIME, STRING]', but was 'NUMBER'"),
        (scheduled(dueDate='=date("2024-01-01")'), "but was 'DATE'"),
        (scheduled(followUpDate='="tomorrow"'), "but found 'tomorrow'"),
        (prioritized("=101"), "in the range [0,100] but was '101'"),
        (prioritized("=5.7"), "in the range [0,100] but was '5.7'"),
        (prioritized("=-1"), "in the range [0,100] but was '-1'"),
        (prioritized('="5"'), "to be 'NUMBER', but was 'STRING'"),
        (formed(externalReference="=1"), "to be 'STRING', but was 'NUMBER'"),
        (formed(formId="=1"), "to be 'STRING', but was 'NUMBER'"),
    ],
)
def test_what_cannot_be_worked_out_is_an_incident(extension: str, message: str) -> None:
    incident = incident_of(extension)
    assert incident.type == "EXTRACT_VALUE_ERROR"
    assert message in incident.message


def test_it_is_worked_out_again_when_the_incident_is_resolved() -> None:
    play = with_task(assigned(assignee="=who"))
    (incident,) = play.happened(IncidentCreated)
    play.do(SetVariables(incident.instance_key, {"who": b'"ann"'}))
    play.do(ResolveIncident(incident.key))

    assert play.happened(UserTaskCreated)[0].attributes.assignee == "ann"


def test_a_form_of_others_is_referred_to() -> None:
    play = with_task(formed(externalReference="=form"), variables={"form": b'"f"'})
    (creating,) = play.happened(UserTaskCreating)
    assert (creating.form_key, creating.external_form_reference) == (0, "f")


def test_completing_a_task_completes_its_element_and_hands_on_the_variables() -> None:
    play = with_task()
    instance = play.happened(UserTaskCreating)[0].instance_key

    assert play.do(CompleteUserTask(task_key(play), {"x": b"1"}, origin=Origin(user="ann"))) == Accepted()

    assert play.is_over(instance)
    (created,) = play.happened(VariablesCreated)
    assert (created.scope_key, created.variables) == (instance, {"x": b"1"})
    (completed,) = play.happened(UserTaskCompleted)
    assert (completed.action, completed.user) == ("complete", "ann")


def test_with_an_output_mapping_the_variables_stay_local() -> None:
    play = with_task(io_mapping(outputs={"y": "=x + 1"}))
    instance = play.happened(UserTaskCreating)[0].instance_key
    play.do(CompleteUserTask(task_key(play), {"x": b"1"}))

    scopes = [(event.scope_key == instance, event.variables) for event in play.happened(VariablesCreated)]
    assert scopes == [(False, {"x": b"1"}), (True, {"y": b"2"})]


def test_a_task_that_is_done_is_known_no_more() -> None:
    play = with_task()
    key = task_key(play)
    play.do(CompleteUserTask(key))

    for command in (CompleteUserTask(key), AssignUserTask(key, "ann"), UpdateUserTask(key, TaskChanges())):
        assert play.rejected(command).type is RejectionType.NOT_FOUND


def test_assigning_names_who_has_it_and_who_had_it() -> None:
    play = with_task(assigned(assignee="ann"))
    play.do(AssignUserTask(task_key(play), "bob", action="give", origin=Origin(user="eve")))

    (assigning,) = play.happened(UserTaskAssigning)
    assert (assigning.before, assigning.assignee) == ("ann", "bob")
    (done,) = play.happened(UserTaskAssigned)
    assert (done.before.assignee, done.attributes.assignee) == ("ann", "bob")
    assert (done.changed, done.action, done.user) == (("assignee",), "give", "eve")


def test_a_task_is_claimed_only_from_nobody_or_oneself() -> None:
    play = with_task()
    key = task_key(play)
    claim = AssignUserTask(key, "ann", allow_override=False)

    assert play.do(claim) == Accepted()
    assert play.do(claim) == Accepted()
    rejected = play.rejected(AssignUserTask(key, "bob", allow_override=False))
    assert rejected.type is RejectionType.INVALID_STATE
    assert rejected.reason.endswith("but it has already been assigned")
    assert play.do(AssignUserTask(key, "bob")) == Accepted()


def test_a_task_is_taken_away() -> None:
    play = with_task(assigned(assignee="ann"))
    play.do(AssignUserTask(task_key(play), "", action="unassign"))

    assert play.happened(UserTaskAssigned)[0].attributes.assignee == ""


def test_updating_changes_what_is_given_and_nothing_else() -> None:
    play = with_task(assigned(assignee="ann", candidateGroups="g"), scheduled(dueDate="2024-01-01T10:00Z"))
    changes = TaskChanges(candidate_users=("x",), due_date="", priority=0)
    play.do(UpdateUserTask(task_key(play), changes))

    (updated,) = play.happened(UserTaskUpdated)
    assert updated.attributes == TaskAttributes("ann", ("g",), ("x",), "", "", 0)
    assert updated.changed == ("candidateUsersList", "dueDate", "priority")
    assert updated.before.due_date == "2024-01-01T10:00:00Z"


def test_the_next_change_begins_where_the_last_has_ended() -> None:
    play = with_task()
    key = task_key(play)
    play.do(UpdateUserTask(key, TaskChanges(priority=7)))
    play.do(AssignUserTask(key, "ann"))
    play.do(CompleteUserTask(key))

    (completed,) = play.happened(UserTaskCompleted)
    assert (completed.attributes.priority, completed.attributes.assignee) == (7, "ann")


def test_a_task_is_canceled_with_its_instance() -> None:
    play = with_task()
    (creating,) = play.happened(UserTaskCreating)
    play.do(CancelProcessInstance(creating.instance_key))

    assert [event.key for event in play.happened(UserTaskCanceled)] == [creating.key]
    assert play.is_over(creating.instance_key)
    assert play.rejected(CompleteUserTask(creating.key)).type is RejectionType.NOT_FOUND


def test_a_boundary_event_that_interrupts_cancels_the_task() -> None:
    play = with_task(beside=events.boundary("late", "do", TIMER) + flow("late", "end"))
    instance = play.happened(UserTaskCreating)[0].instance_key
    play.pass_time(60_000)

    assert play.happened(UserTaskCanceled)
    assert play.happened(ElementTerminated)
    assert play.is_over(instance)


def test_variables_that_are_too_much_do_not_complete_it() -> None:
    play = with_task()
    huge = CompleteUserTask(task_key(play), {"x": b'"' + 5 * 1024 * 1024 * b"x" + b'"'})

    assert play.rejected(huge).type is RejectionType.INVALID_ARGUMENT
    assert play.do(CompleteUserTask(task_key(play))) == Accepted()


def test_a_task_of_others_is_a_job_with_all_that_is_known_in_its_headers() -> None:
    people = assigned(assignee="=who", candidateGroups="b, c", candidateUsers='=["u"]')
    dates = scheduled(dueDate="2024-01-01T10:00:00Z", followUpDate="2025-01-01T10:00:00Z")
    play = with_task(people, dates, HEADERS, formed(formKey="k"), native=False, variables={"who": b'"ann"'})

    (job,) = play.jobs("io.camunda.zeebe:userTask")

    assert job.retries == 1
    assert dict(job.headers) == {
        "h": "v",
        "io.camunda.zeebe:assignee": "ann",
        "io.camunda.zeebe:candidateGroups": '["b","c"]',
        "io.camunda.zeebe:candidateUsers": '["u"]',
        "io.camunda.zeebe:dueDate": "2024-01-01T10:00:00Z",
        "io.camunda.zeebe:followUpDate": "2025-01-01T10:00:00Z",
        "io.camunda.zeebe:formKey": "k",
    }
    play.do(CompleteJob(job.key))
    assert play.is_over(job.process_instance_key)


def test_a_job_for_others_keeps_its_headers_when_it_is_lent_again() -> None:
    play = with_task(formed(formKey="k"), native=False)
    (first,) = play.jobs("io.camunda.zeebe:userTask", timeout_ms=1000)
    play.pass_time(2000)
    (again,) = play.jobs("io.camunda.zeebe:userTask")

    assert again.headers == first.headers == (("io.camunda.zeebe:formKey", "k"),)
    assert len(play.happened(JobWithHeadersCreated)) == 1


def test_a_job_for_others_cannot_be_made_of_what_cannot_be_worked_out() -> None:
    assert incident_of(assigned(assignee="=1"), native=False).type == "EXTRACT_VALUE_ERROR"


def test_a_replica_and_a_checkpoint_know_the_task() -> None:
    play = with_task(assigned(assignee="ann", candidateGroups="a,b"))
    play.do(UpdateUserTask(task_key(play), TaskChanges(priority=7)))

    assert rows_of(play.replayed()) == rows_of(play.state)


@pytest.mark.parametrize(
    "binding", [{}, {"bindingType": "deployment"}, {"bindingType": "versionTag", "versionTag": "v"}]
)
@pytest.mark.parametrize("native", [True, False])
def test_a_form_that_is_not_deployed_is_an_incident(binding: dict[str, Any], native: bool) -> None:
    assert incident_of(formed(formId="f", **binding), native=native).type == "FORM_NOT_FOUND"
