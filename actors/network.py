"""The other nodes, as this one reaches them."""

from typing import Protocol, final


class Network(Protocol):
    """Carries items to other nodes: in order, at most once, each perhaps not at all."""

    def send(self, node: int, item: bytes, control: bool = False) -> bool:
        """False if the node is not connected, or its queue is full: the item was not taken."""
        ...

    def learn(self, node: int, address: str) -> None:
        """Keep a connection to this node from now on."""

    def forget(self, node: int) -> None:
        """Let it go."""

    def introduce(self, cluster: str) -> None:
        """Say from now on that this node belongs to the cluster of this id."""


@final
class NoNetwork:
    """That of a node which is alone."""

    def send(self, node: int, item: bytes, control: bool = False) -> bool:
        return False

    def learn(self, node: int, address: str) -> None: ...

    def forget(self, node: int) -> None: ...

    def introduce(self, cluster: str) -> None: ...
