"""What the network, or the node at its other end, can do wrong."""

from typing import final


class TransportError(Exception):
    """What was asked of another node did not come about. The text says why."""


@final
class FrameError(TransportError):
    """A message that no node of this protocol sends."""


@final
class RefusedError(TransportError):
    """One of the two nodes does not want the other."""


@final
class BusyError(TransportError):
    """The pair of nodes has a connection already, or will have it in a moment: nothing is wrong."""
