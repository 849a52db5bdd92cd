"""What the tests of DMN share: models in a few words, and their results."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

from bpmnd.bpmn.dmn import DecisionResult, Model, compile_model, evaluate_decision, read_document
from bpmnd.bpmn.feel import MISSING, Value, from_json

NAMESPACE = "https://www.omg.org/spec/DMN/20191111/MODEL/"


def dmn(
    body: str, *, id: str = "drg", camunda: bool = False, xmlns: str = NAMESPACE, more: str = ""
) -> bytes:
    exporter = ' exporter="Camunda Modeler"' if camunda else ""
    return (
        f'<definitions xmlns="{xmlns}" id="{id}" name="{id}" namespace="urn:{id}"{exporter}>{more}{body}'
        "</definitions>"
    ).encode()


def text(expression: str) -> str:
    return f"<literalExpression><text>{escape(expression)}</text></literalExpression>"


def _href(identifier: str) -> str:
    return identifier if "#" in identifier else f"#{identifier}"


def needs(*decisions: str) -> str:
    return "".join(
        f'<informationRequirement><requiredDecision href="{_href(one)}"/></informationRequirement>'
        for one in decisions
    )


def needs_data(*data: str) -> str:
    return "".join(
        f'<informationRequirement><requiredInput href="{_href(one)}"/></informationRequirement>'
        for one in data
    )


def knows(*functions: str) -> str:
    return "".join(
        f'<knowledgeRequirement><requiredKnowledge href="{_href(one)}"/></knowledgeRequirement>'
        for one in functions
    )


def decision(
    id: str, logic: str, *, requires: str = "", variable: str = "", type_ref: str = "", name: str = ""
) -> str:
    if not logic.startswith("<"):
        logic = text(logic)
    if not variable and type_ref:
        variable = id
    of_type = f' typeRef="{type_ref}"' if type_ref else ""
    result = f'<variable name="{variable}"{of_type}/>' if variable else ""
    return f'<decision id="{id}" name="{name or id}">{result}{requires}{logic}</decision>'


def data(id: str, type_ref: str = "") -> str:
    return f'<inputData id="{id}" name="{id}"><variable name="{id}" typeRef="{type_ref}"/></inputData>'


def table(
    hit_policy: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    *rules: Sequence[str],
    aggregation: str = "",
    allowed: str = "",
    default: str = "",
) -> str:
    """Rules are the texts of their cells; `allowed` and `default` are of the first output."""
    clauses = "".join(
        f'<input id="i{at}"><inputExpression><text>{escape(one)}</text></inputExpression></input>'
        for at, one in enumerate(inputs, 1)
    )
    extra = f"<outputValues><text>{escape(allowed)}</text></outputValues>" if allowed else ""
    extra += f"<defaultOutputEntry><text>{escape(default)}</text></defaultOutputEntry>" if default else ""
    results = "".join(
        f'<output id="o{at}" name="{one}">{extra if at == 1 else ""}</output>'
        for at, one in enumerate(outputs, 1)
    )
    rows = "".join(
        f'<rule id="r{at}">'
        + "".join(
            f"<{'input' if place < len(inputs) else 'output'}Entry><text>{escape(cell)}</text>"
            f"</{'input' if place < len(inputs) else 'output'}Entry>"
            for place, cell in enumerate(rule)
        )
        + "</rule>"
        for at, rule in enumerate(rules, 1)
    )
    aggregated = f' aggregation="{aggregation}"' if aggregation else ""
    return f'<decisionTable hitPolicy="{hit_policy}"{aggregated}>{clauses}{results}{rows}</decisionTable>'


def function(id: str, parameters: Sequence[str], logic: str, *, requires: str = "") -> str:
    """A business knowledge model."""
    formal = "".join(f'<formalParameter name="{one}"/>' for one in parameters)
    if not logic.startswith("<"):
        logic = text(logic)
    return (
        f'<businessKnowledgeModel id="{id}" name="{id}">{requires}'
        f"<encapsulatedLogic>{formal}{logic}</encapsulatedLogic></businessKnowledgeModel>"
    )


def model_of(content: bytes, *imported: Model) -> Model:
    document = read_document(content)
    assert not isinstance(document, tuple), document
    model = compile_model(document, {one.namespace: one for one in imported})
    assert isinstance(model, Model), model
    return model


def problems_of(content: bytes) -> list[tuple[str | None, str]]:
    document = read_document(content)
    found = document if isinstance(document, tuple) else compile_model(document, {})
    assert isinstance(found, tuple), "the model has no problem"
    return [(problem.element_id, problem.reason) for problem in found]


def result_of(model: Model | bytes, decision_id: str, /, **variables: Value) -> DecisionResult:
    if isinstance(model, bytes):
        model = model_of(model)
    return evaluate_decision(model, decision_id, lambda name: variables.get(name, MISSING))


def value_of(model: Model | bytes, decision_id: str, /, **variables: Value) -> Value:
    result = result_of(model, decision_id, **variables)
    assert result.failure is None, result
    return from_json(result.output)


def failure_of(model: Model | bytes, decision_id: str, /, **variables: Value) -> tuple[str, str]:
    result = result_of(model, decision_id, **variables)
    assert result.failure is not None, result
    assert result.output == b"null"
    return result.failure.decision_id, result.failure.message
