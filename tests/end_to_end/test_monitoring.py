"""The monitoring port of a real node."""

import asyncio
import re
import shutil
import subprocess
from collections.abc import Iterator

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.bpmn.playground import ONE_TASK
from tests.end_to_end.load import Load
from tests.nodes import RunningNode

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    with RunningNode(tmp_path_factory.mktemp("monitoring") / "data") as node:
        yield node


async def get(node: RunningNode, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"{node.monitoring}{path}") as answer:
        return answer.status, await answer.text()


async def metrics_after_load(node: RunningNode) -> str:
    load = Load([node.address], "process", "work")
    await load.deploy(ONE_TASK)
    await load.run(0.5)
    await load.work_off()
    status, text = await get(node, "/metrics")
    assert status == 200
    return text


async def test_a_node_that_runs_lives_and_is_ready(node: RunningNode) -> None:
    assert (await get(node, "/livez"))[0] == 200
    assert (await get(node, "/readyz"))[0] == 200


async def test_metrics_tell_what_the_node_has_done(node: RunningNode) -> None:
    text = await metrics_after_load(node)

    found = {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.labels.get("action", "completed") == "completed"
    }
    assert found["bpmnd_process_instances_started_total"] > 0
    assert found["bpmnd_process_instances"] == 0
    assert found["bpmnd_incidents"] == 0
    assert found["bpmnd_jobs_total"] == found["bpmnd_process_instances_ended_total"]
    assert found["bpmnd_process_instance_duration_seconds_count"] == found["bpmnd_jobs_total"]


async def test_metrics_have_the_names_that_prometheus_wants(node: RunningNode) -> None:
    text = await metrics_after_load(node)

    for family in text_string_to_metric_families(text):
        assert family.documentation.endswith("."), family.name
        assert re.fullmatch(r"bpmnd_[a-z_]+", family.name), family.name
        assert not re.search(r"_(milliseconds|minutes|kilobytes|count|sum|info)$", family.name), family.name
        for sample in family.samples:
            assert (family.type == "counter") == sample.name.endswith("_total"), sample.name


async def test_promtool_has_nothing_to_say_of_the_metrics(node: RunningNode) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    text = await metrics_after_load(node)
    command = (promtool, "check", "metrics")
    checked = await asyncio.to_thread(subprocess.run, command, input=text.encode(), capture_output=True)
    assert checked.returncode == 0, checked.stderr.decode()
