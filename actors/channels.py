"""The ordered channels between partitions, as far as they are no state: sending, and acknowledging.

What is to be sent stands in the sender's outbox, what was applied in the receiver's inbox; nothing here
needs to be remembered.
"""

from typing import Protocol, final

from bpmnd.actors.messages import Reply
from bpmnd.bpmn.commands import AcknowledgeChannel, Command, ReceiveChannelMessage
from bpmnd.bpmn.outcomes import Outcome, Rejected
from bpmnd.bpmn.state import State


class Channels(Protocol):
    """The way to the other partitions."""

    def deliver(self, sender: int, receiver: int, number: int, payload: bytes) -> None:
        """Carry a message to its receiver. It may get lost: it is sent again until acknowledged."""


class ChannelEnd(Protocol):
    """A partition, as channels know it."""

    @property
    def id(self) -> int: ...

    def submit_internal(self, command: Command, reply: Reply | None = None) -> None: ...


@final
class ChannelSender:
    """Sends what is in the outbox of one partition and committed, each message once until `again`."""

    def __init__(self, partition_id: int, state: State, channels: Channels) -> None:
        self._id = partition_id
        self._state = state
        self._channels = channels
        self._committed: dict[int, int] = {}
        self._sent: dict[int, int] = {}

    def last_numbers(self) -> dict[int, int]:
        """Receiver -> number of the last message that is in the outbox now."""
        outbox = self._state.outbox.items
        return {receiver: channel.last_number for receiver, channel in outbox.items() if channel.messages}

    def committed(self, numbers: dict[int, int]) -> None:
        """Everything up to these numbers is committed: send what was not sent yet."""
        self._committed = numbers
        for receiver, channel in self._state.outbox.items.items():
            sent, committed = self._sent.get(receiver, 0), numbers.get(receiver, 0)
            for number, payload in list(channel.messages.between(sent + 1, committed)):
                self._sent[receiver] = number
                self._channels.deliver(self._id, receiver, number, payload)

    def again(self) -> None:
        """Send once more what is not acknowledged; receivers know repeats by their numbers."""
        self._sent.clear()
        self.committed(self._committed)


@final
class _Acknowledgement:
    """Tells the sender of a channel message that its receiver has it, committed."""

    def __init__(self, sender: ChannelEnd, receiver: int, number: int) -> None:
        self._sender = sender
        self._receiver = receiver
        self._number = number

    def done(self) -> bool:
        return False

    def set_result(self, outcome: Outcome, /) -> None:
        if not isinstance(outcome, Rejected):
            self._sender.submit_internal(AcknowledgeChannel(self._receiver, self._number))

    def set_exception(self, error: Exception, /) -> None:
        """The receiver stopped. The sender sends again until it is acknowledged."""


def deliver_to(receiver: ChannelEnd, sender: ChannelEnd, number: int, payload: bytes) -> None:
    """Carry a channel message between two partitions of one node, and its acknowledgement back."""
    acknowledgement = _Acknowledgement(sender, receiver.id, number)
    receiver.submit_internal(ReceiveChannelMessage(sender.id, number, payload), acknowledgement)
