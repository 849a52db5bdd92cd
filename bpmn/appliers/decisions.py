"""Appliers of deployed decisions and of their evaluations."""

from msgspec.structs import astuple

from bpmnd.bpmn.appliers.registry import applies
from bpmnd.bpmn.events import (
    DecisionCreated,
    DecisionEvaluated,
    DecisionEvaluationFailed,
    DecisionRequirementsCreated,
)
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.decisions import DecisionDefinition, DecisionRequirements


@applies(DecisionRequirementsCreated)
def requirements_created(state: State, event: DecisionRequirementsCreated) -> None:
    state.decisions.put_requirements(DecisionRequirements(*astuple(event)), state.journal)


@applies(DecisionCreated)
def decision_created(state: State, event: DecisionCreated) -> None:
    state.decisions.put(DecisionDefinition(*astuple(event)), state.journal)


@applies(DecisionEvaluated)
def decision_evaluated(state: State, event: DecisionEvaluated) -> None:
    """The result went to who asked; the tree is for the audit."""


@applies(DecisionEvaluationFailed)
def decision_evaluation_failed(state: State, event: DecisionEvaluationFailed) -> None:
    """The same."""
