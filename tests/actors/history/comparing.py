"""Filters and orders taken by their word: values against operators, items side by side."""

import fnmatch
from collections.abc import Mapping
from typing import Any, cast

Item = dict[str, Any]
_TEXTS = ("correlationKey", "decisionEvaluationInstanceKey")
"""What is called a key, but is in order as text."""


def holds(value: Any, wanted: Any) -> bool:
    """A value against a plain one, or against operators."""
    if not isinstance(wanted, dict):
        return bool(value is not None and value == wanted)
    operators = cast(Item, wanted)
    return all(_compare(value, operator, other) for operator, other in operators.items())


def _compare(value: Any, operator: str, other: Any) -> bool:
    match operator:
        case "$eq":
            return bool(value == other)
        case "$neq":
            return bool(value != other)
        case "$exists":
            return (value is not None) is other
        case "$in":
            return value in other
        case "$notIn":
            return value not in other
        case "$like":
            pattern = other.replace("[", "[[]")
            return value is not None and fnmatch.fnmatchcase(value, pattern)
        case "$gt":
            return value is not None and value > other
        case "$gte":
            return value is not None and value >= other
        case "$lt":
            return value is not None and value < other
        case "$lte":
            return value is not None and value <= other
        case _:
            raise AssertionError(operator)


def ordered(items: Mapping[int, Item], sort: list[Item]) -> list[Item]:
    """By each field, nothing first; ties by the key, as the first field goes."""
    down = bool(sort) and sort[0].get("order") == "DESC"
    result = [items[key] for key in sorted(items, reverse=down)]
    for one in reversed(sort):
        field = one["field"]
        result.sort(key=lambda item: _place(item[field], field), reverse=one.get("order") == "DESC")
    return result


def _place(value: Any, field: str) -> Any:
    if value is None:
        return (False,)
    return (True, int(value) if field.endswith("Key") and field not in _TEXTS else value)
