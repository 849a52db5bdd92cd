"""Operations that somebody asked for."""

from typing import Final

from bpmnd.actors.history.entities.fields import (
    DEFINITION,
    INSTANCE,
    ROOT,
    Entity,
    Field,
    Filter,
    Kind,
    enum_field,
    key_field,
)
from bpmnd.actors.history.names import (
    AUDIT_ACTOR,
    AUDIT_ACTORS,
    AUDIT_CATEGORIES,
    AUDIT_CATEGORY,
    AUDIT_ENTITIES,
    AUDIT_ENTITY,
    AUDIT_OPERATIONS,
    AUDIT_RESULTS,
    BATCH_OPERATIONS,
)

_TASK: Final = AUDIT_ENTITY["USER_TASK"]
AUDIT_LOGS: Final = Entity(
    "audit x",
    DEFINITION
    + INSTANCE
    + " LEFT JOIN decisions c ON c.key = x.decision_key"
    + " LEFT JOIN requirements q ON q.key = x.requirements_key",
    "x.key",
    {
        "auditLogKey": key_field("key"),
        "entityKey": Field("CAST(x.entity_key AS TEXT)", Kind.TEXT, Filter.BASIC),
        "entityType": enum_field("x.entity", AUDIT_ENTITIES),
        "operationType": enum_field("x.operation", AUDIT_OPERATIONS),
        # There are no batch operations yet that an operation could be part of.
        "batchOperationKey": Field("NULL", Kind.TEXT, Filter.NONE),
        "batchOperationType": Field("NULL", Kind.ENUM, names=BATCH_OPERATIONS),
        "timestamp": Field("x.time", Kind.MOMENT, follows_key=True),
        "actorId": Field("x.user", Kind.TEXT),
        "actorType": enum_field(
            f"iif(x.user IS NULL, {AUDIT_ACTOR['ANONYMOUS']}, {AUDIT_ACTOR['USER']})", AUDIT_ACTORS
        ),
        "agentElementId": Field("NULL", Kind.TEXT, sorts=False),
        "tenantId": Field("coalesce(d.tenant_id, x.tenant_id)", Kind.TEXT),
        "result": enum_field("x.result", AUDIT_RESULTS),
        "category": enum_field(
            f"iif(x.entity = {_TASK}, {AUDIT_CATEGORY['USER_TASKS']},"
            f" {AUDIT_CATEGORY['DEPLOYED_RESOURCES']})",
            AUDIT_CATEGORIES,
        ),
        "processDefinitionId": Field("d.process_id", Kind.TEXT),
        "processDefinitionKey": key_field("definition_key"),
        "processInstanceKey": key_field("instance_key"),
        "rootProcessInstanceKey": ROOT,
        "elementInstanceKey": key_field("element_key"),
        "jobKey": key_field("job_key"),
        "userTaskKey": Field(
            f"iif(x.entity = {_TASK}, CAST(x.entity_key AS TEXT), NULL)", Kind.TEXT, Filter.BASIC
        ),
        "decisionRequirementsId": Field("q.requirements_id", Kind.TEXT),
        "decisionRequirementsKey": key_field("requirements_key"),
        "decisionDefinitionId": Field("c.decision_id", Kind.TEXT),
        "decisionDefinitionKey": key_field("decision_key"),
        "decisionEvaluationKey": Field(
            f"iif(x.operation = {AUDIT_OPERATIONS.index('EVALUATE')}, x.entity_key, NULL)", Kind.KEY
        ),
        "deploymentKey": key_field("deployment_key", sorts=False),
        "formKey": key_field("form_key", sorts=False),
        "resourceKey": key_field("resource_key", sorts=False),
        "relatedEntityKey": Field("x.related", Kind.TEXT, Filter.BASIC, sorts=False),
        "relatedEntityType": enum_field(
            f"iif(x.related IS NULL, NULL, {AUDIT_ENTITY['USER']})", AUDIT_ENTITIES, sorts=False
        ),
        "entityDescription": Field(
            f"iif(x.entity = {AUDIT_ENTITY['PROCESS_INSTANCE']}, coalesce(d.name, d.process_id),"
            " x.description)",
            Kind.TEXT,
            sorts=False,
        ),
    },
)
