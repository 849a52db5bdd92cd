"""What can be searched: each entity is one table of its fields, with what they are called in the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, final

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
    DECISION_STATES,
    DECISION_TYPES,
    DEFINITION_STATES,
    ELEMENT_TYPES,
    ERROR_TYPES,
    INCIDENT_STATES,
    INSTANCE_STATES,
    JOB_KINDS,
    JOB_STATES,
    LISTENER_EVENTS,
    SUBSCRIPTION_STATES,
    USER_TASK_STATES,
    Names,
)


class Kind(Enum):
    """What the values of a field are outside."""

    KEY = auto()
    TEXT = auto()
    INTEGER = auto()
    MOMENT = auto()
    BOOLEAN = auto()
    ENUM = auto()
    JSON = auto()
    """Text that is JSON, shown as what it stands for."""


class Filter(Enum):
    """How a field can be filtered by."""

    NONE = auto()
    PLAIN = auto()
    """By equality alone, without operators."""
    BASIC = auto()
    """All operators of its kind, but for `$like`."""
    FULL = auto()
    FULL_NOT_IN = auto()
    """With `$notIn`, which only some enumerations have."""


@final
@dataclass(frozen=True, slots=True)
class Field:
    """A column or an expression, but no bare number: in an order that would be the number of a column."""

    sql: str
    kind: Kind
    filter: Filter = Filter.FULL
    sorts: bool = True
    shows: bool = True
    names: Names = ()
    on_definition: bool = False
    """It is the same for all rows of a definition: which those are is found out before."""
    on_element: bool = False
    """The same for all instances of an element."""
    has_prefix_index: bool = False
    """There is an index on its first characters."""
    follows_key: bool = False
    """In one partition it never goes down as keys go up."""
    is_cut: bool = False
    """It may be long, and be cut where it is shown."""
    found_by: str = ""
    """Where few rows have it: a condition by which they are looked up one by one."""


@final
@dataclass(frozen=True, slots=True)
class Entity:
    """A table that is searched, and what is joined to it only when a field needs it."""

    table: str
    joins: str
    key: str
    fields: Mapping[str, Field]

    @property
    def shown(self) -> Mapping[str, Field]:
        return {name: field for name, field in self.fields.items() if field.shows}


_DEFINITION: Final = " LEFT JOIN definitions d ON d.key = x.definition_key"
_ELEMENT: Final = " LEFT JOIN elements e ON e.definition_key = x.definition_key AND e.element = x.element"
_INSTANCE: Final = " LEFT JOIN instances i ON i.key = x.instance_key"
_ROOT: Final = Field("coalesce(i.root_key, x.instance_key)", Kind.KEY, Filter.NONE, sorts=False)


def _key(column: str, *, filter: Filter = Filter.FULL, sorts: bool = True, shows: bool = True) -> Field:
    return Field(f"x.{column}", Kind.KEY, filter, sorts, shows)


def _enum(
    column: str, names: Names, *, filter: Filter = Filter.FULL, sorts: bool = True, shows: bool = True
) -> Field:
    return Field(column, Kind.ENUM, filter, sorts, shows, names)


def _of_definition(
    column: str, kind: Kind = Kind.TEXT, *, filter: Filter = Filter.FULL, sorts: bool = True
) -> Field:
    return Field(f"d.{column}", kind, filter, sorts, on_definition=True)


_TENANT: Final = _of_definition("tenant_id")

PROCESS_INSTANCES: Final = Entity(
    "instances x",
    _DEFINITION,
    "x.key",
    {
        "processInstanceKey": _key("key"),
        "processDefinitionId": _of_definition("process_id"),
        "processDefinitionName": _of_definition("name"),
        "processDefinitionVersion": _of_definition("version", Kind.INTEGER),
        "processDefinitionVersionTag": _of_definition("version_tag"),
        "processDefinitionKey": _key("definition_key"),
        "startDate": Field("x.start", Kind.MOMENT, follows_key=True),
        "endDate": Field('x."end"', Kind.MOMENT),
        "state": _enum("x.state", INSTANCE_STATES),
        "hasIncident": Field(
            "x.incidents > 0",
            Kind.BOOLEAN,
            Filter.PLAIN,
            found_by="x.key IN (SELECT f.key FROM instances f WHERE f.incidents > 0)",
        ),
        "tenantId": _TENANT,
        "parentProcessInstanceKey": _key("parent_key"),
        "parentElementInstanceKey": _key("parent_element_key"),
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
ELEMENT_INSTANCES: Final = Entity(
    "element_instances x",
    _DEFINITION + _ELEMENT + _INSTANCE,
    "x.key",
    {
        "elementInstanceKey": _key("key", filter=Filter.PLAIN),
        "processInstanceKey": _key("instance_key", filter=Filter.PLAIN),
        "rootProcessInstanceKey": _ROOT,
        "processDefinitionKey": _key("definition_key", filter=Filter.PLAIN),
        "processDefinitionId": _of_definition("process_id", filter=Filter.PLAIN),
        "startDate": Field("x.start", Kind.MOMENT),
        "endDate": Field('x."end"', Kind.MOMENT),
        "elementId": Field("e.element_id", Kind.TEXT, Filter.PLAIN, on_element=True),
        "elementName": Field("coalesce(e.name, e.element_id)", Kind.TEXT, Filter.PLAIN, on_element=True),
        "type": Field("e.type", Kind.ENUM, Filter.PLAIN, names=ELEMENT_TYPES, on_element=True),
        "state": _enum("x.state", INSTANCE_STATES),
        "hasIncident": Field("x.incidents > 0", Kind.BOOLEAN, Filter.PLAIN, sorts=False),
        "incidentKey": _key("incident_key", filter=Filter.PLAIN),
        "tenantId": _of_definition("tenant_id", filter=Filter.PLAIN),
        "elementInstanceScopeKey": _key("scope_key", filter=Filter.PLAIN, sorts=False, shows=False),
    },
)
INCIDENTS: Final = Entity(
    "incidents x",
    _DEFINITION + _ELEMENT + _INSTANCE,
    "x.key",
    {
        "incidentKey": _key("key", filter=Filter.BASIC),
        "processDefinitionKey": _key("definition_key"),
        "processDefinitionId": _of_definition("process_id"),
        "processInstanceKey": _key("instance_key"),
        "rootProcessInstanceKey": _ROOT,
        "errorType": _enum("x.type", ERROR_TYPES, filter=Filter.FULL_NOT_IN),
        "errorMessage": Field("x.message", Kind.TEXT, sorts=False),
        "elementId": Field("coalesce(e.element_id, '')", Kind.TEXT, on_element=True),
        "elementInstanceKey": _key("element_key"),
        "creationTime": Field("x.created", Kind.MOMENT, follows_key=True),
        "state": _enum("x.state", INCIDENT_STATES, filter=Filter.FULL_NOT_IN),
        "jobKey": _key("job_key"),
        "tenantId": _TENANT,
    },
)
_FAILED: Final = JOB_STATES.index("FAILED")
JOBS: Final = Entity(
    "jobs x",
    _DEFINITION + _ELEMENT + _INSTANCE,
    "x.key",
    {
        "jobKey": _key("key"),
        "processDefinitionKey": _key("definition_key"),
        "processDefinitionId": _of_definition("process_id"),
        "processInstanceKey": _key("instance_key"),
        "rootProcessInstanceKey": _ROOT,
        "elementId": Field("e.element_id", Kind.TEXT, on_element=True),
        "elementInstanceKey": _key("element_key"),
        "type": Field("x.type", Kind.TEXT),
        "kind": _enum("x.kind", JOB_KINDS),
        "listenerEventType": _enum("x.listens_to", LISTENER_EVENTS),
        "state": _enum("x.state", JOB_STATES),
        "retries": Field("x.retries", Kind.INTEGER),
        "worker": Field("x.worker", Kind.TEXT),
        "deadline": Field("x.deadline", Kind.MOMENT),
        "creationTime": Field("x.created", Kind.MOMENT, sorts=False),
        "lastUpdateTime": Field("x.updated", Kind.MOMENT, sorts=False),
        "endTime": Field("x.ended", Kind.MOMENT),
        "errorCode": Field("x.error_code", Kind.TEXT),
        "errorMessage": Field("x.error_message", Kind.TEXT),
        "hasFailedWithRetriesLeft": Field(
            f"(x.state = {_FAILED} AND x.retries > 0)", Kind.BOOLEAN, Filter.PLAIN
        ),
        "isDenied": Field("NULL", Kind.BOOLEAN, Filter.PLAIN),
        "deniedReason": Field("NULL", Kind.TEXT),
        "customHeaders": Field("coalesce(e.headers, '{}')", Kind.JSON, Filter.NONE, sorts=False),
        "tenantId": _TENANT,
    },
)
VARIABLES: Final = Entity(
    "variables x",
    _INSTANCE + " LEFT JOIN definitions d ON d.key = i.definition_key",
    "x.key",
    {
        "variableKey": _key("key"),
        "name": Field("x.name", Kind.TEXT),
        "value": Field("x.value", Kind.TEXT, has_prefix_index=True, is_cut=True),
        "isTruncated": Field("length(x.value) > 8191", Kind.BOOLEAN, Filter.PLAIN, sorts=False),
        "scopeKey": _key("scope_key"),
        "processInstanceKey": _key("instance_key"),
        "rootProcessInstanceKey": _ROOT,
        "tenantId": Field("d.tenant_id", Kind.TEXT, Filter.PLAIN),
    },
)
PROCESS_DEFINITIONS: Final = Entity(
    "definitions x",
    "",
    "x.key",
    {
        "processDefinitionKey": _key("key", filter=Filter.PLAIN),
        "processDefinitionId": Field("x.process_id", Kind.TEXT),
        "name": Field("x.name", Kind.TEXT),
        "resourceName": Field("x.resource_name", Kind.TEXT, Filter.PLAIN),
        "version": Field("x.version", Kind.INTEGER, Filter.PLAIN),
        "versionTag": Field("x.version_tag", Kind.TEXT, Filter.PLAIN),
        "tenantId": Field("x.tenant_id", Kind.TEXT, Filter.PLAIN),
        "hasStartForm": Field("x.has_start_form", Kind.BOOLEAN, Filter.PLAIN, sorts=False),
        "state": _enum("x.state", DEFINITION_STATES, filter=Filter.PLAIN, sorts=False),
        "isLatestVersion": Field(
            "NOT EXISTS (SELECT 1 FROM definitions later WHERE later.process_id = x.process_id"
            " AND later.tenant_id = x.tenant_id AND later.version > x.version AND later.state = x.state)",
            Kind.BOOLEAN,
            Filter.PLAIN,
            sorts=False,
            shows=False,
        ),
    },
)
MESSAGE_SUBSCRIPTIONS: Final = Entity(
    "subscriptions x",
    _DEFINITION + _ELEMENT + _INSTANCE,
    "x.key",
    {
        "messageSubscriptionKey": _key("key"),
        "processDefinitionKey": _key("definition_key", sorts=False),
        "processDefinitionId": _of_definition("process_id"),
        "processInstanceKey": _key("instance_key"),
        "rootProcessInstanceKey": _ROOT,
        "elementId": Field("coalesce(e.element_id, '')", Kind.TEXT, on_element=True),
        "elementInstanceKey": _key("element_key"),
        "messageSubscriptionState": _enum("x.state", SUBSCRIPTION_STATES),
        "lastUpdatedDate": Field("x.updated", Kind.MOMENT),
        "messageName": Field("x.name", Kind.TEXT),
        "correlationKey": Field("x.correlation_key", Kind.TEXT),
        "tenantId": _TENANT,
    },
)
CORRELATED_SUBSCRIPTIONS: Final = Entity(
    "correlations x",
    _DEFINITION + _ELEMENT + _INSTANCE,
    "x.key",
    {
        "subscriptionKey": _key("subscription_key"),
        "messageKey": _key("message_key", filter=Filter.BASIC),
        "messageName": Field("x.name", Kind.TEXT),
        "correlationKey": Field("x.correlation_key", Kind.TEXT),
        "correlationTime": Field("x.time", Kind.MOMENT),
        "elementId": Field("coalesce(e.element_id, '')", Kind.TEXT, on_element=True),
        "elementInstanceKey": _key("element_key"),
        "partitionId": Field("x.subscription_key >> 51", Kind.INTEGER),
        "processDefinitionId": _of_definition("process_id"),
        "processDefinitionKey": _key("definition_key"),
        "processInstanceKey": _key("instance_key"),
        "rootProcessInstanceKey": _ROOT,
        "tenantId": _TENANT,
    },
)


def _plain(column: str, kind: Kind = Kind.TEXT, *, sorts: bool = True) -> Field:
    return Field(column, kind, Filter.PLAIN, sorts)


DECISION_DEFINITIONS: Final = Entity(
    "decisions x",
    " LEFT JOIN requirements q ON q.key = x.requirements_key",
    "x.key",
    {
        "decisionDefinitionKey": _plain("x.key", Kind.KEY),
        "decisionDefinitionId": _plain("x.decision_id"),
        "name": _plain("x.name"),
        "version": _plain("x.version", Kind.INTEGER),
        "decisionRequirementsKey": _plain("x.requirements_key", Kind.KEY),
        "decisionRequirementsId": _plain("q.requirements_id"),
        "decisionRequirementsName": _plain("q.name"),
        "decisionRequirementsVersion": _plain("q.version", Kind.INTEGER),
        "tenantId": _plain("x.tenant_id"),
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
        "decisionRequirementsKey": _plain("x.key", Kind.KEY),
        "decisionRequirementsId": _plain("x.requirements_id"),
        "decisionRequirementsName": _plain("x.name"),
        "version": _plain("x.version", Kind.INTEGER),
        "resourceName": _plain("x.resource_name", sorts=False),
        "tenantId": _plain("x.tenant_id"),
    },
)
DECISION_INSTANCES: Final = Entity(
    "decision_instances x",
    _INSTANCE,
    "x.key",
    {
        "decisionEvaluationInstanceKey": Field(
            "x.evaluation_key || '-' || x.number", Kind.TEXT, Filter.BASIC
        ),
        "decisionEvaluationKey": _plain("x.evaluation_key", Kind.KEY),
        "decisionDefinitionKey": _key("decision_key"),
        "decisionDefinitionId": _plain("x.decision_id"),
        "decisionDefinitionName": _plain("x.name"),
        "decisionDefinitionVersion": _plain("x.version", Kind.INTEGER),
        "decisionDefinitionType": Field("x.type", Kind.ENUM, Filter.PLAIN, names=DECISION_TYPES),
        "rootDecisionDefinitionKey": _key("root_decision_key"),
        "decisionRequirementsKey": _key("requirements_key", sorts=False, shows=False),
        "evaluationDate": Field("x.time", Kind.MOMENT, follows_key=True),
        "evaluationFailure": _plain("x.failure"),
        "state": _enum("x.state", DECISION_STATES, filter=Filter.FULL_NOT_IN),
        "result": Field("x.result", Kind.TEXT, Filter.NONE, sorts=False),
        "elementInstanceKey": _key("element_key"),
        "processInstanceKey": _key("instance_key", filter=Filter.PLAIN),
        "rootProcessInstanceKey": _ROOT,
        "processDefinitionKey": _key("definition_key", filter=Filter.PLAIN),
        "tenantId": _plain("x.tenant_id"),
        "evaluatedInputs": Field("x.inputs", Kind.JSON, Filter.NONE, sorts=False),
        "matchedRules": Field("x.rules", Kind.JSON, Filter.NONE, sorts=False),
    },
)
USER_TASKS: Final = Entity(
    "user_tasks x",
    _DEFINITION + _ELEMENT + _INSTANCE,
    "x.key",
    {
        "userTaskKey": _key("key", filter=Filter.PLAIN, sorts=False),
        "elementInstanceKey": _key("element_key", filter=Filter.PLAIN, sorts=False),
        "processInstanceKey": _key("instance_key", filter=Filter.PLAIN, sorts=False),
        "rootProcessInstanceKey": _ROOT,
        "processDefinitionKey": _key("definition_key", filter=Filter.PLAIN, sorts=False),
        "processDefinitionId": _of_definition("process_id", filter=Filter.PLAIN, sorts=False),
        "processDefinitionVersion": _of_definition("version", Kind.INTEGER, filter=Filter.NONE, sorts=False),
        "processName": _of_definition("name", filter=Filter.NONE, sorts=False),
        "tenantId": _of_definition("tenant_id", sorts=False),
        "elementId": Field("e.element_id", Kind.TEXT, Filter.PLAIN, sorts=False, on_element=True),
        "name": Field("e.name", Kind.TEXT, on_element=True),
        "state": _enum("x.state", USER_TASK_STATES, sorts=False),
        "assignee": Field("x.assignee", Kind.TEXT, sorts=False),
        "candidateGroups": Field("x.candidate_groups", Kind.JSON, Filter.NONE, sorts=False),
        "candidateUsers": Field("x.candidate_users", Kind.JSON, Filter.NONE, sorts=False),
        "priority": Field("x.priority", Kind.INTEGER),
        "creationDate": Field("x.created", Kind.MOMENT, follows_key=True),
        "completionDate": Field("x.completed", Kind.MOMENT),
        "dueDate": Field("x.due", Kind.MOMENT),
        "followUpDate": Field("x.follow_up", Kind.MOMENT),
        "formKey": _key("form_key", filter=Filter.NONE, sorts=False),
        "externalFormReference": Field("x.external_form", Kind.TEXT, Filter.NONE, sorts=False),
        "customHeaders": Field("coalesce(e.headers, '{}')", Kind.JSON, Filter.NONE, sorts=False),
        "tags": Field("coalesce(i.tags, '[]')", Kind.JSON, Filter.NONE, sorts=False),
    },
)
_TASK: Final = AUDIT_ENTITY["USER_TASK"]
AUDIT_LOGS: Final = Entity(
    "audit x",
    _DEFINITION
    + _INSTANCE
    + " LEFT JOIN decisions c ON c.key = x.decision_key"
    + " LEFT JOIN requirements q ON q.key = x.requirements_key",
    "x.key",
    {
        "auditLogKey": _key("key"),
        "entityKey": Field("CAST(x.entity_key AS TEXT)", Kind.TEXT, Filter.BASIC),
        "entityType": _enum("x.entity", AUDIT_ENTITIES),
        "operationType": _enum("x.operation", AUDIT_OPERATIONS),
        # There are no batch operations yet that an operation could be part of.
        "batchOperationKey": Field("NULL", Kind.TEXT, Filter.NONE),
        "batchOperationType": Field("NULL", Kind.ENUM, names=BATCH_OPERATIONS),
        "timestamp": Field("x.time", Kind.MOMENT, follows_key=True),
        "actorId": Field("x.user", Kind.TEXT),
        "actorType": _enum(
            f"iif(x.user IS NULL, {AUDIT_ACTOR['ANONYMOUS']}, {AUDIT_ACTOR['USER']})", AUDIT_ACTORS
        ),
        "agentElementId": Field("NULL", Kind.TEXT, sorts=False),
        "tenantId": Field("coalesce(d.tenant_id, x.tenant_id)", Kind.TEXT),
        "result": _enum("x.result", AUDIT_RESULTS),
        "category": _enum(
            f"iif(x.entity = {_TASK}, {AUDIT_CATEGORY['USER_TASKS']},"
            f" {AUDIT_CATEGORY['DEPLOYED_RESOURCES']})",
            AUDIT_CATEGORIES,
        ),
        "processDefinitionId": Field("d.process_id", Kind.TEXT),
        "processDefinitionKey": _key("definition_key"),
        "processInstanceKey": _key("instance_key"),
        "rootProcessInstanceKey": _ROOT,
        "elementInstanceKey": _key("element_key"),
        "jobKey": _key("job_key"),
        "userTaskKey": Field(
            f"iif(x.entity = {_TASK}, CAST(x.entity_key AS TEXT), NULL)", Kind.TEXT, Filter.BASIC
        ),
        "decisionRequirementsId": Field("q.requirements_id", Kind.TEXT),
        "decisionRequirementsKey": _key("requirements_key"),
        "decisionDefinitionId": Field("c.decision_id", Kind.TEXT),
        "decisionDefinitionKey": _key("decision_key"),
        "decisionEvaluationKey": Field(
            f"iif(x.operation = {AUDIT_OPERATIONS.index('EVALUATE')}, x.entity_key, NULL)", Kind.KEY
        ),
        "deploymentKey": _key("deployment_key", sorts=False),
        "formKey": _key("form_key", sorts=False),
        "resourceKey": _key("resource_key", sorts=False),
        "relatedEntityKey": Field("x.related", Kind.TEXT, Filter.BASIC, sorts=False),
        "relatedEntityType": _enum(
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
ENTITIES: Final[Mapping[str, Entity]] = {
    "process instance": PROCESS_INSTANCES,
    "element instance": ELEMENT_INSTANCES,
    "incident": INCIDENTS,
    "job": JOBS,
    "variable": VARIABLES,
    "process definition": PROCESS_DEFINITIONS,
    "decision definition": DECISION_DEFINITIONS,
    "decision requirements": DECISION_REQUIREMENTS,
    "decision instance": DECISION_INSTANCES,
    "user task": USER_TASKS,
    "message subscription": MESSAGE_SUBSCRIPTIONS,
    "correlated message subscription": CORRELATED_SUBSCRIPTIONS,
    "audit log": AUDIT_LOGS,
}

_VARIABLE: Final[Mapping[str, Field]] = {
    "name": Field("r.name", Kind.TEXT),
    "value": Field("r.value", Kind.TEXT, has_prefix_index=True),
}
RELATED: Final[Mapping[str, tuple[str, Mapping[str, Field]]]] = {
    "variable": (
        "variables r WHERE r.instance_key = x.key",
        _VARIABLE,
    ),
    "open incident": (
        f"incidents r WHERE r.instance_key = x.key AND r.state = {INCIDENT_STATES.index('ACTIVE')}",
        {
            "errorMessage": Field("r.message", Kind.TEXT),
            "incidentErrorHashCode": Field("r.message_hash", Kind.INTEGER),
        },
    ),
    "failed job": (
        f"jobs r WHERE r.instance_key = x.key AND r.state = {_FAILED} AND r.retries > 0",
        {},
    ),
    "element instance": (
        "element_instances r JOIN elements re ON re.definition_key = r.definition_key"
        " AND re.element = r.element WHERE r.instance_key = x.key",
        {
            "elementInstanceState": Field("r.state", Kind.ENUM, names=INSTANCE_STATES),
            "elementId": Field("re.element_id", Kind.TEXT),
            "hasElementInstanceIncident": Field("r.incidents > 0", Kind.BOOLEAN),
        },
    ),
    "tag of task": (
        "json_each(coalesce(i.tags, '[]')) r WHERE 1",
        {"tag": Field("r.value", Kind.TEXT)},
    ),
    "candidateGroup": (
        "json_each(x.candidate_groups) r WHERE 1",
        {"candidateGroup": Field("r.value", Kind.TEXT)},
    ),
    "candidateUser": (
        "json_each(x.candidate_users) r WHERE 1",
        {"candidateUser": Field("r.value", Kind.TEXT)},
    ),
    "variable of instance": (
        "variables r WHERE r.instance_key = x.instance_key AND r.scope_key = x.instance_key",
        _VARIABLE,
    ),
    "variable of task": (
        "variables r WHERE r.instance_key = x.instance_key AND r.scope_key = x.element_key",
        _VARIABLE,
    ),
    "tag": (
        "json_each(coalesce(x.tags, '[]')) r WHERE 1",
        {"tag": Field("r.value", Kind.TEXT)},
    ),
}
"""What a process instance or a user task may have: a part of SQL, and the fields to look for."""
