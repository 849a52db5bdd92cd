"""The unmodified official client asks for statistics and understands them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from camunda_orchestration_sdk import CamundaAsyncClient
from camunda_orchestration_sdk.models import (
    JobErrorStatisticsFilter,
    JobErrorStatisticsQuery,
    JobTimeSeriesStatisticsFilter,
    JobTimeSeriesStatisticsQuery,
    JobTypeStatisticsQuery,
    JobWorkerStatisticsFilter,
    JobWorkerStatisticsQuery,
)

START = datetime(1970, 1, 1, tzinfo=UTC)
END = START + timedelta(hours=1)


@pytest.fixture
async def sdk(address: str) -> AsyncIterator[CamundaAsyncClient]:
    async with CamundaAsyncClient({"CAMUNDA_REST_ADDRESS": address}) as official:
        yield official


async def test_it_counts_jobs_by_type_worker_error_and_over_time(sdk: CamundaAsyncClient) -> None:
    everything = await sdk.get_global_job_statistics(from_=START, to=END)
    assert (everything.created.count, everything.is_incomplete) == (5, False)
    by_type = await sdk.get_job_type_statistics(data=JobTypeStatisticsQuery())
    assert [(item.job_type, item.workers) for item in by_type.items] == [("work", 1)]
    workers = JobWorkerStatisticsFilter(from_=START, to=END, job_type="work")
    by_worker = await sdk.get_job_worker_statistics(data=JobWorkerStatisticsQuery(filter_=workers))
    assert [(item.worker, item.completed.count) for item in by_worker.items] == [("worker", 2)]
    errors = JobErrorStatisticsFilter(from_=START, to=END, job_type="work")
    by_error = await sdk.get_job_error_statistics(data=JobErrorStatisticsQuery(filter_=errors))
    assert [item.error_message for item in by_error.items] == ["broken"]
    steps = JobTimeSeriesStatisticsFilter(from_=START, to=END, job_type="work", resolution="PT1H")
    series = await sdk.get_job_time_series_statistics(data=JobTimeSeriesStatisticsQuery(filter_=steps))
    assert [(item.time, item.created.count) for item in series.items] == [(START, 5)]


async def test_it_is_told_the_usage(sdk: CamundaAsyncClient) -> None:
    usage = await sdk.get_usage_metrics(start_time=START, end_time=END, with_tenants=True)
    assert (usage.process_instances, usage.active_tenants) == (7, 1)
    assert list(usage.tenants.additional_properties) == ["<default>"]
