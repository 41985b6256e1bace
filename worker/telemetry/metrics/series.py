"""The series that tell how runs go, from the record of a run. Their names are public."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Self

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from worker import __version__
from worker.rules.summary import Summary
from worker.words.model import Outcome, Stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """A run that is being performed."""

    started_at: float
    batches: int  # asked for, invalid lines included
    settled: int
    settled_at: float  # when the last one was; at first when the run began


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known at one moment of the runs on an API host. None: nothing yet."""

    api_host: str
    exit_code: int | None = None  # of the last call that ended, whether or not its run could begin
    last: Summary | None = None  # the run that ended last
    success_at: float | None = None
    under_way: UnderWay | None = None

    def ended(self, summary: Summary | None, exit_code: int) -> Self:
        """How things stand after a run, or after a call that could not begin one (no summary)."""
        success_at = self.success_at
        if summary is not None and exit_code == 0:
            success_at = summary.last_at
        return replace(
            self,
            exit_code=exit_code,
            last=summary or self.last,
            success_at=success_at,
            under_way=None,
        )


def exposition(standing: Standing) -> bytes:
    """The text that node_exporter reads."""
    own = CollectorRegistry()
    own.register(_Standing(standing))
    return generate_latest(own)


class _Standing(Collector):
    """Hands prometheus_client the series of a standing."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing

    def collect(self) -> Iterable[Metric]:
        """The series; those of which nothing is known are left out."""
        now = self._standing
        page = _Page(now.api_host)
        yield page.labelled(
            "build_info", "The version that wrote this; always 1.", "version", {__version__: 1}
        )
        yield page.one(
            "run_in_progress", "1 while a run is performed, else 0.", int(now.under_way is not None)
        )
        if now.exit_code is not None:
            yield page.one("last_exit_code", "Exit code of the last call that ended.", now.exit_code)
        if now.success_at is not None:
            help_text = "When the last run with exit code 0 ended."
            yield page.one("last_success_timestamp_seconds", help_text, round(now.success_at, 3))
        if now.under_way is not None:
            yield from _of_run_under_way(page, now.under_way)
        if now.last is not None:
            yield from _of_last_run(page, now.last)


class _Page:
    """Makes gauges that all have the API host as a label."""

    def __init__(self, api_host: str) -> None:
        self._api_host = api_host

    def one(self, name: str, help_text: str, value: float) -> Metric:
        """A gauge with a single value."""
        gauge = GaugeMetricFamily(f"batch_closer_{name}", help_text, labels=["api_host"])
        gauge.add_metric([self._api_host], value)
        return gauge

    def labelled(self, name: str, help_text: str, label: str, values: Mapping[str, float]) -> Metric:
        """A gauge with a value for each of the label's."""
        gauge = GaugeMetricFamily(f"batch_closer_{name}", help_text, labels=["api_host", label])
        for each, value in values.items():
            gauge.add_metric([self._api_host, each], value)
        return gauge


def _of_run_under_way(page: _Page, run: UnderWay) -> Iterator[Metric]:
    yield page.one("run_started_timestamp_seconds", "When the run under way was begun.", run.started_at)
    yield page.one("run_batches", "Batches and invalid lines of the run under way.", run.batches)
    yield page.one("run_settled_batches", "Those of them that have an outcome.", run.settled)
    help_text = "When the run under way last settled a batch, or began."
    yield page.one("run_settled_timestamp_seconds", help_text, run.settled_at)


def _of_last_run(page: _Page, run: Summary) -> Iterator[Metric]:
    yield page.one("last_run_timestamp_seconds", "When the last run ended.", round(run.last_at, 3))
    yield page.one(
        "last_run_duration_seconds", "How long it took, all its sessions.", round(run.duration_s, 3)
    )
    outcomes = {outcome.value: run.outcomes.get(outcome, 0) for outcome in Outcome}
    yield page.labelled("last_run_batches", "Its batches and invalid lines by outcome.", "outcome", outcomes)
    yield page.one("last_run_closed_bills", "Bills in the batches it closed.", run.closed.bills)
    money = "Sum of the running totals of the batches it closed; the API names no currency."
    yield page.one("last_run_closed_money", money, float(run.closed.running_total))
    stopped = {each.value: int(run.stopped is each) for each in Stopped}
    yield page.labelled(
        "last_run_stopped", "1 for the reason it stopped early for, else 0.", "reason", stopped
    )
    warned = "Batches by the guard that warned of them."
    yield page.labelled("last_run_warned_batches", warned, "guard", run.warnings)
    yield from _of_proof(page, run)
    yield from _of_requests(page, run)


def _of_proof(page: _Page, run: Summary) -> Iterator[Metric]:
    """Left out where nothing was read again."""
    if run.verified is not None:
        help_text = "Closed batches that were read again afterwards."
        yield page.one("last_run_verified_batches", help_text, run.verified.batches)
        help_text = "Those of them that were not closed then."
        yield page.one("last_run_disagreeing_batches", help_text, run.verified.disagreeing)


def _of_requests(page: _Page, run: Summary) -> Iterator[Metric]:
    sent = run.requests
    kinds = {"put": sent.put, "get": sent.get, "list": sent.list, "me": sent.me}
    yield page.labelled("last_run_requests", "Requests it sent, by kind.", "kind", kinds)
    yield page.one("last_run_retried_requests", "Requests that repeated an unclear one.", sent.retried)
    yield page.one("last_run_throttled_requests", "Requests that the API throttled.", sent.throttled)
    known = {name: ms / 1000 for name, ms in run.latency_ms._asdict().items() if ms is not None}
    yield page.labelled("last_run_answer_seconds", "How long answers to a PUT took.", "percentile", known)
