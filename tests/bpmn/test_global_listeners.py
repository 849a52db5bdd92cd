"""Listeners to all user tasks."""

import pytest

from bpmnd.bpmn.commands import (
    AssignUserTask,
    CompleteUserTask,
    CreateGlobalListener,
    DeleteGlobalListener,
    Origin,
    ReadGlobalListener,
    ReadGlobalListeners,
    Supply,
    TaskResult,
    UpdateGlobalListener,
)
from bpmnd.bpmn.events import (
    GlobalListenerCreated,
    GlobalListenerDeleted,
    GlobalListenerUpdated,
    UserTaskAssigned,
    UserTaskCompleted,
)
from bpmnd.bpmn.outcomes import Accepted, GlobalListenerRead, GlobalListenersRead, Rejected, RejectionType
from bpmnd.bpmn.processors.global_listeners import LISTENERS_MAX
from bpmnd.bpmn.user_tasks import GlobalListener
from tests.bpmn.people import heard, task_key, user_task
from tests.bpmn.playground import END, START, Playground, path, process, rows_of
from tests.bpmn.test_distribution import deliver
from tests.bpmn.test_task_listeners import hear

CHECK = GlobalListener("g", "check", ("completing",))


def with_task(*listeners: GlobalListener, own: tuple[tuple[str, str], ...] = ()) -> Playground:
    play = Playground()
    for listener in listeners:
        assert play.do(CreateGlobalListener(listener)) == Accepted()
    play.deploy(process(START + user_task("do", heard(*own)) + END + path("start", "do", "end")))
    play.create()
    return play


def complete(play: Playground) -> int:
    decision = play.decide(CompleteUserTask(task_key(play)))
    assert decision.outcome is None
    return decision.request


def test_a_change_waits_for_a_global_listener() -> None:
    play = with_task(CHECK)
    request = complete(play)
    assert hear(play, "check").listener_event == "COMPLETING"
    assert play.answers[request] == Accepted()


def test_a_global_listener_denies_a_change() -> None:
    play = with_task(CHECK)
    request = complete(play)
    hear(play, "check", TaskResult(denied=True))
    assert isinstance(play.answers[request], Rejected)
    assert not play.happened(UserTaskCompleted)


def test_it_hears_only_of_what_it_listens_to() -> None:
    play = with_task(CHECK)
    assert play.do(AssignUserTask(task_key(play), "ann")) == Accepted()
    assert play.happened(UserTaskAssigned)


def test_one_for_all_events_hears_of_each() -> None:
    play = with_task(GlobalListener("g", "check", ("all",)))
    assert hear(play, "check").listener_event == "CREATING"
    assert play.decide(AssignUserTask(task_key(play), "ann")).outcome is None
    assert hear(play, "check").listener_event == "ASSIGNING"


def test_the_highest_priority_works_first_and_the_model_between() -> None:
    listeners = (
        GlobalListener("a", "last", ("all",), after_non_global=True, priority=99),
        GlobalListener("b", "second", ("completing",), priority=1),
        GlobalListener("c", "first", ("completing",), priority=2),
        GlobalListener("d", "third", ("completing",), priority=1),
    )
    play = Playground()
    for listener in listeners[1:]:
        play.do(CreateGlobalListener(listener))
    own = heard(("completing", "own"))
    play.deploy(process(START + user_task("do", own) + END + path("start", "do", "end")))
    play.create()
    play.do(CreateGlobalListener(listeners[0]))
    request = complete(play)

    for job_type in ("first", "second", "third", "own", "last"):
        assert request not in play.answers
        hear(play, job_type)
    assert play.answers[request] == Accepted()


@pytest.mark.parametrize("alone", [True, False])
def test_one_that_is_deleted_meanwhile_is_passed_over(alone: bool) -> None:
    first = GlobalListener("a", "first", ("completing",), priority=60)
    own = () if alone else (("completing", "own"),)
    play = with_task(first, CHECK, own=own)
    request = complete(play)
    play.do(DeleteGlobalListener("g"))
    hear(play, "first")
    if not alone:
        hear(play, "own")
    assert play.answers[request] == Accepted()


def test_an_update_is_for_the_jobs_to_come() -> None:
    play = with_task(CHECK)
    update = UpdateGlobalListener(
        GlobalListener("g", "other", ("completing",), retries=7), origin=Origin(user="ann")
    )
    assert play.do(update) == Accepted()
    complete(play)
    assert hear(play, "other").retries == 7
    assert play.happened(GlobalListenerUpdated)[0].user == "ann"


def test_an_id_is_given_once() -> None:
    play = with_task(CHECK)
    assert play.rejected(CreateGlobalListener(CHECK)).type is RejectionType.ALREADY_EXISTS


def test_what_is_not_there_is_not_found() -> None:
    play = Playground()
    for command in (UpdateGlobalListener(CHECK), DeleteGlobalListener("g"), ReadGlobalListener("g")):
        assert play.rejected(command).type is RejectionType.NOT_FOUND


def test_there_are_not_too_many() -> None:
    play = Playground()
    for number in range(LISTENERS_MAX):
        play.do(CreateGlobalListener(GlobalListener(str(number), "t", ("all",))))
    assert play.rejected(CreateGlobalListener(CHECK)).type is RejectionType.INVALID_STATE


def test_one_is_read_without_a_trace() -> None:
    play = with_task(CHECK)
    before = len(play.events)
    assert play.do(ReadGlobalListener("g")) == GlobalListenerRead(CHECK)
    assert len(play.events) == before


def test_all_are_read_with_their_keys() -> None:
    play = with_task(CHECK)
    other = GlobalListener("other", "t", ("all",))
    play.do(CreateGlobalListener(other))
    read = play.do(ReadGlobalListeners())
    assert isinstance(read, GlobalListenersRead)
    assert [listener for _, listener in read.listeners] == [CHECK, other]
    assert [key for key, _ in read.listeners] == sorted(play.state.global_listeners.items)


def test_every_partition_knows_it_before_the_answer() -> None:
    first, second = Playground(1, (1, 2)), Playground(2, (1, 2))
    for command in (CreateGlobalListener(CHECK), DeleteGlobalListener("g")):
        request = first.decide(command).request
        assert request not in first.answers
        deliver(first, second)
        assert first.answers[request] == Accepted()
    assert [event.listener for event in second.happened(GlobalListenerCreated)] == [CHECK]
    assert len(second.happened(GlobalListenerDeleted)) == 1


def test_a_partition_that_comes_later_is_supplied_with_it() -> None:
    first, second = Playground(1, (1,)), Playground(2, (1, 2))
    first.do(CreateGlobalListener(CHECK))
    first.do(Supply(2))
    deliver(first, second)
    assert second.state.global_listeners.items == first.state.global_listeners.items


def test_a_replica_and_a_checkpoint_know_it() -> None:
    play = with_task(CHECK, GlobalListener("h", "t", ("updating",)))
    complete(play)
    assert rows_of(play.replayed()) == rows_of(play.state)
