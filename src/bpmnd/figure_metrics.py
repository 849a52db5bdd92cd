"""What Prometheus sees of processes, elements, jobs and workers: from the histories of partitions led here.

Sets of labels are bounded: of each partition those with most in it have series of their own, the others one.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias, final

import msgspec
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from bpmnd.actors.errors import AnswerTooLarge, HistoryUnavailable
from bpmnd.actors.history.names import ERROR_TYPES, SUBJECT_KIND
from bpmnd.actors.history.queries import Found, Report, Scalar
from bpmnd.actors.history.service import History

SERIES_MAX: Final = 100
"""So many definitions, elements, job types and workers of a partition are told apart."""
OTHERS: Final = "(others)"
_PAUSE_SECONDS: Final = 5.0
_SECONDS_MAX: Final = 2.0
_SEEN: Final = tuple(
    SUBJECT_KIND[f"JOB_{kind}"] for kind in ("ACTIVATED", "COMPLETED", "FAILED", "ERROR_THROWN")
)
_REPORTS: Final = {
    "definitions": Report("definitions"),
    "processes": Report("processes"),
    "incidents": Report("open incidents"),
    "elements": Report("busiest elements", (SERIES_MAX,)),
    "jobs": Report("job types"),
    "workers": Report("subjects", _SEEN),
}
_names: Final = msgspec.json.Decoder(tuple[str, str]).decode
Rows: TypeAlias = Sequence[Sequence[Scalar]]
Labels: TypeAlias = tuple[str, ...]


@final
class FigureMetrics(Collector):
    """Figures are read before they are collected, at most every few seconds; what cannot be is left out."""

    def __init__(self, registry: CollectorRegistry, history: History) -> None:
        self._history = history
        self._read_at = 0.0
        self._figures: dict[int, Mapping[str, Rows]] = {}
        registry.register(self)

    async def refresh(self) -> None:
        """Read what the histories have; they may be behind."""
        if time.monotonic() < self._read_at + _PAUSE_SECONDS:
            return
        self._read_at = time.monotonic()
        led = self._history.led()
        found = await asyncio.gather(*map(self._read, led))
        self._figures = {
            partition: figures for partition, figures in zip(led, found, strict=True) if figures is not None
        }

    async def _read(self, partition: int) -> Mapping[str, Rows] | None:
        asked = [self._history.glance(partition, report) for report in _REPORTS.values()]
        try:
            found: list[Found] = await asyncio.wait_for(asyncio.gather(*asked), _SECONDS_MAX)
        except (HistoryUnavailable, AnswerTooLarge, TimeoutError):
            return None
        return {name: one.rows for name, one in zip(_REPORTS, found, strict=True)}

    def collect(self) -> Iterator[Metric]:
        families = _Families()
        for partition, figures in sorted(self._figures.items()):
            families.add(str(partition), figures)
        yield from families.all()


@final
class _Families:
    def __init__(self) -> None:
        definition = ["partition", "process", "version"]
        self._active = GaugeMetricFamily(
            "bpmnd_process_definition_active_instances",
            "Live process instances by definition.",
            labels=definition,
        )
        self._failing = GaugeMetricFamily(
            "bpmnd_process_definition_failing_instances",
            "Live process instances with an open incident by definition.",
            labels=definition,
        )
        self._oldest = GaugeMetricFamily(
            "bpmnd_process_definition_oldest_instance_timestamp_seconds",
            "When the oldest live process instance began, of the definitions that have most.",
            labels=definition,
        )
        self._incidents = GaugeMetricFamily(
            "bpmnd_process_definition_open_incidents",
            "Open incidents by definition and type of the error.",
            labels=[*definition, "error"],
        )
        element = [*definition, "element"]
        self._elements = GaugeMetricFamily(
            "bpmnd_element_active_instances",
            "Live element instances, of the elements that have most.",
            labels=element,
        )
        self._hanging = GaugeMetricFamily(
            "bpmnd_element_oldest_instance_timestamp_seconds",
            "When the oldest live element instance began, of the same elements.",
            labels=element,
        )
        self._jobs = GaugeMetricFamily(
            "bpmnd_open_jobs",
            "Open jobs by type and where they are: waiting, active (with a worker) or failed.",
            labels=["partition", "type", "state"],
        )
        self._type_seen = GaugeMetricFamily(
            "bpmnd_job_type_last_seen_timestamp_seconds",
            "When a worker last took or ended a job of a type.",
            labels=["partition", "type"],
        )
        self._worker_seen = GaugeMetricFamily(
            "bpmnd_job_worker_last_seen_timestamp_seconds",
            "When a worker last took or ended a job of a type, of those that were seen last.",
            labels=["partition", "type", "worker"],
        )

    def all(self) -> Iterator[Metric]:
        yield from (self._active, self._failing, self._oldest, self._incidents, self._elements)
        yield from (self._hanging, self._jobs, self._type_seen, self._worker_seen)

    def add(self, partition: str, figures: Mapping[str, Rows]) -> None:
        names = {key: (str(id_), str(version)) for key, id_, version, *_ in figures["definitions"]}
        self._add_definitions(partition, figures, names)
        for definition, element_id, _, _, well, failing, *_, since in figures["elements"]:
            labels = (partition, *names[definition], str(element_id))
            self._elements.add_metric(labels, _number(well) + _number(failing))
            self._hanging.add_metric(labels, _number(since) / 1000)
        self._add_jobs(partition, figures)

    def _add_definitions(
        self, partition: str, figures: Mapping[str, Rows], names: Mapping[Scalar, Labels]
    ) -> None:
        rows = sorted(figures["processes"], key=lambda row: (-_number(row[1]) - _number(row[2]), row[0]))
        own = {row[0] for row in rows[:SERIES_MAX]}
        others = (OTHERS, "")
        active: Counter[Labels] = Counter()
        failing: Counter[Labels] = Counter()
        for key, well, fails, _, _, since in rows:
            labels = names[key] if key in own else others
            active[labels] += _number(well) + _number(fails)
            failing[labels] += _number(fails)
            if key in own and since is not None:
                self._oldest.add_metric((partition, *labels), _number(since) / 1000)
        _add(self._active, partition, active)
        _add(self._failing, partition, failing)
        incidents: Counter[Labels] = Counter()
        for key, kind, count in figures["incidents"]:
            labels = names[key] if key in own else others
            incidents[*labels, ERROR_TYPES[_number(kind)]] += _number(count)
        _add(self._incidents, partition, incidents)

    def _add_jobs(self, partition: str, figures: Mapping[str, Rows]) -> None:
        rows = sorted(figures["jobs"], key=lambda row: (-sum(map(_number, row[1:])), row[0]))
        own = {str(row[0]) for row in rows[:SERIES_MAX]}
        jobs: Counter[Labels] = Counter()
        for name, *counts in rows:
            for state, count in zip(("waiting", "active", "failed"), counts, strict=True):
                jobs[_bounded(str(name), own), state] += _number(count)
        _add(self._jobs, partition, jobs)
        types: defaultdict[Labels, float] = defaultdict(float)
        workers: defaultdict[Labels, float] = defaultdict(float)
        for _, subject, _, last in figures["workers"]:
            name, worker = _names(str(subject))
            at = _number(last) / 1000
            types[(_bounded(name, own),)] = max(types[(_bounded(name, own),)], at)
            workers[name, worker] = max(workers[name, worker], at)
        _add(self._type_seen, partition, types)
        newest = sorted(workers.items(), key=lambda item: (-item[1], item[0]))[:SERIES_MAX]
        _add(self._worker_seen, partition, dict(newest))


def _add(family: GaugeMetricFamily, partition: str, values: Mapping[Labels, float]) -> None:
    for labels, value in values.items():
        family.add_metric((partition, *labels), value)


def _bounded(name: str, own: Iterable[str]) -> str:
    return name if name in own else OTHERS


def _number(value: Scalar) -> int:
    assert isinstance(value, int), f"{value!r} is no number"
    return value
