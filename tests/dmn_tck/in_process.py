"""Runs the cases of the DMN TCK on the compiled models themselves, without a node, in seconds."""

from functools import cache
from pathlib import Path

from bpmnd.bpmn.dmn import Model, compile_model, evaluate_decision, read_document
from bpmnd.bpmn.feel import MISSING, Value, from_json, to_json
from tests.dmn_tck.cases import Case, agrees, models_beside


@cache
def models_of(path: Path) -> tuple[Model, ...] | str:
    """The model of a test with those it imports, or why there is none."""
    models: dict[str, Model] = {}
    waiting = models_beside(path)
    while waiting:
        problems: list[str] = []
        later: list[Path] = []
        for file in waiting:
            document = read_document(file.read_bytes())
            if isinstance(document, tuple):
                return f"{file.name}: {document}"
            model = compile_model(document, models)
            if isinstance(model, tuple):
                problems.append(f"{file.name}: {model}")
                later.append(file)
            else:
                models[document.namespace] = model
        if len(later) == len(waiting):
            return "; ".join(problems)
        waiting = later
    return tuple(models.values())


def outcome(case: Case) -> tuple[bool, str]:
    """Whether a case agrees, and what came instead of what is expected."""
    models = models_of(case.model)
    if isinstance(models, str):
        return False, models
    model = models[-1]
    found = [node for node in model.decisions if node.name == case.decision]
    if not found:
        return False, "there is no such decision"
    given: dict[str, Value] = {name: from_json(to_json(value)) for name, value in case.inputs}
    result = evaluate_decision(
        model, found[0].id, lambda name: given.get(name, MISSING), now_ms=1_600_000_000_000
    )
    value = from_json(result.output)
    shown = f"{result.output.decode()} for {to_json(case.expected).decode()}"
    return agrees(case.expected, value), f"{shown}; {result.failure}; {result.warnings}"
