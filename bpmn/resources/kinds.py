"""The kinds of resources by the extensions of their names."""

from typing import Final

from bpmnd.bpmn.resources.decisions import DecisionKind
from bpmnd.bpmn.resources.processes import ProcessKind
from bpmnd.bpmn.resources.resource import ResourceKind

KINDS: Final[tuple[ResourceKind, ...]] = (ProcessKind(), DecisionKind())
EXTENSIONS: Final = tuple(extension for kind in KINDS for extension in kind.extensions)


def kind_of(name: str) -> ResourceKind | None:
    return next((kind for kind in KINDS if name.endswith(kind.extensions)), None)
