"""Files that the model links to the work of job workers."""

import json

import pytest

from bpmnd.bpmn.commands import DeleteResource, Deploy, ResolveIncident, Resource, SetVariables
from bpmnd.bpmn.events import IncidentCreated
from bpmnd.bpmn.outcomes import DeploymentCreated
from tests.bpmn.model.models import reasons
from tests.bpmn.people import user_task
from tests.bpmn.playground import START, Playground, flow, process, rows_of, task

LINK = '<zeebe:linkedResource resourceId="script" resourceType="RPA" linkName="main"{}/>'


def linked(*entries: str, kind: str = "serviceTask", headers: str = "") -> str:
    extension = f"<zeebe:linkedResources>{''.join(entries)}</zeebe:linkedResources>"
    worked = task("work").replace("serviceTask", kind)
    return worked.replace("</extensionElements>", f"{headers}{extension}</extensionElements>")


def model(*entries: str, kind: str = "serviceTask", headers: str = "") -> bytes:
    return process(START + linked(*entries, kind=kind, headers=headers) + flow("start", "work"))


def script(version_tag: str = "", content: str = "") -> bytes:
    return json.dumps({"id": "script", "versionTag": version_tag, "x": content}).encode()


def deploy(playground: Playground, **files: bytes) -> dict[str, int]:
    """Name of each plain file -> its key. `a_rpa` becomes `a.rpa`."""
    resources = tuple(Resource(name.replace("_", "."), content) for name, content in files.items())
    outcome = playground.do(Deploy(resources))
    assert isinstance(outcome, DeploymentCreated), outcome
    return {file.id: file.key for file in outcome.plain_files}


def links(playground: Playground) -> object:
    (job,) = playground.jobs("work")
    return json.loads(dict(job.headers)["linkedResources"])


def test_a_job_tells_the_key_of_what_is_linked() -> None:
    playground = Playground()
    key = deploy(playground, a_rpa=script(), p_bpmn=model(LINK.format("")))["script"]
    playground.create()
    assert links(playground) == [{"resourceKey": str(key), "resourceType": "RPA", "linkName": "main"}]
    assert rows_of(playground.replayed()) == rows_of(playground.state)


def test_the_headers_of_the_model_stay() -> None:
    playground = Playground()
    header = '<zeebe:taskHeaders><zeebe:header key="a" value="b"/></zeebe:taskHeaders>'
    deploy(playground, a_rpa=script(), p_bpmn=model(LINK.format(""), headers=header))
    playground.create()
    (job,) = playground.jobs("work")
    assert dict(job.headers)["a"] == "b"
    assert set(dict(job.headers)) == {"a", "linkedResources"}


def test_several_resources_stand_in_the_order_of_the_model() -> None:
    playground = Playground()
    other = '<zeebe:linkedResource resourceId="other" resourceType="text"/>'
    files = {"a_rpa": script(), "other_txt": b"hello"}
    keys = deploy(playground, **files, p_bpmn=model(LINK.format(""), other.replace('"other"', '"other.txt"')))
    playground.create()
    assert links(playground) == [
        {"resourceKey": str(keys["script"]), "resourceType": "RPA", "linkName": "main"},
        {"resourceKey": str(keys["other.txt"]), "resourceType": "text", "linkName": ""},
    ]


@pytest.mark.parametrize(
    ("binding", "version"),
    [("", 2), (' bindingType="deployment"', 0), (' bindingType="versionTag" versionTag="one"', 1)],
)
def test_the_binding_says_which_version_it_is(binding: str, version: int) -> None:
    playground = Playground()
    keys = [deploy(playground, a_rpa=script("none"), p_bpmn=model(LINK.format(binding)))["script"]]
    keys += [deploy(playground, a_rpa=script(tag))["script"] for tag in ("one", "two")]
    playground.create()
    assert links(playground) == [
        {"resourceKey": str(keys[version]), "resourceType": "RPA", "linkName": "main"}
    ]


def test_the_id_may_be_an_expression() -> None:
    playground = Playground()
    entry = LINK.format("").replace('"script"', '"=which"')
    key = deploy(playground, a_rpa=script(), p_bpmn=model(entry))["script"]
    playground.create({"which": b'"script"'})
    assert links(playground) == [{"resourceKey": str(key), "resourceType": "RPA", "linkName": "main"}]


@pytest.mark.parametrize(
    ("binding", "which"),
    [
        ("", "'script', but"),
        (' bindingType="deployment"', "'script' in the deployment '"),
        (' bindingType="versionTag" versionTag="one"', "'script' and version tag 'one', but"),
    ],
)
def test_what_is_not_deployed_is_an_incident_until_it_is(binding: str, which: str) -> None:
    playground = Playground()
    deploy(playground, p_bpmn=model(LINK.format(binding)))
    playground.create()
    (incident,) = playground.happened(IncidentCreated)
    assert incident.type == "RESOURCE_NOT_FOUND"
    assert which in incident.message
    assert not playground.jobs("work")

    deploy(playground, a_rpa=script("one"))
    playground.do(ResolveIncident(incident.key))

    assert len(playground.jobs("work")) == ("deployment" not in binding)


def test_an_id_that_is_no_text_is_an_incident() -> None:
    playground = Playground()
    deploy(playground, p_bpmn=model(LINK.format("").replace('"script"', '"=which"')))
    key = playground.create()
    (incident,) = playground.happened(IncidentCreated)
    assert incident.type == "EXTRACT_VALUE_ERROR"
    deploy(playground, a_rpa=script())
    playground.do(SetVariables(key, {"which": b'"script"'}))
    playground.do(ResolveIncident(incident.key))
    assert len(playground.jobs("work")) == 1


def test_what_is_deleted_is_not_linked_any_more() -> None:
    playground = Playground()
    key = deploy(playground, a_rpa=script(), p_bpmn=model(LINK.format("")))["script"]
    playground.do(DeleteResource(key))
    playground.create()
    (incident,) = playground.happened(IncidentCreated)
    assert incident.type == "RESOURCE_NOT_FOUND"


@pytest.mark.parametrize("kind", ["sendTask", "scriptTask", "businessRuleTask"])
def test_every_element_that_job_workers_do_may_have_them(kind: str) -> None:
    playground = Playground()
    deploy(playground, a_rpa=script(), p_bpmn=model(LINK.format(""), kind=kind))
    playground.create()
    assert links(playground)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (
            LINK.format("").replace("resourceId", "id"),
            "the resourceId of a zeebe:linkedResource must not be empty",
        ),
        (
            LINK.format("").replace("resourceType", "type"),
            "the resourceType of a zeebe:linkedResource must not be empty",
        ),
        (
            LINK.format(' bindingType="newest"'),
            "the bindingType 'newest' is none of 'latest', 'deployment', 'versionTag'",
        ),
        (LINK.format(' bindingType="versionTag"'), "a binding to a version tag must have a versionTag"),
    ],
)
def test_what_is_wrong_with_a_link_is_told(entry: str, reason: str) -> None:
    assert reasons(model(entry)) == [("work", reason)]


def test_what_no_job_worker_does_has_no_links() -> None:
    extension = f"<zeebe:linkedResources>{LINK.format('')}</zeebe:linkedResources>"
    content = process(START + user_task("work", extension) + flow("start", "work"))
    assert reasons(content) == [
        ("work", "linked resources are only supported where the work is done by job workers")
    ]
