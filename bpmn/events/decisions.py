"""Decisions: deployed, evaluated."""

from bpmnd.bpmn.dmn.results import EvaluatedDecision
from bpmnd.bpmn.events.struct import EventStruct


class DecisionRequirementsCreated(EventStruct, frozen=True, gc=False, tag=70):
    """A new version of a file of decisions. `imports` are the keys of those it imports, as they were then."""

    key: int
    deployment_key: int
    requirements_id: str
    name: str
    version: int
    namespace: str
    resource_name: str
    checksum: bytes
    tenant_id: str
    imports: tuple[int, ...]
    content: bytes


class DecisionCreated(EventStruct, frozen=True, gc=False, tag=71):
    """A new version of a decision, with the graph that it is part of."""

    key: int
    deployment_key: int
    requirements_key: int
    requirements_id: str
    decision_id: str
    name: str
    version: int
    version_tag: str
    tenant_id: str


class DecisionEvaluated(EventStruct, frozen=True, gc=False, tag=72):
    """A decision was evaluated: what came of it, and of all that it required. Where a process asked for it,
    `instance_key` and the rest say where it stood; else they are 0."""

    key: int
    decision_key: int
    tenant_id: str
    instance_key: int
    element_instance_key: int
    element: int
    output: bytes
    decisions: tuple[EvaluatedDecision, ...]


class DecisionEvaluationFailed(EventStruct, frozen=True, gc=False, tag=73):
    """A decision could not be evaluated. The last of the decisions is the one that failed."""

    key: int
    decision_key: int
    tenant_id: str
    instance_key: int
    element_instance_key: int
    element: int
    failed_decision_id: str
    message: str
    decisions: tuple[EvaluatedDecision, ...]
