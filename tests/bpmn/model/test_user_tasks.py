import pytest

from bpmnd.bpmn.model.graph import BindingType, FormReference, StartEvent, UserTask, WorkedUserTask
from tests.bpmn.model.models import START, element, model, reasons, task

NATIVE = "<zeebe:userTask/>"


def problems_of(extensions: str) -> list[str]:
    found = reasons(model(START + task(extensions, kind="userTask")))
    assert {element_id for element_id, _ in found} <= {"task"}
    return [reason for _, reason in found]


def test_a_task_is_native_if_it_says_so() -> None:
    assert isinstance(element(model(START + task(NATIVE, kind="userTask")), "task"), UserTask)
    assert isinstance(element(model(START + task("", kind="userTask")), "task"), WorkedUserTask)


@pytest.mark.parametrize("priority", ["-1", "101", "50.7", "x", "9" * 5000])
def test_a_priority_is_a_number_up_to_100(priority: str) -> None:
    (reason,) = problems_of(f'{NATIVE}<zeebe:priorityDefinition priority="{priority}"/>')
    assert reason.endswith("must be a whole number from 0 to 100") or len(reason) == 500


@pytest.mark.parametrize("date", ["foo", "2024-01-01T10:00:00", "2024-01-01"])
def test_a_date_has_a_time_and_an_offset(date: str) -> None:
    (reason,) = problems_of(f'{NATIVE}<zeebe:taskSchedule dueDate="{date}"/>')
    assert reason.startswith(f"the dueDate '{date}' must be a date-time")


def test_names_are_not_empty() -> None:
    people = '<zeebe:assignmentDefinition candidateUsers="a,,b"/>'
    assert problems_of(NATIVE + people) == ["the candidateUsers 'a,,b' must be names with commas between"]


@pytest.mark.parametrize(
    "form",
    ['formKey="k"', 'formId=""', "", 'formId="a" externalReference="b"', 'externalReference=" "'],
)
def test_the_form_of_a_native_task_is_linked_or_external(form: str) -> None:
    assert problems_of(f"{NATIVE}<zeebe:formDefinition {form}/>") == [
        "must have either a formId or an externalReference that is not empty"
    ]


@pytest.mark.parametrize("form", ['externalReference="k"', 'formKey=""', 'formId="a" formKey="b"'])
def test_the_form_of_another_task_is_linked_or_has_a_key(form: str) -> None:
    assert problems_of(f"<zeebe:formDefinition {form}/>") == [
        "must have either a formId or a formKey that is not empty"
    ]


def test_a_binding_to_a_version_tag_has_one() -> None:
    form = '<zeebe:formDefinition formId="f" bindingType="versionTag"/>'
    assert problems_of(NATIVE + form) == ["a binding to a version tag must have a versionTag"]


@pytest.mark.parametrize("name", ["userTask", "assignmentDefinition", "taskSchedule", "priorityDefinition"])
def test_each_extension_stands_there_once(name: str) -> None:
    native = "" if name == "userTask" else NATIVE
    assert problems_of(native + 2 * f"<zeebe:{name}/>") == [f"must have at most one zeebe:{name}"]


def test_task_listeners_are_of_native_tasks() -> None:
    heard = '<zeebe:taskListener eventType="creating" type="l"/>'
    found = problems_of(f"<zeebe:taskListeners>{heard}</zeebe:taskListeners>")
    assert found == ["task listeners must be of a user task with a zeebe:userTask"]


def test_task_listeners_listen_to_the_life_of_a_task() -> None:
    heard = '<zeebe:taskListener eventType="start" type="l"/>'
    (reason,) = problems_of(f"{NATIVE}<zeebe:taskListeners>{heard}</zeebe:taskListeners>")
    assert reason.startswith("a taskListener cannot listen for 'start', but for 'creating', 'assigning'")


def test_the_form_of_a_start_event_is_read() -> None:
    form = '<zeebe:formDefinition formId="f" bindingType="deployment"/>'
    start = f'<startEvent id="start"><extensionElements>{form}</extensionElements></startEvent>'
    found = element(model(start), "start")
    assert isinstance(found, StartEvent)
    assert found.form == FormReference("f", BindingType.DEPLOYMENT, "")


def test_an_embedded_form_of_a_start_event_is_of_no_interest() -> None:
    form = '<zeebe:formDefinition formKey="camunda-forms:bpmn:f"/>'
    start = f'<startEvent id="start"><extensionElements>{form}</extensionElements></startEvent>'
    found = element(model(start), "start")
    assert isinstance(found, StartEvent)
    assert found.form is None
