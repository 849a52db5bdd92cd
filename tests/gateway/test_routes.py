import logging

import aiohttp
import pytest

from bpmnd.bpmn.keys import first_key
from tests.gateway.fakes import FakePartition


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v2",
        "/v2/",
        "/v1/topology",
        "/v2/nope",
        "/v2/topology/",
        "/v2/topology/x",
        "/v2/jobs",
        "/v2/jobs/",
        "/v2/jobs//completion",
        "/v2/jobs/1/nope",
        "/v2/messages",
        "/v2/batch-operations/search",
        "/v2/batch-operations/1",
    ],
)
async def test_what_is_not_served_is_a_404_problem(client: aiohttp.ClientSession, path: str) -> None:
    async with client.post(path, json={}) as response:
        problem = await response.json()
    assert (response.status, response.content_type) == (404, "application/problem+json")
    assert problem == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": f"There is nothing at {path}.",
        "instance": path,
    }


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/v2/process-instances", "OPTIONS, POST"),
        ("POST", "/v2/topology", "GET, HEAD, OPTIONS"),
        ("DELETE", "/v2/jobs/1", "OPTIONS, PATCH"),
        ("HEAD", "/v2/deployments", "OPTIONS, POST"),
        ("PURGE", "/v2/license", "GET, HEAD, OPTIONS"),
    ],
)
async def test_another_method_is_405_and_told_which_ones_there_are(
    client: aiohttp.ClientSession, method: str, path: str, allow: str
) -> None:
    async with client.request(method, path) as response:
        assert (response.status, response.headers["Allow"]) == (405, allow)
        if method != "HEAD":
            assert (await response.json())["title"] == "Method Not Allowed"


async def test_options_tells_the_methods(client: aiohttp.ClientSession) -> None:
    async with client.options("/v2/jobs/activation") as response:
        assert (response.status, response.headers["Allow"]) == (200, "OPTIONS, POST")
        assert await response.read() == b""


async def test_head_is_get_without_its_body(client: aiohttp.ClientSession) -> None:
    async with client.get("/v2/topology") as response:
        length = len(await response.read())
    async with client.head("/v2/topology") as response:
        assert (response.status, response.headers["Content-Length"]) == (200, str(length))
        assert await response.read() == b""


@pytest.mark.parametrize("query", ["?", "?x=1", "?a=b&c=%ff"])
async def test_unknown_query_parameters_are_ignored(client: aiohttp.ClientSession, query: str) -> None:
    async with client.get(f"/v2/license{query}") as response:
        assert response.status == 200


@pytest.mark.parametrize(
    "accept",
    [
        "application/json, application/problem+json",
        "application/json;q=0.5",
        "application/problem+json",
        "text/html, */*;q=0.1",
        "APPLICATION/*",
        "application/vnd.camunda.api.keys.string+json",
        "",
    ],
)
async def test_clients_say_in_many_ways_that_they_take_json(
    client: aiohttp.ClientSession, accept: str
) -> None:
    async with client.get("/v2/license", headers={"Accept": accept}) as response:
        assert response.status == 200


async def test_a_client_that_takes_no_json_is_406(client: aiohttp.ClientSession) -> None:
    async with client.get("/v2/license", headers={"Accept": "text/html"}) as response:
        assert (response.status, (await response.json())["title"]) == (406, "Not Acceptable")


async def test_a_bug_is_a_500_that_is_logged_and_harms_nothing_else(
    client: aiohttp.ClientSession, partition: FakePartition, caplog: pytest.LogCaptureFixture
) -> None:
    path = f"/v2/jobs/{first_key(1) + 1}/completion"
    partition.refusal = ZeroDivisionError("secret")
    with caplog.at_level(logging.ERROR, "bpmnd.gateway"):
        async with client.post(path, json={}) as response:
            problem = await response.json()
    assert (response.status, problem["title"], problem["instance"]) == (500, "Internal Server Error", path)
    assert "secret" not in problem["detail"]
    assert caplog.records[0].exc_info is not None

    partition.refusal = None
    async with client.post(path, json={}) as response:
        assert response.status == 204
