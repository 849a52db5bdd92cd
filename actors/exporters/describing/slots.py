"""Correlation slots that move between partitions: of what goes with them only how much."""

from bpmnd.actors.exporters.describing.registry import describes
from bpmnd.actors.exporters.places import Places
from bpmnd.actors.exporters.values import Value
from bpmnd.bpmn.events import (
    MessageStartLockReleased,
    MessageStartLockTaken,
    ProcessMessageSubscriptionOpened,
    SlotMessageHeld,
    SlotMessagesPassedOn,
    SlotMoveEnded,
    SlotMovePaused,
    SlotRecordsGiven,
    SlotRecordsTaken,
    SlotsGiven,
    SlotsTaken,
)


@describes
def slots_given(event: SlotsGiven, places: Places) -> Value:
    count = sum(count for _, count in event.slots)
    return {"move": event.number, "receiver": event.to, "slotCount": count}


@describes
def slots_taken(event: SlotsTaken, places: Places) -> Value:
    count = sum(count for _, count in event.slots)
    return {"move": event.number, "sender": event.sender, "slotCount": count}


@describes
def slot_records_given(event: SlotRecordsGiven, places: Places) -> Value:
    return {"move": event.number, "recordCount": len(event.keys)}


@describes
def slot_records_taken(event: SlotRecordsTaken, places: Places) -> Value:
    records = event.records
    kinds = (records.messages, records.passed, records.subscriptions, records.locks)
    return {"move": event.number, "recordCount": sum(map(len, kinds))}


@describes
def slot_message_held(event: SlotMessageHeld, places: Places) -> Value:
    return {"move": event.number, "size": len(event.payload)}


@describes
def slot_messages_passed_on(event: SlotMessagesPassedOn, places: Places) -> Value:
    return {"move": event.number, "number": event.last}


@describes
def slot_move_ended(event: SlotMoveEnded, places: Places) -> Value:
    return {"move": event.number}


@describes
def slot_move_paused(event: SlotMovePaused, places: Places) -> Value:
    return {"move": event.number, "paused": event.paused}


@describes
def message_start_lock(event: MessageStartLockTaken | MessageStartLockReleased, places: Places) -> Value:
    return {
        "bpmnProcessId": event.process_id,
        "correlationKey": event.correlation_key,
        "processInstanceKey": str(event.instance_key),
        "tenantId": event.tenant_id,
    }


@describes
def subscription_opened(event: ProcessMessageSubscriptionOpened, places: Places) -> Value:
    return {**places.in_instance(event.instance_key), "partitionId": event.partition}
