"""Models to compare. Process ids and job types begin with `RUN-`, for which every run has a name of its own."""

from typing import Final

from tests.bpmn import playground
from tests.bpmn.playground import END, START, flow, io_mapping, path

__all__ = ["END", "START", "flow", "io_mapping", "path", "process", "task"]

RUN: Final = "RUN-"
ERRORS: Final = '<error id="e1" errorCode="E1"/><error id="e2" errorCode="E2"/>'


def process(body: str, *, process_id: str = "process") -> bytes:
    """A BPMN file with one executable process, which knows the errors e1 (E1) and e2 (E2)."""
    return playground.process(body, process_id=f"{RUN}{process_id}", definitions=ERRORS)


def task(
    element_id: str,
    job_type: str = "",
    *,
    retries: str = "3",
    inputs: dict[str, str] | None = None,
    outputs: dict[str, str] | None = None,
) -> str:
    """A service task whose job type is its id, or `job_type`; an expression is left as it is."""
    job_type = job_type or element_id
    if not job_type.startswith("="):
        job_type = f"{RUN}{job_type}"
    return playground.task(element_id, job_type, retries=retries, inputs=inputs, outputs=outputs)
