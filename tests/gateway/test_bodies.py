from io import BytesIO
from typing import Any

import aiohttp
import pytest

from tests.gateway.fakes import FakePartition
from tests.gateway.wire import RawConnection

CREATE = "/v2/process-instances"
JSON = {"Content-Type": "application/json"}


async def refused(client: aiohttp.ClientSession, body: bytes, path: str = CREATE) -> dict[str, Any]:
    """The problem that the body is answered with."""
    async with client.post(path, data=BytesIO(body), headers=JSON) as response:
        assert response.content_type == "application/problem+json", await response.text()
        problem: dict[str, Any] = await response.json()
    assert set(problem) == {"type", "title", "status", "detail", "instance"}
    assert problem["status"] == response.status == 400
    return problem


def create(value: bytes) -> bytes:
    return b'{"processDefinitionId":"p","variables":{"a":' + value + b"}}"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"{", "not valid JSON"),
        (b'{"processDefinitionId":"p"} x', "byte 29"),
        (b"[]", "Expected object, got array"),
        (b'"text"', "Expected object, got str"),
        (b"\xef\xbb\xbf{}", "byte 0"),
        (b'{"processDefinitionId":1}', "[processDefinitionId]"),
        (b'{"processDefinitionKey":123}', "[processDefinitionKey]"),
        (b'{"processDefinitionKey":"12a"}', "[processDefinitionKey]"),
        (b'{"processDefinitionKey":"99999999999999999999"}', "[processDefinitionKey]"),
        (b'{"processDefinitionId":"p","processDefinitionVersion":"1"}', "[processDefinitionVersion]"),
        (b'{"processDefinitionId":"p","processDefinitionVersion":1.5}', "[processDefinitionVersion]"),
        (b'{"processDefinitionId":"p","processDefinitionVersion":true}', "[processDefinitionVersion]"),
        (b'{"processDefinitionId":"p","processDefinitionVersion":2147483648}', "[processDefinitionVersion]"),
        (b'{"processDefinitionId":"p","requestTimeout":9223372036854775808}', "[requestTimeout]"),
        (b'{"processDefinitionId":"p","requestTimeout":1e400}', "[requestTimeout]"),
        (b'{"processDefinitionId":"p","awaitCompletion":"yes"}', "[awaitCompletion]"),
        (b'{"processDefinitionId":"p","fetchVariables":"a"}', "[fetchVariables]"),
        (b'{"processDefinitionId":"p","fetchVariables":[1]}', "[fetchVariables[0]]"),
        (b'{"processDefinitionId":"p","variables":[]}', "[variables]"),
        (b'{"processDefinitionId":"p","variables":"x"}', "[variables]"),
        (b'{"processDefinitionId":"p","startInstructions":[{"elementId":1}]}', "startInstructions"),
        (b'{"processDefinitionId":"p","bogus":1}', "[bogus]"),
        (b'{"processDefinitionId":"p","process_definition_version":1}', "[process_definition_version]"),
        (b'{"processDefinitionId":"\\ud800"}', "surrogate"),
        (b'{"processDefinitionId":"\xff"}', "UTF-8"),
        (create(b"NaN"), "not valid JSON"),
        (create(b"-Infinity"), "not valid JSON"),
        (create(b"01"), "not valid JSON"),
        (create(b'"a\nb"'), "not valid JSON"),
        (create(b'"\\q"'), "not valid JSON"),
        (create(b'["\xff"]'), "UTF-8"),
        (create(b'"\xed\xa0\x80"'), "UTF-8"),
        (create(b'"\\ud800 alone"'), "\\ud800"),
        (create(b'"\\uDC00\\uD800"'), "surrogate"),
        (create(b'"\\ud83d\\\\\\ude00"'), "surrogate"),
        (b'{"processDefinitionId":"p","variables":{"\\udfff":1}}', "surrogate"),
        (create(b"[" * 199 + b"]" * 199), "201 levels deep"),
        (create(b"[" * 100_000 + b"]" * 100_000), "levels deep"),
        (create(b'{"a":' * 50_000), "levels deep"),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused_by_place_and_changes_nothing(
    client: aiohttp.ClientSession, partition: FakePartition, body: bytes, named: str
) -> None:
    problem = await refused(client, body)

    assert problem["title"] == "Bad Request"
    assert named in problem["detail"]
    assert problem["instance"] == CREATE
    assert partition.commands == []


@pytest.mark.parametrize(
    "value",
    [
        b'"\\ud83d\\ude00"',
        b'"\\\\ud800"',
        b'"\\u00e9 \xc3\xa9"',
        b'"\xf0\x9f\x98\x80"',
        b"[" * 198 + b"]" * 198,
        b"[" + b"[]," * 5000 + b"1]",
        b'"' + b"[" * 5000 + b'"',
        b'"\\"' + b"{" * 5000 + b'"',
        b"1e999",
        b"123456789012345678901234567890.5",
        b"null",
        b' { "b" : [ 1 , 2 ] }',
    ],
)
async def test_the_bytes_of_a_value_are_handed_on_as_they_came(
    client: aiohttp.ClientSession, partition: FakePartition, value: bytes
) -> None:
    async with client.post(
        "/v2/jobs/2251799813685250/completion", data=b'{"variables":{"a":' + value + b"}}"
    ) as r:
        assert r.status == 415
    body = b'{"variables":{"a":' + value + b"}}"
    async with client.post(
        "/v2/jobs/2251799813685250/completion", data=BytesIO(body), headers=JSON
    ) as response:
        assert response.status == 204

    (command,) = partition.commands
    assert getattr(command, "variables") == {"a": value.strip()}  # noqa: B009  commands have no common type


@pytest.mark.parametrize("body", [b"", b"null", b"  "])
async def test_a_required_body_must_be_there(client: aiohttp.ClientSession, body: bytes) -> None:
    problem = await refused(client, body)
    assert (problem["title"], problem["detail"]) == ("Bad Request", "Required request body is missing")


@pytest.mark.parametrize("body", [b"", b"null", b"{}", b'{"variables":null}', b'{"result":null}'])
@pytest.mark.parametrize("operation", ["completion", "failure"])
async def test_an_optional_body_may_say_nothing(
    client: aiohttp.ClientSession, partition: FakePartition, body: bytes, operation: str
) -> None:
    if operation == "failure" and b"result" in body:
        body = b'{"errorMessage":null}'
    async with client.post(f"/v2/jobs/2251799813685250/{operation}", data=body, headers=JSON) as response:
        assert response.status == 204
    assert len(partition.commands) == 1


async def test_the_last_of_two_equal_properties_counts_as_in_zeebe(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    path = "/v2/jobs/2251799813685250/completion"
    async with client.post(path, data=b'{"variables":{"a":1,"a":2}}', headers=JSON) as response:
        assert response.status == 204
    assert getattr(partition.commands[0], "variables") == {"a": b"2"}  # noqa: B009  as above


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "", "application/json; charset=latin-1"]
)
async def test_another_content_type_is_415(client: aiohttp.ClientSession, content_type: str) -> None:
    async with client.post(CREATE, data=b"{}", headers={"Content-Type": content_type}) as response:
        assert response.status == 415
        assert (await response.json())["title"] == "Unsupported Media Type"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json;charset=UTF-8",
        "Application/JSON",
        "application/merge-patch+json",
        'application/json; charset="utf-8"',
    ],
)
async def test_json_by_any_of_its_names_is_read(client: aiohttp.ClientSession, content_type: str) -> None:
    async with client.post(CREATE, data=b"{}", headers={"Content-Type": content_type}) as response:
        assert (await response.json())["title"] == "INVALID_ARGUMENT"


async def test_a_body_over_the_limit_is_refused_before_it_is_sent(port: int) -> None:
    async with RawConnection(port) as connection:
        head = f"POST {CREATE} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        await connection.send(head.encode(), b'Content-Length: 10000000\r\n\r\n{"processDefinitionId":"')

        response = await connection.response()

    assert response.status == 413
    assert response.json["title"] == "Content Too Large"


async def test_a_whole_body_of_ten_megabytes_is_refused(client: aiohttp.ClientSession) -> None:
    async with client.post(CREATE, data=BytesIO(b" " * 10_000_000), headers=JSON) as response:
        assert response.status == 413


async def test_a_body_of_unknown_length_is_refused_at_the_limit(port: int) -> None:
    async with RawConnection(port) as connection:
        await connection.send(
            f"POST {CREATE} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n".encode(),
            b"Transfer-Encoding: chunked\r\n\r\n",
            b"100000\r\n" + b" " * 0x100000 + b"\r\n",
            b"100000\r\n" + b" " * 0x100000 + b"\r\n",
            b"100000\r\n" + b" " * 0x100000 + b"\r\n",
            b"100000\r\n" + b" " * 0x100000 + b"\r\n",
            b"1\r\n \r\n",
        )
        assert (await connection.response()).status == 413


async def test_a_body_at_the_limit_is_taken(client: aiohttp.ClientSession, partition: FakePartition) -> None:
    start, end = b'{"variables":{"a":"', b'"}}'
    body = start + b"x" * (4 * 1024 * 1024 - len(start) - len(end)) + end
    async with client.post(
        "/v2/jobs/2251799813685250/completion", data=BytesIO(body), headers=JSON
    ) as response:
        assert response.status == 204
    assert len(partition.commands) == 1


async def test_a_client_that_waits_to_be_asked_for_its_body_is_asked(port: int) -> None:
    async with RawConnection(port) as connection:
        head = f"POST {CREATE} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
        await connection.send(head.encode(), b"Expect: 100-continue\r\n\r\n")
        assert (await connection.response()).status == 100

        await connection.send(b"{}")
        assert (await connection.response()).status == 400


@pytest.mark.parametrize(
    "value",
    [
        b"[" * 2_000_000 + b"]" * 2_000_000,
        (b"[" * 190 + b"]" * 190 + b",").join([b""] * 10_000)[:-1],
        b'"' + b"\\n" * 2_000_000 + b'"' + b"[" * 201,
        b"[" * 201 + b'"\\"' * 1_000_000,
        b'"' + b"\\ud800\\udc00" * 300_000 + b'\\ud800"',
        b'"' + b"\\\\" * 1_900_000 + b'\\ud800"',
    ],
)
async def test_the_worst_bodies_are_refused(client: aiohttp.ClientSession, value: bytes) -> None:
    body = create(b"[" + value + b"]")[:-1]
    await refused(client, body)
