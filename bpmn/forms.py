"""Which form a user task is bound to."""

from bpmnd.bpmn.evaluation import evaluate_string
from bpmnd.bpmn.feel import Lookup
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.model.graph import BindingType, FormReference
from bpmnd.bpmn.state.deployed import Definition
from bpmnd.bpmn.state.records import ProcessInstance
from bpmnd.bpmn.turn import Turn


def find_form(turn: Turn, instance: ProcessInstance, form: FormReference, lookup: Lookup) -> int | Incident:
    """The key of the form as it is deployed now; an incident if there is none."""
    definition = turn.state.definitions.items[instance.definition_key]
    return form_of_definition(turn, definition, form, lookup)


def form_of_definition(
    turn: Turn, definition: Definition, form: FormReference, lookup: Lookup
) -> int | Incident:
    """The same for a process that need not run."""
    form_id = evaluate_string(turn, form.form_id, lookup)
    if isinstance(form_id, Incident):
        return form_id
    versions = turn.state.forms.versions_of(definition.tenant_id, form_id)
    match form.binding:
        case BindingType.LATEST:
            for found in versions:
                return found.key
            return _not_found(
                f"Expected to find a form with id '{form_id}', but no form with this id is found."
                " To resolve the incident, deploy a form with this id."
            )
        case BindingType.DEPLOYMENT:
            for found in versions:
                if found.deployment_key == definition.deployment_key:
                    return found.key
            return _not_found(
                f"Expected to use a form with id '{form_id}' with binding type 'deployment', but no such form"
                f" found in the deployment with key {definition.deployment_key} which contained the current"
                " process."
            )
        case BindingType.VERSION_TAG:
            for found in versions:
                if found.version_tag == form.version_tag:
                    return found.key
            return _not_found(
                f"Expected to use a form with id '{form_id}' and version tag '{form.version_tag}',"
                " but no such form found. To resolve the incident, deploy a form with the given id and"
                " version tag."
            )


def _not_found(message: str) -> Incident:
    return Incident(IncidentType.FORM_NOT_FOUND, message)
