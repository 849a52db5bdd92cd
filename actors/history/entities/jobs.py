"""Jobs."""

from typing import Final

from bpmnd.actors.history.entities.fields import (
    DEFINITION,
    ELEMENT,
    INSTANCE,
    ROOT,
    TENANT,
    Entity,
    Field,
    Filter,
    Kind,
    definition_field,
    enum_field,
    key_field,
)
from bpmnd.actors.history.names import JOB_KINDS, JOB_STATES, LISTENER_EVENTS

FAILED: Final = JOB_STATES.index("FAILED")
JOBS: Final = Entity(
    "jobs x",
    DEFINITION + ELEMENT + INSTANCE,
    "x.key",
    {
        "jobKey": key_field("key"),
        "processDefinitionKey": key_field("definition_key"),
        "processDefinitionId": definition_field("process_id"),
        "processInstanceKey": key_field("instance_key"),
        "rootProcessInstanceKey": ROOT,
        "elementId": Field("e.element_id", Kind.TEXT, on_element=True),
        "elementInstanceKey": key_field("element_key"),
        "type": Field("x.type", Kind.TEXT),
        "kind": enum_field("x.kind", JOB_KINDS),
        "listenerEventType": enum_field("x.listens_to", LISTENER_EVENTS),
        "state": enum_field("x.state", JOB_STATES),
        "retries": Field("x.retries", Kind.INTEGER),
        "worker": Field("x.worker", Kind.TEXT),
        "deadline": Field("x.deadline", Kind.MOMENT),
        "creationTime": Field("x.created", Kind.MOMENT, sorts=False),
        "lastUpdateTime": Field("x.updated", Kind.MOMENT, sorts=False),
        "endTime": Field("x.ended", Kind.MOMENT),
        "errorCode": Field("x.error_code", Kind.TEXT),
        "errorMessage": Field("x.error_message", Kind.TEXT),
        "hasFailedWithRetriesLeft": Field(
            f"(x.state = {FAILED} AND x.retries > 0)", Kind.BOOLEAN, Filter.PLAIN
        ),
        "isDenied": Field("NULL", Kind.BOOLEAN, Filter.PLAIN),
        "deniedReason": Field("NULL", Kind.TEXT),
        "customHeaders": Field("coalesce(e.headers, '{}')", Kind.JSON, Filter.NONE, sorts=False),
        "tenantId": TENANT,
    },
)
