"""Each read answers as the API describes it, with what is there."""

from typing import Any

import aiohttp
import pytest

from tests.actors.history.histories import LocalHistory
from tests.gateway.schemas import API_FILE, ApiDescription
from tests.gateway.search.conftest import Played, ask

HASH_OF_BROKEN = -1380616235


@pytest.mark.skipif(not API_FILE.exists(), reason=f"{API_FILE} is not here")
async def test_every_read_has_the_shape_of_the_description(
    client: aiohttp.ClientSession, played: Played
) -> None:
    instance, definition = f"/process-instances/{played.failing}", f"/process-definitions/{played.definition}"
    element = f"/element-instances/{played.job.element_instance_key}"
    variable = await key_of(client, "variables", "variableKey")
    incident = await key_of(client, "incidents", "incidentKey")
    by_error = {"filter": {"errorHashCode": HASH_OF_BROKEN}}
    operations: list[tuple[str, str, str, Any]] = [
        ("searchProcessInstances", "POST", "/process-instances/search", {}),
        ("getProcessInstance", "GET", instance, None),
        ("getProcessInstanceCallHierarchy", "GET", f"{instance}/call-hierarchy", None),
        ("getProcessInstanceSequenceFlows", "GET", f"{instance}/sequence-flows", None),
        ("getProcessInstanceStatistics", "GET", f"{instance}/statistics/element-instances", None),
        ("searchProcessInstanceIncidents", "POST", f"{instance}/incidents/search", {}),
        ("searchIncidents", "POST", "/incidents/search", {}),
        ("getIncident", "GET", f"/incidents/{incident}", None),
        (
            "getProcessInstanceStatisticsByError",
            "POST",
            "/incidents/statistics/process-instances-by-error",
            {},
        ),
        (
            "getProcessInstanceStatisticsByDefinition",
            "POST",
            "/incidents/statistics/process-instances-by-definition",
            by_error,
        ),
        ("searchElementInstances", "POST", "/element-instances/search", {}),
        ("getElementInstance", "GET", element, None),
        ("searchElementInstanceIncidents", "POST", f"{element}/incidents/search", {}),
        ("searchJobs", "POST", "/jobs/search", {}),
        ("searchVariables", "POST", "/variables/search", {}),
        ("getVariable", "GET", f"/variables/{variable}", None),
        ("searchProcessDefinitions", "POST", "/process-definitions/search", {}),
        ("getProcessDefinition", "GET", definition, None),
        ("getProcessDefinitionStatistics", "POST", f"{definition}/statistics/element-instances", {}),
        (
            "getProcessDefinitionInstanceStatistics",
            "POST",
            "/process-definitions/statistics/process-instances",
            {},
        ),
        (
            "getProcessDefinitionInstanceVersionStatistics",
            "POST",
            "/process-definitions/statistics/process-instances-by-version",
            {"filter": {"processDefinitionId": "order"}},
        ),
        (
            "getProcessDefinitionMessageSubscriptionStatistics",
            "POST",
            "/process-definitions/statistics/message-subscriptions",
            {},
        ),
        ("searchMessageSubscriptions", "POST", "/message-subscriptions/search", {}),
        (
            "searchCorrelatedMessageSubscriptions",
            "POST",
            "/correlated-message-subscriptions/search",
            {},
        ),
    ]
    description = ApiDescription(API_FILE)
    for operation, method, path, body in operations:
        status, answer = await ask(client, method, path, body)
        assert description.complaints(operation, status, "application/json", answer) == [], operation
        assert status == 200, (operation, answer)
        assert "items" not in answer or answer["items"], f"{operation} finds nothing to look at"


async def key_of(client: aiohttp.ClientSession, path: str, name: str) -> str:
    _, answer = await ask(client, "POST", f"/{path}/search", {"page": {"limit": 1}})
    return str(answer["items"][0][name])


@pytest.mark.parametrize(
    "path",
    [
        "/process-instances/7",
        "/process-instances/7/call-hierarchy",
        "/incidents/2251799813685999",
        "/element-instances/7",
        "/variables/7",
        "/process-definitions/7",
        "/process-definitions/7/xml",
    ],
)
async def test_what_is_not_there_is_a_404(client: aiohttp.ClientSession, path: str) -> None:
    status, problem = await ask(client, "GET", path)
    assert (status, problem["title"]) == (404, "NOT_FOUND")
    assert path.split("/")[2] in problem["detail"]


async def test_a_key_that_is_no_number_is_a_400(client: aiohttp.ClientSession) -> None:
    assert (await ask(client, "GET", "/process-instances/x"))[0] == 400


async def test_the_source_of_a_process_is_what_was_deployed(
    client: aiohttp.ClientSession, played: Played
) -> None:
    status, content = await ask(client, "GET", f"/process-definitions/{played.definition}/xml")
    assert status == 200
    assert b'name="Order of goods"' in content


async def test_a_called_instance_names_its_callers(client: aiohttp.ClientSession, played: Played) -> None:
    _, line = await ask(client, "GET", f"/process-instances/{played.called}/call-hierarchy")
    assert [(entry["processInstanceKey"], entry["processDefinitionName"]) for entry in line] == [
        (str(played.caller), "calling"),
        (str(played.called), "Order of goods"),
    ]
    _, instance = await ask(client, "GET", f"/process-instances/{played.called}")
    assert instance["parentProcessInstanceKey"] == instance["rootProcessInstanceKey"] == str(played.caller)


async def test_flows_that_were_taken_are_told_once(client: aiohttp.ClientSession, played: Played) -> None:
    _, answer = await ask(client, "GET", f"/process-instances/{played.over}/sequence-flows")
    assert [flow["elementId"] for flow in answer["items"]] == ["start_work", "work_paid", "paid_end"]


async def test_elements_are_counted_by_what_became_of_them(
    client: aiohttp.ClientSession, played: Played
) -> None:
    path = f"/process-definitions/{played.definition}/statistics/element-instances"
    _, answer = await ask(client, "POST", path, {})
    counts = {item["elementId"]: item for item in answer["items"]}
    assert counts["work"] == {
        "elementId": "work",
        "active": 2,
        "incidents": 1,
        "completed": 2,
        "canceled": 0,
    }
    _, answer = await ask(client, "POST", path, {"filter": {"state": "COMPLETED"}})
    assert {item["elementId"]: item["completed"] for item in answer["items"]} == {
        "start": 1,
        "work": 1,
        "paid": 1,
        "end": 1,
    }


async def test_live_instances_are_counted_over_all_partitions(client: aiohttp.ClientSession) -> None:
    sort = {"sort": [{"field": "activeInstancesWithIncidentCount", "order": "DESC"}]}
    _, answer = await ask(client, "POST", "/process-definitions/statistics/process-instances", sort)
    assert [
        (
            item["processDefinitionId"],
            item["activeInstancesWithIncidentCount"],
            item["activeInstancesWithoutIncidentCount"],
        )
        for item in answer["items"]
    ] == [("order", 1, 3), ("approval", 0, 2), ("calling", 0, 1)]
    assert answer["page"]["totalItems"] == 3


async def test_instances_that_fail_are_counted_by_error(
    client: aiohttp.ClientSession, played: Played
) -> None:
    _, answer = await ask(client, "POST", "/incidents/statistics/process-instances-by-error", {})
    assert answer["items"] == [
        {"errorHashCode": HASH_OF_BROKEN, "errorMessage": "broken", "activeInstancesWithErrorCount": 1}
    ]
    path = "/incidents/statistics/process-instances-by-definition"
    _, answer = await ask(client, "POST", path, {"filter": {"errorHashCode": HASH_OF_BROKEN}})
    assert [item["processDefinitionKey"] for item in answer["items"]] == [str(played.definition)]


async def test_a_message_that_was_received_is_found_with_who_received_it(
    client: aiohttp.ClientSession, played: Played
) -> None:
    wanted = {"filter": {"messageName": "pay"}}
    _, answer = await ask(client, "POST", "/correlated-message-subscriptions/search", wanted)
    (item,) = answer["items"]
    assert (item["processInstanceKey"], item["elementId"], item["correlationKey"]) == (
        str(played.over),
        "paid",
        "3",
    )
    past = {"filter": {"messageName": "pay", "messageSubscriptionState": {"$neq": "CREATED"}}}
    _, answer = await ask(client, "POST", "/message-subscriptions/search", past)
    (item,) = answer["items"]
    assert item["messageSubscriptionState"] == "CORRELATED"


async def test_long_values_are_cut_unless_the_whole_is_asked_for(client: aiohttp.ClientSession) -> None:
    wanted = {"filter": {"isTruncated": True}}
    _, answer = await ask(client, "POST", "/variables/search", wanted)
    (item,) = answer["items"]
    assert (item["isTruncated"], len(item["value"])) == (True, 8191)
    _, whole = await ask(client, "POST", "/variables/search?truncateValues=false", wanted)
    assert [(item["isTruncated"], len(item["value"])) for item in whole["items"]] == [(False, 9002)]
    _, variable = await ask(client, "GET", f"/variables/{item['variableKey']}")
    assert len(variable["value"]) == 9002


async def test_a_page_that_is_too_large_says_what_to_do(
    client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bpmnd.storage.history.ANSWER_SIZE_MAX", 1 << 12)
    path = "/variables/search?truncateValues=false"
    status, problem = await ask(client, "POST", path, {})
    assert (status, problem["title"]) == (400, "INVALID_ARGUMENT")
    assert "ask for fewer at a time (page.limit)" in problem["detail"]
    status, _ = await ask(client, "POST", path, {"page": {"limit": 2}, "filter": {"isTruncated": False}})
    assert status == 200


async def test_incidents_of_an_instance_are_those_of_what_it_has_called_too(
    client: aiohttp.ClientSession, played: Played
) -> None:
    for key, count in ((played.failing, 1), (played.over, 0), (played.caller, 0)):
        _, answer = await ask(client, "POST", f"/process-instances/{key}/incidents/search", {})
        assert len(answer["items"]) == count


async def test_without_a_leader_a_search_waits_and_then_says_so(
    client: aiohttp.ClientSession, history: LocalHistory, played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bpmnd.gateway.search.searching.LEADER_WAIT_S", 0.1)
    history.leaderless = {2}
    status, problem = await ask(client, "POST", "/process-instances/search", {})
    assert (status, problem["title"]) == (503, "UNAVAILABLE")
    assert "partition 2" in problem["detail"]

    wanted = {"filter": {"processInstanceKey": str(played.over)}}
    status, answer = await ask(client, "POST", "/process-instances/search", wanted)
    assert (status, len(answer["items"])) == (200, 1), "the key tells that partition 1 has it"


@pytest.mark.parametrize(("leaderless", "expected"), [({2}, 200), ({1}, 503)])
async def test_definitions_are_looked_for_where_they_are_deployed_first(
    client: aiohttp.ClientSession,
    history: LocalHistory,
    monkeypatch: pytest.MonkeyPatch,
    leaderless: set[int],
    expected: int,
) -> None:
    """Elsewhere they come later: who has seen one would not find it again."""
    monkeypatch.setattr("bpmnd.gateway.search.searching.LEADER_WAIT_S", 0.1)
    history.leaderless = leaderless

    status, _ = await ask(client, "POST", "/process-definitions/search", {})

    assert status == expected
