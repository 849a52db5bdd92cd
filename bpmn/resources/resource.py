"""What deployments need to know of a kind of resource."""

import hashlib
from collections.abc import Sequence
from typing import ClassVar, Protocol

from bpmnd.bpmn.commands import Resource
from bpmnd.bpmn.turn import Turn


class Deployable(Protocol):
    """Something that a file defines: it has an id, and versions of its own."""

    def unchanged(self, turn: Turn) -> tuple[int, ...] | None:
        """The keys of its latest version, if that came of the same bytes under the same name."""
        ...

    def create(self, turn: Turn, deployment_key: int) -> tuple[int, ...]:
        """Make a new version a fact. Its keys are what the deployment consists of."""
        ...

    def begin(self, turn: Turn, keys: Sequence[int]) -> None:
        """The deployment is complete: what is to happen with the new version."""
        ...


class ResourceKind(Protocol):
    """How the files of some extensions are read."""

    extensions: ClassVar[tuple[str, ...]]

    def read(
        self, turn: Turn, tenant_id: str, resources: Sequence[Resource], problems: list[str]
    ) -> Sequence[Deployable]:
        """What all files of the kind define; whatever is wrong with them is added to the problems."""
        ...


def checksum_of(resource: Resource) -> bytes:
    return hashlib.sha256(resource.content).digest()
