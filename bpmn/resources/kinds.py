"""The kinds of resources by the extensions of their names."""

from typing import Final

from bpmnd.bpmn.resources.decisions import DecisionKind
from bpmnd.bpmn.resources.files import FormKind, PlainFileKind
from bpmnd.bpmn.resources.processes import ProcessKind
from bpmnd.bpmn.resources.resource import ResourceKind

_PLAIN: Final = PlainFileKind()
KINDS: Final[tuple[ResourceKind, ...]] = (ProcessKind(), DecisionKind(), FormKind(), _PLAIN)


def kind_of(name: str) -> ResourceKind | None:
    """A name that has an extension, but none of these, is that of a plain file; as in Zeebe, `.BPMN` is an
    extension of nothing."""
    stem, _, extension = name.rpartition(".")
    if not stem or not extension:
        return None
    for kind in KINDS:
        if kind.extensions and name.lower().endswith(kind.extensions):
            return kind if name.endswith(kind.extensions) else None
    return _PLAIN
