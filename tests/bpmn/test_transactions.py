"""Transactions: sub-processes that a cancel end event undoes (BPMN 2.0, §10.3.5)."""

import pytest

from bpmnd.bpmn.commands import BroadcastSignal, CancelProcessInstance, Deploy, Resource, ThrowJobError
from bpmnd.bpmn.events import CompensationSubscriptionTriggered, ElementTerminated, IncidentCreated
from tests.bpmn.events import boundary, compensable, event, event_sub_process, on_signal, signal
from tests.bpmn.playground import START, Playground, flow, many, path, process, rows_of, task

CANCEL = "<cancelEventDefinition/>"


def undone(activity_id: str) -> str:
    handler = task(f"undo_{activity_id}").replace("<serviceTask", '<serviceTask isForCompensation="true"')
    return compensable(activity_id, handler, f"undo_{activity_id}")


def transaction(inside: str, *, more: str = "") -> bytes:
    """A transaction with tasks a and b, one after the other, and after them what is `inside`."""
    inner = '<startEvent id="s"/>' + task("a") + undone("a") + task("b") + path("s", "a", "b") + inside
    body = START + f'<transaction id="deal">{inner}</transaction>' + task("after") + task("cancelled")
    body += boundary("x", "deal", CANCEL) + flow("x", "cancelled") + path("start", "deal", "after") + more
    return process(body, definitions=signal("bell", "bell"))


CANCELLED = event("endEvent", "cancels", CANCEL) + path("b", "cancels")


def started(content: bytes) -> tuple[Playground, int]:
    playground = Playground()
    playground.deploy(content)
    return playground, playground.create()


def test_one_that_succeeds_is_a_sub_process() -> None:
    playground, key = started(transaction(""))
    for name in ("a", "b", "after"):
        playground.work(name)
    assert playground.is_over(key)


def test_one_that_is_cancelled_is_undone_before_its_boundary_event_goes_off() -> None:
    playground, key = started(transaction(CANCELLED))
    playground.work("a")
    playground.work("b")
    assert playground.jobs("cancelled") == ()
    playground.work("undo_a")
    playground.work("cancelled")
    assert playground.is_over(key)
    assert rows_of(playground.replayed()) == rows_of(playground.state)


@pytest.mark.parametrize("sequential", [True, False])
def test_one_of_many_that_is_cancelled_cancels_them_all(sequential: bool) -> None:
    inner = (
        '<startEvent id="s"/>' + task("a") + event("endEvent", "cancels", CANCEL) + path("s", "a", "cancels")
    )
    deals = many(f'<transaction id="deal">{inner}</transaction>', "=[1, 2]", sequential=sequential)
    body = START + deals + boundary("x", "deal", CANCEL) + task("cancelled")
    playground, key = started(process(body + flow("start", "deal") + flow("x", "cancelled")))
    playground.work("a")
    assert playground.jobs("a") == ()
    playground.work("cancelled")
    assert playground.is_over(key)


def test_what_is_active_beside_the_cancel_end_event_is_terminated_first() -> None:
    fork = '<parallelGateway id="fork"/>' + task("c") + task("e") + flow("fork", "c") + flow("fork", "e")
    cancelled = event("endEvent", "cancels", CANCEL) + path("e", "cancels")
    playground, key = started(transaction(fork + cancelled + path("b", "fork")))
    playground.work("a")
    playground.work("b")
    playground.work("e")
    assert playground.jobs("c") == ()
    assert len(playground.happened(ElementTerminated)) == 1
    playground.work("undo_a")
    playground.work("cancelled")
    assert playground.is_over(key)


def test_without_anything_to_undo_the_boundary_event_goes_off_at_once() -> None:
    inner = '<startEvent id="s"/>' + event("endEvent", "cancels", CANCEL) + path("s", "cancels")
    body = START + f'<transaction id="deal">{inner}</transaction>' + boundary("x", "deal", CANCEL)
    body += task("cancelled") + flow("start", "deal") + flow("x", "cancelled")
    playground, key = started(process(body))
    playground.work("cancelled")
    assert playground.is_over(key)


def test_an_event_sub_process_of_a_cancelled_transaction_is_triggered_no_more() -> None:
    inside = task("in_es") + path("es_start", "in_es")
    events = event_sub_process("es", on_signal("bell"), inside, interrupting=False)
    playground, _ = started(transaction(CANCELLED + events))
    playground.work("a")
    playground.work("b")
    playground.do(BroadcastSignal("bell"))
    assert playground.jobs("in_es") == ()


def test_an_error_out_of_a_handler_leaves_the_transaction() -> None:
    more = boundary("e", "deal", "<errorEventDefinition/>") + task("failed") + flow("e", "failed")
    playground, key = started(transaction(CANCELLED, more=more))
    playground.work("a")
    playground.work("b")
    (job,) = playground.jobs("undo_a")
    playground.do(ThrowJobError(job.key, "E1"))
    playground.work("failed")
    assert playground.is_over(key)


def test_one_that_has_succeeded_is_undone_by_who_throws_compensation() -> None:
    throw = event("endEvent", "throws", '<compensateEventDefinition id="throws_definition"/>')
    playground, key = started(transaction("", more=throw + path("after", "throws")))
    for name in ("a", "b", "after", "undo_a"):
        playground.work(name)
    assert playground.is_over(key)


def test_an_instance_can_be_cancelled_while_a_transaction_is_undone() -> None:
    playground, key = started(transaction(CANCELLED))
    playground.work("a")
    playground.work("b")
    assert len(playground.happened(CompensationSubscriptionTriggered)) == 1
    playground.do(CancelProcessInstance(key))
    assert playground.is_over(key)
    assert playground.happened(IncidentCreated) == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (event("endEvent", "c", CANCEL) + flow("start", "c"), "must stand in a transaction"),
        (
            f'<transaction id="deal"><startEvent id="s"/>{event("endEvent", "c", CANCEL)}</transaction>',
            "the transaction 'deal' must have a cancel boundary event",
        ),
        (
            task("a") + boundary("x", "a", CANCEL) + flow("x", "a"),
            "a cancel boundary event must be attached to a transaction",
        ),
        (
            '<transaction id="deal"><startEvent id="s"/></transaction>'
            + boundary("x", "deal", CANCEL, interrupting=False)
            + flow("x", "deal"),
            "a cancel boundary event must interrupt",
        ),
    ],
)
def test_what_is_wrong_with_a_transaction_is_told(body: str, reason: str) -> None:
    rejected = Playground().rejected(Deploy((Resource("a.bpmn", process(START + body)),)))
    assert reason in rejected.reason
