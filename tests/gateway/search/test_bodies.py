"""Search bodies are read to the letter: what is not described is a 400 that names the place."""

import base64
from typing import Any

import aiohttp
import pytest

from bpmnd.actors.history.entities import ENTITIES, Filter, Kind
from tests.gateway.search.conftest import Played, ask

INSTANCES = "/process-instances/search"


def cursor(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


COMPLAINTS: list[tuple[str, Any, str]] = [
    (INSTANCES, {"filters": {}}, "filters"),
    (INSTANCES, {"filter": []}, "filter"),
    (INSTANCES, {"filter": {"nothing": 1}}, "filter.nothing"),
    (INSTANCES, {"filter": {"state": "active"}}, "filter.state"),
    (INSTANCES, {"filter": {"state": 1}}, "filter.state"),
    (INSTANCES, {"filter": {"state": {"$notIn": ["ACTIVE"]}}}, "filter.state.$notIn"),
    (INSTANCES, {"filter": {"state": {"$in": "ACTIVE"}}}, "filter.state.$in"),
    (INSTANCES, {"filter": {"state": {"$in": ["ON"]}}}, "filter.state.$in[0]"),
    (INSTANCES, {"filter": {"processInstanceKey": 5}}, "filter.processInstanceKey"),
    (INSTANCES, {"filter": {"processInstanceKey": "x"}}, "filter.processInstanceKey"),
    (INSTANCES, {"filter": {"processInstanceKey": {"$like": "5"}}}, "filter.processInstanceKey.$like"),
    (INSTANCES, {"filter": {"processInstanceKey": {"$gt": "5"}}}, "filter.processInstanceKey.$gt"),
    (INSTANCES, {"filter": {"processDefinitionVersion": "1"}}, "filter.processDefinitionVersion"),
    (INSTANCES, {"filter": {"processDefinitionVersion": 2**31}}, "filter.processDefinitionVersion"),
    (INSTANCES, {"filter": {"processDefinitionVersion": True}}, "filter.processDefinitionVersion"),
    (INSTANCES, {"filter": {"startDate": "yesterday"}}, "filter.startDate"),
    (INSTANCES, {"filter": {"startDate": "2026-01-01T00:00:00"}}, "filter.startDate"),
    (INSTANCES, {"filter": {"startDate": {"$gt": 5}}}, "filter.startDate.$gt"),
    (INSTANCES, {"filter": {"startDate": {"$like": "2026*"}}}, "filter.startDate.$like"),
    (INSTANCES, {"filter": {"hasIncident": "true"}}, "filter.hasIncident"),
    (INSTANCES, {"filter": {"hasIncident": {"$eq": True}}}, "filter.hasIncident"),
    (INSTANCES, {"filter": {"businessId": {"$exists": "yes"}}}, "filter.businessId.$exists"),
    (INSTANCES, {"filter": {"tags": "red"}}, "filter.tags"),
    (INSTANCES, {"filter": {"variables": {"a": 1}}}, "filter.variables"),
    (INSTANCES, {"filter": {"variables": [{"name": "a"}]}}, "filter.variables[0].value"),
    (INSTANCES, {"filter": {"variables": [{"name": "a", "value": 1}]}}, "filter.variables[0].value"),
    (INSTANCES, {"filter": {"$or": {}}}, "filter.$or"),
    (INSTANCES, {"filter": {"$or": [{"$or": []}]}}, "filter.$or[0].$or"),
    (INSTANCES, {"filter": {"$or": [{"nothing": 1}]}}, "filter.$or[0].nothing"),
    (INSTANCES, {"filter": {"batchOperationId": "a", "batchOperationKey": "b"}}, "batchOperationId"),
    (INSTANCES, {"filter": {"businessId": {"$like": "*" * 2_001}}}, "filter.businessId.$like"),
    (INSTANCES, {"filter": {"processInstanceKey": {"$in": ["1"] * 10_001}}}, "filter.processInstanceKey.$in"),
    (INSTANCES, {"filter": {"$or": [{}] * 501}}, "501 conditions"),
    (INSTANCES, {"filter": {"tags": ["red"] * 501}}, "501 conditions"),
    (
        "/process-definitions/5/statistics/element-instances",
        {"filter": {"tags": ["a"] * 501}},
        "501 conditions",
    ),
    (INSTANCES, {"sort": {}}, "sort"),
    (INSTANCES, {"sort": [{}]}, "sort[0].field"),
    (INSTANCES, {"sort": [{"field": "tags"}]}, "sort[0].field"),
    (INSTANCES, {"sort": [{"field": "state", "order": "asc"}]}, "sort[0].order"),
    (INSTANCES, {"sort": [{"field": ["state"] * 40_000}]}, "sort[0].field"),
    (INSTANCES, {"sort": [{"field": "state", "by": 1}]}, "sort[0].by"),
    (INSTANCES, {"page": {"limit": 0}}, "page.limit"),
    (INSTANCES, {"page": {"limit": 10_001}}, "page.limit"),
    (INSTANCES, {"page": {"limit": "1"}}, "page.limit"),
    (INSTANCES, {"page": {"from": -1}}, "page.from"),
    (INSTANCES, {"page": {"size": 5}}, "page.size"),
    (INSTANCES, {"page": {"from": 1, "after": cursor("[1]")}}, "[from, after]"),
    (INSTANCES, {"page": {"before": cursor("[1]"), "after": cursor("[1]")}}, "[after, before]"),
    (INSTANCES, {"page": {"after": "nonsense!"}}, "page.after"),
    (INSTANCES, {"page": {"after": cursor("{}")}}, "page.after"),
    (INSTANCES, {"page": {"after": cursor("[1, 2]")}}, "page.after"),
    (INSTANCES, {"page": {"after": cursor('["a"]')}}, "page.after"),
    (INSTANCES, {"page": {"after": cursor("[1180591620717411303424]")}}, "page.after"),
    ("/incidents/search", {"filter": {"incidentKey": {"$like": "1"}}}, "filter.incidentKey.$like"),
    ("/element-instances/search", {"filter": {"elementId": {"$eq": "a"}}}, "filter.elementId"),
    ("/element-instances/search", {"sort": [{"field": "hasIncident"}]}, "sort[0].field"),
    ("/jobs/search", {"sort": [{"field": "creationTime"}]}, "sort[0].field"),
    ("/variables/search?truncateValues=maybe", {}, "truncateValues"),
    (
        "/process-definitions/statistics/process-instances",
        {"page": {"after": cursor("[1]")}},
        "page.after",
    ),
    ("/process-definitions/statistics/process-instances-by-version", {}, "filter"),
    (
        "/process-definitions/5/statistics/element-instances",
        {"filter": {"processDefinitionId": "a"}},
        "filter.processDefinitionId",
    ),
    ("/incidents/statistics/process-instances-by-definition", {"filter": {}}, "errorHashCode"),
]


@pytest.mark.parametrize(("path", "body", "place"), COMPLAINTS)
async def test_what_is_not_described_is_a_400_that_names_the_place(
    client: aiohttp.ClientSession, path: str, body: Any, place: str
) -> None:
    status, problem = await ask(client, "POST", path, body)
    assert status == 400, problem
    assert place in problem["detail"]


async def test_the_names_that_there_are_stand_in_alphabetical_order(client: aiohttp.ClientSession) -> None:
    _, problem = await ask(client, "POST", INSTANCES, {"filter": {"state": "GONE"}})
    assert problem["detail"] == (
        "Unexpected value 'GONE' for enum field 'filter.state'. Use any of the following values:"
        " [ACTIVE, COMPLETED, TERMINATED]"
    )


@pytest.mark.parametrize("body", [None, {}, {"filter": None}, {"filter": {"state": None}, "page": {}}])
async def test_what_is_left_out_or_null_filters_nothing(client: aiohttp.ClientSession, body: Any) -> None:
    status, answer = await ask(client, "POST", INSTANCES, body)
    assert status == 200
    assert len(answer["items"]) == answer["page"]["totalItems"] > 3


@pytest.mark.parametrize(
    "moment", ["{:%Y-%m-%dT%H:%M:%S}.000Z", "{:%Y-%m-%dT%H:%M:%S}+00:00", "{0:%Y-%m-%dT}02:16:40+02:00"]
)
async def test_moments_are_the_same_in_every_zone(
    client: aiohttp.ClientSession, moment: str, played: Played
) -> None:
    from datetime import UTC, datetime

    begun = datetime.fromtimestamp(1000, UTC)  # The playground's clock stands still.
    wanted = {"filter": {"startDate": moment.format(begun)}}
    _, answer = await ask(client, "POST", INSTANCES, wanted)
    assert answer["page"]["totalItems"] > 3


FINER = "1970-01-01T00:16:40.0000001Z"
"""A little after the playground's clock."""
ONCE = "1970-01-01T00:16:40Z"


@pytest.mark.parametrize(
    ("wanted", "is_so"),
    [
        (FINER, False),
        ({"$neq": FINER}, True),
        ({"$in": [FINER]}, False),
        ({"$in": [FINER, ONCE]}, True),
        ({"$gt": FINER}, False),
        ({"$gte": FINER}, False),
        ({"$lt": FINER}, True),
        ({"$lte": FINER}, True),
        ({"$gte": "1970-01-01T00:16:39.9999999Z", "$lt": "1970-01-01T00:16:40.0000000Z"}, False),
        ({"$gt": "1970-01-01T00:16:39.9999999Z", "$lte": ONCE}, True),
        ({"$gt": "0001-01-01T00:00:00+14:00", "$lt": "9999-12-31T23:59:59-12:00"}, True),
    ],
)
async def test_a_moment_between_milliseconds_is_none_that_is_stored(
    client: aiohttp.ClientSession, wanted: Any, is_so: bool
) -> None:
    status, answer = await ask(client, "POST", INSTANCES, {"filter": {"startDate": wanted}})
    assert status == 200
    assert (answer["page"]["totalItems"] > 3) is is_so


async def test_a_long_list_finds_what_a_short_one_does(client: aiohttp.ClientSession) -> None:
    """As many values as a page can have rows, in several fields at once."""
    _, found = await ask(client, "POST", INSTANCES, {})
    keys = [item["processInstanceKey"] for item in found["items"]]
    more = [str(int(keys[-1]) + number) for number in range(1, 9_000)]
    names = ["order", *(f"process-{number}" for number in range(9_000))]
    for wanted, count in (
        ({"processInstanceKey": {"$in": [*keys, *more]}}, len(keys)),
        ({"processInstanceKey": {"$notIn": [*keys[1:], *more]}}, 1),
        ({"processDefinitionId": {"$in": names}, "processInstanceKey": {"$in": [*keys, *more]}}, None),
    ):
        status, answer = await ask(client, "POST", INSTANCES, {"filter": wanted})
        assert status == 200, answer
        orders = sum(item["processDefinitionId"] == "order" for item in found["items"])
        assert answer["page"]["totalItems"] == (orders if count is None else count)


OPERATORS: dict[Kind, dict[str, Any]] = {
    Kind.KEY: {"$eq": "5", "$neq": "5", "$exists": True, "$in": ["5"], "$notIn": ["5"]},
    Kind.TEXT: {"$eq": "5", "$neq": "5", "$exists": True, "$in": ["5"], "$notIn": ["5"], "$like": "5*"},
    Kind.INTEGER: {
        "$eq": 5,
        "$neq": 5,
        "$exists": True,
        "$gt": 1,
        "$gte": 1,
        "$lt": 9,
        "$lte": 9,
        "$in": [5],
    },
    Kind.MOMENT: {
        name: ["2026-01-01T00:00:00Z"] if name == "$in" else "2026-01-01T00:00:00Z"
        for name in ("$eq", "$neq", "$gt", "$gte", "$lt", "$lte", "$in")
    },
}
PATHS = {
    "process instance": "process-instances",
    "element instance": "element-instances",
    "incident": "incidents",
    "job": "jobs",
    "variable": "variables",
    "process definition": "process-definitions",
    "user task": "user-tasks",
    "decision definition": "decision-definitions",
    "decision requirements": "decision-requirements",
    "decision instance": "decision-instances",
    "message subscription": "message-subscriptions",
    "correlated message subscription": "correlated-message-subscriptions",
    "audit log": "audit-logs",
}


@pytest.mark.parametrize("name", ENTITIES)
async def test_every_field_takes_every_operator_of_its_kind(client: aiohttp.ClientSession, name: str) -> None:
    for field_name, field in ENTITIES[name].fields.items():
        if field.filter in (Filter.NONE, Filter.PLAIN):
            continue
        operators = dict(OPERATORS.get(field.kind, {}))
        if field.kind is Kind.ENUM:
            value = field.names[0]
            operators = {"$eq": value, "$neq": value, "$exists": True, "$in": [value], "$like": "A*"}
        if field.filter is Filter.BASIC:
            operators.pop("$like", None)
        if field.filter is Filter.FULL_NOT_IN:
            operators["$notIn"] = [field.names[0]]
        if field_name in ("batchOperationId", "elementId") and name == "process instance":
            continue
        for operator, value in operators.items():
            body = {"filter": {field_name: {operator: value}}}
            status, answer = await ask(client, "POST", f"/{PATHS[name]}/search", body)
            assert status == 200, (body, answer)
        status, answer = await ask(
            client, "POST", f"/{PATHS[name]}/search", {"filter": {field_name: operators}}
        )
        assert status == 200, (field_name, answer)


@pytest.mark.parametrize("name", ENTITIES)
async def test_every_field_that_sorts_sorts_both_ways(client: aiohttp.ClientSession, name: str) -> None:
    sorting = [field_name for field_name, field in ENTITIES[name].fields.items() if field.sorts]
    for field_name in sorting:
        found: list[list[Any]] = []
        for order in ("ASC", "DESC"):
            body = {"sort": [{"field": field_name, "order": order}], "page": {"limit": 1000}}
            status, answer = await ask(client, "POST", f"/{PATHS[name]}/search", body)
            assert status == 200, answer
            found.append(answer["items"])
        assert found[0] == found[1][::-1], field_name
