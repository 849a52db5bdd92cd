"""Wordings of what is missing or out of range; several are joined into one answer."""

from bpmnd.gateway.errors import Problem, bad_request

_VALUE_LENGTH_MAX = 200


def missing(name: str) -> str:
    return f"No {name} provided."


def not_positive(name: str, value: int) -> str:
    return f"The value for {name} is '{value}' but must be greater than 0."


def check_operation_reference(reference: int | None) -> list[str]:
    """A number of the client's own making, which must be positive."""
    if reference is None or reference > 0:
        return []
    return [f"The value for operationReference is '{reference}' but must be > 0."]


def not_in_enum(name: str, value: str, allowed: frozenset[str]) -> Problem:
    """A value outside an enum; the allowed ones are listed in alphabetical order. A long value is cut: behind
    it stands of what it is."""
    values = ", ".join(sorted(allowed))
    said = value if len(value) <= _VALUE_LENGTH_MAX else f"{value[:_VALUE_LENGTH_MAX]}…"
    return bad_request(
        f"Unexpected value '{said}' for enum field '{name}'. Use any of the following values: [{values}]"
    )
