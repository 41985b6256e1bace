"""What a worker counts, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.registry import Collector

from worker.rules.summary import Counters
from worker.words.model import Outcome, Result

_BUCKETS_S: Final = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 100.0)


class Metrics:
    """A worker's metrics, in a registry of their own."""

    CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(self, counters: Callable[[], Counters]) -> None:
        self._own = CollectorRegistry()
        self._settled = Counter(
            "batch_closer_settled", "Results recorded, by outcome.", ["outcome"], registry=self._own
        )
        for outcome in Outcome:
            self._settled.labels(outcome.value)
        self._latency = Histogram(
            "batch_closer_close_seconds",
            "How long the answer to a close took.",
            buckets=_BUCKETS_S,
            registry=self._own,
        )
        self._last = Gauge(
            "batch_closer_last_settled_timestamp_seconds",
            "When a result was last recorded; 0 if never.",
            registry=self._own,
        )
        self._own.register(_Requests(counters))

    def settled(self, result: Result) -> None:
        """Count a recorded result."""
        self._settled.labels(result.outcome.value).inc()
        self._last.set(result.settled_at)

    def answered(self, elapsed_s: float) -> None:
        """Count how long the answer to a close took."""
        self._latency.observe(elapsed_s)

    def gauge(self, name: str, text: str, value: Callable[[], float]) -> None:
        """Show a number that is asked for whenever someone looks."""
        Gauge(f"batch_closer_{name}", text, registry=self._own).set_function(value)

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self._own)


class _Requests(Collector):
    """Reads the counts that the engine keeps anyway."""

    def __init__(self, counters: Callable[[], Counters]) -> None:
        self._counters = counters

    def collect(self) -> Iterator[CounterMetricFamily]:
        """The requests by kind."""
        counters = self._counters()
        kinds = CounterMetricFamily(
            "batch_closer_requests", "Requests sent to the API, by kind.", labels=["kind"]
        )
        for kind in ("put", "get", "list", "me"):
            kinds.add_metric([kind], getattr(counters, kind))
        yield kinds
        for name, text in (
            ("retried", "Requests that repeated one which told nothing."),
            ("throttled", "Answers that asked to wait."),
        ):
            family = CounterMetricFamily(f"batch_closer_{name}", text)
            family.add_metric([], getattr(counters, name))
            yield family
