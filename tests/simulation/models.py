"""The processes that a simulated cluster runs."""

from typing import Final

from tests.bpmn import test_messages as messages
from tests.bpmn import test_signals as signals
from tests.bpmn.playground import ONE_TASK, path, task
from tests.bpmn.test_flow import CATCH, EXCLUSIVE, PARALLEL, boundary_timer, error_boundary, sub_process

CREATED: Final = (
    ONE_TASK,
    PARALLEL,
    EXCLUSIVE,
    CATCH.replace(b"PT10S", b"PT1S"),
    boundary_timer(interrupting=True, value="PT2S"),
    boundary_timer(interrupting=False, kind="timeCycle", value="R2/PT1S"),
    sub_process(task("a") + path("inner", "a"), boundary=error_boundary("one", "e1")),
    messages.WAITING,
    messages.RECEIVE,
    messages.at_task(interrupting=False),
    signals.WAITING,
)
"""Clients create instances of these. All wait for the messages of their own variable `order`."""
STARTED: Final = (messages.STARTED, signals.STARTED)
"""Messages and signals start these."""
MESSAGES: Final = ("paid", "paid", "canceled")
START_MESSAGE: Final = "ordered"
SIGNAL: Final = "alarm"
JOB_TYPES: Final = ("work", "a", "b", "after", "big", "huge", "small", "remind", "handle-one", "handle")
