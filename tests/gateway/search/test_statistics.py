"""Statistics in a span of time: those of the API answer as it describes them, and all with what happened."""

import base64
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from yarl import URL

from bpmnd.gateway.search.spans import DAY_MS, HOUR_MS, resolution_of
from tests.gateway.schemas import API_FILE, ApiDescription
from tests.gateway.search.conftest import Played, ask

SPAN = {"from": "1970-01-01T00:00:00Z", "to": "1970-01-01T01:00:00Z"}
LATER = {"from": "1970-01-01T05:00:00Z", "to": "1970-01-01T06:00:00+01:00"}
"""All was played in the first hour."""
USED = {"startTime": SPAN["from"], "endTime": SPAN["to"]}


def query(path: str, **parameters: str) -> str:
    return f"{path}?{urlencode(parameters)}"


NUMBER = base64.b64encode(b"[5,0]").decode()
"""A cursor where names are expected."""


def filtered(**more: Any) -> dict[str, Any]:
    return {"filter": {**SPAN, **more}}


@pytest.mark.skipif(not API_FILE.exists(), reason=f"{API_FILE} is not here")
@pytest.mark.parametrize(
    ("operation", "method", "path", "body"),
    [
        ("getGlobalJobStatistics", "GET", query("/jobs/statistics/global", **SPAN), None),
        ("getJobTypeStatistics", "POST", "/jobs/statistics/by-types", filtered()),
        ("getJobWorkerStatistics", "POST", "/jobs/statistics/by-workers", filtered(jobType="work")),
        ("getJobTimeSeriesStatistics", "POST", "/jobs/statistics/time-series", filtered(jobType="work")),
        ("getJobErrorStatistics", "POST", "/jobs/statistics/errors", filtered(jobType="work")),
        ("getUsageMetrics", "GET", query("/system/usage-metrics", **USED, withTenants="true"), None),
    ],
)
async def test_statistics_have_the_shape_of_the_description(
    client: aiohttp.ClientSession, operation: str, method: str, path: str, body: Any
) -> None:
    status, answer = await ask(client, method, path, body)
    assert ApiDescription(API_FILE).complaints(operation, status, "application/json", answer) == []
    assert status == 200, answer
    assert "items" not in answer or answer["items"], "there is something to look at"


async def test_jobs_are_counted_over_all_types(client: aiohttp.ClientSession, played: Played) -> None:
    _, everything = await ask(client, "GET", query("/jobs/statistics/global", **SPAN))
    assert {name: everything[name]["count"] for name in ("created", "completed", "failed")} == {
        "created": 5,
        "completed": 2,
        "failed": 1,
    }
    assert everything["isIncomplete"] is False
    assert everything["failed"]["lastUpdatedAt"].startswith("1970-01-01T00:1")
    _, none = await ask(client, "GET", query("/jobs/statistics/global", **SPAN, jobType="nothing"))
    assert none["created"] == {"count": 0, "lastUpdatedAt": None}
    _, later = await ask(client, "GET", query("/jobs/statistics/global", **LATER))
    assert later["created"]["count"] == 0


async def test_types_are_counted_and_filtered(client: aiohttp.ClientSession) -> None:
    _, answer = await ask(client, "POST", "/jobs/statistics/by-types", filtered())
    assert [item["jobType"] for item in answer["items"]] == ["work"]
    assert answer["items"][0]["workers"] == 1
    for job_type, count in (("work", 1), ({"$like": "w*k"}, 1), ({"$neq": "work"}, 0), ({"$in": ["x"]}, 0)):
        _, answer = await ask(client, "POST", "/jobs/statistics/by-types", filtered(jobType=job_type))
        assert answer["page"]["totalItems"] == len(answer["items"]) == count, job_type


async def test_of_all_time_nothing_needs_to_be_said(client: aiohttp.ClientSession) -> None:
    _, answer = await ask(client, "POST", "/jobs/statistics/by-types", {})
    assert answer["items"][0]["created"]["count"] == 5


async def test_a_worker_has_what_it_completed_and_failed(client: aiohttp.ClientSession) -> None:
    _, answer = await ask(client, "POST", "/jobs/statistics/by-workers", filtered(jobType="work"))
    (item,) = answer["items"]
    assert (item["worker"], item["completed"]["count"], item["failed"]["count"]) == ("worker", 2, 1)
    assert item["created"] == {"count": 0, "lastUpdatedAt": None}


async def test_errors_are_told_by_code_and_message(client: aiohttp.ClientSession) -> None:
    _, answer = await ask(client, "POST", "/jobs/statistics/errors", filtered(jobType="work"))
    assert answer["items"] == [{"errorCode": "", "errorMessage": "broken", "workers": 1}]
    for message, count in ({"$like": "bro*"}, 1), ("other", 0):
        body = filtered(jobType="work", errorMessage=message)
        _, answer = await ask(client, "POST", "/jobs/statistics/errors", body)
        assert len(answer["items"]) == count


async def test_over_time_there_is_an_item_a_step(client: aiohttp.ClientSession) -> None:
    body = filtered(jobType="work", resolution="PT1H")
    _, answer = await ask(client, "POST", "/jobs/statistics/time-series", body)
    (item,) = answer["items"]
    assert (item["time"], item["created"]["count"]) == ("1970-01-01T00:00:00.000Z", 5)
    fine = filtered(jobType="work", resolution="PT1M")
    _, answer = await ask(client, "POST", "/jobs/statistics/time-series", fine)
    assert answer["items"][0]["time"] == "1970-01-01T00:16:00.000Z"


async def test_pages_go_forward_from_their_cursor(client: aiohttp.ClientSession) -> None:
    path, body = "/jobs/statistics/by-workers", filtered(jobType="work")
    _, first = await ask(client, "POST", path, {**body, "page": {"limit": 1}})
    assert len(first["items"]) == 1
    _, rest = await ask(client, "POST", path, {**body, "page": {"after": first["page"]["endCursor"]}})
    assert rest["items"] == []
    assert rest["page"] == {
        "totalItems": 1,
        "hasMoreTotalItems": False,
        "startCursor": None,
        "endCursor": None,
    }


@pytest.mark.parametrize(
    ("method", "path", "body", "complaint"),
    [
        ("GET", "/jobs/statistics/global", None, "No from provided. No to provided."),
        ("GET", query("/jobs/statistics/global", **{**SPAN, "to": "noon"}), None, "[to]"),
        ("GET", "/system/usage-metrics", None, "No startTime provided."),
        ("GET", query("/system/usage-metrics", **USED, withTenants="maybe"), None, "withTenants"),
        ("POST", "/jobs/statistics/by-types", {"filter": {"from": SPAN["from"]}}, "No filter.to provided."),
        ("POST", "/jobs/statistics/by-types", filtered(jobType={"$gt": "a"}), "filter.jobType.$gt"),
        ("POST", "/jobs/statistics/by-types", {**filtered(), "page": {"after": NUMBER}}, "page.after"),
        ("POST", "/jobs/statistics/by-workers", {}, "No filter provided."),
        ("POST", "/jobs/statistics/by-workers", filtered(), "No filter.jobType provided."),
        ("POST", "/jobs/statistics/by-workers", filtered(jobType="a", worker="b"), "worker"),
        ("POST", "/jobs/statistics/time-series", filtered(jobType="a", resolution="1m"), "resolution"),
        ("POST", "/jobs/statistics/errors", filtered(jobType="a", errorCode=7), "filter.errorCode"),
        ("GET", query("/bpmnd/statistics/job-types", limit="0"), None, "limit"),
        ("GET", query("/bpmnd/statistics/process-definitions", **{"from": "x"}), None, "[from]"),
        (
            "GET",
            query("/bpmnd/statistics/job-types", **{"from": SPAN["to"], "to": SPAN["from"]}),
            None,
            "which is after to",
        ),
    ],
)
async def test_what_cannot_be_read_is_a_400_that_names_it(
    client: aiohttp.ClientSession, method: str, path: str, body: Any, complaint: str
) -> None:
    status, problem = await ask(client, method, path, body)
    assert (status, complaint in problem["detail"]) == (400, True), problem


async def test_an_offset_needs_no_escaping_in_a_path(client: aiohttp.ClientSession) -> None:
    """Everybody writes `+02:00`, which says a space and 02:00."""
    path = URL("/v2/bpmnd/statistics/job-types?to=2026-01-01T02:00:00+02:00", encoded=True)
    async with client.get(path) as response:
        assert response.status == 200
        assert (await response.json())["to"] == "2026-01-01T00:00:00.000Z"


async def test_usage_counts_root_instances_decisions_and_assignees(client: aiohttp.ClientSession) -> None:
    _, answer = await ask(client, "GET", query("/system/usage-metrics", **USED, withTenants="true"))
    own = {"processInstances": 7, "decisionInstances": 3, "assignees": 2}
    assert answer == {**own, "activeTenants": 1, "tenants": {"<default>": own}}
    _, answer = await ask(client, "GET", query("/system/usage-metrics", **USED, tenantId="other"))
    assert answer == {
        "processInstances": 0,
        "decisionInstances": 0,
        "assignees": 0,
        "activeTenants": 0,
        "tenants": {},
    }


async def test_a_definition_has_what_is_live_what_fails_and_how_long_it_takes(
    client: aiohttp.ClientSession, played: Played
) -> None:
    path = query("/bpmnd/statistics/process-definitions", **SPAN, processDefinitionId="order")
    _, answer = await ask(client, "GET", path)
    (item,) = answer["items"]
    assert answer["totalItems"] == 1
    assert item["processDefinitionKey"] == str(played.definition)
    assert (item["active"], item["activeWithIncident"], item["completed"]) == (4, 1, 1)
    assert item["openIncidents"] == {"JOB_NO_RETRIES": 1}
    assert item["oldestActiveSince"].startswith("1970-01-01T00:16")
    window = item["window"]
    assert (window["started"], window["completed"], window["incidents"]) == (5, 1, 1)
    assert window["completedPerSecond"] == round(1 / 3600, 4)
    assert window["durationMs"]["p50"] == window["durationMs"]["mean"] == 0


async def test_what_was_not_in_the_span_is_not_in_its_window(client: aiohttp.ClientSession) -> None:
    _, answer = await ask(client, "GET", query("/bpmnd/statistics/process-definitions", **LATER))
    for item in answer["items"]:
        assert item["window"]["started"] == 0
        assert item["window"]["durationMs"]["p99"] is None
    assert answer["items"][0]["active"] > 0, "but what stands is told"


async def test_elements_say_where_work_hangs(client: aiohttp.ClientSession, played: Played) -> None:
    path = f"/bpmnd/statistics/process-definitions/{played.definition}/elements"
    _, answer = await ask(client, "GET", query(path, **SPAN))
    found = {item["elementId"]: item for item in answer["items"]}
    assert list(found) == ["start", "begun", "work", "paid", "end"]
    work, paid = found["work"], found["paid"]
    assert (work["active"], work["activeWithIncident"]) == (3, 1)
    assert work["openJobs"] == {"waiting": 1, "active": 1, "failed": 1}
    assert work["oldestActiveSince"] is not None
    assert (paid["active"], paid["completed"], paid["window"]["completed"]) == (1, 1, 1)
    assert found["end"]["oldestActiveSince"] is None


async def test_a_definition_that_is_not_there_is_a_404(client: aiohttp.ClientSession) -> None:
    for what in ("elements", "time-series"):
        status, _ = await ask(client, "GET", f"/bpmnd/statistics/process-definitions/7/{what}")
        assert status == 404


async def test_over_time_a_definition_has_what_happened_in_each_step(
    client: aiohttp.ClientSession, played: Played
) -> None:
    path = f"/bpmnd/statistics/process-definitions/{played.definition}/time-series"
    _, answer = await ask(client, "GET", query(path, **SPAN, resolution="PT30M"))
    (item,) = answer["items"]
    assert (item["time"], item["started"]) == ("1970-01-01T00:00:00.000Z", 5)
    _, answer = await ask(client, "GET", query(path, **SPAN, elementId="work"))
    assert sum(item["completed"] for item in answer["items"]) == 2
    _, answer = await ask(client, "GET", query(path, **SPAN, elementId="nothing"))
    assert answer["items"] == []


async def test_job_types_name_their_workers(client: aiohttp.ClientSession) -> None:
    _, answer = await ask(client, "GET", query("/bpmnd/statistics/job-types", **SPAN))
    (item,) = answer["items"]
    assert (item["jobType"], item["waiting"], item["active"], item["failed"]) == ("work", 1, 1, 1)
    assert [worker["worker"] for worker in item["workers"]] == ["worker"]
    assert item["window"] == {
        "created": 5,
        "activated": 4,
        "completed": 2,
        "failed": 1,
        "timedOut": 0,
        "errorsThrown": 0,
    }


async def test_without_a_span_the_last_hour_is_meant(client: aiohttp.ClientSession) -> None:
    _, answer = await ask(client, "GET", "/bpmnd/statistics/job-types")
    start, end = (datetime.fromisoformat(answer[name]) for name in ("from", "to"))
    assert (end - start).total_seconds() == 3600
    assert abs((datetime.now(UTC) - end).total_seconds()) < 600
    assert answer["items"][0]["window"]["created"] == 0


@pytest.mark.parametrize(
    ("text", "span", "milliseconds"),
    [
        ("PT1M", 0, 60_000),
        ("PT90S", 0, 60_000),
        ("PT1S", 0, 60_000),
        ("PT1H30M", 0, 5_400_000),
        ("P1DT1H", 0, 25 * HOUR_MS),
        ("P2W", 0, 14 * DAY_MS),
        (None, HOUR_MS, 60_000),
        (None, DAY_MS, HOUR_MS),
        (None, 90 * DAY_MS, DAY_MS),
    ],
)
def test_a_step_is_of_whole_minutes_and_suits_the_span(
    text: str | None, span: int, milliseconds: int
) -> None:
    assert resolution_of(text, 0, span, "resolution") == milliseconds
