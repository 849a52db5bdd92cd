"""The rows of a history as the fold works on them. Their fields are the columns of `storage/history.py`."""

from typing import ClassVar

import msgspec

from bpmnd.actors.history.durations import NO_DURATIONS


class _Row(msgspec.Struct, gc=False):
    """Changed in place until it is written."""

    TABLE: ClassVar[str]
    key: int


class DefinitionRow(_Row, gc=False):
    TABLE: ClassVar[str] = "definitions"
    process_id: str
    version: int
    version_tag: str | None
    name: str | None
    resource_name: str
    tenant_id: str
    deployment_key: int
    has_start_form: int
    state: int
    content: bytes


class ElementRow(_Row, gc=False):
    """An element of a definition, and how many of its instances there are in each state.

    Element 0 is the process itself, so its instances are process instances. `failing` are active ones with an
    open incident, below them or called from there too; `live_completed` and `live_terminated` are over, but
    their process instance is not. The jobs are open ones.
    """

    TABLE: ClassVar[str] = "elements"
    definition_key: int
    element: int
    element_id: str
    type: int
    name: str | None
    headers: str
    active: int = 0
    completed: int = 0
    terminated: int = 0
    failing: int = 0
    live_completed: int = 0
    live_terminated: int = 0
    jobs_waiting: int = 0
    jobs_active: int = 0
    jobs_failing: int = 0


class InstanceRow(_Row, gc=False):
    """`incidents` counts open ones, those of called instances too; `flows` has a bit for each taken.

    `passed`, while it is live, counts what is over in it (`actors/history/passing.py`).
    """

    TABLE: ClassVar[str] = "instances"
    definition_key: int
    state: int
    start: int
    end: int | None = None
    incidents: int = 0
    parent_key: int | None = None
    parent_element_key: int | None = None
    root_key: int | None = None
    tags: str | None = None
    business_id: str | None = None
    flows: bytes | None = None
    passed: bytes | None = None


class ElementInstanceRow(_Row, gc=False):
    """`incidents` counts open ones, also those below it; `incident_key` is its own."""

    TABLE: ClassVar[str] = "element_instances"
    instance_key: int
    definition_key: int
    element: int
    scope_key: int
    state: int
    start: int
    end: int | None = None
    incidents: int = 0
    incident_key: int | None = None


class JobRow(_Row, gc=False):
    TABLE: ClassVar[str] = "jobs"
    instance_key: int
    definition_key: int
    element: int
    element_key: int
    type: str
    kind: int
    listens_to: int
    state: int
    retries: int
    created: int
    updated: int
    ended: int | None = None
    deadline: int | None = None
    worker: str = ""
    error_code: str | None = None
    error_message: str | None = None


class VariableRow(_Row, gc=False):
    TABLE: ClassVar[str] = "variables"
    instance_key: int
    scope_key: int
    name: str
    value: str


class IncidentRow(_Row, gc=False):
    TABLE: ClassVar[str] = "incidents"
    instance_key: int
    definition_key: int
    element: int
    element_key: int
    job_key: int | None
    type: int
    message: str
    message_hash: int
    created: int
    state: int


class RequirementsRow(_Row, gc=False):
    TABLE: ClassVar[str] = "requirements"
    requirements_id: str
    name: str
    version: int
    resource_name: str
    tenant_id: str


class DecisionRow(_Row, gc=False):
    TABLE: ClassVar[str] = "decisions"
    decision_id: str
    name: str
    version: int
    requirements_key: int
    tenant_id: str


class DecisionInstanceRow(_Row, gc=False):
    """One decision of an evaluation. Inputs and rules are JSON, in the words of the API."""

    TABLE: ClassVar[str] = "decision_instances"
    instance_key: int | None
    definition_key: int | None
    element_key: int | None
    evaluation_key: int
    number: int
    decision_key: int
    decision_id: str
    name: str
    version: int
    type: int
    root_decision_key: int
    requirements_key: int | None
    tenant_id: str
    state: int
    time: int
    failure: str | None
    result: str
    inputs: str
    rules: str


class UserTaskRow(_Row, gc=False):
    """Candidates are the JSON of a list of names. `asked_by` is who wants the change that is under way."""

    TABLE: ClassVar[str] = "user_tasks"
    instance_key: int
    definition_key: int
    element: int
    element_key: int
    state: int
    created: int
    completed: int | None = None
    assignee: str | None = None
    candidate_groups: str = "[]"
    candidate_users: str = "[]"
    due: int | None = None
    follow_up: int | None = None
    priority: int = 0
    form_key: int | None = None
    external_form: str | None = None
    asked_by: str | None = None


class SubscriptionRow(_Row, gc=False):
    """Of a start event it has neither process nor element instance."""

    TABLE: ClassVar[str] = "subscriptions"
    instance_key: int | None
    definition_key: int
    element: int
    element_key: int | None
    name: str
    correlation_key: str | None
    interrupting: int
    state: int
    updated: int


class CorrelationRow(_Row, gc=False):
    TABLE: ClassVar[str] = "correlations"
    subscription_key: int
    message_key: int
    instance_key: int
    definition_key: int
    element: int
    element_key: int | None
    name: str
    correlation_key: str | None
    time: int


class JobTypeRow(_Row, gc=False):
    """The open jobs of a type: `waiting` for a worker, in the hands of one, or without retries."""

    TABLE: ClassVar[str] = "job_types"
    type: str
    waiting: int = 0
    active: int = 0
    failing: int = 0


class OpenIncidentsRow(_Row, gc=False):
    TABLE: ClassVar[str] = "open_incidents"
    count: int = 0


class ActivityRow(_Row, gc=False):
    """What the instances of an element did in a minute. `milliseconds` and `durations` are of the completed
    ones (`actors/history/durations.py`)."""

    TABLE: ClassVar[str] = "activity_minutes"
    begun: int = 0
    completed: int = 0
    terminated: int = 0
    incidents: int = 0
    milliseconds: int = 0
    durations: bytes = NO_DURATIONS


class ActivityHourRow(ActivityRow, gc=False):
    """The same of an hour."""

    TABLE: ClassVar[str] = "activity_hours"


class SubjectRow(_Row, gc=False):
    """What is counted: a number of `SUBJECT_KINDS`, and a JSON list of names of who or what it is about."""

    TABLE: ClassVar[str] = "subjects"
    kind: int
    names: str
    count: int = 0
    last: int = 0


class TallyRow(_Row, gc=False):
    """How often a subject happened in a minute, and when at last."""

    TABLE: ClassVar[str] = "tally_minutes"
    count: int = 0
    last: int = 0


class TallyHourRow(TallyRow, gc=False):
    """The same of an hour."""

    TABLE: ClassVar[str] = "tally_hours"


class AuditRow(_Row, gc=False):
    """One operation that somebody has asked for, and what came of it. `related` is who was assigned."""

    TABLE: ClassVar[str] = "audit"
    instance_key: int | None
    definition_key: int | None
    time: int
    entity: int
    operation: int
    result: int
    entity_key: int
    user: str | None
    element_key: int | None = None
    job_key: int | None = None
    description: str | None = None
    related: str | None = None
    deployment_key: int | None = None
    decision_key: int | None = None
    requirements_key: int | None = None
    form_key: int | None = None
    resource_key: int | None = None
    tenant_id: str | None = None


ROW_TYPES: tuple[type[_Row], ...] = (
    DefinitionRow,
    ElementRow,
    InstanceRow,
    ElementInstanceRow,
    JobRow,
    VariableRow,
    IncidentRow,
    RequirementsRow,
    DecisionRow,
    DecisionInstanceRow,
    UserTaskRow,
    SubscriptionRow,
    CorrelationRow,
    JobTypeRow,
    OpenIncidentsRow,
    ActivityRow,
    ActivityHourRow,
    SubjectRow,
    TallyRow,
    TallyHourRow,
    AuditRow,
)
