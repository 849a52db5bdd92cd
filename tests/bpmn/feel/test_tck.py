from functools import cache
from pathlib import Path

import pytest

from bpmnd.bpmn.feel import EvaluationFailure, SyntaxProblem
from tests.bpmn.feel.tck import TCK, Case, Model, NotPlain, agrees, cases

# Why we differ, by the beginning of a case's id.
DIFFERENT = {
    "0050-feel-abs-function/007": "abs takes its argument as 'number' too, as Camunda's does",
    "0057-feel-context/008": "Camunda takes the last of two entries with one key",
    "0070-feel-instance-of/number_013": "needs item definitions, which are DMN's",
    "0070-feel-instance-of/string_013": "needs item definitions, which are DMN's",
    "0070-feel-instance-of/list_01": "needs item definitions, which are DMN's",
    "0070-feel-instance-of/context_01": "needs item definitions, which are DMN's",
    "0085-decision-services": "decision services are DMN's",
    "0092-feel-lambda/013": "decision services are DMN's",
    "0103-feel-is-function/named_params_00": "an argument that is not there is no null",
    "1111-feel-matches-function/K2-MatchesFunc-17": "RE2 has no back references",
    "1140-feel-string-join-function/015": "a single value is no list, as in Camunda",
    "1140-feel-string-join-function/016": "a single value is no list, as in Camunda",
    "1145-feel-context-function": "a single value is no list, as in Camunda; the last of equal keys counts",
    "1147-feel-context-merge-function/013": "a single value is no list, as in Camunda",
    "0015-all-any": "expects strings where there are booleans; not part of the compliant tests",
}


@cache
def model_of(path: Path) -> Model:
    return Model(path)


def run(case: Case) -> bool | None:
    """Whether a case agrees; None if it is not about plain FEEL."""
    try:
        result = model_of(case.model).decide(case.decision, dict(case.inputs))
    except NotPlain:
        return None
    if isinstance(result, EvaluationFailure | SyntaxProblem):
        return case.expected is None
    return agrees(case.expected, result)


@pytest.mark.skipif(not TCK.is_dir(), reason=f"the DMN TCK is not at {TCK}")
def test_all_plain_expressions_of_the_tck_agree_but_for_the_known_ones() -> None:
    outcomes = {case.id: run(case) for case in cases()}
    known = tuple(DIFFERENT)

    wrong = [id for id, agreed in outcomes.items() if agreed is False and not id.startswith(known)]

    assert not wrong
    assert sum(agreed is True for agreed in outcomes.values()) > 2_500
