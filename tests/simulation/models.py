"""The processes that a simulated cluster runs."""

from typing import Final

from tests.bpmn.playground import ONE_TASK, path, task
from tests.bpmn.test_flow import CATCH, EXCLUSIVE, PARALLEL, boundary_timer, error_boundary, sub_process

MODELS: Final = (
    ONE_TASK,
    PARALLEL,
    EXCLUSIVE,
    CATCH.replace(b"PT10S", b"PT1S"),
    boundary_timer(interrupting=True, value="PT2S"),
    boundary_timer(interrupting=False, kind="timeCycle", value="R2/PT1S"),
    sub_process(task("a") + path("inner", "a"), boundary=error_boundary("one", "e1")),
)
JOB_TYPES: Final = ("work", "a", "b", "after", "big", "huge", "small", "remind", "handle-one")
