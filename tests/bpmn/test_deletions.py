"""Deletion of what was deployed."""

import pytest

from bpmnd.bpmn.commands import (
    BroadcastSignal,
    CompleteUserTask,
    CreateProcessInstance,
    DeleteResource,
    Deploy,
    EvaluateDecision,
    Origin,
    PublishMessage,
    ReadResource,
    ReadUserTaskForm,
    Resource,
    Supply,
)
from bpmnd.bpmn.events import (
    IncidentCreated,
    MessageStartEventSubscriptionCreated,
    MessageStartEventSubscriptionDeleted,
    ProcessCreated,
    ResourceDeleted,
    StartTimerCanceled,
    StartTimerCreated,
    UserTaskCreating,
)
from bpmnd.bpmn.outcomes import Accepted, DecisionEvaluated, FileRead, ProcessInstanceCreated, RejectionType
from tests.bpmn import events
from tests.bpmn.people import task_key
from tests.bpmn.playground import END, START, Playground, path, process, rows_of, task
from tests.bpmn.test_distribution import deliver
from tests.bpmn.test_forms import FORM, deploy, form, with_form

ONE = process(START + task("one") + END + path("start", "one", "end"))
TWO = process(START + task("two") + END + path("start", "two", "end"))


class Rows:
    """A store that has these rows."""

    def __init__(self, rows: dict[bytes, bytes]) -> None:
        self._rows = dict(sorted(rows.items()))

    def get(self, key: bytes) -> bytes | None:
        return self._rows.get(key)

    def range(self, start: bytes, stop: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        return [(key, row) for key, row in self._rows.items() if start <= key < stop][:limit]


def decision(value: int) -> bytes:
    return (
        '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="graph" name="g" namespace="n">'
        f'<decision id="d" name="d"><literalExpression><text>{value}</text></literalExpression></decision>'
        "</definitions>"
    ).encode()


def delete(play: Playground, key: int) -> None:
    assert play.do(DeleteResource(key)) == Accepted()


def two_versions() -> tuple[Playground, int, int]:
    play = Playground()
    first = deploy(play, p_bpmn=ONE).processes[0].key
    second = deploy(play, p_bpmn=TWO).processes[0].key
    return play, first, second


def version_started(play: Playground) -> int:
    outcome = play.do(CreateProcessInstance("process"))
    assert isinstance(outcome, ProcessInstanceCreated), outcome
    return outcome.version


def test_without_its_latest_version_a_process_is_that_of_the_version_before() -> None:
    play, _, second = two_versions()
    delete(play, second)
    assert version_started(play) == 1


def test_an_older_version_goes_and_the_latest_stays() -> None:
    play, first, _ = two_versions()
    delete(play, first)
    assert version_started(play) == 2


@pytest.mark.parametrize("by_key", [True, False])
def test_a_deleted_version_is_not_started_any_more(by_key: bool) -> None:
    play, first, _ = two_versions()
    delete(play, first)
    command = CreateProcessInstance(definition_key=first) if by_key else CreateProcessInstance("process", 1)
    assert play.rejected(command).type is RejectionType.NOT_FOUND


def test_without_any_version_a_process_is_not_known() -> None:
    play, first, second = two_versions()
    delete(play, first)
    delete(play, second)
    assert play.rejected(CreateProcessInstance("process")).type is RejectionType.NOT_FOUND


def test_what_runs_goes_on() -> None:
    play, _, second = two_versions()
    instance = play.create()
    delete(play, second)
    play.work("two")
    assert play.is_over(instance)


def test_a_version_is_not_given_twice() -> None:
    play, _, second = two_versions()
    delete(play, second)
    assert deploy(play, p_bpmn=TWO).processes[0].version == 3


def test_the_version_before_is_not_deployed_anew() -> None:
    play, first, second = two_versions()
    delete(play, second)
    again = deploy(play, p_bpmn=ONE).processes[0]
    assert (again.key, again.version) == (first, 1)


def test_what_is_gone_cannot_be_deleted_again() -> None:
    play, first, _ = two_versions()
    delete(play, first)
    rejected = play.rejected(DeleteResource(first))
    assert rejected.type is RejectionType.NOT_FOUND
    assert rejected.reason == f"Expected to delete resource but no resource found with key `{first}`"
    assert play.rejected(DeleteResource(7)).type is RejectionType.NOT_FOUND


def started_by(name: str) -> bytes:
    start = events.event("startEvent", "start", events.on_message("m"))
    return process(start + task(name) + path("start", name), definitions=events.message("m", name))


def test_the_version_before_waits_again_for_its_message() -> None:
    play = Playground()
    deploy(play, p_bpmn=started_by("one"))
    latest = deploy(play, p_bpmn=started_by("two")).processes[0].key
    delete(play, latest)
    play.do(PublishMessage("two"))
    assert not play.jobs("two")
    play.do(PublishMessage("one"))
    play.work("one")


def test_without_any_version_nothing_waits_for_a_message() -> None:
    play = Playground()
    delete(play, deploy(play, p_bpmn=started_by("one")).processes[0].key)
    assert len(play.happened(MessageStartEventSubscriptionDeleted)) == 1
    play.do(PublishMessage("one"))
    assert not play.jobs("one")


def test_an_older_version_takes_no_subscription_along() -> None:
    play = Playground()
    first = deploy(play, p_bpmn=started_by("one")).processes[0].key
    deploy(play, p_bpmn=started_by("two"))
    delete(play, first)
    play.do(PublishMessage("two"))
    play.work("two")
    assert len(play.happened(MessageStartEventSubscriptionCreated)) == 2


def test_a_signal_starts_no_deleted_process() -> None:
    play = Playground()
    start = events.event("startEvent", "start", events.on_signal("s"))
    model = process(start + task("one") + path("start", "one"), definitions=events.signal("s", "go"))
    delete(play, deploy(play, p_bpmn=model).processes[0].key)
    play.do(BroadcastSignal("go"))
    assert not play.jobs("one")


def every(duration: str, name: str) -> bytes:
    timer = f"<timerEventDefinition><timeCycle>R/{duration}</timeCycle></timerEventDefinition>"
    start = events.event("startEvent", "start", timer)
    return process(start + task(name) + path("start", name))


def test_the_timer_of_a_deleted_process_stops_and_that_of_the_version_before_is_set() -> None:
    play = Playground()
    deploy(play, p_bpmn=every("PT1M", "one"))
    latest = deploy(play, p_bpmn=every("PT1H", "two")).processes[0].key
    delete(play, latest)
    play.pass_time(61_000)
    play.work("one")
    assert len(play.happened(StartTimerCreated)) == 4  # One for each version, one again, and its repetition.
    assert len(play.happened(StartTimerCanceled)) == 2


def test_without_any_version_no_timer_is_left() -> None:
    play = Playground()
    delete(play, deploy(play, p_bpmn=every("PT1M", "one")).processes[0].key)
    play.pass_time(61_000)
    assert not play.jobs("one")


def test_a_form_falls_back_to_the_version_before() -> None:
    play = Playground()
    first = deploy(play, a_form=FORM, p_bpmn=with_form(formId="f")).forms[0]
    second = deploy(play, a_form=form("f", x=2)).forms[0]
    delete(play, second.key)
    play.create()
    assert play.happened(UserTaskCreating)[0].form_key == first.key
    assert deploy(play, a_form=form("f", x=2)).forms[0].version == 3


def test_without_any_version_a_form_is_not_found() -> None:
    play = Playground()
    deployed = deploy(play, a_form=FORM, p_bpmn=with_form(formId="f")).forms[0]
    delete(play, deployed.key)
    play.create()
    assert play.happened(IncidentCreated)[0].type == "FORM_NOT_FOUND"


def test_a_task_keeps_the_form_that_it_has() -> None:
    play = Playground()
    deployed = deploy(play, a_form=FORM, p_bpmn=with_form(formId="f")).forms[0]
    play.create()
    delete(play, deployed.key)
    assert isinstance(play.do(ReadUserTaskForm(task_key(play))), FileRead)
    assert play.do(CompleteUserTask(task_key(play))) == Accepted()


def test_a_plain_file_is_gone() -> None:
    play = Playground()
    deployed = deploy(play, a_txt=b"x").plain_files[0]
    delete(play, deployed.key)
    assert play.rejected(ReadResource(deployed.key)).type is RejectionType.NOT_FOUND


def test_a_decision_falls_back_to_the_version_before() -> None:
    play = Playground()
    deploy(play, d_dmn=decision(1))
    latest = deploy(play, d_dmn=decision(2))
    delete(play, latest.requirements[0].key)

    outcome = play.do(EvaluateDecision("d"))
    assert isinstance(outcome, DecisionEvaluated), outcome
    assert outcome.output == b"1"
    by_key = EvaluateDecision(decision_key=latest.decisions[0].key)
    assert play.rejected(by_key).type is RejectionType.NOT_FOUND
    again = deploy(play, d_dmn=decision(2))
    assert (again.requirements[0].version, again.decisions[0].version) == (3, 3)


def test_without_any_version_a_decision_is_not_known() -> None:
    play = Playground()
    delete(play, deploy(play, d_dmn=decision(1)).requirements[0].key)
    assert play.rejected(EvaluateDecision("d")).type is RejectionType.NOT_FOUND


def test_a_decision_alone_is_no_resource() -> None:
    play = Playground()
    deployed = deploy(play, d_dmn=decision(1)).decisions[0]
    assert play.rejected(DeleteResource(deployed.key)).type is RejectionType.NOT_FOUND


def test_a_deletion_is_answered_when_every_partition_knows_it() -> None:
    first, second = Playground(1, (1, 2)), Playground(2, (1, 2))
    first.do(Deploy((Resource("p.bpmn", ONE),)))
    deliver(first, second)
    (created,) = first.happened(ProcessCreated)
    request = first.decide(DeleteResource(created.key, origin=Origin(user="ann"))).request
    assert request not in first.answers
    deliver(first, second)

    assert first.answers[request] == Accepted()
    assert second.rejected(CreateProcessInstance("process")).type is RejectionType.NOT_FOUND
    assert second.happened(ResourceDeleted) == [ResourceDeleted(created.key, "ann")]


def test_a_new_partition_is_not_supplied_with_what_is_deleted() -> None:
    first, second = Playground(1, (1,)), Playground(2, (1, 2))
    delete(first, deploy(first, p_bpmn=ONE).processes[0].key)
    deploy(first, a_form=FORM)
    first.do(Supply(2))
    deliver(first, second)
    assert not second.happened(ProcessCreated)


def test_a_restart_knows_what_is_deleted() -> None:
    play, _, second = two_versions()
    deploy(play, d_dmn=decision(1))
    graph = deploy(play, d_dmn=decision(2)).requirements[0].key
    delete(play, second)
    delete(play, graph)
    rows = rows_of(play.state)
    assert rows_of(play.replayed()) == rows

    restarted = Playground(store=Rows(rows))
    assert version_started(restarted) == 1
    assert restarted.state.decisions.last_version_of("<default>", "d") == 2
    assert restarted.state.last_version("<default>", "process") == 2
