"""User tasks in models, for tests."""

from bpmnd.bpmn.events import UserTaskCreating
from tests.bpmn.playground import Playground


def user_task(element_id: str, *extensions: str, native: bool = True) -> str:
    inner = ("<zeebe:userTask/>" if native else "") + "".join(extensions)
    return f'<userTask id="{element_id}"><extensionElements>{inner}</extensionElements></userTask>'


def assigned(**attributes: str) -> str:
    """`assignee`, `candidateGroups`, `candidateUsers`."""
    return _extension("assignmentDefinition", attributes)


def scheduled(**attributes: str) -> str:
    """`dueDate`, `followUpDate`."""
    return _extension("taskSchedule", attributes)


def prioritized(priority: str) -> str:
    return _extension("priorityDefinition", {"priority": priority})


def formed(**attributes: str) -> str:
    """`formId`, `externalReference`, `formKey`, `bindingType`, `versionTag`."""
    return _extension("formDefinition", attributes)


def heard(*of: tuple[str, str]) -> str:
    """Task listeners: each is an event, such as `completing`, and a job type."""
    inner = "".join(f'<zeebe:taskListener eventType="{event}" type="{_quoted(job)}"/>' for event, job in of)
    return f"<zeebe:taskListeners>{inner}</zeebe:taskListeners>"


def task_key(play: Playground) -> int:
    """The user task that was created last."""
    return play.happened(UserTaskCreating)[-1].key


def _extension(name: str, attributes: dict[str, str]) -> str:
    quoted = (f'{key}="{_quoted(value)}"' for key, value in attributes.items())
    return f"<zeebe:{name} {' '.join(quoted)}/>"


def _quoted(text: str) -> str:
    return text.replace('"', "&quot;")


def execution(*of: tuple[str, str]) -> str:
    """Execution listeners: each is an event and a job type."""
    inner = "".join(f'<zeebe:executionListener eventType="{event}" type="{job}"/>' for event, job in of)
    return f"<zeebe:executionListeners>{inner}</zeebe:executionListeners>"
