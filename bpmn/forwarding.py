"""What is about a correlation key follows the key's slot, wherever that has gone.

Who tells the partition of a slot something tells it where the slot once was, always the same partition for
one subscription; from there it goes from owner to owner over their ordered channels, so that an opening and
a closing never overtake each other. While a slot is on its way, what comes for it is held back where it was.
"""

from bpmnd.bpmn.channel import (
    CloseSubscription,
    ConfirmDelivery,
    MigrateSubscription,
    OpenSubscription,
    RefuseDelivery,
    ReleaseLock,
    TakeLock,
    encode_message,
)
from bpmnd.bpmn.events import SlotMessageHeld
from bpmnd.bpmn.state.slots import Slot
from bpmnd.bpmn.turn import Turn

ForSlot = (
    OpenSubscription
    | CloseSubscription
    | MigrateSubscription
    | ConfirmDelivery
    | RefuseDelivery
    | ReleaseLock
    | TakeLock
)


def pass_on(turn: Turn, slot: Slot, message: ForSlot) -> None:
    """To the partition that the slot was given to, behind all that was kept under it here."""
    if turn.state.slots.is_held(slot):
        turn.emit(SlotMessageHeld(slot.move, encode_message(message)))
    else:
        turn.send(slot.given_to, message)
