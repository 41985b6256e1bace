"""Spans into OpenTelemetry, and from there by OTLP over HTTP. Needs the extra ``otel``."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.environment_variables import OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from worker import __version__
from worker.telemetry.traces.watching import Request
from worker.words.model import FINE_BY_DEFAULT, Outcome, Result

_METHODS: Final = {"attempt": "PUT", "look_up": "GET", "me": "GET"}


class _Told(SpanExporter):
    """An exporter that counts what arrived."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self.exported = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        outcome = self._exporter.export(spans)
        if outcome is SpanExportResult.SUCCESS:
            self.exported += len(spans)
        return outcome

    def shutdown(self) -> None:
        self._exporter.shutdown()


class _Counting(BatchSpanProcessor):
    """A batch processor that counts what it is to export; what it drops from a full queue is among it."""

    def __init__(self, exporter: SpanExporter) -> None:
        super().__init__(exporter)
        self.ended = 0

    def on_end(self, span: ReadableSpan) -> None:
        if span.context is not None and span.context.trace_flags.sampled:
            self.ended += 1
        super().on_end(span)


class Traces:
    """The trace of one session: a span for it, within that one for each batch, within those the requests.

    Exporting goes on in a thread of its own, and nothing that fails there is raised here.
    """

    def __init__(self, api_host: str, ok: frozenset[Outcome] = FINE_BY_DEFAULT) -> None:
        # What the library logs may name endpoints and headers; ``close`` tells of failures.
        logging.getLogger("opentelemetry").propagate = False
        logging.getLogger("opentelemetry").addHandler(logging.NullHandler())
        self._told = _Told(OTLPSpanExporter())
        self._counting = _Counting(self._told)
        self._provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        self._provider.add_span_processor(self._counting)
        self._tracer = self._provider.get_tracer("batch-closer", __version__)
        self._api_host = api_host
        self._ok = ok
        self._run: Span | None = None
        self._within: Context | None = None
        self._closing: threading.Thread | None = None

    def begin(self, run_id: str, started_at: float) -> None:
        """A session of a run begins."""
        host, _, port = self._api_host.partition(":")
        facts: dict[str, AttributeValue] = {"run_id": run_id, "server.address": host}
        if port.isdigit():
            facts["server.port"] = int(port)
        self._run = self._tracer.start_span("run", start_time=_ns(started_at), attributes=facts)
        self._within = trace.set_span_in_context(self._run)

    def end(self, facts: Mapping[str, AttributeValue], *, ended_at: float, good: bool, why: str = "") -> None:
        """It ended."""
        if self._run is not None:
            self._run.set_attributes(facts)
            self._run.set_status(Status(StatusCode.OK) if good else Status(StatusCode.ERROR, why))
            self._run.end(_ns(ended_at))
            self._run = None

    def batch(self, result: Result, requests: Sequence[Request]) -> None:
        """Tell of a batch that was settled, and the requests that were sent for it."""
        facts: dict[str, AttributeValue | None] = {
            "batch_id": result.batch_id,
            "outcome": result.outcome.value,
            "confirmed_by": result.confirmed_by.value if result.confirmed_by else None,
            "reason": result.reason,
            "http_status": result.http_status,
            "attempts": result.attempts,
        }
        began_at = min([result.settled_at - result.elapsed_s, *(each.began_at for each in requests)])
        span = self._tracer.start_span(
            "batch", self._within, start_time=_ns(began_at), attributes=_known(facts)
        )
        within = trace.set_span_in_context(span)
        for request in requests:
            self._request(request, within, result.batch_id)
        if result.outcome not in self._ok:
            span.set_status(Status(StatusCode.ERROR, result.reason or result.outcome.value))
        span.end(_ns(result.settled_at))

    def request(self, request: Request) -> None:
        """Tell of a request that belongs to no batch."""
        self._request(request, self._within, None)

    def _request(self, request: Request, within: Context | None, batch_id: int | None) -> None:
        facts: dict[str, AttributeValue | None] = {
            "batch_id": batch_id,
            "attempt": request.attempt,
            "http_status": request.http_status,
            "http.request.method": _METHODS[request.kind],
        }
        span = self._tracer.start_span(
            request.kind,
            within,
            kind=SpanKind.CLIENT,
            start_time=_ns(request.began_at),
            attributes=_known(facts),
        )
        if request.trouble is not None:
            span.set_status(Status(StatusCode.ERROR, request.trouble))
        span.end(_ns(request.ended_at))

    def close(self) -> None:
        """Begin to export what is left; ``lost`` waits for it."""
        if self._closing is None:
            self._closing = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
            self._closing.start()

    def lost(self, within_s: float) -> int:
        """How many spans did not arrive, as far as can be said after waiting so long for it."""
        self.close()
        if self._closing is not None:
            self._closing.join(within_s)
        return self._counting.ended - self._told.exported


def _known(facts: Mapping[str, AttributeValue | None]) -> dict[str, AttributeValue]:
    return {name: value for name, value in facts.items() if value is not None}


def _ns(at: float) -> int:
    return int(at * 1e9)


def _resource() -> Resource:
    """What OpenTelemetry's environment says, with a name for the service where it gives none."""
    named = os.environ.get(OTEL_SERVICE_NAME) or f"{SERVICE_NAME}=" in os.environ.get(
        OTEL_RESOURCE_ATTRIBUTES, ""
    )
    ours: dict[str, AttributeValue] = {SERVICE_VERSION: __version__}
    return Resource.create(ours if named else {SERVICE_NAME: "batch-closer", **ours})
