"""What belongs to what is searched, and can be asked for there."""

from collections.abc import Mapping
from typing import Final

from bpmnd.actors.history.entities.fields import Field, Kind
from bpmnd.actors.history.entities.jobs import FAILED
from bpmnd.actors.history.names import INCIDENT_STATES, INSTANCE_STATES

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
        f"jobs r WHERE r.instance_key = x.key AND r.state = {FAILED} AND r.retries > 0",
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
