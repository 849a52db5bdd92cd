"""Both ends prove who they are."""

import asyncio
from pathlib import Path

import pytest

from bpmnd.cli.tls import make_authority, make_node
from bpmnd.cluster.errors import TransportError
from bpmnd.cluster.handshake import Hello, headers_of
from bpmnd.cluster.tls import TlsFiles, client_context
from tests.cluster.nodes import Node, Wire, are_joined, joined, request, some_attempts, until


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("tls")
    make_authority(directory)
    for node in (1, 2, 3):
        make_node(directory, node)
    return directory


@pytest.fixture(scope="module")
def other_authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("other")
    make_authority(directory)
    make_node(directory, 1)
    return directory


def files_of(directory: Path, node: int) -> TlsFiles:
    return TlsFiles(directory / "ca.pem", directory / f"node-{node}.pem", directory / f"node-{node}.key")


async def test_nodes_with_certificates_of_one_authority_exchange_items(authority: Path) -> None:
    async with Node(1, tls=files_of(authority, 1)) as one, Node(2, tls=files_of(authority, 2)) as two:
        await joined(one, two)
        one.transport.send(2, bytes(5 << 20))
        two.transport.send(1, b"back")

        await until(lambda: len(one.items) == len(two.items) == 1)

        assert (one.items, two.items) == ([b"back"], [bytes(5 << 20)])


async def test_when_both_dial_at_once_over_tls_one_connection_stays(authority: Path) -> None:
    async with Node(1, tls=files_of(authority, 1)) as one, Node(2, tls=files_of(authority, 2)) as two:
        one.transport.learn(2, two.address)
        two.transport.learn(1, one.address)
        await until(lambda: are_joined(one, two))
        await asyncio.gather(some_attempts(one), some_attempts(two))

        assert (one.events, two.events) == (["connected 2"], ["connected 1"])


async def never_joined(one: Node, two: Node) -> None:
    async with Wire(two.address) as wire:
        one.transport.learn(two.id, wire.address)
        await until(lambda: wire.calls > 5)
    assert (one.events, two.events) == ([], [])


async def test_a_certificate_of_another_authority_is_refused(authority: Path, other_authority: Path) -> None:
    async with Node(1, tls=files_of(other_authority, 1)) as one, Node(2, tls=files_of(authority, 2)) as two:
        await never_joined(one, two)


async def test_a_server_checks_the_authority_of_a_client_that_does_not_check_its_own(
    authority: Path, other_authority: Path
) -> None:
    own = files_of(other_authority, 1)
    careless = TlsFiles(authority / "ca.pem", own.certificate, own.key)
    async with Node(1, tls=careless) as one, Node(2, tls=files_of(authority, 2)) as two:
        await never_joined(one, two)


async def test_a_dialer_with_the_certificate_of_another_node_is_refused(
    authority: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with Node(1, tls=files_of(authority, 3)) as one, Node(2, tls=files_of(authority, 2)) as two:
        await never_joined(one, two)
    assert "refuses: its certificate does not name node-1.bpmnd" in caplog.text


async def test_a_dialed_node_with_the_certificate_of_another_is_refused(
    authority: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with Node(1, tls=files_of(authority, 1)) as one, Node(2, tls=files_of(authority, 3)) as two:
        await never_joined(one, two)
    assert "node-2.bpmnd" in caplog.text


async def test_a_request_for_no_websocket_is_held_to_its_certificate_too(authority: Path) -> None:
    async with Node(2, tls=files_of(authority, 2)) as two:
        reader, writer = await asyncio.open_connection(
            *two.address, ssl=client_context(files_of(authority, 3)), server_hostname="node-2.bpmnd"
        )
        writer.write(request("GET /peer", headers_of(Hello(1, 1, "c"), "0123456789abcdef")))
        async with asyncio.timeout(5):
            answer = await reader.read()
        writer.transport.abort()

        assert answer.startswith(b"HTTP/1.1 403")
        assert b"Bpmnd-Reason: its certificate does not name node-1.bpmnd" in answer


async def test_a_node_without_tls_reaches_none_with_it(authority: Path) -> None:
    async with Node(1) as one, Node(2, tls=files_of(authority, 2)) as two:
        await never_joined(one, two)


async def test_a_node_with_tls_reaches_none_without_it(authority: Path) -> None:
    async with Node(1, tls=files_of(authority, 1)) as one, Node(2) as two:
        await never_joined(one, two)


async def test_a_caller_that_says_nothing_does_not_keep_its_connection(authority: Path) -> None:
    async with Node(1, tls=files_of(authority, 1)) as one:
        reader, writer = await asyncio.open_connection(*one.address)
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.transport.abort()


@pytest.mark.parametrize("wrong", ["ca", "certificate", "key"])
async def test_a_file_that_is_not_there_is_named_at_the_start(authority: Path, wrong: str) -> None:
    files = files_of(authority, 1)
    missing = {"ca": files.ca, "certificate": files.certificate, "key": files.key} | {wrong: Path("/gone")}

    with pytest.raises(TransportError, match="TLS file /gone: No such file"):
        await Node(1, tls=TlsFiles(**missing)).transport.start()


async def test_a_key_that_is_not_of_the_certificate_is_refused_at_the_start(authority: Path) -> None:
    files = TlsFiles(authority / "ca.pem", authority / "node-1.pem", authority / "node-2.key")

    with pytest.raises(TransportError, match="do not fit"):
        await Node(1, tls=files).transport.start()
