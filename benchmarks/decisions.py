"""What an expression and a decision cost in CPU time: `python -m benchmarks.decisions`."""

import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from bpmnd.bpmn.dmn import Model, compile_model, evaluate_decision, read_document
from bpmnd.bpmn.feel import MISSING, Expression, Value, compile_expression

_ROUNDS: Final = 7
_ROUND_SECONDS: Final = 0.2
VARIABLES: Final[dict[str, Value]] = {
    "amount": 120,
    "status": "open",
    "customer": {"grade": "gold", "since": 2015},
}
CONDITION: Final = 'amount > 100 and status = "open"'


class Cost(NamedTuple):
    what: str
    microseconds: float


def lookup(name: str) -> Value:
    return VARIABLES.get(name, MISSING)


def condition() -> Expression:
    expression = compile_expression(CONDITION)
    assert isinstance(expression, Expression), f"{expression}"
    return expression


def table(rules: int) -> Model:
    """Two inputs, one output; it is the last rule that matches."""
    cells = [(f"[{at * 10}..{at * 10 + 10})", '"silver"', str(at)) for at in range(rules - 1)]
    cells.append((">= 100", '"gold","platinum"', "amount * 0.1"))
    rows = "".join(
        f"<rule id='r{at}'><inputEntry><text>{first}</text></inputEntry><inputEntry><text>{second}</text>"
        f"</inputEntry><outputEntry><text>{output}</text></outputEntry></rule>"
        for at, (first, second, output) in enumerate(cells)
    )
    inputs = "".join(
        f"<input id='{at}'><inputExpression><text>{text}</text></inputExpression></input>"
        for at, text in (("i1", "amount"), ("i2", "customer.grade"))
    )
    content = (
        '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="n"'
        f' exporter="Camunda Modeler"><decision id="discount" name="Discount"><decisionTable>{inputs}'
        f"<output id='o' name='discount'/>{rows}</decisionTable></decision></definitions>"
    )
    document = read_document(content.encode())
    assert not isinstance(document, tuple), f"{document}"
    model = compile_model(document, {})
    assert isinstance(model, Model), f"{model}"
    return model


def measure(what: str, work: Callable[[], object]) -> Cost:
    count = 100
    while _seconds(work, count) < _ROUND_SECONDS / 4:
        count *= 2
    best = min(_seconds(work, count) for _ in range(_ROUNDS))
    return Cost(what, best / count * 1e6)


def _seconds(work: Callable[[], object], count: int) -> float:
    begin = time.process_time()
    for _ in range(count):
        work()
    return time.process_time() - begin


def costs() -> Sequence[Cost]:
    expression, small, large = condition(), table(10), table(1_000)
    return (
        measure(f"the condition `{CONDITION}`", lambda: expression.test(lookup)),
        measure("parsing and compiling it", condition),
        measure("a table of ten rules", lambda: evaluate_decision(small, "discount", lookup)),
        measure("a table of a thousand rules", lambda: evaluate_decision(large, "discount", lookup)),
        measure("reading and compiling the table of ten rules", lambda: table(10)),
    )


if __name__ == "__main__":
    for cost in costs():
        print(f"{cost.what}: {cost.microseconds:,.2f} µs")
