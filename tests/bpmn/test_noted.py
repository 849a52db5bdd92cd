"""Commands with an id in the state: how long they are known, and where they stand meanwhile."""

from typing import get_args

import pytest

from bpmnd.bpmn.codec import encode_frame
from bpmnd.bpmn.commands import CancelProcessInstance, CreateProcessInstance, UpdateJob
from bpmnd.bpmn.engine import Engine
from bpmnd.bpmn.events import CommandAnswered, CommandForgotten, CommandNoted
from bpmnd.bpmn.outcomes import (
    Accepted,
    Decided,
    DeployedProcess,
    KeptOutcome,
    Rejected,
    RejectionType,
    decode_outcome,
    encode_outcome,
)
from bpmnd.bpmn.outcomes import ProcessInstanceCreated as InstanceAnswer
from bpmnd.bpmn.processors.once import KEEP_MS
from bpmnd.bpmn.state import EmptyStore, State
from tests.bpmn.playground import ONE_TASK, rows_of
from tests.bpmn.test_once import AWAIT, CREATE, once, with_task
from tests.bpmn.test_state import Checkpointed, whole


def test_a_command_is_forgotten_when_its_time_is_over() -> None:
    playground = with_task()
    first = playground.do(once(CREATE))
    playground.pass_time(KEEP_MS - 1)
    assert playground.do(once(CREATE)) == first

    playground.pass_time(1)

    assert len(playground.happened(CommandForgotten)) == 1
    assert playground.do(once(CREATE)) != first


def test_what_is_over_is_not_known_though_the_timer_has_yet_to_come() -> None:
    playground = with_task()
    first = playground.do(once(CREATE))
    playground.now += KEEP_MS
    assert playground.do(once(CREATE)) != first
    playground.pass_time(0)
    assert len(playground.happened(CommandForgotten)) == 1


def test_an_answer_that_comes_after_its_command_was_forgotten_is_for_those_who_wait() -> None:
    playground = with_task()
    first = playground.decide(once(AWAIT))
    playground.pass_time(KEEP_MS)

    playground.work("work")

    assert isinstance(playground.answers[first.request], InstanceAnswer)
    assert not playground.happened(CommandAnswered)
    assert rows_of(playground.replayed()) == rows_of(playground.state)


def test_how_long_commands_are_known_is_a_setting() -> None:
    playground = with_task()
    playground.engine = Engine(playground.state, (1,), keep_ms=5000)
    playground.do(once(CREATE))
    playground.pass_time(4999)
    assert not playground.happened(CommandForgotten)
    playground.pass_time(1)
    assert playground.happened(CommandForgotten)


def test_nothing_is_left_of_what_is_forgotten() -> None:
    playground = with_task()
    key = playground.create()
    before = rows_of(playground.replayed())
    for number in range(3):
        playground.do(once(UpdateJob(playground.state.last_key, retries=3), str(number)))
    playground.do(once(CancelProcessInstance(99)))
    playground.do(once(CreateProcessInstance("unknown", await_result=True), "await"))
    playground.pass_time(KEEP_MS)
    left = rows_of(playground.state).keys() - before.keys()
    assert not left
    assert not playground.is_over(key)


def test_replay_knows_the_same_commands() -> None:
    playground = with_task()
    first = playground.do(once(CREATE))
    playground.do(once(AWAIT, "awaited"))
    state = playground.replayed()
    assert rows_of(state) == rows_of(playground.state)
    assert Engine(state, (1,)).decide(once(CREATE), playground.now, 1).outcome == first


def test_what_is_in_the_store_needs_no_memory_and_is_known() -> None:
    playground = Checkpointed()
    playground.deploy(ONE_TASK)
    outcomes = [playground.do(once(CREATE, str(number))) for number in range(200)]
    awaited = playground.decide(once(AWAIT, "awaited"))
    playground.begin()
    playground.finish()
    tables = playground.state.noted.cold
    assert [table.count_in_memory() for table in tables] == [0, 0, 0]

    again = [playground.do(once(CREATE, str(number))) for number in range(200)]

    assert again == outcomes
    assert playground.decide(once(AWAIT, "awaited")).request == awaited.request
    assert Engine(playground.restarted(), (1,)).decide(once(CREATE, "7"), 0, 1).outcome == outcomes[7]
    playground.pass_time(KEEP_MS)
    playground.begin()
    playground.finish()
    assert [row for row, _ in playground.store.range(b"\1", b"\xff", 1 << 30) if row[:1] in b"NKR"] == []
    assert whole(playground.state, playground.store) == rows_of(playground.replayed())


def test_an_undone_turn_has_forgotten_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command was known from the store; its time is over, and the turn that was to begin anew raises."""
    playground = Checkpointed()
    playground.deploy(ONE_TASK)
    playground.do(once(CREATE))
    playground.begin()
    playground.finish()
    before = whole(playground.state, playground.store)
    playground.now += KEEP_MS
    with monkeypatch.context() as patch:
        patch.setattr("bpmnd.bpmn.engine.beginning.begin", None)
        assert playground.rejected(once(CREATE)).type is RejectionType.PROCESSING_ERROR

    assert whole(playground.state, playground.store) == before


@pytest.mark.parametrize(
    ("outcome", "row"),
    [
        (Accepted(), "91a84163636570746564"),
        (
            Rejected(RejectionType.NOT_FOUND, "no"),
            "93a852656a6563746564a94e4f545f464f554e44a26e6f",
        ),
    ],
)
def test_a_kept_outcome_has_the_bytes_that_it_always_had(outcome: Decided, row: str) -> None:
    assert encode_outcome(outcome).hex() == row
    assert decode_outcome(bytes.fromhex(row)) == outcome


def test_a_frame_of_a_command_with_an_id_has_the_bytes_that_it_always_had() -> None:
    noted = CommandNoted(9, "s", "k", b"h", 0, 5000, encode_outcome(Accepted()))
    frame = encode_frame(1000, 9, [(CreateProcessInstance, 0, 1)], [noted, CommandAnswered(9, b"o")])
    assert frame.hex() == (
        "9502cd03e809949090909100c426929302000192983b09a173a16bc4016800cd1388c40a91a84163636570746564933c09c4016f"
    )


def test_a_state_without_commands_has_no_rows_of_them() -> None:
    assert not [row for row in rows_of(State(1, EmptyStore())) if row[:1] in b"NKR"]


def test_the_fields_of_a_kept_outcome_never_change() -> None:
    kinds = (kind for part in get_args(KeptOutcome) for kind in (get_args(part) or (part,)))
    assert {kind.__name__: " ".join(kind.__struct_fields__) for kind in kinds} == {
        "Accepted": "",
        "ConditionalsEvaluated": "key tenant_id instances",
        "DecisionEvaluated": "key decision tenant_id output decisions failure",
        "DecisionRead": "decision requirements",
        "DeploymentCreated": "key tenant_id processes decisions requirements forms plain_files",
        "ExpressionEvaluated": "result warnings",
        "FileRead": "key id version version_tag resource_name tenant_id content",
        "GlobalListenerRead": "listener",
        "GlobalListenersRead": "listeners",
        "JobsActivated": "jobs truncated",
        "LentJobs": "keys deadline",
        "MessageCorrelated": "key tenant_id instance_key",
        "MessagePublished": "key tenant_id",
        "ProcessInstanceCreated": "key definition_key process_id version tenant_id tags business_id"
        " variables",
        "Rejected": "type reason",
        "RequirementsRead": "requirements tenant_id content",
        "SignalBroadcasted": "key tenant_id",
    }
    assert " ".join(DeployedProcess.__struct_fields__) == "key process_id version resource_name is_duplicate"
