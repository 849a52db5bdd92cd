"""What can be searched: each entity is one table of its fields, with what they are called in the API."""

from collections.abc import Mapping
from typing import Final

from bpmnd.actors.history.entities.audit_logs import AUDIT_LOGS
from bpmnd.actors.history.entities.decisions import (
    DECISION_DEFINITIONS,
    DECISION_INSTANCES,
    DECISION_REQUIREMENTS,
)
from bpmnd.actors.history.entities.element_instances import ELEMENT_INSTANCES
from bpmnd.actors.history.entities.fields import Entity, Field, Filter, Kind
from bpmnd.actors.history.entities.incidents import INCIDENTS
from bpmnd.actors.history.entities.jobs import JOBS
from bpmnd.actors.history.entities.messages import CORRELATED_SUBSCRIPTIONS, MESSAGE_SUBSCRIPTIONS
from bpmnd.actors.history.entities.process_definitions import PROCESS_DEFINITIONS
from bpmnd.actors.history.entities.process_instances import PROCESS_INSTANCES
from bpmnd.actors.history.entities.related import RELATED
from bpmnd.actors.history.entities.user_tasks import USER_TASKS
from bpmnd.actors.history.entities.variables import VARIABLES

__all__ = [
    "AUDIT_LOGS",
    "CORRELATED_SUBSCRIPTIONS",
    "DECISION_DEFINITIONS",
    "DECISION_INSTANCES",
    "DECISION_REQUIREMENTS",
    "ELEMENT_INSTANCES",
    "ENTITIES",
    "INCIDENTS",
    "JOBS",
    "MESSAGE_SUBSCRIPTIONS",
    "PROCESS_DEFINITIONS",
    "PROCESS_INSTANCES",
    "RELATED",
    "USER_TASKS",
    "VARIABLES",
    "Entity",
    "Field",
    "Filter",
    "Kind",
]

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
