"""How many requests there were and how long they took, by operation and status.

prometheus_client's own histogram takes 2 µs to observe, a quarter of all that a handler costs. So the
numbers are kept in plain lists here and turned into a histogram when somebody reads it.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import final

from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_LABELS = ("operation", "status")


class _Series:
    __slots__ = ("buckets", "sum_s")

    def __init__(self) -> None:
        self.buckets = [0] * (len(_BOUNDS_S) + 1)
        self.sum_s = 0.0


@final
class GatewayMetrics(Collector):
    """Counts what the gateway answered. Operations and statuses are few, so its size is bounded."""

    def __init__(self, registry: CollectorRegistry, polls_count: Callable[[], int]) -> None:
        self._series: dict[tuple[str, int], _Series] = {}
        self._polls_count = polls_count
        registry.register(self)

    def observe(self, operation: str, status: int, seconds: float) -> None:
        series = self._series.get((operation, status))
        if series is None:
            series = self._series[operation, status] = _Series()
        series.buckets[bisect_left(_BOUNDS_S, seconds)] += 1
        series.sum_s += seconds

    def count_of(self, operation: str, status: int) -> int:
        series = self._series.get((operation, status))
        return sum(series.buckets) if series else 0

    def collect(self) -> Iterator[Metric]:
        requests = HistogramMetricFamily(
            "bpmnd_gateway_request_duration_seconds",
            "Time from a request's head to its answer, by operation and HTTP status.",
            labels=_LABELS,
        )
        bounds = [*(str(bound) for bound in _BOUNDS_S), "+Inf"]
        for (operation, status), series in self._series.items():
            cumulative = accumulate(series.buckets)
            requests.add_metric(
                (operation, str(status)), list(zip(bounds, cumulative, strict=True)), series.sum_s
            )
        yield requests

        polls = "Job activations that wait for a job to appear."
        yield GaugeMetricFamily("bpmnd_gateway_waiting_polls", polls, self._polls_count())
