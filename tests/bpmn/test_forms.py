"""Forms and plain files: how they are deployed, what uses them, and how they get to other partitions."""

import json

import pytest

from bpmnd.bpmn.commands import (
    Deploy,
    ReadResource,
    ReadStartForm,
    ReadUserTaskForm,
    ResolveIncident,
    Resource,
    Supply,
)
from bpmnd.bpmn.events import (
    FormCreated,
    IncidentCreated,
    JobWithHeadersCreated,
    ResourceCreated,
    UserTaskCreating,
)
from bpmnd.bpmn.outcomes import Accepted, DeploymentCreated, FileRead, Rejected, RejectionType
from tests.bpmn.people import formed, task_key, user_task
from tests.bpmn.playground import START, Playground, flow, process, rows_of
from tests.bpmn.test_distribution import deliver

FORM = b'{"id":"f","components":[]}'


def form(id_: object, **more: object) -> bytes:
    return json.dumps({"id": id_, **more}).encode()


def deploy(play: Playground, **files: bytes) -> DeploymentCreated:
    """Each is named by its extension at the end: `a_form` is a.form."""
    resources = tuple(Resource(name.replace("_", "."), content) for name, content in files.items())
    outcome = play.do(Deploy(resources))
    assert isinstance(outcome, DeploymentCreated), outcome
    return outcome


def refused(name: str, content: bytes) -> str:
    rejected = Playground().rejected(Deploy((Resource(name, content),)))
    assert rejected.type is RejectionType.INVALID_ARGUMENT
    return rejected.reason.partition("errors:\n")[2]


def with_form(native: bool = True, **attributes: str) -> bytes:
    return process(START + user_task("do", formed(**attributes), native=native) + flow("start", "do"))


def test_a_form_has_the_id_and_the_version_tag_that_it_says() -> None:
    play = Playground()
    (deployed,) = deploy(play, a_form=form("f", versionTag="v1")).forms
    (created,) = play.happened(FormCreated)

    assert (deployed.id, deployed.version, deployed.resource_name) == ("f", 1, "a.form")
    assert (created.form_id, created.version_tag) == ("f", "v1")


def test_a_number_is_as_good_an_id_as_its_text() -> None:
    assert deploy(Playground(), a_form=form(5)).forms[0].id == "5"


def test_the_same_form_again_has_the_version_it_has() -> None:
    play = Playground()
    first = deploy(play, a_form=FORM).forms[0]
    again = deploy(play, a_form=FORM).forms[0]

    assert (again.key, again.version, again.is_duplicate) == (first.key, 1, True)
    assert len(play.happened(FormCreated)) == 1


@pytest.mark.parametrize("files", [{"b_form": FORM}, {"a_form": form("f", x=1)}])
def test_another_name_or_content_is_another_version(files: dict[str, bytes]) -> None:
    play = Playground()
    deploy(play, a_form=FORM)

    assert deploy(play, **files).forms[0].version == 2


def test_with_something_new_beside_it_a_form_is_new_too() -> None:
    """So that what is bound to the deployment finds it there."""
    play = Playground()
    deploy(play, a_form=FORM)

    assert deploy(play, a_form=FORM, p_bpmn=with_form(formId="f")).forms[0].version == 2


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"x", "it must be a JSON object"),
        (b"[]", "it must be a JSON object"),
        (b'{"id":"f"} trailing', "it must be a JSON object"),
        (b'{"id":"\xff"}', "it must be UTF-8"),
        (b'{"id":"f","x":' + 5000 * b"[" + 5000 * b"]" + b"}", "it must be a JSON object"),
        (b"{}", "Expected the form id to be present, but none given"),
        (form(None), "Expected the form id to be present, but none given"),
        (form("  "), "Expected the form id to be filled"),
        (form("x" * 1001), "Expected the form id to be filled, and not too long"),
    ],
)
def test_what_is_no_form_is_refused(content: bytes, why: str) -> None:
    assert refused("a.form", content).startswith(f"'a.form': {why}")


def test_an_id_is_there_once_in_a_deployment() -> None:
    rejected = Playground().rejected(Deploy((Resource("a.form", FORM), Resource("b.form", FORM))))
    assert "'b.form': duplicated form id 'f', which is in 'a.form' already" in rejected.reason


@pytest.mark.parametrize("native", [True, False])
def test_a_task_has_the_latest_form_at_the_time(native: bool) -> None:
    play = Playground()
    deploy(play, a_form=FORM, p_bpmn=with_form(native, formId="f"))
    latest = deploy(play, a_form=form("f", x=2)).forms[0]
    play.create()

    if native:
        assert play.happened(UserTaskCreating)[0].form_key == latest.key
    else:
        headers = dict(play.happened(JobWithHeadersCreated)[0].headers)
        assert headers["io.camunda.zeebe:formKey"] == str(latest.key)


def test_a_task_has_the_form_of_its_deployment() -> None:
    play = Playground()
    model = with_form(formId="f", bindingType="deployment")
    beside = deploy(play, a_form=FORM, p_bpmn=model).forms[0]
    deploy(play, a_form=form("f", x=2))
    play.create()

    assert play.happened(UserTaskCreating)[0].form_key == beside.key


def test_a_task_has_the_latest_form_of_its_version_tag() -> None:
    play = Playground()
    deploy(play, a_form=form("f", versionTag="v"))
    tagged = deploy(play, a_form=form("f", versionTag="v", x=2)).forms[0]
    deploy(play, a_form=form("f", versionTag="w"))
    deploy(play, p_bpmn=with_form(formId="f", bindingType="versionTag", versionTag="v"))
    play.create()

    assert play.happened(UserTaskCreating)[0].form_key == tagged.key


def test_a_form_that_comes_late_resolves_the_incident() -> None:
    play = Playground()
    deploy(play, p_bpmn=with_form(formId="f"))
    play.create()
    (incident,) = play.happened(IncidentCreated)
    late = deploy(play, a_form=FORM).forms[0]
    play.do(ResolveIncident(incident.key))

    assert play.happened(UserTaskCreating)[0].form_key == late.key


def test_the_form_of_a_task_is_read() -> None:
    play = Playground()
    deployed = deploy(play, a_form=FORM, p_bpmn=with_form(formId="f")).forms[0]
    play.create()
    before = len(play.events)

    read = play.do(ReadUserTaskForm(task_key(play)))

    assert isinstance(read, FileRead)
    assert (read.key, read.id, read.version, read.content) == (deployed.key, "f", 1, FORM)
    assert len(play.events) == before


def test_a_task_without_a_linked_form_has_none_to_read() -> None:
    play = Playground()
    deploy(play, p_bpmn=with_form(externalReference="x"))
    play.create()

    assert play.do(ReadUserTaskForm(task_key(play))) == Accepted()
    assert play.rejected(ReadUserTaskForm(1)).type is RejectionType.NOT_FOUND


def test_the_form_of_a_start_event_is_read() -> None:
    play = Playground()
    start = f'<startEvent id="start"><extensionElements>{formed(formId="f")}</extensionElements></startEvent>'
    deployed = deploy(play, p_bpmn=process(start))
    definition_key = deployed.processes[0].key
    assert play.do(ReadStartForm(definition_key)) == Accepted()  # It is not deployed yet.

    deploy(play, a_form=FORM)

    read = play.do(ReadStartForm(definition_key))
    assert isinstance(read, FileRead)
    assert read.content == FORM
    assert play.rejected(ReadStartForm(1)).type is RejectionType.NOT_FOUND


def test_any_other_file_is_kept_as_it_is() -> None:
    play = Playground()
    content = bytes(range(256))
    (deployed,) = deploy(play, a_bin=content).plain_files

    assert (deployed.id, deployed.version) == ("a.bin", 1)
    read = play.do(ReadResource(deployed.key))
    assert isinstance(read, FileRead)
    assert read.content == content
    assert play.rejected(ReadResource(deployed.key + 1)).type is RejectionType.NOT_FOUND


def test_another_file_may_say_its_id() -> None:
    play = Playground()
    deploy(play, a_rpa=form("robot", versionTag="v"))
    (created,) = play.happened(ResourceCreated)
    assert (created.resource_id, created.version_tag) == ("robot", "v")


def test_two_files_of_one_id_are_refused() -> None:
    files = (Resource("a.rpa", form("x")), Resource("b.rpa", form("x")))
    assert "'b.rpa': duplicated resource id 'x'" in Playground().rejected(Deploy(files)).reason


@pytest.mark.parametrize("name", ["file", ".form", "file.", "file.BPMN", "file.Form"])
def test_a_name_without_an_extension_is_refused(name: str) -> None:
    assert refused(name, FORM).startswith(f"'{name}': unknown resource type")


def test_other_partitions_get_forms_and_files_as_well() -> None:
    first, second = Playground(1, (1, 2)), Playground(2, (1, 2))
    model = with_form(formId="f", bindingType="deployment")
    files = (Resource("a.form", FORM), Resource("a.txt", b"x"), Resource("p.bpmn", model))
    assert first.do(Deploy(files)) is None
    deliver(first, second)
    second.create()

    assert second.happened(UserTaskCreating)[0].form_key == first.happened(FormCreated)[0].key
    assert second.happened(ResourceCreated) == first.happened(ResourceCreated)


def test_a_partition_that_comes_later_is_supplied_with_them() -> None:
    first, second = Playground(1, (1,)), Playground(2, (1, 2))
    deploy(first, a_form=FORM, a_txt=b"x")
    first.do(Supply(2))
    deliver(first, second)

    assert second.happened(FormCreated) == first.happened(FormCreated)


def test_a_replica_and_a_checkpoint_know_them() -> None:
    play = Playground()
    deploy(play, a_form=FORM, a_txt=b"x")

    assert rows_of(play.replayed()) == rows_of(play.state)


def test_a_rejected_deployment_leaves_no_version_behind() -> None:
    play = Playground()
    assert isinstance(play.do(Deploy((Resource("a.form", FORM), Resource("b.bpmn", b"x")))), Rejected)

    assert deploy(play, a_form=FORM).forms[0].version == 1
