"""What a report reads from."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

from bpmnd.actors.history.queries import Scalar
from bpmnd.storage.history import Value


class Reader(Protocol):
    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> list[tuple[Any, ...]]: ...


Rows: TypeAlias = list[tuple[Scalar, ...]]
