"""The search for global task listeners."""

from typing import Any

import aiohttp
import pytest
from prometheus_client.registry import CollectorRegistry

from bpmnd.bpmn.commands import ReadGlobalListeners
from bpmnd.bpmn.outcomes import GlobalListenersRead
from bpmnd.bpmn.user_tasks import GlobalListener
from bpmnd.gateway.server import Gateway
from tests.gateway.fakes import FakeCluster
from tests.gateway.schemas import API_FILE, ApiDescription

LISTENERS = GlobalListenersRead(
    (
        (11, GlobalListener("b", "audit", ("all",), 3, after_non_global=True, priority=10)),
        (12, GlobalListener("a", "check-it", ("creating", "assigning"), 1, priority=50)),
        (13, GlobalListener("d*", "check", ("completing",), 5, priority=50)),
        (14, GlobalListener("c", "notify", ("canceling", "updating"), 3, priority=-5)),
    )
)


@pytest.fixture(scope="module")
def description() -> ApiDescription:
    if not API_FILE.exists():
        pytest.skip(f"there is no API description at {API_FILE}")
    return ApiDescription(API_FILE)


async def ask(body: Any) -> tuple[int, Any, FakeCluster]:
    cluster = FakeCluster()
    cluster.all[0].outcome = LISTENERS
    gateway = Gateway(cluster, CollectorRegistry())
    port = await gateway.start("127.0.0.1", 0)
    try:
        async with (
            aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
            session.post("/v2/global-task-listeners/search", json=body) as response,
        ):
            return response.status, await response.json(), cluster
    finally:
        await gateway.stop(drain_s=1)


async def ids(body: Any) -> list[str]:
    status, answer, _ = await ask(body)
    assert status == 200, answer
    return [item["id"] for item in answer["items"]]


async def test_all_are_found_the_oldest_first_as_the_api_shows_them(description: ApiDescription) -> None:
    status, answer, cluster = await ask(None)
    assert description.complaints("searchGlobalTaskListeners", status, "application/json", answer) == []
    assert [item["id"] for item in answer["items"]] == ["b", "a", "d*", "c"]
    assert answer["items"][0] == {
        "id": "b",
        "type": "audit",
        "eventTypes": ["all"],
        "retries": 3,
        "afterNonGlobal": True,
        "priority": 10,
        "source": "API",
    }
    assert answer["page"]["totalItems"] == 4
    assert cluster.all[0].commands == [ReadGlobalListeners()]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"id": "a"}, "a"),
        ({"id": {"$eq": "a"}}, "a"),
        ({"id": {"$neq": "a"}}, "b d* c"),
        ({"id": {"$in": ["c", "a", "x"]}}, "a c"),
        ({"id": {"$notIn": ["c", "a"]}}, "b d*"),
        ({"id": {"$exists": True}}, "b a d* c"),
        ({"id": {"$exists": False}}, ""),
        ({"id": {"$like": "?\\*"}}, "d*"),
        ({"type": {"$like": "check*"}}, "a d*"),
        ({"type": "check"}, "d*"),
        ({"retries": 3}, "b c"),
        ({"retries": {"$gt": 3}}, "d*"),
        ({"retries": {"$gte": 3, "$lt": 5}}, "b c"),
        ({"retries": {"$lte": 1}}, "a"),
        ({"retries": {"$in": [1, 5]}}, "a d*"),
        ({"retries": {"$neq": 3}}, "a d*"),
        ({"priority": {"$lt": 0}}, "c"),
        ({"afterNonGlobal": True}, "b"),
        ({"afterNonGlobal": False, "priority": 50}, "a d*"),
        ({"source": "API"}, "b a d* c"),
        ({"source": "CONFIGURATION"}, ""),
        ({"source": {"$neq": "API"}}, ""),
        ({"source": {"$like": "A*"}}, "b a d* c"),
        ({"source": {"$in": ["CONFIGURATION"]}}, ""),
        ({"eventTypes": ["assigning"]}, "a"),
        ({"eventTypes": ["assigning", "creating"]}, "a"),
        ({"eventTypes": ["assigning", "completing"]}, ""),
        ({"eventTypes": [{"$eq": "all"}]}, "b"),
        ({"eventTypes": [{"$neq": "all"}]}, "a d* c"),
        ({"eventTypes": [{"$in": ["all", "updating"]}]}, "b c"),
        ({"eventTypes": [{"$like": "c*ing"}]}, "a d* c"),
        ({"eventTypes": [{"$exists": True}]}, "b a d* c"),
        ({"eventTypes": []}, "b a d* c"),
        ({"id": None, "eventTypes": None}, "b a d* c"),
    ],
)
async def test_a_filter_finds_those_that_fit(condition: dict[str, Any], found: str) -> None:
    assert await ids({"filter": condition}) == found.split()


@pytest.mark.parametrize(
    ("sort", "found"),
    [
        ([{"field": "id"}], "a b c d*"),
        ([{"field": "id", "order": "DESC"}], "d* c b a"),
        ([{"field": "type"}], "b d* a c"),
        ([{"field": "afterNonGlobal"}], "a d* c b"),
        ([{"field": "afterNonGlobal", "order": "DESC"}], "b c d* a"),
        ([{"field": "priority"}], "c b a d*"),
        ([{"field": "priority", "order": "DESC"}, {"field": "id", "order": "DESC"}], "d* a b c"),
        ([{"field": "source"}, {"field": "priority"}], "c b a d*"),
    ],
)
async def test_a_sort_says_the_order(sort: list[dict[str, str]], found: str) -> None:
    assert await ids({"sort": sort}) == found.split()


@pytest.mark.parametrize("sort", [[], [{"field": "priority", "order": "DESC"}], [{"field": "id"}]])
async def test_pages_follow_each_other_forwards_and_backwards(sort: list[dict[str, str]]) -> None:
    whole = await ids({"sort": sort})
    _, first, _ = await ask({"sort": sort, "page": {"limit": 3}})
    _, second, _ = await ask({"sort": sort, "page": {"limit": 3, "after": first["page"]["endCursor"]}})
    _, back, _ = await ask({"sort": sort, "page": {"limit": 2, "before": second["page"]["startCursor"]}})
    _, after_all, _ = await ask({"sort": sort, "page": {"after": second["page"]["endCursor"]}})
    shown = [[item["id"] for item in page["items"]] for page in (first, second, back, after_all)]
    assert shown == [whole[:3], whole[3:], whole[1:3], []]
    assert {page["page"]["totalItems"] for page in (first, second, back, after_all)} == {4}


async def test_a_page_may_begin_at_an_offset() -> None:
    assert await ids({"page": {"from": 1, "limit": 2}}) == ["a", "d*"]
    assert await ids({"page": {"from": 9}}) == []


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (
            {"filter": {"name": "a"}},
            "Request property [filter.name] cannot be parsed: there is no such property",
        ),
        (
            {"filter": {"retries": {"$like": "1"}}},
            "Request property [filter.retries.$like] cannot be parsed: there is no such property",
        ),
        (
            {"filter": {"eventTypes": "all"}},
            "Request property [filter.eventTypes] cannot be parsed: expected an array",
        ),
        (
            {"filter": {"eventTypes": ["ending"]}},
            "Unexpected value 'ending' for enum field 'filter.eventTypes[0]'."
            " Use any of the following values: [all, assigning, canceling, completing, creating, updating]",
        ),
        (
            {"filter": {"afterNonGlobal": {"$eq": True}}},
            "Request property [filter.afterNonGlobal] cannot be parsed: expected a boolean",
        ),
        (
            {"sort": [{"field": "retries"}]},
            "Unexpected value 'retries' for enum field 'sort[0].field'."
            " Use any of the following values: [afterNonGlobal, id, priority, source, type]",
        ),
    ],
)
async def test_what_cannot_be_searched_by_is_refused(body: dict[str, Any], detail: str) -> None:
    status, problem, cluster = await ask(body)
    assert (status, problem["detail"]) == (400, detail)
    assert cluster.all[0].commands == []


async def test_a_cursor_of_another_sort_is_refused() -> None:
    _, page, _ = await ask({"sort": [{"field": "id"}]})
    cursor = page["page"]["endCursor"]
    for sort in ([], [{"field": "priority"}]):
        status, problem, _ = await ask({"sort": sort, "page": {"after": cursor}})
        assert status == 400
        assert problem["detail"] == "The cursor in page.after cannot be read for this sort."
