"""The grammar of --abort, and when a rule fires."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.rules.abort import AbortWatch, Counts, firing, kinds_of, parse_rules
from worker.words.errors import ConfigurationError
from worker.words.model import FINE_BY_DEFAULT, Outcome

C, F, N, R = Outcome.CLOSED, Outcome.FAILED, Outcome.NOT_FOUND, Outcome.REJECTED


@pytest.mark.parametrize(
    "text",
    [
        "failed=3",
        "failed=20%/50",
        "failed=2.5%/1",
        "not_found=1",
        "not_found=10%/5",
        "same=20",
        "failed=0%/1",
    ],
)
def test_rules_that_can_be_used(text: str) -> None:
    """Every form of the grammar is read, and keeps its text for the summary."""
    assert [rule.text for rule in parse_rules([text])] == [text]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "failed",
        "failed=",
        "failed=0",
        "failed=-1",
        "failed=101%/5",
        "failed=5%",
        "same=5%/5",
        "closed=3",
        "same=x",
    ],
)
def test_rules_that_cannot_be_used(text: str) -> None:
    """Anything else is refused by name, with the grammar."""
    with pytest.raises(ConfigurationError, match="abort rule"):
        parse_rules([text])


def test_none_stands_alone() -> None:
    """``none`` means no rule, and can't be combined."""
    assert parse_rules(["none"]) == ()
    with pytest.raises(ConfigurationError, match="stands alone"):
        parse_rules(["none", "same=3"])


@pytest.mark.parametrize(
    ("rules", "outcomes", "fires_at", "ids"),
    [
        (["failed=2"], [C, F, C, R, C], 4, (2, 4)),
        (["failed=50%/4"], [F, F, C, C], 4, (1, 2)),
        (["failed=50%/4"], [F, F, F], None, ()),
        (["failed=50%/2"], [C, C, C, F], None, ()),
        (["not_found=2"], [N, F, N], 3, (1, 3)),
        (["not_found=50%/2"], [C, N], 2, (2,)),
        (["same=3"], [F, F, C, F, F, F], 6, (4, 5, 6)),
        (["same=3"], [F, F, R, R, F, F], None, ()),
        (["same=2"], [C, C, C, C], None, ()),
        ([], [F] * 100, None, ()),
        (["failed=0%/1"], [C, C], None, ()),
    ],
)
def test_when_a_rule_fires(
    rules: list[str], outcomes: list[Outcome], fires_at: int | None, ids: tuple[int, ...]
) -> None:
    """A rule fires at the batch that fulfils it, and names the batches behind it."""
    watch = AbortWatch(parse_rules(rules), FINE_BY_DEFAULT)
    fired = None
    for number, outcome in enumerate(outcomes, 1):
        fired = watch.settle(number, outcome, None)
        if fired is not None:
            assert (number, fired.batch_ids) == (fires_at, ids)
            return
    assert fires_at is None


def test_same_needs_the_same_reason() -> None:
    """Another reason begins a new row."""
    watch = AbortWatch(parse_rules(["same=2"]), FINE_BY_DEFAULT)
    assert watch.settle(1, R, "http_400") is None
    assert watch.settle(2, R, "http_409") is None
    assert watch.settle(3, R, "http_409") is not None


def test_outcomes_counted_as_fine_make_no_row() -> None:
    """--ok not_found: a row of them is as it should be."""
    watch = AbortWatch(parse_rules(["same=2"]), FINE_BY_DEFAULT | {N})
    assert [watch.settle(number, N, None) for number in range(5)] == [None] * 5


@pytest.mark.parametrize(
    ("counts", "fires"),
    [
        (Counts(settled=49, failed=49), None),
        (Counts(settled=50, failed=10), "failed=20%/50"),
        (Counts(settled=50, failed=9), None),
        (Counts(settled=60, failed=1, in_a_row=20), "same=20"),
        (Counts(settled=60, not_found=3), "not_found=3"),
        (Counts(), None),
    ],
)
def test_rules_fire_on_counts_whoever_counted(counts: Counts, fires: str | None) -> None:
    """A fleet counts in its store: the same rules say when it is enough."""
    rule = firing(parse_rules(["failed=20%/50", "same=20", "not_found=3"]), counts)
    assert (rule.text if rule else None) == fires


@given(st.lists(st.tuples(st.sampled_from(list(Outcome)), st.sampled_from(["a", "b"])), max_size=60))
def test_a_watch_fires_as_its_counts_do(settled: list[tuple[Outcome, str]]) -> None:
    """The watch of one machine and the counts of a fleet can't disagree."""
    rules = parse_rules(["failed=5", "not_found=50%/4", "same=3"])
    watch, counts, row = AbortWatch(rules, FINE_BY_DEFAULT), Counts(), None
    for number, (outcome, reason) in enumerate(settled):
        fired = watch.settle(number, outcome, reason)
        if outcome is Outcome.HELD:
            assert fired is None
            continue
        kinds = kinds_of(outcome)
        fine = outcome in FINE_BY_DEFAULT
        in_a_row = 0 if fine else counts.in_a_row + 1 if (outcome, reason) == row else 1
        row = None if fine else (outcome, reason)
        counts = Counts(
            counts.settled + 1,
            counts.failed + ("failed" in kinds),
            counts.not_found + ("not_found" in kinds),
            in_a_row,
        )
        rule = firing(rules, counts)
        assert (fired.rule if fired else None) == (rule.text if rule else None)
