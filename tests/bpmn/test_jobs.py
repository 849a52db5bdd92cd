import pytest

from bpmnd.bpmn.commands import (
    ActivateJobs,
    CancelProcessInstance,
    CompleteJob,
    FailJob,
    ResolveIncident,
    SetVariables,
    ThrowJobError,
    UpdateJob,
    YieldJobs,
)
from bpmnd.bpmn.events import (
    IncidentCreated,
    IncidentResolved,
    JobFailed,
    JobRecurred,
    JobTimedOut,
    VariablesCreated,
)
from bpmnd.bpmn.outcomes import Accepted, JobsActivated, RejectionType
from tests.bpmn.playground import END, ONE_TASK, START, Playground, path, process, task


@pytest.fixture
def playground() -> Playground:
    playground = Playground()
    playground.deploy(ONE_TASK)
    return playground


def test_a_job_carries_what_its_worker_needs() -> None:
    body = START + task("work", "pay", retries="7") + END + path("start", "work", "end")
    headers = '<zeebe:taskHeaders><zeebe:header key="h" value="v"/></zeebe:taskHeaders>'
    body = body.replace("<extensionElements>", f"<extensionElements>{headers}")
    playground = Playground()
    definition = playground.deploy(process(body)).processes[0]
    key = playground.create({"a": b"1"})

    (job,) = playground.jobs("pay", timeout_ms=500)

    assert job.type == "pay"
    assert job.retries == 7
    assert job.headers == (("h", "v"),)
    assert job.element_id == "work"
    assert job.process_instance_key == key
    assert (job.definition_key, job.process_id, job.version) == (definition.key, "process", 1)
    assert job.deadline == playground.now + 500
    assert job.variables == {"a": b"1"}


@pytest.mark.parametrize(("text", "retries"), [("2.5", 2), ("+4", 4), ("-1", -1), ("=-2", -2), ("=7.9", 7)])
def test_retries_are_a_number_cut_off_to_a_whole_one(text: str, retries: int) -> None:
    playground = Playground()
    playground.deploy(process(START + task("work", retries=text) + path("start", "work")))
    playground.create()
    (job,) = playground.jobs("work")
    assert job.retries == retries


def test_a_lent_job_is_not_lent_again(playground: Playground) -> None:
    playground.create()
    assert len(playground.jobs("work")) == 1
    assert playground.jobs("work") == ()


def test_the_oldest_jobs_are_lent_first(playground: Playground) -> None:
    keys = [playground.create() for _ in range(5)]
    assert [job.process_instance_key for job in playground.jobs("work", 3)] == keys[:3]
    assert [job.process_instance_key for job in playground.jobs("work", 3)] == keys[3:]


def test_only_the_variables_asked_for_are_handed_out(playground: Playground) -> None:
    playground.create({"a": b"1", "b": b"2"})
    outcome = playground.do(ActivateJobs("work", "w", 1000, 1, fetch_variables=("b", "c")))
    assert isinstance(outcome, JobsActivated)
    assert outcome.jobs[0].variables == {"b": b"2"}


def test_an_activation_ends_before_its_answer_grows_too_large(playground: Playground) -> None:
    for _ in range(3):
        playground.create({"a": b'"' + b"x" * 100 + b'"'})
    outcome = playground.do(ActivateJobs("work", "w", 1000, 3, bytes_max=150))
    assert isinstance(outcome, JobsActivated)
    assert len(outcome.jobs) == 1
    assert outcome.truncated
    assert len(playground.jobs("work")) == 2


def test_a_job_whose_time_is_over_is_lent_again(playground: Playground) -> None:
    playground.create()
    playground.jobs("work", timeout_ms=1000)

    playground.pass_time(999)
    assert playground.jobs("work") == ()
    playground.pass_time(1)

    assert len(playground.happened(JobTimedOut)) == 1
    assert len(playground.jobs("work")) == 1


def test_a_timed_out_job_may_still_be_completed_by_its_worker(playground: Playground) -> None:
    key = playground.create()
    (job,) = playground.jobs("work", timeout_ms=1000)
    playground.pass_time(1000)

    assert playground.do(CompleteJob(job.key)) == Accepted()

    assert playground.is_over(key)
    assert playground.jobs("work") == ()


def test_a_job_is_completed_once(playground: Playground) -> None:
    playground.create()
    job = playground.work("work")
    rejected = playground.rejected(CompleteJob(job.key))
    assert rejected.type is RejectionType.NOT_FOUND
    assert str(job.key) in rejected.reason


def test_a_failed_job_with_retries_is_lent_again_at_once(playground: Playground) -> None:
    playground.create()
    (job,) = playground.jobs("work")

    playground.do(FailJob(job.key, retries=2, message="no luck"))

    (again,) = playground.jobs("work")
    assert (again.key, again.retries) == (job.key, 2)


def test_a_failed_job_backs_off_as_long_as_its_worker_said(playground: Playground) -> None:
    playground.create()
    (job,) = playground.jobs("work")

    playground.do(FailJob(job.key, retries=2, back_off_ms=5000))

    assert playground.jobs("work") == ()
    playground.pass_time(5000)
    assert len(playground.happened(JobRecurred)) == 1
    assert len(playground.jobs("work")) == 1


def test_a_failed_job_brings_its_variables_into_the_scope_of_its_element(playground: Playground) -> None:
    playground.create()
    (job,) = playground.jobs("work")
    playground.do(FailJob(job.key, retries=1, variables={"why": b"1"}))
    assert playground.happened(VariablesCreated)[-1].scope_key == job.element_instance_key


def test_a_job_without_retries_waits_behind_an_incident(playground: Playground) -> None:
    playground.create()
    (job,) = playground.jobs("work")

    playground.do(FailJob(job.key, retries=0, message="broken"))

    (incident,) = playground.happened(IncidentCreated)
    assert (incident.type, incident.message, incident.job_key) == ("JOB_NO_RETRIES", "broken", job.key)
    assert playground.jobs("work") == ()
    rejected = playground.rejected(CompleteJob(job.key))
    assert rejected.type is RejectionType.INVALID_STATE


def test_the_incident_of_a_job_is_resolved_only_with_new_retries(playground: Playground) -> None:
    playground.create()
    (job,) = playground.jobs("work")
    playground.do(FailJob(job.key))
    (incident,) = playground.happened(IncidentCreated)

    assert playground.rejected(ResolveIncident(incident.key)).type is RejectionType.INVALID_STATE
    assert playground.do(UpdateJob(job.key, retries=1)) == Accepted()
    assert playground.do(ResolveIncident(incident.key)) == Accepted()

    assert len(playground.jobs("work")) == 1


def test_an_unknown_incident_is_not_found(playground: Playground) -> None:
    assert playground.rejected(ResolveIncident(77)).type is RejectionType.NOT_FOUND


def test_negative_retries_count_as_none(playground: Playground) -> None:
    playground.create()
    (job,) = playground.jobs("work")
    playground.do(FailJob(job.key, retries=-3))
    assert playground.happened(JobFailed)[0].retries == 0
    assert len(playground.happened(IncidentCreated)) == 1


def test_an_uncaught_error_becomes_an_incident(playground: Playground) -> None:
    playground.create()
    (job,) = playground.jobs("work")

    playground.do(ThrowJobError(job.key, "E1", "bad"))

    (incident,) = playground.happened(IncidentCreated)
    assert incident.type == "UNHANDLED_ERROR_EVENT"
    assert "'E1'" in incident.message
    assert playground.jobs("work") == ()


def test_the_variables_of_an_uncaught_error_are_dropped(playground: Playground) -> None:
    playground.create({"x": b"1"})
    (job,) = playground.jobs("work")
    playground.do(ThrowJobError(job.key, "E1", variables={"x": b"2"}))

    playground.do(ResolveIncident(playground.happened(IncidentCreated)[0].key))

    (again,) = playground.jobs("work")
    assert again.variables == {"x": b"1"}


def test_resolving_an_uncaught_error_lends_the_job_again(playground: Playground) -> None:
    playground.create()
    (job,) = playground.jobs("work")
    playground.do(ThrowJobError(job.key, "E1"))
    (incident,) = playground.happened(IncidentCreated)

    playground.do(ResolveIncident(incident.key))

    assert [again.key for again in playground.jobs("work")] == [job.key]


def test_a_yielded_job_is_lent_again_with_its_retries(playground: Playground) -> None:
    playground.create()
    (job,) = playground.jobs("work")

    playground.do(YieldJobs(((job.key, job.deadline),)))

    (again,) = playground.jobs("work")
    assert (again.key, again.retries) == (job.key, job.retries)


def test_yielding_leaves_alone_what_is_not_lent(playground: Playground) -> None:
    playground.create()
    job = playground.work("work")
    assert playground.do(YieldJobs(((job.key, job.deadline), (5, 0)))) == Accepted()


def test_yielding_leaves_alone_what_was_lent_to_somebody_else_since(playground: Playground) -> None:
    playground.create()
    (job,) = playground.jobs("work", timeout_ms=1000)
    playground.pass_time(1000)
    playground.jobs("work")

    playground.do(YieldJobs(((job.key, job.deadline),)))

    assert playground.jobs("work") == ()


def test_a_new_time_out_counts_from_now(playground: Playground) -> None:
    playground.create()
    (job,) = playground.jobs("work", timeout_ms=1000)
    playground.now += 500

    playground.do(UpdateJob(job.key, timeout_ms=1000))

    playground.pass_time(999)
    assert playground.jobs("work") == ()
    playground.pass_time(1)
    assert len(playground.jobs("work")) == 1


def test_the_time_out_of_a_job_that_is_not_lent_cannot_be_changed(playground: Playground) -> None:
    playground.create()
    (job,) = playground.jobs("work")
    playground.do(YieldJobs(((job.key, job.deadline),)))
    assert playground.rejected(UpdateJob(job.key, timeout_ms=1)).type is RejectionType.INVALID_STATE


@pytest.mark.parametrize("retries", [0, -1])
def test_retries_are_updated_to_a_positive_number(playground: Playground, retries: int) -> None:
    playground.create()
    (job,) = playground.jobs("work")
    assert playground.rejected(UpdateJob(job.key, retries=retries)).type is RejectionType.INVALID_ARGUMENT


def test_an_incident_ends_with_its_instance(playground: Playground) -> None:
    key = playground.create()
    (job,) = playground.jobs("work")
    playground.do(FailJob(job.key))
    playground.do(CancelProcessInstance(key))
    assert len(playground.happened(IncidentResolved)) == 1


def test_what_a_worker_was_given_does_not_change_under_it(playground: Playground) -> None:
    """The answer leaves later than the next commands are decided."""
    key = playground.create({"a": b"1"})
    (job,) = playground.jobs("work")
    playground.do(SetVariables(key, {"a": b"2"}))
    assert job.variables == {"a": b"1"}


def test_an_instance_takes_no_more_variables_than_it_may_hold(playground: Playground) -> None:
    key = playground.create({"a": b'"' + b"x" * 3_000_000 + b'"'})
    (job,) = playground.jobs("work")

    rejected = playground.rejected(CompleteJob(job.key, {"b": b'"' + b"x" * 3_000_000 + b'"'}))

    assert rejected.type is RejectionType.INVALID_ARGUMENT
    assert playground.do(SetVariables(key, {"a": b'"' + b"y" * 3_000_000 + b'"'})) == Accepted()
    assert playground.do(CompleteJob(job.key)) == Accepted()


def test_an_incident_of_an_error_stays_until_the_job_has_retries() -> None:
    playground = Playground()
    playground.deploy(process(START + task("work", retries="0") + END + path("start", "work", "end")))
    key = playground.create()
    (job,) = playground.jobs("work")
    playground.do(ThrowJobError(job.key, "E"))
    (incident,) = playground.happened(IncidentCreated)

    assert "no retries left" in playground.rejected(ResolveIncident(incident.key)).reason
    playground.do(UpdateJob(job.key, retries=1))
    assert playground.do(ResolveIncident(incident.key)) == Accepted()

    playground.work("work")
    assert playground.is_over(key)
