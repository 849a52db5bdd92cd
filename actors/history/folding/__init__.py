"""From events to rows: what a history shows is the fold of a partition's events, and of nothing else.

Pure, but for the rows that are looked up. What began before the history does is unknown, and left out.
"""

from bpmnd.actors.history.folding import (
    audit,
    changes,
    decisions,
    definitions,
    incidents,
    instances,
    jobs,
    messages,
    user_tasks,
    variables,
)
from bpmnd.actors.history.folding.audit import fold_operations
from bpmnd.actors.history.folding.registry import fold

__all__ = [
    "audit",
    "changes",
    "decisions",
    "definitions",
    "fold",
    "fold_operations",
    "incidents",
    "instances",
    "jobs",
    "messages",
    "user_tasks",
    "variables",
]
