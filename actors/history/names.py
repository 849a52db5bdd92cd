"""The names that the API has for states and types, and the numbers they are stored as.

The numbers rise with the alphabet, so that sorting by number sorts by name. A change of a list needs another
version of the schema (`storage/history.py`): the rows are then built anew.
"""

from collections.abc import Mapping
from typing import Final, TypeAlias

Names: TypeAlias = tuple[str, ...]
"""All names of an enumeration; the number of a name is its place."""

INSTANCE_STATES: Final = ("ACTIVE", "COMPLETED", "TERMINATED")
ACTIVE: Final = 0
COMPLETED: Final = 1
TERMINATED: Final = 2

JOB_STATES: Final = (
    "CANCELED",
    "COMPLETED",
    "CREATED",
    "ERROR_THROWN",
    "FAILED",
    "MIGRATED",
    "RETRIES_UPDATED",
    "TIMED_OUT",
)
INCIDENT_STATES: Final = ("ACTIVE", "MIGRATED", "PENDING", "RESOLVED", "UNKNOWN")
USER_TASK_STATES: Final = (
    "ASSIGNING",
    "CANCELED",
    "CANCELING",
    "COMPLETED",
    "COMPLETING",
    "CREATED",
    "CREATING",
    "FAILED",
    "UPDATING",
)
SUBSCRIPTION_STATES: Final = ("CORRELATED", "CREATED", "DELETED", "MIGRATED")
DECISION_STATES: Final = ("EVALUATED", "FAILED", "UNKNOWN", "UNSPECIFIED")
DECISION_TYPES: Final = ("DECISION_TABLE", "LITERAL_EXPRESSION", "UNKNOWN", "UNSPECIFIED")
DEFINITION_STATES: Final = ("ACTIVE", "DELETED")
JOB_KINDS: Final = ("AD_HOC_SUB_PROCESS", "BPMN_ELEMENT", "EXECUTION_LISTENER", "TASK_LISTENER")
LISTENER_EVENTS: Final = (
    "ASSIGNING",
    "CANCELING",
    "COMPLETING",
    "CREATING",
    "END",
    "START",
    "UNSPECIFIED",
    "UPDATING",
)
ERROR_TYPES: Final = (
    "AD_HOC_SUB_PROCESS_NO_RETRIES",
    "CALLED_DECISION_ERROR",
    "CALLED_ELEMENT_ERROR",
    "CONDITION_ERROR",
    "DECISION_EVALUATION_ERROR",
    "EXECUTION_LISTENER_NO_RETRIES",
    "EXTRACT_VALUE_ERROR",
    "FORM_NOT_FOUND",
    "IO_MAPPING_ERROR",
    "JOB_NO_RETRIES",
    "MESSAGE_SIZE_EXCEEDED",
    "RESOURCE_NOT_FOUND",
    "TASK_LISTENER_NO_RETRIES",
    "UNHANDLED_ERROR_EVENT",
    "UNKNOWN",
    "UNSPECIFIED",
)
ELEMENT_TYPES: Final = (
    "AD_HOC_SUB_PROCESS",
    "AD_HOC_SUB_PROCESS_INNER_INSTANCE",
    "BOUNDARY_EVENT",
    "BUSINESS_RULE_TASK",
    "CALL_ACTIVITY",
    "END_EVENT",
    "EVENT_BASED_GATEWAY",
    "EVENT_SUB_PROCESS",
    "EXCLUSIVE_GATEWAY",
    "INCLUSIVE_GATEWAY",
    "INTERMEDIATE_CATCH_EVENT",
    "INTERMEDIATE_THROW_EVENT",
    "MANUAL_TASK",
    "MULTI_INSTANCE_BODY",
    "PARALLEL_GATEWAY",
    "PROCESS",
    "RECEIVE_TASK",
    "SCRIPT_TASK",
    "SEND_TASK",
    "SEQUENCE_FLOW",
    "SERVICE_TASK",
    "START_EVENT",
    "SUB_PROCESS",
    "TASK",
    "UNKNOWN",
    "UNSPECIFIED",
    "USER_TASK",
)
AUDIT_ENTITIES: Final = (
    "AUTHORIZATION",
    "BATCH",
    "CLIENT",
    "DECISION",
    "GROUP",
    "INCIDENT",
    "JOB",
    "MAPPING_RULE",
    "PROCESS_INSTANCE",
    "RESOURCE",
    "ROLE",
    "TENANT",
    "USER",
    "USER_TASK",
    "VARIABLE",
)
AUDIT_OPERATIONS: Final = (
    "ASSIGN",
    "CANCEL",
    "COMPLETE",
    "CREATE",
    "DELETE",
    "EVALUATE",
    "MIGRATE",
    "MODIFY",
    "RESOLVE",
    "RESUME",
    "SUSPEND",
    "UNASSIGN",
    "UNKNOWN",
    "UPDATE",
)
AUDIT_ACTORS: Final = ("ANONYMOUS", "CLIENT", "UNKNOWN", "USER")
AUDIT_RESULTS: Final = ("FAIL", "SUCCESS")
AUDIT_CATEGORIES: Final = ("ADMIN", "DEPLOYED_RESOURCES", "USER_TASKS")
BATCH_OPERATIONS: Final = (
    "ADD_VARIABLE",
    "CANCEL_PROCESS_INSTANCE",
    "DELETE_DECISION_DEFINITION",
    "DELETE_DECISION_INSTANCE",
    "DELETE_PROCESS_DEFINITION",
    "DELETE_PROCESS_INSTANCE",
    "MIGRATE_PROCESS_INSTANCE",
    "MODIFY_PROCESS_INSTANCE",
    "RESOLVE_INCIDENT",
    "UPDATE_VARIABLE",
)


SUBJECT_KINDS: Final = (
    "DECISION_EVALUATED",
    "INSTANCE_CREATED",
    "JOB_ACTIVATED",
    "JOB_COMPLETED",
    "JOB_CREATED",
    "JOB_ERROR",
    "JOB_ERROR_THROWN",
    "JOB_FAILED",
    "JOB_TIMED_OUT",
    "TASK_ASSIGNED",
)
"""What is counted by names: of a decision or a root instance the tenant; of a created job its type, of others
type and worker, of an error code and message too; of an assignment tenant and assignee."""


def numbers_of(names: Names) -> Mapping[str, int]:
    assert list(names) == sorted(names), f"{names} must rise"
    return {name: number for number, name in enumerate(names)}


JOB_KIND: Final = numbers_of(JOB_KINDS)
LISTENER_EVENT: Final = numbers_of(LISTENER_EVENTS)
JOB_STATE: Final = numbers_of(JOB_STATES)
INCIDENT_STATE: Final = numbers_of(INCIDENT_STATES)
DECISION_STATE: Final = numbers_of(DECISION_STATES)
DECISION_TYPE: Final = numbers_of(DECISION_TYPES)
USER_TASK_STATE: Final = numbers_of(USER_TASK_STATES)
SUBSCRIPTION_STATE: Final = numbers_of(SUBSCRIPTION_STATES)
ERROR_TYPE: Final = numbers_of(ERROR_TYPES)
SUBJECT_KIND: Final = numbers_of(SUBJECT_KINDS)
ELEMENT_TYPE: Final = numbers_of(ELEMENT_TYPES)
AUDIT_ENTITY: Final = numbers_of(AUDIT_ENTITIES)
AUDIT_OPERATION: Final = numbers_of(AUDIT_OPERATIONS)
AUDIT_ACTOR: Final = numbers_of(AUDIT_ACTORS)
AUDIT_RESULT: Final = numbers_of(AUDIT_RESULTS)
AUDIT_CATEGORY: Final = numbers_of(AUDIT_CATEGORIES)
