"""Results and summaries for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from hypothesis import strategies as st

from worker.rules.summary import Counters, InputCounts, Latency, Rate, Summary, Tally
from worker.words.model import FINE_BY_DEFAULT, ConfirmedBy, Outcome, Result, Stopped

odd_text = st.text(st.characters(), max_size=40) | st.sampled_from(
    [
        "\x1b[2J\x1b]0;x\x07",
        "\ud800",
        "\u202eevil",
        "<script>",
        "`|`\\",
        "=1+1",
        "\r\nClosed 9",
        "状態" * 90,
        "\x9b31m",
    ]
)
odd_results = st.builds(
    Result,
    run_id=st.just("r1"),
    batch_id=st.none() | st.integers(1, 2**31 - 1),
    outcome=st.sampled_from(Outcome),
    confirmed_by=st.none() | st.sampled_from(ConfirmedBy),
    reason=st.none() | odd_text,
    message=st.none() | odd_text,
    http_status=st.none() | st.integers(100, 599),
    batch_code=st.none() | odd_text,
    bill_count=st.none() | st.integers() | st.just(2**70),
    running_total=st.none() | st.decimals(),
    end_date=st.none() | odd_text,
    first_attempt_at=st.none() | st.floats(0, 4e9),
    settled_at=st.floats(0, 4e9),
    elapsed_s=st.floats(0, 1e6),
    source=odd_text,
    line=st.integers(1, 2**40),
    input=st.none() | odd_text,
)


def result(batch_id: int, outcome: Outcome = Outcome.CLOSED, message: str | None = None) -> Result:
    """A plain result."""
    return Result(
        run_id="r1",
        batch_id=None if outcome is Outcome.INVALID else batch_id,
        outcome=outcome,
        confirmed_by=ConfirmedBy.RESPONSE if outcome is Outcome.CLOSED else None,
        message=message,
        bill_count=2,
        running_total=Decimal("-10.50"),
        settled_at=1.7e9,
        elapsed_s=0.25,
        source="ids.csv",
        line=batch_id,
        input="x" if outcome is Outcome.INVALID else None,
    )


def summary(results: Iterable[Result], stopped: Stopped | None = None, by: str | None = None) -> Summary:
    """The summary of these results."""
    tally, latency = Tally(FINE_BY_DEFAULT), Latency()
    for each in results:
        tally.add(each)
        latency.add(0.02)
    return Summary(
        run_id="r1",
        started_at=1.7e9,
        finished_at=1.7e9 + 92,
        duration_s=92,
        base_url="https://example.com",
        exit_code=0,
        stopped=stopped,
        stopped_by=by,
        input=InputCounts(4, 3, 1, 0),
        outcomes=tally.outcomes,
        confirmed_by=tally.confirmed_by,
        closed=tally.closed,
        requests=Counters(put=4, get=1, retried=1, throttled=2),
        rate=Rate(5.0, 4.97),
        latency_ms=latency.in_ms(),
        problems=tally.problems,
    )
