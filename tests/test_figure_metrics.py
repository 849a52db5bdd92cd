"""What Prometheus sees of processes, jobs and workers: figures of the history, in bounded sets of labels."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry

from bpmnd import figure_metrics
from bpmnd.actors.errors import HistoryUnavailable
from bpmnd.actors.history.queries import Found, Query
from bpmnd.bpmn.codec import decode_frame
from bpmnd.bpmn.commands import FailJob
from bpmnd.figure_metrics import OTHERS, FigureMetrics
from tests.actors.history.histories import LocalHistory, write_history
from tests.bpmn.playground import END, START, Playground, path, process, task

Samples = dict[tuple[str, ...], float]


@pytest.fixture
def history(tmp_path: Path) -> LocalHistory:
    """Three processes with one, two and three instances; of the last one has failed."""
    playground = Playground()
    for number in (1, 2, 3):
        model = process(
            START + task(f"t{number}", f"j{number}") + END + path("start", f"t{number}", "end"),
            process_id=f"p{number}",
        )
        playground.deploy(model)
        for _ in range(number):
            playground.create({}, f"p{number}")
    (job, *_) = playground.jobs("j3", 1)
    playground.do(FailJob(job.key, 0, 0, "x", {}))
    write_history(tmp_path / "1.sqlite", 1, [decode_frame(frame) for frame in playground.frames])
    return LocalHistory({1: tmp_path / "1.sqlite"})


async def samples_of(history: LocalHistory) -> dict[str, Samples]:
    """Metric -> labels beside the partition -> value."""
    registry = CollectorRegistry()
    there = SimpleNamespace(led=lambda: [1], glance=history.read)
    await FigureMetrics(registry, cast(Any, there)).refresh()
    history.close()
    found: dict[str, Samples] = {}
    for family in registry.collect():
        for sample in family.samples:
            assert sample.labels["partition"] == "1"
            labels = tuple(value for name, value in sample.labels.items() if name != "partition")
            of_metric = found.setdefault(sample.name.removeprefix("bpmnd_"), {})
            assert labels not in of_metric, "Prometheus takes no series twice"
            of_metric[labels] = sample.value
    return found


async def test_definitions_elements_and_jobs_have_what_is_in_flight(history: LocalHistory) -> None:
    found = await samples_of(history)
    assert found["process_definition_active_instances"] == {("p1", "1"): 1, ("p2", "1"): 2, ("p3", "1"): 3}
    assert found["process_definition_failing_instances"]["p3", "1"] == 1
    assert found["process_definition_open_incidents"] == {("p3", "1", "JOB_NO_RETRIES"): 1}
    assert found["process_definition_oldest_instance_timestamp_seconds"]["p1", "1"] == 1000
    assert found["element_active_instances"]["p3", "1", "t3"] == 3
    assert found["element_oldest_instance_timestamp_seconds"]["p3", "1", "t3"] == 1000
    jobs = found["open_jobs"]
    assert (jobs["j3", "waiting"], jobs["j3", "active"], jobs["j3", "failed"]) == (2, 0, 1)
    assert found["job_type_last_seen_timestamp_seconds"] == {("j3",): 1000}
    assert found["job_worker_last_seen_timestamp_seconds"] == {("j3", "worker"): 1000}


async def test_beyond_the_bound_there_is_one_series_for_the_others(
    history: LocalHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figure_metrics, "SERIES_MAX", 1)
    found = await samples_of(history)
    assert found["process_definition_active_instances"] == {("p3", "1"): 3, (OTHERS, ""): 3}
    assert found["open_jobs"][OTHERS, "waiting"] == 3
    assert found["open_jobs"]["j3", "waiting"] == 2


async def test_a_history_that_cannot_be_read_is_left_out() -> None:
    def glance(partition: int, query: Query) -> asyncio.Future[Found]:
        future: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        future.set_exception(HistoryUnavailable("it is not there"))
        return future

    registry = CollectorRegistry()
    there = SimpleNamespace(led=lambda: [1], glance=glance)
    await FigureMetrics(registry, cast(Any, there)).refresh()
    assert [sample for family in registry.collect() for sample in family.samples] == []
