"""User tasks."""

from typing import Final

from bpmnd.actors.history.entities.fields import (
    DEFINITION,
    ELEMENT,
    INSTANCE,
    ROOT,
    Entity,
    Field,
    Filter,
    Kind,
    definition_field,
    enum_field,
    key_field,
)
from bpmnd.actors.history.names import USER_TASK_STATES

USER_TASKS: Final = Entity(
    "user_tasks x",
    DEFINITION + ELEMENT + INSTANCE,
    "x.key",
    {
        "userTaskKey": key_field("key", filter=Filter.PLAIN, sorts=False),
        "elementInstanceKey": key_field("element_key", filter=Filter.PLAIN, sorts=False),
        "processInstanceKey": key_field("instance_key", filter=Filter.PLAIN, sorts=False),
        "rootProcessInstanceKey": ROOT,
        "processDefinitionKey": key_field("definition_key", filter=Filter.PLAIN, sorts=False),
        "processDefinitionId": definition_field("process_id", filter=Filter.PLAIN, sorts=False),
        "processDefinitionVersion": definition_field(
            "version", Kind.INTEGER, filter=Filter.NONE, sorts=False
        ),
        "processName": definition_field("name", filter=Filter.NONE, sorts=False),
        "tenantId": definition_field("tenant_id", sorts=False),
        "elementId": Field("e.element_id", Kind.TEXT, Filter.PLAIN, sorts=False, on_element=True),
        "name": Field("e.name", Kind.TEXT, on_element=True),
        "state": enum_field("x.state", USER_TASK_STATES, sorts=False),
        "assignee": Field("x.assignee", Kind.TEXT, sorts=False),
        "candidateGroups": Field("x.candidate_groups", Kind.JSON, Filter.NONE, sorts=False),
        "candidateUsers": Field("x.candidate_users", Kind.JSON, Filter.NONE, sorts=False),
        "priority": Field("x.priority", Kind.INTEGER),
        "creationDate": Field("x.created", Kind.MOMENT, follows_key=True),
        "completionDate": Field("x.completed", Kind.MOMENT),
        "dueDate": Field("x.due", Kind.MOMENT),
        "followUpDate": Field("x.follow_up", Kind.MOMENT),
        "formKey": key_field("form_key", filter=Filter.NONE, sorts=False),
        "externalFormReference": Field("x.external_form", Kind.TEXT, Filter.NONE, sorts=False),
        "customHeaders": Field("coalesce(e.headers, '{}')", Kind.JSON, Filter.NONE, sorts=False),
        "tags": Field("coalesce(i.tags, '[]')", Kind.JSON, Filter.NONE, sorts=False),
    },
)
