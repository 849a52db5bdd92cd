"""The built-in functions, a family a file. Importing this package declares them all."""

from bpmnd.bpmn.feel.builtins import (
    booleans,
    contexts,
    conversion,
    lists,
    moments,
    numeric,
    ranges,
    statistics,
    strings,
)

__all__ = [
    "booleans",
    "contexts",
    "conversion",
    "lists",
    "moments",
    "numeric",
    "ranges",
    "statistics",
    "strings",
]
