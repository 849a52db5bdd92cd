"""The kinds of resources by the extensions of their names."""

from typing import Final

from bpmnd.bpmn.resources.decisions import DecisionKind
from bpmnd.bpmn.resources.files import FormKind, PlainFileKind
from bpmnd.bpmn.resources.processes import ProcessKind
from bpmnd.bpmn.resources.resource import ResourceKind

_PLAIN: Final = PlainFileKind()
KINDS: Final[tuple[ResourceKind, ...]] = (ProcessKind(), DecisionKind(), FormKind(), _PLAIN)


def kind_of(name: str) -> ResourceKind | None:
    """A name that has an extension, but none of these, is that of a plain file."""
    if not name.rpartition(".")[2] or not name.rpartition(".")[0]:
        return None
    return next((kind for kind in KINDS if kind.extensions and name.endswith(kind.extensions)), _PLAIN)
