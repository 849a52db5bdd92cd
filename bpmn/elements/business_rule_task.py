"""The business rule task (BPMN 2.0, §10.3.3): evaluates a decision, or is worked by a job worker."""

from dataclasses import dataclass
from typing import Final, assert_never, final

from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.dmn import DecisionResult
from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.beginning import activated, activating
from bpmnd.bpmn.elements.completing import complete
from bpmnd.bpmn.elements.kind import ElementKind
from bpmnd.bpmn.evaluation import evaluate_string, lookup_in
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.model.extensions import read_binding, read_job
from bpmnd.bpmn.model.graph import BindingType, Element, ServiceTask, Text
from bpmnd.bpmn.model.reading import Common, Reading
from bpmnd.bpmn.model.report import Report
from bpmnd.bpmn.model.texts import read_text
from bpmnd.bpmn.model.xml import Tag
from bpmnd.bpmn.processors import decisions
from bpmnd.bpmn.state.decisions import DecisionDefinition
from bpmnd.bpmn.state.records import ProcessInstance
from bpmnd.bpmn.steps import CompleteElement
from bpmnd.bpmn.turn import Turn
from bpmnd.bpmn.variables import merge_local, merge_upwards, oversize

_ONE_OF_BOTH: Final = (
    "must have either one zeebe:calledDecision or one zeebe:taskDefinition extension element"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessRuleTask(Element):
    """Evaluates the decision `decision_id`, in the version that the binding says, into a variable."""

    decision_id: Text
    result_variable: str
    binding: BindingType
    version_tag: str
    """Empty unless the binding is that to a version tag."""


@final
class BusinessRuleTaskKind(ElementKind[BusinessRuleTask | ServiceTask]):
    """Evaluates a decision and completes at once. With a job type it is the same as a service task."""

    nodes = (BusinessRuleTask,)

    def read(self, tag: Tag, common: Common, reading: Reading) -> BusinessRuleTask | ServiceTask | None:
        called = tag.extensions("zeebe:calledDecision")
        jobs = tag.extensions("zeebe:taskDefinition")
        if len(called) + len(jobs) != 1:
            reading.report.add(tag, _ONE_OF_BOTH)
            return None
        if jobs:
            return ServiceTask(**common, job=read_job(tag, reading.report))
        return _read_called_decision(tag, called[0], common, reading.report)

    def activate(self, element: BusinessRuleTask | ServiceTask, activation: Activation) -> Incident | None:
        assert isinstance(element, BusinessRuleTask), f"{element} is worked by a job worker"
        turn, instance = activation.turn, activation.instance
        definition = _called(turn, element, activation)
        if isinstance(definition, Incident):
            return definition
        result = decisions.result_of(turn, definition, lookup_in(instance, activation.inner_key))
        if result.failure is not None:
            activating(element, activation)
            _note(element, activation, definition, result)
            return Incident(IncidentType.DECISION_EVALUATION_ERROR, result.failure.message)
        variables = {element.result_variable: result.output}
        too_large = _too_large(element, activation, variables)
        if too_large is not None:
            return too_large

        activated(element, activation)
        _note(element, activation, definition, result)
        merge = merge_local if element.outputs else merge_upwards
        merge(turn, instance, activation.key, variables)
        complete(turn, CompleteElement(instance.key, activation.key))
        return None


def _read_called_decision(task: Tag, called: Tag, common: Common, report: Report) -> BusinessRuleTask:
    decision_id = called.attributes.get("decisionId", "")
    if not decision_id:
        report.add(task, "the decisionId of the zeebe:calledDecision must not be empty", at=called)
    result_variable = called.attributes.get("resultVariable", "")
    if not result_variable:
        report.add(task, "the resultVariable of the zeebe:calledDecision must not be empty", at=called)
    binding, version_tag = read_binding(called, task, report)
    return BusinessRuleTask(
        **common,
        decision_id=read_text(decision_id, task, report, at=called),
        result_variable=result_variable,
        binding=binding,
        version_tag=version_tag,
    )


def _called(turn: Turn, element: BusinessRuleTask, activation: Activation) -> DecisionDefinition | Incident:
    instance = activation.instance
    decision_id = evaluate_string(turn, element.decision_id, lookup_in(instance, activation.inner_key))
    if isinstance(decision_id, Incident):
        return decision_id
    return _definition(turn, instance, element, decision_id)


def _definition(
    turn: Turn, instance: ProcessInstance, element: BusinessRuleTask, decision_id: str
) -> DecisionDefinition | Incident:
    """The decision that is called, by its id and the binding."""
    tenant_id, deployed = instance.tenant_id, turn.state.decisions
    match element.binding:
        case BindingType.LATEST:
            found = deployed.latest_of(tenant_id, decision_id)
            what = f"decision '{decision_id}', but no decision found for id '{decision_id}'"
        case BindingType.DEPLOYMENT:
            deployment_key = turn.state.definitions.items[instance.definition_key].deployment_key
            found = deployed.in_deployment(tenant_id, decision_id, deployment_key)
            what = (
                f"decision '{decision_id}' with binding type 'deployment', but no such decision found in the"
                f" deployment with key {deployment_key} which contained the current process."
            )
        case BindingType.VERSION_TAG:
            found = deployed.with_tag(tenant_id, decision_id, element.version_tag)
            what = (
                f"decision with id '{decision_id}' and version tag '{element.version_tag}', but no such"
                " decision found."
            )
        case _:
            assert_never(element.binding)
    return found or Incident(IncidentType.CALLED_DECISION_ERROR, f"Expected to evaluate {what}")


def _note(
    element: BusinessRuleTask, activation: Activation, definition: DecisionDefinition, result: DecisionResult
) -> None:
    instance_key = activation.instance.key
    decisions.note(activation.turn, definition, result, instance_key, activation.key, element.index)


def _too_large(element: BusinessRuleTask, activation: Activation, variables: Variables) -> Incident | None:
    """The result has the bound of all variables."""
    scope_key = activation.inner_key
    reason = oversize(activation.instance, scope_key, variables, local=bool(element.outputs))
    return None if reason is None else Incident(IncidentType.DECISION_EVALUATION_ERROR, reason)
