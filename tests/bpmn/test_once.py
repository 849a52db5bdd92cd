"""Commands with an id: whatever is sent again has its effect once, and the answer of the first time."""

import pytest

from bpmnd.bpmn.commands import (
    AcknowledgeChannel,
    ActivateJobs,
    CancelProcessInstance,
    CommandId,
    CompleteJob,
    CorrelateMessage,
    CreateProcessInstance,
    Deploy,
    DoOnce,
    FailJob,
    PublishMessage,
    RepeatableCommand,
    Resource,
    UpdateJob,
)
from bpmnd.bpmn.engine import Engine
from bpmnd.bpmn.events import (
    CommandAnswered,
    CommandForgotten,
    CommandNoted,
    DeploymentCreated,
    Event,
    JobsActivated,
    ProcessInstanceCreated,
)
from bpmnd.bpmn.outcomes import (
    Accepted,
    MessagePublished,
    Outcome,
    RejectionType,
    decode_outcome,
)
from bpmnd.bpmn.outcomes import (
    JobsActivated as JobsAnswer,
)
from bpmnd.bpmn.outcomes import (
    MessageCorrelated as CorrelationAnswer,
)
from bpmnd.bpmn.outcomes import ProcessInstanceCreated as InstanceAnswer
from bpmnd.bpmn.processors.once import KEEP_MS
from bpmnd.bpmn.turn import Turn
from tests.bpmn.events import catch, message, on_message
from tests.bpmn.playground import END, ONE_TASK, START, Playground, path, process, rows_of

CREATE = CreateProcessInstance("process")
AWAIT = CreateProcessInstance("process", await_result=True)
RECEIVE = process(
    START + catch("wait", on_message("m")) + END + path("start", "wait", "end"),
    definitions=message("m", "paid", "=k"),
)


def once(command: RepeatableCommand, key: str = "k", *, scope: str = "s", hash: bytes = b"h") -> DoOnce:
    return DoOnce(CommandId(scope, key, hash), command)


def with_task() -> Playground:
    playground = Playground()
    playground.deploy(ONE_TASK)
    return playground


def test_a_repeated_creation_starts_nothing_and_is_answered_as_the_first_one() -> None:
    playground = with_task()
    first = playground.do(once(CREATE))
    before = len(playground.events)

    again = playground.do(once(CREATE))

    assert isinstance(first, InstanceAnswer)
    assert again == first
    assert len(playground.events) == before
    assert len(playground.happened(ProcessInstanceCreated)) == 1


def test_what_a_command_does_and_that_it_was_done_stand_in_one_frame() -> None:
    playground = with_task()

    decision = playground.decide(once(CREATE, scope="scope", hash=b"hash"))

    (noted,) = playground.happened(CommandNoted)
    assert noted in decision.events
    assert (noted.scope, noted.id, noted.hash, noted.request) == ("scope", "k", b"hash", 0)
    assert noted.deadline == playground.now + KEEP_MS
    assert decode_outcome(noted.outcome) == decision.outcome


@pytest.mark.parametrize("other", [once(CREATE, "other"), once(CREATE, scope="other")])
def test_another_key_or_another_scope_is_another_command(other: DoOnce) -> None:
    playground = with_task()
    first = playground.do(once(CREATE))

    assert playground.do(other) != first

    assert len(playground.happened(ProcessInstanceCreated)) == 2


def test_scope_and_key_are_not_just_put_together() -> None:
    playground = with_task()
    playground.do(once(CREATE, "bc", scope="a"))
    playground.do(once(CREATE, "c", scope="ab"))
    assert len(playground.happened(ProcessInstanceCreated)) == 2


def test_the_key_of_another_request_is_refused() -> None:
    playground = with_task()
    playground.do(once(CREATE))
    before = len(playground.events)

    rejected = playground.rejected(once(CREATE, hash=b"another"))

    assert rejected.type is RejectionType.IDEMPOTENCY_KEY_REUSED
    assert "'k'" in rejected.reason
    assert len(playground.events) == before


def test_the_key_of_another_request_is_refused_while_the_first_is_under_way() -> None:
    playground = with_task()
    assert playground.decide(once(AWAIT)).outcome is None
    assert playground.rejected(once(AWAIT, hash=b"another")).type is RejectionType.IDEMPOTENCY_KEY_REUSED


def test_a_rejection_is_kept_though_the_command_would_succeed_now() -> None:
    playground = Playground()
    first = playground.rejected(once(CREATE))
    playground.deploy(ONE_TASK)

    assert playground.do(once(CREATE)) == first

    assert first.type is RejectionType.NOT_FOUND
    assert not playground.happened(ProcessInstanceCreated)


def test_a_rejection_that_gave_out_keys_can_be_replayed() -> None:
    playground = Playground()
    playground.rejected(once(CorrelateMessage("nobody", "waits")))
    state = playground.replayed()
    assert rows_of(state) == rows_of(playground.state)


def test_a_command_that_raised_is_decided_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    playground = with_task()

    def raising(turn: Turn, event: Event) -> None:
        emit(turn, event)
        if isinstance(event, CommandNoted):
            raise RuntimeError("planted")

    emit = Turn.emit
    with monkeypatch.context() as patch:
        patch.setattr(Turn, "emit", raising)
        assert playground.rejected(once(CREATE)).type is RejectionType.PROCESSING_ERROR
    outcome = playground.do(once(CREATE))

    assert isinstance(outcome, InstanceAnswer)
    assert len(playground.happened(ProcessInstanceCreated)) == 1
    assert rows_of(playground.replayed()) == rows_of(playground.state)


def test_a_completion_that_raised_leaves_an_incident_also_with_an_id(monkeypatch: pytest.MonkeyPatch) -> None:
    playground = with_task()
    instance_key = playground.create()
    (job,) = playground.jobs("work")
    with monkeypatch.context() as patch:
        patch.setattr("bpmnd.bpmn.engine.completing.complete", None)
        assert playground.rejected(once(CompleteJob(job.key))).type is RejectionType.PROCESSING_ERROR

    instance = playground.state.instances.get(instance_key)
    assert instance is not None
    assert len(instance.incidents) == 1
    assert playground.do(once(CompleteJob(job.key))) == Accepted()
    assert playground.is_over(instance_key)


def test_work_on_jobs_is_done_once() -> None:
    playground = with_task()
    playground.create()
    (job,) = playground.jobs("work")
    assert playground.do(once(FailJob(job.key, 2), "1")) == Accepted()
    assert playground.do(once(FailJob(job.key, 2), "1")) == Accepted()
    assert playground.do(once(UpdateJob(job.key, retries=7), "2")) == Accepted()
    (job,) = playground.jobs("work")
    assert job.retries == 7
    assert playground.do(once(CompleteJob(job.key), "3")) == Accepted()
    assert playground.do(once(CompleteJob(job.key), "3")) == Accepted()
    assert playground.rejected(once(CompleteJob(job.key), "4")).type is RejectionType.NOT_FOUND


def test_a_repeated_cancellation_is_answered_as_the_first_one() -> None:
    playground = with_task()
    key = playground.create()
    assert playground.do(once(CancelProcessInstance(key))) == Accepted()
    assert playground.do(once(CancelProcessInstance(key))) == Accepted()


def test_a_message_without_an_id_of_its_own_is_published_once() -> None:
    playground = Playground()
    first = playground.do(once(PublishMessage("paid", "1", 1000)))
    assert isinstance(first, MessagePublished)
    assert playground.do(once(PublishMessage("paid", "1", 1000))) == first


def test_a_repeated_deployment_is_no_new_one() -> None:
    playground = Playground()
    deploy = Deploy((Resource("a.bpmn", ONE_TASK),))
    first = playground.do(once(deploy))
    assert playground.do(once(deploy)) == first
    assert len(playground.happened(DeploymentCreated)) == 1


# Answers that come later


def test_who_repeats_a_command_whose_answer_is_to_come_waits_for_the_same_answer() -> None:
    playground = with_task()
    first = playground.decide(once(AWAIT))
    again = playground.decide(once(AWAIT))
    assert (first.outcome, again.outcome, again.events) == (None, None, [])
    assert again.request == first.request != 0

    playground.work("work", {"paid": b"true"})

    answer = playground.answers[first.request]
    assert isinstance(answer, InstanceAnswer)
    assert answer.variables == {"paid": b"true"}
    assert playground.do(once(AWAIT)) == answer
    assert len(playground.happened(ProcessInstanceCreated)) == 1


def test_a_new_leader_answers_who_repeats_what_the_old_one_had_begun() -> None:
    playground = with_task()
    first = playground.decide(once(AWAIT))

    leader = Playground()
    leader.state = playground.replayed()
    leader.engine = Engine(leader.state, (1,))
    again = leader.decide(once(AWAIT))
    leader.work("work")

    assert again.request == first.request
    assert isinstance(leader.answers[again.request], InstanceAnswer)
    assert leader.do(once(AWAIT)) == leader.answers[again.request]


def test_a_result_that_is_there_at_once_is_kept_too() -> None:
    playground = Playground()
    playground.deploy(process(START + END + path("start", "end")))

    first = playground.decide(once(AWAIT))

    assert first.outcome is None
    assert playground.do(once(AWAIT)) == playground.answers[first.request]
    assert len(playground.happened(CommandAnswered)) == 1


def test_the_end_of_an_awaited_instance_by_cancellation_is_kept() -> None:
    playground = with_task()
    first = playground.decide(once(AWAIT))
    (instance,) = playground.happened(ProcessInstanceCreated)
    playground.do(CancelProcessInstance(instance.key))

    outcome = playground.rejected(once(AWAIT))

    assert outcome.type is RejectionType.INVALID_STATE
    assert playground.answers[first.request] == outcome


def test_a_deployment_is_answered_once_everybody_has_it_and_so_are_its_repeats() -> None:
    playground = Playground(partitions=(1, 2))
    deploy = once(Deploy((Resource("a.bpmn", ONE_TASK),)))
    first, again = playground.decide(deploy), playground.decide(deploy)
    assert (first.outcome, again.outcome) == (None, None)

    playground.do(AcknowledgeChannel(2, 1))

    assert playground.do(deploy) == playground.answers[first.request]
    assert again.request == first.request


def test_a_correlation_is_answered_once_it_is_taken_and_so_are_its_repeats() -> None:
    playground = Playground()
    playground.deploy(RECEIVE)
    instance_key = playground.create({"k": b'"1"'})
    correlate = once(CorrelateMessage("paid", "1"))

    first = playground.decide(correlate)

    answer = playground.answers[first.request]
    assert isinstance(answer, CorrelationAnswer)
    assert answer.instance_key == instance_key
    assert playground.do(correlate) == answer


def test_without_an_id_nothing_is_noted() -> None:
    playground = with_task()
    playground.do(AWAIT)
    playground.work("work")
    assert not playground.happened(CommandNoted)
    assert not playground.happened(CommandAnswered)


# Jobs


def activate(playground: Playground, key: str = "k", jobs_max: int = 2) -> JobsAnswer:
    outcome: Outcome | None = playground.do(once(ActivateJobs("work", "worker", 1000, jobs_max), key))
    assert isinstance(outcome, JobsAnswer), outcome
    return outcome


def with_jobs(count: int) -> Playground:
    playground = with_task()
    for _ in range(count):
        playground.create()
    return playground


def test_a_repeated_activation_lends_the_same_jobs() -> None:
    playground = with_jobs(3)
    first = activate(playground)
    assert activate(playground) == first
    assert activate(playground, jobs_max=0) == first
    assert len(first.jobs) == 2
    assert len(playground.happened(JobsActivated)) == 1
    assert len(activate(playground, "other").jobs) == 1


def test_an_activation_that_found_nothing_may_find_something_when_it_is_repeated() -> None:
    playground = with_task()
    assert activate(playground).jobs == ()
    assert not playground.happened(CommandNoted)
    playground.create()
    assert len(activate(playground).jobs) == 1


def test_a_repeated_activation_does_not_bring_jobs_that_are_done() -> None:
    playground = with_jobs(3)
    done, left = activate(playground).jobs
    playground.do(CompleteJob(done.key))
    assert activate(playground).jobs == (left,)


def test_when_none_of_its_jobs_is_left_the_key_of_an_activation_is_free() -> None:
    playground = with_jobs(3)
    for job in activate(playground).jobs:
        playground.do(CompleteJob(job.key))
    (third,) = activate(playground).jobs
    assert activate(playground).jobs == (third,)
    assert rows_of(playground.replayed()) == rows_of(playground.state)


def test_an_activation_is_known_until_its_jobs_time_out() -> None:
    playground = with_jobs(2)
    first = activate(playground)

    playground.pass_time(1000)

    assert len(playground.happened(CommandForgotten)) == 1
    again = activate(playground)
    assert [job.key for job in again.jobs] == [job.key for job in first.jobs]
    assert again.jobs[0].deadline > first.jobs[0].deadline
