"""Decisions: deployed, and evaluated."""

from typing import Final

from bpmnd.actors.history.entities.fields import (
    INSTANCE,
    ROOT,
    Entity,
    Field,
    Filter,
    Kind,
    enum_field,
    key_field,
    plain_field,
)
from bpmnd.actors.history.names import DECISION_STATES, DECISION_TYPES

DECISION_DEFINITIONS: Final = Entity(
    "decisions x",
    " LEFT JOIN requirements q ON q.key = x.requirements_key",
    "x.key",
    {
        "decisionDefinitionKey": plain_field("x.key", Kind.KEY),
        "decisionDefinitionId": plain_field("x.decision_id"),
        "name": plain_field("x.name"),
        "version": plain_field("x.version", Kind.INTEGER),
        "decisionRequirementsKey": plain_field("x.requirements_key", Kind.KEY),
        "decisionRequirementsId": plain_field("q.requirements_id"),
        "decisionRequirementsName": plain_field("q.name"),
        "decisionRequirementsVersion": plain_field("q.version", Kind.INTEGER),
        "tenantId": plain_field("x.tenant_id"),
        "isLatestVersion": Field(
            "NOT EXISTS (SELECT 1 FROM decisions later WHERE later.decision_id = x.decision_id"
            " AND later.tenant_id = x.tenant_id AND later.version > x.version)",
            Kind.BOOLEAN,
            Filter.PLAIN,
            sorts=False,
            shows=False,
        ),
    },
)
DECISION_REQUIREMENTS: Final = Entity(
    "requirements x",
    "",
    "x.key",
    {
        "decisionRequirementsKey": plain_field("x.key", Kind.KEY),
        "decisionRequirementsId": plain_field("x.requirements_id"),
        "decisionRequirementsName": plain_field("x.name"),
        "version": plain_field("x.version", Kind.INTEGER),
        "resourceName": plain_field("x.resource_name", sorts=False),
        "tenantId": plain_field("x.tenant_id"),
    },
)
DECISION_INSTANCES: Final = Entity(
    "decision_instances x",
    INSTANCE,
    "x.key",
    {
        "decisionEvaluationInstanceKey": Field(
            "x.evaluation_key || '-' || x.number", Kind.TEXT, Filter.BASIC
        ),
        "decisionEvaluationKey": plain_field("x.evaluation_key", Kind.KEY),
        "decisionDefinitionKey": key_field("decision_key"),
        "decisionDefinitionId": plain_field("x.decision_id"),
        "decisionDefinitionName": plain_field("x.name"),
        "decisionDefinitionVersion": plain_field("x.version", Kind.INTEGER),
        "decisionDefinitionType": Field("x.type", Kind.ENUM, Filter.PLAIN, names=DECISION_TYPES),
        "rootDecisionDefinitionKey": key_field("root_decision_key"),
        "decisionRequirementsKey": key_field("requirements_key", sorts=False, shows=False),
        "evaluationDate": Field("x.time", Kind.MOMENT, follows_key=True),
        "evaluationFailure": plain_field("x.failure"),
        "state": enum_field("x.state", DECISION_STATES, filter=Filter.FULL_NOT_IN),
        "result": Field("x.result", Kind.TEXT, Filter.NONE, sorts=False),
        "elementInstanceKey": key_field("element_key"),
        "processInstanceKey": key_field("instance_key", filter=Filter.PLAIN),
        "rootProcessInstanceKey": ROOT,
        "processDefinitionKey": key_field("definition_key", filter=Filter.PLAIN),
        "tenantId": plain_field("x.tenant_id"),
        "evaluatedInputs": Field("x.inputs", Kind.JSON, Filter.NONE, sorts=False),
        "matchedRules": Field("x.rules", Kind.JSON, Filter.NONE, sorts=False),
    },
)
