"""Traces: what a real OTLP receiver gets, and when nothing of it is there at all."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.docs.support import ROOT
from tests.e2e.support import FIRST, Program, a_world
from tests.operators.support import Receiver, news, receiving
from worker.simulator.options import Options
from worker.simulator.running import simulator_thread
from worker.simulator.scripts import script, scripted
from worker.telemetry.traces.asked import is_asked
from worker.words.errors import ConfigurationError


class Seen(NamedTuple):
    """A span that arrived."""

    name: str
    facts: dict[str, Any]
    parent: str | None  # its name
    failed: bool
    span: Span


def spans_of(receiver: Receiver) -> list[Seen]:
    """All spans, in no order."""
    spans = []
    for got in receiver.got:
        assert (got.method, got.path) == ("POST", "/v1/traces")
        request = ExportTraceServiceRequest.FromString(got.body)
        for resource in request.resource_spans:
            names = {each.key: each.value.string_value for each in resource.resource.attributes}
            assert names["service.name"] == "batch-closer"
            spans += [span for scope in resource.scope_spans for span in scope.spans]
    by_id = {span.span_id: span.name for span in spans}
    return [
        Seen(
            span.name,
            {each.key: getattr(each.value, each.value.WhichOneof("value") or "") for each in span.attributes},
            by_id[span.parent_span_id] if span.parent_span_id else None,
            span.status.code == Status.STATUS_CODE_ERROR,
            span,
        )
        for span in spans
    ]


def within(inner: Span, outers: Iterable[Span]) -> bool:
    """Whether its parent is among them and was there as long as it was."""
    outer = next(each for each in outers if each.span_id == inner.parent_span_id)
    slack = 20_000_000  # the clocks of wall and loop, in ns
    return (
        outer.start_time_unix_nano <= inner.start_time_unix_nano + slack
        and inner.end_time_unix_nano <= outer.end_time_unix_nano + slack
    )


def test_a_span_for_the_run_its_batches_and_their_requests(program: Program) -> None:
    """One trace, each span within its parent; what was sent, what came of it, no message and no key."""
    faults = scripted(
        by_id={
            FIRST: script(put=["close_then_500"]),
            FIRST + 1: script(put=["drop_before", "500"]),
            FIRST + 2: script(put=["401"], get=["ok"]),
        }
    )
    with receiving() as receiver, simulator_thread(Options(faults=faults), world=a_world(4)) as simulator:
        program.environment(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url)
        ran = program.close(simulator, ids=range(FIRST, FIRST + 5))
    seen = spans_of(receiver)
    assert len({each.span.trace_id for each in seen}) == 1
    by_name = {name: [each.span for each in seen if each.name == name] for name in ("run", "batch")}
    (run,) = (each for each in seen if each.name == "run")
    assert (run.parent, run.failed, run.facts["exit_code"]) == (None, True, 3)
    assert (run.facts["run_id"], run.facts["outcomes.not_found"]) == ("run-1", 1)
    batches = {each.facts["batch_id"]: each for each in seen if each.name == "batch"}
    assert {i: each.facts["outcome"] for i, each in batches.items()} == {
        i: result["outcome"] for i, result in ran.by_id.items()
    }
    assert {each.parent for each in batches.values()} == {"run"}
    assert [i for i, each in batches.items() if each.failed] == [
        i for i, result in ran.by_id.items() if result["outcome"] != "closed"
    ]
    kinds = Counter(each.name for each in seen)
    sent = ran.summary["requests"]
    assert (kinds["attempt"], kinds["look_up"], kinds["me"]) == (sent["put"], sent["get"], sent["me"])
    tries = [each for each in seen if each.name == "attempt" and each.facts["batch_id"] == FIRST + 1]
    assert sorted((each.facts["attempt"], each.facts.get("http_status")) for each in tries) == [
        (1, None),
        (2, 500),
        (3, 200),
    ]
    assert [each.failed for each in sorted(tries, key=lambda each: each.facts["attempt"])] == [
        True,
        True,
        False,
    ]
    children = [each for each in seen if each.name in {"attempt", "look_up"}]
    assert {each.parent for each in children} == {"batch"}
    assert all(within(each.span, by_name["batch"]) for each in children)
    assert all(within(span, by_name["run"]) for span in by_name["batch"])
    everything = b"".join(got.body for got in receiver.got)
    assert simulator.key.encode() not in everything
    assert ran.by_id[FIRST + 4]["message"].encode() not in everything


@pytest.mark.parametrize("answer", [500, None], ids=["refused", "nobody there"])
def test_an_export_that_fails_is_said_once(program: Program, answer: int | None) -> None:
    """How many spans did not arrive; the run ends as it would have."""
    with receiving(*[answer or 500] * 9) as receiver, simulator_thread(world=a_world(2)) as simulator:
        url = receiver.url if answer else "http://127.0.0.1:9"
        program.environment(OTEL_EXPORTER_OTLP_ENDPOINT=url, OTEL_EXPORTER_OTLP_TIMEOUT="0.1")
        ran = program.close(simulator, ids=[FIRST, FIRST + 1])
    assert (ran.code, ran.summary["outcomes"]["closed"]) == (0, 2)
    assert news(ran) == [("notify.failed", "traces", "5 spans did not arrive")]
    assert "Traceback" not in ran.err


def test_a_missing_extra_is_one_line(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command that installs it, and how to do without; exit 2, and nothing is sent."""
    monkeypatch.delitem(sys.modules, "worker.telemetry.traces.export", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    program.environment(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")
    with simulator_thread(world=a_world(1)) as simulator:
        ran = program.close(simulator, ids=[FIRST])
    assert (ran.code, len(ran.err.splitlines())) == (2, 1)
    assert "pip install 'energycap-batch-closer[otel]'" in ran.err
    assert "OTEL_TRACES_EXPORTER=none" in ran.err
    assert not simulator.requests.by_route()


@pytest.mark.parametrize(
    ("environ", "asked"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "x"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "True"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_TRACES_EXPORTER": "console, otlp"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, True),
    ],
)
def test_when_traces_are_asked_for(environ: dict[str, str], asked: bool) -> None:
    """As OpenTelemetry's own names say; an endpoint has to be named."""
    assert is_asked(environ) is asked


def test_another_protocol_is_refused() -> None:
    """Spans that go nowhere are worse than a line that says so."""
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    with pytest.raises(ConfigurationError, match="OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf"):
        is_asked(environ)


def test_nothing_of_it_is_loaded_unasked() -> None:
    """Nor of metrics and notifications: who doesn't use them doesn't pay for them."""
    code = (
        "import sys, worker.cli.close, worker.cli.session.wiring\n"
        "print([name for name in ('opentelemetry', 'apprise', 'prometheus_client', 'worker.notify')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.stdout == "[]\n", done.stderr
