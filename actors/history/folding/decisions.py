"""Decisions: what was deployed, and what came of each evaluation."""

from collections.abc import Sequence
from typing import Final

import msgspec

from bpmnd.actors.history.folding.registry import folds
from bpmnd.actors.history.names import DECISION_STATE, DECISION_TYPE, SUBJECT_KIND
from bpmnd.actors.history.rows import DecisionInstanceRow, DecisionRow, RequirementsRow
from bpmnd.actors.history.tables import Tables
from bpmnd.bpmn import events
from bpmnd.bpmn.dmn.results import EvaluatedDecision, EvaluatedInput, MatchedRule

_UNKNOWN: Final = DECISION_TYPE["UNKNOWN"]
_EVALUATED: Final = SUBJECT_KIND["DECISION_EVALUATED"]


@folds(events.DecisionRequirementsCreated)
def requirements_created(tables: Tables, event: events.DecisionRequirementsCreated, time: int) -> None:
    tables.requirements.add(
        RequirementsRow(
            event.key,
            event.requirements_id,
            event.name,
            event.version,
            event.resource_name,
            event.tenant_id,
        )
    )


@folds(events.DecisionCreated)
def decision_created(tables: Tables, event: events.DecisionCreated, time: int) -> None:
    tables.decisions.add(
        DecisionRow(
            event.key,
            event.decision_id,
            event.name,
            event.version,
            event.requirements_key,
            event.tenant_id,
        )
    )


@folds(events.DecisionEvaluated)
def evaluated(tables: Tables, event: events.DecisionEvaluated, time: int) -> None:
    _add(tables, event, time, None)


@folds(events.DecisionEvaluationFailed)
def evaluation_failed(tables: Tables, event: events.DecisionEvaluationFailed, time: int) -> None:
    """Only the last decision is the one that failed."""
    _add(tables, event, time, event.message)


def _add(
    tables: Tables,
    event: events.DecisionEvaluated | events.DecisionEvaluationFailed,
    time: int,
    failure: str | None,
) -> None:
    instance = tables.instances.get(event.instance_key)
    tables.figures.tally((_EVALUATED, event.tenant_id), len(event.decisions))
    for number, decision in enumerate(event.decisions, 1):
        has_failed = failure is not None and number == len(event.decisions)
        known = tables.decisions.get(decision.key)
        tables.decision_instances.add(
            DecisionInstanceRow(
                tables.next_place(),
                event.instance_key or None,
                instance.definition_key if instance is not None else None,
                event.element_instance_key or None,
                event.key,
                number,
                decision.key,
                decision.decision_id,
                decision.name,
                decision.version,
                DECISION_TYPE.get(decision.type, _UNKNOWN),
                event.decision_key,
                known.requirements_key if known is not None else None,
                event.tenant_id,
                DECISION_STATE["FAILED" if has_failed else "EVALUATED"],
                time,
                failure if has_failed else None,
                _result_of(decision),
                _inputs_of(decision.inputs),
                _rules_of(decision.rules),
            )
        )


def _result_of(decision: EvaluatedDecision) -> str:
    return decision.output.decode() or "null"


def _inputs_of(inputs: Sequence[EvaluatedInput]) -> str:
    shown = [{"inputId": one.id, "inputName": one.name, "inputValue": one.value.decode()} for one in inputs]
    return msgspec.json.encode(shown).decode()


def _rules_of(rules: Sequence[MatchedRule]) -> str:
    shown = [
        {
            "ruleId": rule.id,
            "ruleIndex": rule.index,
            "evaluatedOutputs": [
                {
                    "outputId": one.id,
                    "outputName": one.name,
                    "outputValue": one.value.decode(),
                    "ruleId": rule.id,
                    "ruleIndex": rule.index,
                }
                for one in rule.outputs
            ],
        }
        for rule in rules
    ]
    return msgspec.json.encode(shown).decode()
