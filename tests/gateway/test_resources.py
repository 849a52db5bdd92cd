"""Resources and linked forms: deleted and read."""

import aiohttp
import pytest

from bpmnd.bpmn.commands import DeleteResource, Origin, ReadResource, ReadStartForm, ReadUserTaskForm
from bpmnd.bpmn.keys import first_key
from bpmnd.bpmn.outcomes import Accepted, FileRead, Rejected, RejectionType
from tests.gateway.fakes import FakeCluster, FakePartition

KEY = first_key(1) + 5
RESOURCE = f"/v2/resources/{KEY}"
FILE = FileRead(KEY, "f", 3, "v", "a.form", "<default>", '{"id":"f","x":"ü"}'.encode())


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster(2)


async def test_a_resource_is_deleted(client: aiohttp.ClientSession, partition: FakePartition) -> None:
    body = {"operationReference": 3, "deleteHistory": True}
    async with client.post(f"{RESOURCE}/deletion", json=body) as response:
        assert response.status == 200
        assert await response.json() == {"resourceKey": str(KEY), "batchOperation": None}
    assert partition.commands == [DeleteResource(KEY, origin=Origin(3))]


@pytest.mark.parametrize("key", [99, first_key(2) + 5])
async def test_only_the_partition_of_deployments_has_resources(
    client: aiohttp.ClientSession, cluster: FakeCluster, key: int
) -> None:
    async with client.post(f"/v2/resources/{key}/deletion") as response:
        problem = await response.json()
    assert (response.status, problem["title"]) == (404, "NOT_FOUND")
    assert problem["detail"] == (
        "Command 'DELETE' rejected with code 'NOT_FOUND': Expected to delete resource but no resource found"
        f" with key `{key}`"
    )
    assert [command for each in cluster.all for command in each.commands] == []


async def test_a_reference_below_zero_is_refused(client: aiohttp.ClientSession) -> None:
    async with client.post(f"{RESOURCE}/deletion", json={"operationReference": -1}) as response:
        assert (response.status, (await response.json())["title"]) == (400, "INVALID_ARGUMENT")


async def test_a_plain_file_is_described(client: aiohttp.ClientSession, partition: FakePartition) -> None:
    partition.outcome = FILE
    async with client.get(RESOURCE) as response:
        assert response.status == 200
        assert await response.json() == {
            "resourceId": "f",
            "resourceKey": str(KEY),
            "resourceName": "a.form",
            "tenantId": "<default>",
            "version": 3,
            "versionTag": "v",
        }
    assert partition.commands == [ReadResource(KEY)]


async def test_the_content_of_a_file_is_a_string(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    partition.outcome = FILE
    async with client.get(f"{RESOURCE}/content") as response:
        assert await response.json() == FILE.content.decode()


@pytest.mark.parametrize(
    ("path", "command"),
    [
        (f"/v2/user-tasks/{KEY}/form", ReadUserTaskForm(KEY)),
        (f"/v2/process-definitions/{KEY}/form", ReadStartForm(KEY)),
    ],
)
async def test_a_linked_form_is_read_with_its_schema(
    client: aiohttp.ClientSession,
    partition: FakePartition,
    path: str,
    command: ReadUserTaskForm | ReadStartForm,
) -> None:
    partition.outcome = FILE
    async with client.get(path) as response:
        assert response.status == 200
        assert await response.json() == {
            "formId": "f",
            "formKey": str(KEY),
            "schema": FILE.content.decode(),
            "tenantId": "<default>",
            "version": 3,
        }
    partition.outcome = Accepted()
    async with client.get(path) as response:
        assert (response.status, await response.read()) == (204, b"")
    partition.outcome = Rejected(RejectionType.NOT_FOUND, "not there")
    async with client.get(path) as response:
        assert response.status == 404
    assert partition.commands == [command, command, command]


@pytest.mark.parametrize("path", ["resources/99", "user-tasks/99/form", "process-definitions/99/form"])
async def test_a_key_of_no_partition_is_not_found(client: aiohttp.ClientSession, path: str) -> None:
    async with client.get(f"/v2/{path}") as response:
        problem = await response.json()
    assert (response.status, problem["title"]) == (404, "NOT_FOUND")
    assert "99" in problem["detail"]
