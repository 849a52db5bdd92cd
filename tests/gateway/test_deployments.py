from io import BytesIO

import aiohttp
import pytest

from bpmnd.bpmn.commands import Deploy, Resource
from bpmnd.bpmn.outcomes import DeployedProcess, DeploymentCreated, Rejected, RejectionType
from tests.gateway.fakes import FakeCluster, FakePartition

PATH = "/v2/deployments"
CREATED = DeploymentCreated(
    7,
    "<default>",
    (DeployedProcess(8, "a", 1, "a.bpmn"), DeployedProcess(9, "b", 2, "b.bpmn", is_duplicate=True)),
)


@pytest.fixture
def partition(cluster: FakeCluster) -> FakePartition:
    partition = cluster.all[0]
    partition.outcome = CREATED
    return partition


def form(*parts: tuple[str, str | None, bytes]) -> aiohttp.FormData:
    data = aiohttp.FormData(quote_fields=False, default_to_multipart=True)
    for name, filename, content in parts:
        data.add_field(name, BytesIO(content) if filename else content.decode(), filename=filename)
    return data


async def test_all_files_become_one_command(client: aiohttp.ClientSession, partition: FakePartition) -> None:
    files = form(
        ("resources", "a.bpmn", b"<a/>\r\n--\r\n"),
        ("other", "b ö.dmn", b"\x00\xff"),
        ("tenantId", None, b"<default>"),
    )
    async with client.post(PATH, data=files) as response:
        assert response.status == 200
    assert partition.commands == [
        Deploy((Resource("a.bpmn", b"<a/>\r\n--\r\n"), Resource("b ö.dmn", b"\x00\xff")))
    ]


async def test_what_was_deployed_is_listed_with_all_that_it_is_not(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    async with client.post(PATH, data=form(("resources", "a.bpmn", b"<a/>"))) as response:
        body = await response.json()
    assert (body["deploymentKey"], body["tenantId"]) == ("7", "<default>")
    assert body["deployments"][1] == {
        "processDefinition": {
            "processDefinitionId": "b",
            "processDefinitionVersion": 2,
            "resourceName": "b.bpmn",
            "tenantId": "<default>",
            "processDefinitionKey": "9",
        },
        "decisionDefinition": None,
        "decisionRequirements": None,
        "form": None,
        "resource": None,
    }


@pytest.mark.parametrize(
    ("parts", "title", "named"),
    [
        ([("tenantId", None, b"<default>")], "Bad Request", "Required part 'resources' is not present."),
        ([("resources", None, b"<a/>")], "Bad Request", "no file name"),
        ([("comment", None, b"x")], "Bad Request", "[comment]"),
        ([("resources", "a.bpmn", b"1"), ("resources", "a.bpmn", b"2")], "INVALID_ARGUMENT", "two 'a.bpmn'"),
        (
            [("resources", "a.bpmn", b"1"), ("tenantId", None, b"other")],
            "INVALID_ARGUMENT",
            "Expected to handle request Deploy Resources with tenant identifier 'other'",
        ),
        ([("resources", f"{number}.bpmn", b"") for number in range(1001)], "INVALID_ARGUMENT", "1000 parts"),
    ],
)
async def test_a_form_that_will_not_do_is_refused(
    client: aiohttp.ClientSession,
    partition: FakePartition,
    parts: list[tuple[str, str | None, bytes]],
    title: str,
    named: str,
) -> None:
    async with client.post(PATH, data=form(*parts)) as response:
        problem = await response.json()
    assert (response.status, problem["title"]) == (400, title)
    assert named in problem["detail"]
    assert partition.commands == []


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=", b"x"),
        ("multipart/form-data; boundary=" + "x" * 100, b"x"),
        ("multipart/form-data; boundary=B", b""),
        ("multipart/form-data; boundary=B", b"x"),
        ("multipart/form-data; boundary=B", b"--B\r\n"),
        ("multipart/form-data; boundary=B", b"--B--\r\n"),
        ("multipart/form-data; boundary=B", b"--B\r\n\r\n\r\n--B--\r\n"),
        ("multipart/form-data; boundary=B", b"--B\r\nrubbish\r\n\r\nx\r\n--B--\r\n"),
        (
            "multipart/form-data; boundary=B",
            b"--B\r\nContent-Disposition: form-data; name=\xff\r\n\r\nx\r\n--B--\r\n",
        ),
        (
            "multipart/form-data; boundary=B",
            b"--B\r\nContent-Type: multipart/mixed; boundary=C\r\n\r\n--C\r\n\r\n--C--\r\n--B--\r\n",
        ),
        (
            "multipart/form-data; boundary=B",
            b"--B\r\nContent-Disposition: form-data; " + b"x" * 100_000 + b"\r\n\r\nx\r\n--B--\r\n",
        ),
    ],
)
async def test_a_broken_form_is_refused(
    client: aiohttp.ClientSession, partition: FakePartition, content_type: str, body: bytes
) -> None:
    async with client.post(PATH, data=body, headers={"Content-Type": content_type}) as response:
        problem = await response.json()
        assert (response.status, problem["title"]) == (400, "Bad Request"), problem
    assert partition.commands == []


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        (b'filename="a b.bpmn"', "a b.bpmn"),
        (b"filename=a.bpmn", "a.bpmn"),
        (b'filename="a;b=\\"c\\".bpmn"', 'a;b="c".bpmn'),
        ('filename="ö.bpmn"'.encode(), "ö.bpmn"),
        (b"filename=\"x.bpmn\"; filename*=UTF-8''%C3%B6.bpmn", "ö.bpmn"),
        (b'FileName="C:\\models\\a.bpmn"', "C:\\models\\a.bpmn"),
    ],
)
async def test_file_names_are_read_however_they_are_written(
    client: aiohttp.ClientSession, partition: FakePartition, disposition: bytes, name: str
) -> None:
    body = (
        b"--B\r\nContent-Disposition: form-data; name=resources; " + disposition + b"\r\n\r\nx\r\n--B--\r\n"
    )
    headers = {"Content-Type": 'multipart/form-data; boundary="B"'}
    async with client.post(PATH, data=body, headers=headers) as response:
        assert response.status == 200, await response.text()
    assert partition.commands == [Deploy((Resource(name, b"x"),))]


async def test_a_form_whose_end_is_missing_is_refused(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    body = b'--B\r\nContent-Disposition: form-data; name="resources"; filename="a.bpmn"\r\n\r\n<a/>'
    headers = {"Content-Type": "multipart/form-data; boundary=B"}
    async with client.post(PATH, data=body, headers=headers) as response:
        assert response.status == 400
    assert partition.commands == []


async def test_another_content_type_is_415(client: aiohttp.ClientSession) -> None:
    async with client.post(PATH, json={}) as response:
        assert response.status == 415


@pytest.mark.parametrize("size", [4 * 1024 * 1024 + 1, 10_000_000])
async def test_a_deployment_over_the_limit_is_refused(
    client: aiohttp.ClientSession, partition: FakePartition, size: int
) -> None:
    async with client.post(PATH, data=form(("resources", "a.bpmn", b"x" * size))) as response:
        assert (response.status, (await response.json())["title"]) == (413, "Content Too Large")
    assert partition.commands == []


async def test_a_rejected_deployment_is_told_in_the_engines_words(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    partition.outcome = Rejected(RejectionType.INVALID_ARGUMENT, "'a.xyz': unknown resource type")
    async with client.post(PATH, data=form(("resources", "a.xyz", b"x"))) as response:
        problem = await response.json()
    assert problem["title"] == "INVALID_ARGUMENT"
    assert problem["detail"] == (
        "Command 'CREATE' rejected with code 'INVALID_ARGUMENT': 'a.xyz': unknown resource type"
    )
