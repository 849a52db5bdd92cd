"""Variables."""

from typing import Final

from bpmnd.actors.history.entities.fields import INSTANCE, ROOT, Entity, Field, Filter, Kind, key_field

VARIABLES: Final = Entity(
    "variables x",
    INSTANCE + " LEFT JOIN definitions d ON d.key = i.definition_key",
    "x.key",
    {
        "variableKey": key_field("key"),
        "name": Field("x.name", Kind.TEXT),
        "value": Field("x.value", Kind.TEXT, has_prefix_index=True, is_cut=True),
        "isTruncated": Field("length(x.value) > 8191", Kind.BOOLEAN, Filter.PLAIN, sorts=False),
        "scopeKey": key_field("scope_key"),
        "processInstanceKey": key_field("instance_key"),
        "rootProcessInstanceKey": ROOT,
        "tenantId": Field("d.tenant_id", Kind.TEXT, Filter.PLAIN),
    },
)
