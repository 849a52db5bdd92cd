"""Incidents."""

from bpmnd.bpmn.events.struct import EventStruct


class IncidentCreated(EventStruct, frozen=True, gc=False, tag=34):
    """`steps` is the work to do again on resolution; `job_key` and `timer_key` are 0 if there is none."""

    key: int
    instance_key: int
    element_instance_key: int
    element: int
    job_key: int
    timer_key: int
    type: str
    message: str
    steps: bytes


class IncidentResolved(EventStruct, frozen=True, gc=False, tag=35):
    """Also when the element instance ends, and the incident with it."""

    key: int
    instance_key: int
