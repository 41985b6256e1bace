"""The totals of a run are the same whatever the order, the split and the merge."""

from __future__ import annotations

import json
import math
import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.rules.summary import (
    Counters,
    InputCounts,
    Latency,
    Rate,
    Summary,
    Tally,
    at_of,
    exit_code_of,
    instant,
    printable,
    two_places,
)
from worker.words.model import FINE_BY_DEFAULT, ConfirmedBy, Outcome, Result, Stopped

money = st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**24), max_value=10**24)
results = st.builds(
    Result,
    run_id=st.just("r"),
    batch_id=st.none() | st.integers(1, 2**31 - 1),
    outcome=st.sampled_from(Outcome),
    confirmed_by=st.none() | st.sampled_from(ConfirmedBy),
    reason=st.none() | st.sampled_from(["redirect", "flags"]),
    message=st.none()
    | st.sampled_from(["Batch 1 is locked", "Batch 2 is locked", "no", "No 3"])
    | st.text(max_size=5),
    http_status=st.none() | st.sampled_from([400, 500]),
    running_total=st.none() | money,
    bill_count=st.none() | st.integers(0, 1000),
    settled_at=st.just(0.0),
    source=st.just("s"),
    line=st.just(1),
)


def tally(given_results: list[Result], cap: int = 50) -> Tally:
    folded = Tally(FINE_BY_DEFAULT, cap)
    for result in given_results:
        folded.add(result)
    return folded


def seen(folded: Tally) -> tuple[object, ...]:
    return folded.outcomes, folded.confirmed_by, folded.closed, folded.problems


def rejected(batch_id: int, message: str) -> Result:
    return Result(
        run_id="r",
        batch_id=batch_id,
        outcome=Outcome.REJECTED,
        message=message,
        settled_at=0.0,
        source="s",
        line=batch_id,
    )


def summary_of(folded: Tally) -> Summary:
    return Summary(
        run_id="r",
        sessions=2,
        started_at=1.7e9,
        finished_at=1.7e9 + 1.25,
        duration_s=1.25049,
        base_url="https://example.com",
        exit_code=3,
        input=InputCounts(4, 3, 1, 0),
        outcomes=folded.outcomes,
        confirmed_by=folded.confirmed_by,
        closed=folded.closed,
        requests=Counters(put=3, get=1, throttled=1),
        rate=Rate(5.0, 4.9),
        latency_ms=Latency().in_ms(),
        problems=folded.problems,
    )


@given(st.lists(results, max_size=30), st.integers(1, 3), st.randoms(use_true_random=False), st.data())
def test_order_and_split_do_not_show(
    batch: list[Result], cap: int, rnd: random.Random, data: st.DataObject
) -> None:
    """Any permutation of the results, folded in any two parts and merged, gives the same tally."""
    whole = seen(tally(batch, cap))
    shuffled = rnd.sample(batch, len(batch))
    cut = data.draw(st.integers(0, len(batch)))
    left, right = tally(shuffled[:cut], cap), tally(shuffled[cut:], cap)
    left.merge(right)
    assert seen(left) == whole


@given(st.lists(results, max_size=30))
def test_sums(batch: list[Result]) -> None:
    """Outcomes add up to the results, and problems to those that are not fine; nothing is counted twice."""
    folded = tally(batch)
    assert sum(folded.outcomes.values()) == len(batch)
    assert sum(p.count for p in folded.problems) == sum(r.outcome not in FINE_BY_DEFAULT for r in batch)
    closed = [r for r in batch if r.outcome is Outcome.CLOSED]
    cents = sum(int((r.running_total or Decimal(0)).scaleb(2)) for r in closed)
    assert folded.closed == (len(closed), sum(r.bill_count or 0 for r in closed), Decimal(cents).scaleb(-2))
    counts = [p.count for p in folded.problems]
    assert counts == sorted(counts, reverse=True)


def test_alike_in_all_but_digits() -> None:
    """Messages that differ in digits, hex runs or GUIDs alone are one problem, with the ten smallest ids."""
    guid = "0f8fad5b-d9cb-469f-a165-70867728950e"
    texts = ["Batch 12 is locked by deadbeef01", f"Batch {guid} is locked by 0123456789abcdef"]
    folded = tally([rejected(i, texts[i % 2]) for i in range(30, 0, -1)])
    (problem,) = folded.problems
    assert problem.first_ids == tuple(range(1, 11))
    assert (problem.count, problem.message) == (30, min(texts))
    words = tally([rejected(1, "the facade decade"), rejected(2, "the defaced facade")])
    assert len(words.problems) == 2


def test_problems_are_bounded() -> None:
    """Messages that are all different end in one group of their kind, instead of filling the memory."""
    folded = tally([rejected(i, f"x{'y' * i}") for i in range(1, 40)], cap=10)
    assert [(p.count, p.message) for p in folded.problems] == [(39, "xy")]


def test_too_many_messages_in_one_part() -> None:
    """Where one of two parts had too many messages, the merged tally is that of the whole."""
    batch = [rejected(i, f"x{'y' * i}") for i in range(1, 10)]
    for cut in range(10):
        left, right = tally(batch[:cut], cap=4), tally(batch[cut:], cap=4)
        left.merge(right)
        assert [p.count for p in left.problems] == [9]
    left, right = tally([rejected(1, "a")], cap=4), tally(batch, cap=4)
    left.merge(right)
    right.merge(tally([rejected(1, "a")], cap=4))
    assert seen(left)[1:] == seen(right)[1:]


def test_untrusted_messages() -> None:
    """A problem's message is printable whatever the API wrote."""
    (problem,) = tally([rejected(1, "\x1b[2J\u202e\ud800\nno")]).problems
    assert problem.message == "?[2J?? no"


def test_large_sums_are_exact() -> None:
    """No sum of running totals is rounded."""
    huge = Decimal("99999999999999999999999999.99")
    closed = [rejected(i, "")._replace(outcome=Outcome.CLOSED, running_total=huge) for i in range(1, 101)]
    assert tally(closed).closed.running_total == Decimal("9999999999999999999999999999.00")


@given(st.lists(st.floats(1e-5, 1e5), min_size=1), st.floats(0, 100))
def test_percentiles_are_close(durations: list[float], p: float) -> None:
    """A percentile is within 1.1 % of the exact nearest-rank one, and the maximum is exact."""
    latency = Latency()
    for each in durations:
        latency.add(each)
    exact = sorted(durations)[max(1, math.ceil(p / 100 * len(durations))) - 1]
    assert latency.percentile(p) == pytest.approx(exact, rel=0.011)
    assert latency.max_s == max(durations)


@given(st.lists(st.floats()), st.lists(st.floats()))
def test_latencies_add_up(first: list[float], second: list[float]) -> None:
    """Two sessions' histograms, one of them stored as JSON between, merge into that of both together."""
    halves = Latency(), Latency()
    whole = Latency()
    for half, durations in zip(halves, (first, second), strict=True):
        for each in durations:
            half.add(each)
            whole.add(each)
    halves[0].merge(Latency.from_json_dict(json.loads(json.dumps(halves[1].to_json_dict()))))
    assert halves[0] == whole


def test_counters_add_up() -> None:
    """Counters merge field by field, survive JSON, and know their total."""
    counters = Counters(put=1, get=2, list=3, me=4, retried=5, throttled=6)
    counters.merge(Counters.from_json_dict(counters.to_json_dict()))
    expected = {"put": 2, "get": 4, "list": 6, "me": 8, "total": 20, "retried": 10, "throttled": 12}
    assert counters.to_json_dict() == expected


@given(st.lists(results, max_size=20))
def test_summary_survives_json(batch: list[Result]) -> None:
    """A summary read back from its JSON is the same in every key that users rely on."""
    data = summary_of(tally(batch)).to_json_dict()
    assert Summary.from_json_dict(json.loads(json.dumps(data))).to_json_dict() == data
    assert list(data["outcomes"]) == [outcome.value for outcome in Outcome]


def test_summary_form() -> None:
    """Instants are RFC 3339 in UTC, money has two places as text, and all the promised keys are there."""
    data = summary_of(tally([])).to_json_dict()
    promised = "run_id sessions started_at finished_at duration_s base_url queue exit_code stopped stopped_by"
    more = "stopped_by_ids input outcomes confirmed_by closed verified warnings untold requests rate"
    last = "latency_ms problems key other_keys worked pauses latency_buckets"
    assert list(data) == f"{promised} {more} {last}".split()
    assert (data["started_at"], data["duration_s"]) == ("2023-11-14T22:13:20.000Z", 1.25)
    assert data["closed"] == {"batches": 0, "bills": 0, "running_total": "0.00"}


@given(st.floats(0, 4e9))
def test_instants_round_trip(at: float) -> None:
    """An instant is right to the millisecond."""
    assert at_of(instant(at)) == pytest.approx(at, abs=0.000_51)


@given(st.text(), st.none() | st.integers(3, 50))
def test_printable(text: str, limit: int | None) -> None:
    """Whatever the text, what is left is one printable line within the limit, encodable as UTF-8."""
    line = printable(text, limit)
    assert line.isprintable()
    assert limit is None or len(line) <= limit
    line.encode()


@pytest.mark.parametrize("odd", ["NaN", "sNaN", "Infinity", "1E+1000000"])
def test_no_sum_of_money(odd: str) -> None:
    """What is no sum of money is left out rather than raising."""
    assert two_places(Decimal(odd)) is None


@pytest.mark.parametrize(
    ("outcomes", "stopped", "signal", "code"),
    [
        ({}, None, None, 0),
        ({Outcome.CLOSED: 5, Outcome.ALREADY_CLOSED: 1, Outcome.FAILED: 0}, None, None, 0),
        ({Outcome.CLOSED: 5, Outcome.INVALID: 1}, None, None, 3),
        ({Outcome.NOT_ATTEMPTED: 1}, Stopped.DEADLINE, None, 4),
        ({Outcome.NOT_ATTEMPTED: 1}, Stopped.ABORT, None, 4),
        ({Outcome.NOT_ATTEMPTED: 1}, Stopped.KEY, None, 5),
        ({Outcome.NOT_ATTEMPTED: 1}, Stopped.UNREACHABLE, None, 5),
        ({Outcome.NOT_ATTEMPTED: 1}, Stopped.DISK, None, 1),
        ({Outcome.NOT_ATTEMPTED: 1}, Stopped.SIGNAL, 2, 130),
        ({Outcome.NOT_ATTEMPTED: 1}, Stopped.SIGNAL, 15, 143),
    ],
)
def test_exit_codes(
    outcomes: dict[Outcome, int], stopped: Stopped | None, signal: int | None, code: int
) -> None:
    """The exit code is the one the contract gives."""
    assert exit_code_of(outcomes, FINE_BY_DEFAULT, stopped, signal) == code
