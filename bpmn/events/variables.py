"""Variables."""

from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.events.struct import EventStruct


class VariablesCreated(EventStruct, frozen=True, gc=False, tag=18):
    """New variables in one scope. Their keys are `first_key` and those that follow, in order."""

    first_key: int
    instance_key: int
    scope_key: int
    variables: Variables


class VariablesUpdated(EventStruct, frozen=True, gc=False, tag=19):
    instance_key: int
    scope_key: int
    variables: Variables
