"""What the evaluation of a decision yields: its whole tree, to be kept as an event. Values are JSON."""

import msgspec


class EvaluatedInput(msgspec.Struct, frozen=True, gc=False, array_like=True):
    id: str
    name: str
    value: bytes


class EvaluatedOutput(msgspec.Struct, frozen=True, gc=False, array_like=True):
    id: str
    name: str
    value: bytes


class MatchedRule(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """`index` counts the rules of the table from 1."""

    id: str
    index: int
    outputs: tuple[EvaluatedOutput, ...]


class EvaluatedDecision(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One decision of the tree, by the key and the version that it was deployed with."""

    key: int
    decision_id: str
    name: str
    version: int
    type: str
    output: bytes
    inputs: tuple[EvaluatedInput, ...] = ()
    rules: tuple[MatchedRule, ...] = ()


class DecisionFailure(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Which decision could not be evaluated, and why."""

    decision_id: str
    message: str


class DecisionResult(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Decisions stand behind those that they require. After a failure the last one is that which failed."""

    output: bytes
    decisions: tuple[EvaluatedDecision, ...]
    failure: DecisionFailure | None
    warnings: tuple[str, ...] = ()
