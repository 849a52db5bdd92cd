"""Process instances."""

from typing import Final

from bpmnd.actors.history.entities.fields import (
    DEFINITION,
    TENANT,
    Entity,
    Field,
    Filter,
    Kind,
    definition_field,
    enum_field,
    key_field,
)
from bpmnd.actors.history.names import INSTANCE_STATES

PROCESS_INSTANCES: Final = Entity(
    "instances x",
    DEFINITION,
    "x.key",
    {
        "processInstanceKey": key_field("key"),
        "processDefinitionId": definition_field("process_id"),
        "processDefinitionName": definition_field("name"),
        "processDefinitionVersion": definition_field("version", Kind.INTEGER),
        "processDefinitionVersionTag": definition_field("version_tag"),
        "processDefinitionKey": key_field("definition_key"),
        "startDate": Field("x.start", Kind.MOMENT, follows_key=True),
        "endDate": Field('x."end"', Kind.MOMENT),
        "state": enum_field("x.state", INSTANCE_STATES),
        "hasIncident": Field(
            "x.incidents > 0",
            Kind.BOOLEAN,
            Filter.PLAIN,
            found_by="x.key IN (SELECT f.key FROM instances f WHERE f.incidents > 0)",
        ),
        "tenantId": TENANT,
        "parentProcessInstanceKey": key_field("parent_key"),
        "parentElementInstanceKey": key_field("parent_element_key"),
        "rootProcessInstanceKey": Field(
            "coalesce(x.root_key, x.key)", Kind.KEY, Filter.NONE, sorts=False, shows=True
        ),
        "tags": Field("coalesce(x.tags, '[]')", Kind.JSON, Filter.NONE, sorts=False),
        "businessId": Field("x.business_id", Kind.TEXT),
        # There are no batch operations yet that an instance could belong to.
        "batchOperationId": Field("NULL", Kind.TEXT, sorts=False, shows=False),
        "batchOperationKey": Field("NULL", Kind.TEXT, sorts=False, shows=False),
    },
)
