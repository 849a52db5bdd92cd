"""What the transport asks and tells the node that owns it."""

from typing import Protocol

from bpmnd.cluster.handshake import Hello


class PeerHandler(Protocol):
    """All of it is called on the event loop. For a node, `connected` and `disconnected` alternate."""

    def admit(self, hello: Hello) -> str | None:
        """Why this node is not welcome; None if it is. Asked of each that calls or answers."""
        ...

    def connected(self, node: int, hello: Hello) -> None: ...

    def disconnected(self, node: int) -> None: ...

    def received(self, node: int, items: list[bytes]) -> None:
        """All items of one message, those of the control lane first."""
        ...

    def failed(self, node: int, error: Exception) -> None:
        """One of the other methods raised, which is a bug. It is logged, and the connection is closed."""
        ...
