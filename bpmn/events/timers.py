"""Timers of instances, and those that start instances."""

from bpmnd.bpmn.events.struct import EventStruct


class TimerCreated(EventStruct, frozen=True, gc=False, tag=31):
    """`repetitions` counts the firings to come (-1: no end); `cycle` is the interval they follow."""

    key: int
    instance_key: int
    element_instance_key: int
    element: int
    due: int
    repetitions: int
    cycle: str


class TimerTriggered(EventStruct, frozen=True, gc=False, tag=32):
    key: int
    instance_key: int


class TimerCanceled(EventStruct, frozen=True, gc=False, tag=33):
    key: int
    instance_key: int


class StartTimerCreated(EventStruct, frozen=True, gc=False, tag=82):
    """The start event `element` of the latest version of a process waits; the rest is as above."""

    key: int
    definition_key: int
    element: int
    due: int
    repetitions: int
    cycle: str


class StartTimerTriggered(EventStruct, frozen=True, gc=False, tag=83):
    key: int
    definition_key: int
    element: int


class StartTimerCanceled(EventStruct, frozen=True, gc=False, tag=84):
    """There is a newer version of the process."""

    key: int
    definition_key: int
    element: int
