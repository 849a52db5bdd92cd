"""Channel messages on their way between partitions, whichever nodes lead these."""

from collections.abc import Callable
from typing import final

from bpmnd.actors.channels import ChannelEnd, deliver_to
from bpmnd.actors.network import Network
from bpmnd.actors.peer_messages import ChannelAcknowledgement, ChannelMessage, encode_peer_message
from bpmnd.actors.peers import Peers
from bpmnd.bpmn.commands import AcknowledgeChannel, ReceiveChannelMessage
from bpmnd.bpmn.outcomes import Outcome, Rejected


@final
class ChannelCarrier:
    """Carries messages and acknowledgements to where the partition is led. All may get lost on the way."""

    def __init__(self, led_here: Callable[[int], ChannelEnd | None], peers: Peers, network: Network) -> None:
        self._led_here = led_here
        self._peers = peers
        self._network = network

    def deliver(self, sender: int, receiver: int, number: int, payload: bytes) -> None:
        """Carry a message to the leader of its receiver."""
        to, back = self._led_here(receiver), self._led_here(sender)
        if to is not None and back is not None:
            deliver_to(to, back, number, payload)
            return
        leader = self._peers.leader_of(receiver)
        if leader is not None:
            message = ChannelMessage(sender, receiver, number, payload)
            self._network.send(leader[1], encode_peer_message(message))

    def arrived(self, node: int, message: ChannelMessage) -> None:
        """A message from a partition that another node leads. Without a leader here it comes again."""
        end = self._led_here(message.receiver)
        if end is not None:
            command = ReceiveChannelMessage(message.sender, message.number, message.payload)
            end.submit_internal(command, _AcknowledgementFor(self._network, node, message))

    def acknowledged(self, acknowledgement: ChannelAcknowledgement) -> None:
        """A message of a partition that is led here was taken."""
        end = self._led_here(acknowledgement.sender)
        if end is not None:
            end.submit_internal(AcknowledgeChannel(acknowledgement.receiver, acknowledgement.number))


@final
class _AcknowledgementFor:
    """Tells the node that sent a channel message that its receiver has it, committed."""

    def __init__(self, network: Network, node: int, message: ChannelMessage) -> None:
        self._network = network
        self._node = node
        self._message = message

    def done(self) -> bool:
        return False

    def set_result(self, outcome: Outcome, /) -> None:
        if not isinstance(outcome, Rejected):
            message = self._message
            acknowledgement = ChannelAcknowledgement(message.sender, message.receiver, message.number)
            self._network.send(self._node, encode_peer_message(acknowledgement))

    def set_exception(self, error: Exception, /) -> None:
        """The receiver stopped. The sender sends again until it is acknowledged."""
