from typing import Any

import aiohttp
import pytest

from bpmnd.bpmn.commands import ActivateAdHocActivities
from bpmnd.bpmn.keys import first_key
from tests.gateway.fakes import FakeCluster

KEY = first_key(1) + 9
PATH = f"/v2/element-instances/ad-hoc-activities/{KEY}/activation"
NOTHING: dict[str, Any] = {}
NOTHINGS: list[Any] = []


@pytest.mark.parametrize(
    ("body", "command"),
    [
        ({"elements": [{"elementId": "a"}]}, ActivateAdHocActivities(KEY, (("a", {}),))),
        (
            {
                "elements": [
                    {"elementId": "a", "variables": {"x": 1}},
                    {"elementId": "b", "variables": None},
                ],
                "cancelRemainingInstances": True,
            },
            ActivateAdHocActivities(KEY, (("a", {"x": b"1"}), ("b", {})), cancel_remaining=True),
        ),
    ],
)
async def test_an_activation_becomes_its_command(
    client: aiohttp.ClientSession,
    cluster: FakeCluster,
    body: dict[str, Any],
    command: ActivateAdHocActivities,
) -> None:
    async with client.post(PATH, json=body) as response:
        assert response.status == 204
    assert cluster.all[0].commands == [command]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "No elements provided."),
        ({"elements": NOTHINGS}, "No elements provided."),
        ({"elements": [{"variables": NOTHING}]}, "No elementId provided."),
    ],
)
async def test_what_an_activation_lacks_is_told(
    client: aiohttp.ClientSession, cluster: FakeCluster, body: dict[str, Any], detail: str
) -> None:
    async with client.post(PATH, json=body) as response:
        assert (response.status, (await response.json())["detail"]) == (400, detail)
    assert cluster.all[0].commands == []
