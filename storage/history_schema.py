"""The tables of a history, and their indexes.

Keys are the primary keys of the tables, so rows stand in the order in which things began. What a definition
says of all its instances stands once, in `definitions` and `elements`. Enumerations are small numbers, rising
with the alphabet; moments are milliseconds. No table is ever migrated: another version of the schema is built
anew from the log.
"""

from collections.abc import Mapping
from typing import Final

SCHEMA_VERSION: Final = 7

SLOT_BITS: Final = 24
"""The key of a count over a slot of time is the number of the slot, and in so many bits below that of what is
counted: so what is written together stands together."""
INCIDENT_TYPE_BITS: Final = 8

_ACTIVITY: Final = (
    "key INTEGER PRIMARY KEY",  # The slot, and the key in `elements`.
    "begun INTEGER NOT NULL",
    "completed INTEGER NOT NULL",
    "terminated INTEGER NOT NULL",
    "incidents INTEGER NOT NULL",
    "milliseconds INTEGER NOT NULL",
    "durations BLOB NOT NULL",
)
_TALLY: Final = (
    "key INTEGER PRIMARY KEY",  # The slot, and the key in `subjects`.
    "count INTEGER NOT NULL",
    "last INTEGER NOT NULL",
)

TABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "definitions": (
        "key INTEGER PRIMARY KEY",
        "process_id TEXT NOT NULL",
        "version INTEGER NOT NULL",
        "version_tag TEXT",
        "name TEXT",
        "resource_name TEXT NOT NULL",
        "tenant_id TEXT NOT NULL",
        "deployment_key INTEGER NOT NULL",
        "has_start_form INTEGER NOT NULL",
        "state INTEGER NOT NULL",
        "content BLOB NOT NULL",
    ),
    "elements": (
        "key INTEGER PRIMARY KEY",  # A number of its own: made here, not in the log.
        "definition_key INTEGER NOT NULL",
        "element INTEGER NOT NULL",
        "element_id TEXT NOT NULL",
        "type INTEGER NOT NULL",
        "name TEXT",
        "headers TEXT NOT NULL",
        "active INTEGER NOT NULL",
        "completed INTEGER NOT NULL",
        "terminated INTEGER NOT NULL",
        "failing INTEGER NOT NULL",
        "live_completed INTEGER NOT NULL",
        "live_terminated INTEGER NOT NULL",
        "jobs_waiting INTEGER NOT NULL",
        "jobs_active INTEGER NOT NULL",
        "jobs_failing INTEGER NOT NULL",
    ),
    "instances": (
        "key INTEGER PRIMARY KEY",
        "definition_key INTEGER NOT NULL",
        "state INTEGER NOT NULL",
        "start INTEGER NOT NULL",
        "end INTEGER",
        "incidents INTEGER NOT NULL",
        "parent_key INTEGER",
        "parent_element_key INTEGER",
        "root_key INTEGER",
        "tags TEXT",
        "business_id TEXT",
        "flows BLOB",
        "passed BLOB",
    ),
    "element_instances": (
        "key INTEGER PRIMARY KEY",
        "instance_key INTEGER NOT NULL",
        "definition_key INTEGER NOT NULL",
        "element INTEGER NOT NULL",
        "scope_key INTEGER NOT NULL",
        "state INTEGER NOT NULL",
        "start INTEGER NOT NULL",
        "end INTEGER",
        "incidents INTEGER NOT NULL",
        "incident_key INTEGER",
    ),
    "jobs": (
        "key INTEGER PRIMARY KEY",
        "instance_key INTEGER NOT NULL",
        "definition_key INTEGER NOT NULL",
        "element INTEGER NOT NULL",
        "element_key INTEGER NOT NULL",
        "type TEXT NOT NULL",
        "kind INTEGER NOT NULL",
        "listens_to INTEGER NOT NULL",
        "state INTEGER NOT NULL",
        "retries INTEGER NOT NULL",
        "created INTEGER NOT NULL",
        "updated INTEGER NOT NULL",
        "ended INTEGER",
        "deadline INTEGER",
        "worker TEXT NOT NULL",
        "error_code TEXT",
        "error_message TEXT",
    ),
    "variables": (
        "key INTEGER PRIMARY KEY",
        "instance_key INTEGER NOT NULL",
        "scope_key INTEGER NOT NULL",
        "name TEXT NOT NULL",
        "value TEXT NOT NULL",
    ),
    "incidents": (
        "key INTEGER PRIMARY KEY",
        "instance_key INTEGER NOT NULL",
        "definition_key INTEGER NOT NULL",
        "element INTEGER NOT NULL",
        "element_key INTEGER NOT NULL",
        "job_key INTEGER",
        "type INTEGER NOT NULL",
        "message TEXT NOT NULL",
        "message_hash INTEGER NOT NULL",
        "created INTEGER NOT NULL",
        "state INTEGER NOT NULL",
    ),
    "requirements": (
        "key INTEGER PRIMARY KEY",
        "requirements_id TEXT NOT NULL",
        "name TEXT NOT NULL",
        "version INTEGER NOT NULL",
        "resource_name TEXT NOT NULL",
        "tenant_id TEXT NOT NULL",
    ),
    "decisions": (
        "key INTEGER PRIMARY KEY",
        "decision_id TEXT NOT NULL",
        "name TEXT NOT NULL",
        "version INTEGER NOT NULL",
        "requirements_key INTEGER NOT NULL",
        "tenant_id TEXT NOT NULL",
    ),
    "decision_instances": (
        "key INTEGER PRIMARY KEY",  # Its place in the log.
        "instance_key INTEGER",
        "definition_key INTEGER",
        "element_key INTEGER",
        "evaluation_key INTEGER NOT NULL",
        "number INTEGER NOT NULL",
        "decision_key INTEGER NOT NULL",
        "decision_id TEXT NOT NULL",
        "name TEXT NOT NULL",
        "version INTEGER NOT NULL",
        "type INTEGER NOT NULL",
        "root_decision_key INTEGER NOT NULL",
        "requirements_key INTEGER",
        "tenant_id TEXT NOT NULL",
        "state INTEGER NOT NULL",
        "time INTEGER NOT NULL",
        "failure TEXT",
        "result TEXT NOT NULL",
        "inputs TEXT NOT NULL",
        "rules TEXT NOT NULL",
    ),
    "user_tasks": (
        "key INTEGER PRIMARY KEY",
        "instance_key INTEGER NOT NULL",
        "definition_key INTEGER NOT NULL",
        "element INTEGER NOT NULL",
        "element_key INTEGER NOT NULL",
        "state INTEGER NOT NULL",
        "created INTEGER NOT NULL",
        "completed INTEGER",
        "assignee TEXT",
        "candidate_groups TEXT NOT NULL",
        "candidate_users TEXT NOT NULL",
        "due INTEGER",
        "follow_up INTEGER",
        "priority INTEGER NOT NULL",
        "form_key INTEGER",
        "external_form TEXT",
        "asked_by TEXT",
    ),
    "subscriptions": (
        "key INTEGER PRIMARY KEY",
        "instance_key INTEGER",
        "definition_key INTEGER NOT NULL",
        "element INTEGER NOT NULL",
        "element_key INTEGER",
        "name TEXT NOT NULL",
        "correlation_key TEXT",
        "interrupting INTEGER NOT NULL",
        "state INTEGER NOT NULL",
        "updated INTEGER NOT NULL",
    ),
    "correlations": (
        "key INTEGER PRIMARY KEY",  # Its place in the log.
        "subscription_key INTEGER NOT NULL",
        "message_key INTEGER NOT NULL",
        "instance_key INTEGER NOT NULL",
        "definition_key INTEGER NOT NULL",
        "element INTEGER NOT NULL",
        "element_key INTEGER",
        "name TEXT NOT NULL",
        "correlation_key TEXT",
        "time INTEGER NOT NULL",
    ),
    "audit": (
        "key INTEGER PRIMARY KEY",  # Its place in the log.
        "instance_key INTEGER",
        "definition_key INTEGER",
        "time INTEGER NOT NULL",
        "entity INTEGER NOT NULL",
        "operation INTEGER NOT NULL",
        "result INTEGER NOT NULL",
        "entity_key INTEGER NOT NULL",
        "user TEXT",
        "element_key INTEGER",
        "job_key INTEGER",
        "description TEXT",
        "related TEXT",
        "deployment_key INTEGER",
        "decision_key INTEGER",
        "requirements_key INTEGER",
        "form_key INTEGER",
        "resource_key INTEGER",
        "tenant_id TEXT",
    ),
    "job_types": (
        "key INTEGER PRIMARY KEY",  # A number of its own, as below.
        "type TEXT NOT NULL",
        "waiting INTEGER NOT NULL",
        "active INTEGER NOT NULL",
        "failing INTEGER NOT NULL",
    ),
    "open_incidents": (
        "key INTEGER PRIMARY KEY",  # That of the process in `elements`, and the type of the error.
        "count INTEGER NOT NULL",
    ),
    "activity_minutes": _ACTIVITY,
    "activity_hours": _ACTIVITY,
    "subjects": (
        "key INTEGER PRIMARY KEY",
        "kind INTEGER NOT NULL",
        "names TEXT NOT NULL",
        "count INTEGER NOT NULL",
        "last INTEGER NOT NULL",
    ),
    "tally_minutes": _TALLY,
    "tally_hours": _TALLY,
}
"""Table -> columns. The order is that of the rows which are written."""

INDEXES: Final = (
    "CREATE UNIQUE INDEX definitions_id ON definitions (process_id, tenant_id, version)",
    "CREATE UNIQUE INDEX elements_place ON elements (definition_key, element)",
    "CREATE INDEX elements_id ON elements (element_id)",
    "CREATE INDEX elements_processes ON elements (element) WHERE element = 0",
    "CREATE INDEX instances_definition ON instances (definition_key)",
    "CREATE INDEX instances_live ON instances (state) WHERE state = 0",
    "CREATE INDEX instances_live_of ON instances (state, definition_key) WHERE state = 0",
    "CREATE INDEX instances_failing ON instances (incidents) WHERE incidents > 0",
    "CREATE INDEX instances_terminated ON instances (state) WHERE state = 2",
    "CREATE INDEX instances_start ON instances (start)",
    'CREATE INDEX instances_end ON instances ("end")',
    "CREATE INDEX instances_business ON instances (business_id) WHERE business_id IS NOT NULL",
    "CREATE INDEX instances_parent ON instances (parent_key) WHERE parent_key IS NOT NULL",
    "CREATE INDEX elements_of_instance ON element_instances (instance_key)",
    "CREATE INDEX elements_live ON element_instances (definition_key, element) WHERE state = 0",
    "CREATE INDEX elements_failing ON element_instances (incidents) WHERE incidents > 0",
    "CREATE INDEX jobs_of_instance ON jobs (instance_key)",
    "CREATE INDEX jobs_open ON jobs (type) WHERE ended IS NULL",
    "CREATE INDEX jobs_created ON jobs (state, type) WHERE state = 2",
    "CREATE INDEX jobs_failed ON jobs (state) WHERE state = 4",
    "CREATE INDEX variables_of_instance ON variables (instance_key)",
    "CREATE INDEX variables_value ON variables (name, substr(value, 1, 40))",
    "CREATE INDEX incidents_of_instance ON incidents (instance_key)",
    "CREATE INDEX incidents_state ON incidents (state)",
    "CREATE INDEX incidents_hash ON incidents (message_hash)",
    "CREATE INDEX decisions_of_instance ON decision_instances (instance_key) WHERE instance_key IS NOT NULL",
    "CREATE INDEX decisions_evaluation ON decision_instances (evaluation_key)",
    "CREATE INDEX decisions_definition ON decision_instances (decision_key)",
    "CREATE INDEX decisions_failed ON decision_instances (state) WHERE state = 1",
    "CREATE INDEX user_tasks_of_instance ON user_tasks (instance_key)",
    "CREATE INDEX user_tasks_created ON user_tasks (state) WHERE state = 5",
    "CREATE INDEX user_tasks_assignee ON user_tasks (assignee) WHERE assignee IS NOT NULL",
    "CREATE INDEX subscriptions_of_instance ON subscriptions (instance_key)",
    "CREATE INDEX correlations_of_instance ON correlations (instance_key)",
    "CREATE INDEX audit_of_instance ON audit (instance_key) WHERE instance_key IS NOT NULL",
    "CREATE INDEX audit_of_none ON audit (time) WHERE instance_key IS NULL",
    "CREATE INDEX audit_user ON audit (user) WHERE user IS NOT NULL",
)
META: Final = (
    "CREATE TABLE meta (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL,"
    ' "index" INTEGER NOT NULL, term INTEGER NOT NULL, hash BLOB NOT NULL, time INTEGER NOT NULL,'
    " begins_after INTEGER NOT NULL)"
)
OF_INSTANCE: Final = (
    "element_instances",
    "jobs",
    "variables",
    "incidents",
    "decision_instances",
    "user_tasks",
    "subscriptions",
    "correlations",
    "audit",
)
"""Tables whose rows go with their process instance."""
