"""What clients read of the state. Nothing of it leaves anything in the log."""

from bpmnd.bpmn.commands import ReadResource, ReadStartForm, ReadUserTaskForm
from bpmnd.bpmn.feel import MISSING
from bpmnd.bpmn.forms import form_of_definition
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import StartEvent
from bpmnd.bpmn.outcomes import Accepted, FileRead, Outcome, Rejected, RejectionType
from bpmnd.bpmn.state.library import Form, PlainFile
from bpmnd.bpmn.turn import Turn


def user_task_form(turn: Turn, command: ReadUserTaskForm) -> Outcome:
    """Accepted if no form is linked to the task."""
    instance = turn.state.owner_of(command.key)
    task = instance.user_tasks.get(command.key) if instance is not None else None
    if task is None:
        return _not_found(f"User task with key '{command.key}' not found")
    form = turn.state.forms.table.get(task.form_key)
    return Accepted() if form is None else _read(form)


def start_form(turn: Turn, command: ReadStartForm) -> Outcome:
    """Accepted if no form is linked to the start event of the process, or none is deployed for it."""
    definition = turn.state.definitions.get(command.key)
    if definition is None:
        return _not_found(f"Process definition with key '{command.key}' not found")
    process = turn.definitions.executable(definition.key)
    start = None if process.root.start_event is None else process.elements[process.root.start_event]
    if not isinstance(start, StartEvent) or start.form is None:
        return Accepted()
    form_key = form_of_definition(turn, definition, start.form, lambda _: MISSING)
    if isinstance(form_key, Incident):
        return Accepted()
    return _read(turn.state.forms.table.items[form_key])


def resource(turn: Turn, command: ReadResource) -> Outcome:
    file = turn.state.plain_files.get(command.key)
    return _not_found(f"Resource with key '{command.key}' not found") if file is None else _read(file)


def _read(file: Form | PlainFile) -> FileRead:
    return FileRead(
        file.key,
        file.id,
        file.version,
        file.version_tag,
        file.resource_name,
        file.tenant_id,
        file.content,
    )


def _not_found(reason: str) -> Rejected:
    return Rejected(RejectionType.NOT_FOUND, reason)
