from collections.abc import AsyncIterator

import aiohttp
import pytest
from prometheus_client.registry import CollectorRegistry

from bpmnd.gateway.server import Gateway
from tests.gateway.fakes import FakeCluster, FakePartition


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


@pytest.fixture
def partition(cluster: FakeCluster) -> FakePartition:
    return cluster.all[0]


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
async def gateway(cluster: FakeCluster, registry: CollectorRegistry) -> AsyncIterator[Gateway]:
    gateway = Gateway(cluster, registry)
    yield gateway
    await gateway.stop(drain_s=1)


@pytest.fixture
async def port(gateway: Gateway) -> int:
    return await gateway.start("127.0.0.1", 0)


@pytest.fixture
async def client(port: int) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield session
