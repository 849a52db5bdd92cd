"""Rules, alerts and dashboard use metrics that there are; each alert says what to do and was seen to fire."""

import json
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.nodes import Place, RunningNode

ROOT: Final = Path(__file__).parents[1]
PROMETHEUS: Final = ROOT / "deploy" / "prometheus"
RECORDING: Final = PROMETHEUS / "bpmnd-recording.yml"
ALERTS: Final = PROMETHEUS / "bpmnd-alerts.yml"
TESTS: Final = PROMETHEUS / "bpmnd-tests.yml"
DASHBOARD: Final = ROOT / "deploy" / "grafana" / "bpmnd.json"
RUNBOOKS: Final = ROOT / "docs" / "runbooks.md"
_METRIC: Final = re.compile(r"(?<![\w:])bpmnd_[a-z0-9_]+(?![\w:])")
_RECORDED: Final = re.compile(r"(?<![\w:])[a-z_]+:bpmnd_[a-z0-9_]+:[a-z0-9_]+")
_ENDINGS: Final = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("",), "gauge": ("",)}


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[frozenset[str]]:
    """The names of all series that a node with a history and an exporter may have."""
    directory = tmp_path_factory.mktemp("monitoring")
    environment = {
        "BPMND_HISTORY__ENABLED": "true",
        "BPMND_EXPORTERS__FILES__KIND": "json-lines",
        "BPMND_EXPORTERS__FILES__DIRECTORY": str(directory / "exported"),
    }
    with RunningNode(directory / "data", place=Place(environment=environment)) as node:
        with urllib.request.urlopen(f"{node.monitoring}/metrics") as answer:
            text: str = answer.read().decode()
        types = re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE)
        yield frozenset(name + ending for name, kind in types for ending in _ENDINGS[kind])


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return found


def expressions() -> dict[str, str]:
    """Where it stands -> what is asked for."""
    asked = {
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in panels()
        for target in panel.get("targets", ())
    }
    return {**asked, RECORDING.name: RECORDING.read_text(), ALERTS.name: ALERTS.read_text()}


def alerts() -> dict[str, str]:
    """Name -> all that stands below it."""
    parts = re.split(r"^ *- alert: (\w+)\n", ALERTS.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.end_to_end
def test_every_metric_that_is_asked_for_is_one_that_a_node_has(metrics: frozenset[str]) -> None:
    asked = {(name, where) for where, text in expressions().items() for name in _METRIC.findall(text)}
    assert len({name for name, _ in asked}) > 30
    assert {(name, where) for name, where in asked if name not in metrics} == set()


def test_every_sum_that_is_asked_for_is_recorded() -> None:
    recorded = set(re.findall(r"- record: (\S+)", RECORDING.read_text()))
    used = {name for text in expressions().values() for name in _RECORDED.findall(text)}
    assert used == recorded, "and none is recorded for nobody"


@pytest.mark.parametrize("name", alerts())
def test_an_alert_names_a_part_of_the_runbooks_that_names_it(name: str) -> None:
    (anchor,) = re.findall(r"runbook: docs/runbooks\.md#(\S+)", alerts()[name])
    sections = re.split(r"^## (.+)\n", RUNBOOKS.read_text(), flags=re.MULTILINE)
    known = dict(zip(sections[1::2], sections[2::2], strict=True))
    texts = {title.lower().replace(" ", "-"): text for title, text in known.items()}
    assert f"`{name}`" in texts[anchor]


def test_every_alert_has_a_test_in_which_it_fires_and_is_silent() -> None:
    parts = re.split(r"^  - name: (\w+)\n", TESTS.read_text(), flags=re.MULTILINE)
    tests = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert list(tests) == list(alerts())
    for name, text in tests.items():
        assert set(re.findall(r"alertname: (\w+)", text)) == {name}
        assert text.count("exp_alerts: []") == text.count("exp_labels:") == 1, name


def test_panels_do_not_cover_each_other() -> None:
    places = [panel["gridPos"] for panel in panels()]
    cells = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in panels()}) == len(places)


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", "--lint=none", "prometheus.yml"),
        ("check", "rules", "--lint-fatal", RECORDING.name, ALERTS.name),
        ("test", "rules", TESTS.name),
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_promtool_has_nothing_to_complain_of(arguments: tuple[str, ...]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("there is no promtool")
    done = subprocess.run(
        (promtool, *arguments), cwd=PROMETHEUS, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
