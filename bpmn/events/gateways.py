"""Complex gateways: what they start with, and their reset."""

from bpmnd.bpmn.events.struct import EventStruct


class GatewayStarted(EventStruct, frozen=True, gc=False, tag=181):
    """The complex gateway `key` has gone on with the tokens of `flows`, and waits for its reset."""

    key: int
    instance_key: int
    element: int
    flows: tuple[int, ...]


class GatewayReset(EventStruct, frozen=True, gc=False, tag=182):
    """No other token can come to the complex gateway `key`: it takes those that came late, on `flows`."""

    key: int
    instance_key: int
    scope_key: int
    element: int
    flows: tuple[int, ...]
