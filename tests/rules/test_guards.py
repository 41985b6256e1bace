"""Every guard in every setting, and the laws that hold for all of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.rules.guards import GUARDS, Action, Bounds, Facts, Finding, judge, parse_action
from worker.rules.period import Period
from worker.words.errors import ConfigurationError
from worker.words.model import Batch, Person

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()
NAMES = [guard.name for guard in GUARDS]
ANOTHERS: dict[str, Any] = {"created_by": Person(user_id=12, full_name="Bill Import")}
NOT_MANAGING = Bounds(user_id=11, may_manage=False)
OCTOBER = Bounds(period=Period(2026, 10))
AT_MOST_100 = Bounds(max_total=Decimal(100))
NO_BOUNDS = Bounds()
LAW = settings(deadline=None)  # a busy machine is no fault


def batch(**facts: Any) -> Batch:
    return Batch(**{"batch_id": 7, "batch_status": "open"} | facts)


def fact(before: dict[str, Any] | None = None, **facts: Any) -> Facts:
    expected = {key: facts.pop(key) for key in ("expected_bills", "expected_total") if key in facts}
    return Facts(batch(**facts), NOW, before=None if before is None else batch(**before), **expected)


OBJECTIONS = [
    ("pending", fact(batch_status="Pending"), NO_BOUNDS, "the batch is pending"),
    ("analyzing", fact(analyzing_count=1), NO_BOUNDS, "1 bill is still being analysed"),
    ("analyzing", fact(analyzing_count=3), NO_BOUNDS, "3 bills are still being analysed"),
    ("kickouts", fact(has_imports_with_kickout=True), NO_BOUNDS, "an import into the batch had kickouts"),
    ("flags", fact(flag_count=2), NO_BOUNDS, "2 flags are unresolved"),
    ("empty", fact(bill_count=0), NO_BOUNDS, "the batch has no bills"),
    (
        "owner",
        fact(**ANOTHERS),
        NOT_MANAGING,
        "user 12 (Bill Import) created the batch, and the key's user 11 may not close others' batches",
    ),
    (
        "owner",
        fact(created_by=Person(user_id=12)),
        NOT_MANAGING,
        "user 12 created the batch, and the key's user 11 may not close others' batches",
    ),
    (
        "period",
        fact(account_period_year=2026, account_period_number=9, account_period_name="2026-09"),
        OCTOBER,
        "its account period is 2026-09, and 2026-10 is asked for",
    ),
    (
        "period",
        fact(account_period_year=2027, account_period_number=4, account_period_name="Oct 2026"),
        OCTOBER,
        "its account period is 2027-04 (Oct 2026), and 2026-10 is asked for",
    ),
    ("period", fact(), OCTOBER, "its account period can't be told, and 2026-10 is asked for"),
    (
        "period",
        fact(account_period_name="P4\x1b[31m"),
        OCTOBER,
        "its account period (P4?[31m) can't be told, and 2026-10 is asked for",
    ),
    (
        "total",
        fact(running_total=100.01),
        AT_MOST_100,
        "its running total is 100.01, and at most 100 is asked for",
    ),
    (
        "total",
        fact(running_total=-100.01),
        AT_MOST_100,
        "its running total is -100.01, and at most 100 is asked for",
    ),
    ("total", fact(), AT_MOST_100, "its running total is not known, and at most 100 is asked for"),
    (
        "changed",
        fact({"batch_status": "open"}, batch_status="Pending"),
        NO_BOUNDS,
        "it changed: state from open to pending",
    ),
    (
        "changed",
        fact({"batch_status": "Open"}, batch_status="Void "),
        NO_BOUNDS,
        "it changed: state from open to void",
    ),
    (
        "changed",
        fact(
            {"bill_count": 2, "running_total": 10.0, "flag_count": 0},
            bill_count=3,
            running_total=12.5,
            flag_count=1,
        ),
        NO_BOUNDS,
        "it changed: bill count from 2 to 3, running total from 10.00 to 12.50, flag count from 0 to 1",
    ),
    (
        "changed",
        fact(start_date="2026-11-24T11:59:20Z"),
        Bounds(quiet_for_s=60),
        "it was created 40 s ago, and 60 s without a change are asked for",
    ),
    (
        "changed",
        fact(start_date="2026-11-24T13:00:00Z"),
        Bounds(quiet_for_s=60),
        "it was created 0 s ago, and 60 s without a change are asked for",
    ),
    (
        "control",
        fact(expected_bills=2, bill_count=3),
        NO_BOUNDS,
        "control totals differ: bill count is 3, expected 2",
    ),
    (
        "control",
        fact(expected_bills=2, expected_total=Decimal("9.9"), bill_count=2),
        NO_BOUNDS,
        "control totals differ: running total is not known, expected 9.90",
    ),
    (
        "control",
        fact(expected_bills=2, expected_total=Decimal(9), running_total=8.0),
        NO_BOUNDS,
        "control totals differ: bill count is not known, expected 2; running total is 8.00, expected 9.00",
    ),
    (
        "control",
        fact(expected_bills=3, expected_total=Decimal("9.99"), bill_count=3, running_total=10.0),
        NO_BOUNDS,
        "control totals differ: running total is 10.00, expected 9.99",
    ),
    (
        "control",
        fact(expected_total=Decimal(1), running_total=-0.0),
        NO_BOUNDS,
        "control totals differ: running total is 0.00, expected 1.00",
    ),
]

NO_OBJECTIONS = [
    ("pending", fact(batch_status="open"), NO_BOUNDS),
    ("pending", fact(batch_status=None), NO_BOUNDS),
    ("analyzing", fact(analyzing_count=0), NO_BOUNDS),
    ("analyzing", fact(), NO_BOUNDS),
    ("kickouts", fact(has_imports_with_kickout=False), NO_BOUNDS),
    ("kickouts", fact(), NO_BOUNDS),
    ("flags", fact(flag_count=0), NO_BOUNDS),
    ("flags", fact(), NO_BOUNDS),
    ("empty", fact(bill_count=1), NO_BOUNDS),
    ("empty", fact(), NO_BOUNDS),
    ("owner", fact(created_by=Person(user_id=11)), NOT_MANAGING),
    ("owner", fact(created_by=Person()), NOT_MANAGING),
    ("owner", fact(), NOT_MANAGING),
    ("owner", fact(**ANOTHERS), replace(NOT_MANAGING, may_manage=True)),
    ("owner", fact(**ANOTHERS), replace(NOT_MANAGING, may_manage=None)),
    ("owner", fact(**ANOTHERS), replace(NOT_MANAGING, user_id=None)),
    ("period", fact(), NO_BOUNDS),
    ("period", fact(account_period_year=2026, account_period_number=10), OCTOBER),
    ("period", fact(account_period_name="Oct 2026"), OCTOBER),
    ("total", fact(), NO_BOUNDS),
    ("total", fact(running_total=1e9), NO_BOUNDS),
    ("total", fact(running_total=100.0), AT_MOST_100),
    ("total", fact(running_total=-100.0), AT_MOST_100),
    ("changed", fact(), NO_BOUNDS),
    ("changed", fact({}, bill_count=3), NO_BOUNDS),
    ("changed", fact({"bill_count": 3, "batch_code": "a"}, bill_count=3, batch_code="b"), NO_BOUNDS),
    ("changed", fact({"batch_status": "OPEN"}, batch_status="open"), NO_BOUNDS),
    ("changed", fact({"running_total": 0.0}, running_total=-0.0), NO_BOUNDS),
    ("changed", fact({"running_total": 1.001}, running_total=1.002), NO_BOUNDS),
    ("changed", fact({}, start_date="2026-11-24T11:59:00Z"), Bounds(quiet_for_s=60)),
    ("changed", fact({}, start_date="2026-11-24T11:59:59"), Bounds(quiet_for_s=60)),
    ("changed", fact({}), Bounds(quiet_for_s=60)),
    ("control", fact(bill_count=3, running_total=10.0), NO_BOUNDS),
    ("control", fact(expected_bills=3, bill_count=3), NO_BOUNDS),
    ("control", fact(expected_total=Decimal(10), running_total=10.0), NO_BOUNDS),
    ("control", fact(expected_total=Decimal("0.3"), running_total=0.1 + 0.2), NO_BOUNDS),
    ("control", fact(expected_bills=0, bill_count=0), NO_BOUNDS),
]


def alone(name: str, action: Action) -> dict[str, Action]:
    return dict.fromkeys(NAMES, Action.IGNORE) | {name: action}


def test_every_guard_is_in_the_tables() -> None:
    """No guard is left without an objection and a batch it lets through, and the list has its order."""
    assert NAMES == (
        [
            "pending",
            "analyzing",
            "kickouts",
            "flags",
            "empty",
            "owner",
            "period",
            "total",
            "changed",
            "control",
        ]
    )
    assert {name for name, *_ in OBJECTIONS} == {name for name, *_ in NO_OBJECTIONS} == set(NAMES)
    warn = {guard.name for guard in GUARDS if guard.default is Action.WARN}
    hold = {guard.name for guard in GUARDS if guard.default is Action.HOLD}
    assert (warn, hold) == ({"kickouts", "flags", "empty"}, set(NAMES) - warn)
    assert all(guard.help and "\n" not in guard.help for guard in GUARDS)


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize(("name", "facts", "bounds", "detail"), OBJECTIONS)
def test_an_objection_in_every_setting(
    name: str, facts: Facts, bounds: Bounds, detail: str, action: Action
) -> None:
    """A guard that objects holds, warns or is silent, as it is told, and says why with numbers."""
    finding = Finding(name, detail)
    expected = {
        Action.HOLD: (finding, ()),
        Action.WARN: (None, (finding,)),
        Action.IGNORE: (None, ()),
    }
    assert judge(facts, replace(bounds, actions=alone(name, action))) == expected[action]


@pytest.mark.parametrize(("name", "facts", "bounds", "detail"), OBJECTIONS)
def test_an_objection_by_default(name: str, facts: Facts, bounds: Bounds, detail: str) -> None:
    """A guard that nothing is said about does its default."""
    actions = alone(name, Action.IGNORE)
    del actions[name]
    default = next(guard.default for guard in GUARDS if guard.name == name)
    held, warnings = judge(facts, replace(bounds, actions=actions))
    assert (held is not None, len(warnings)) == (default is Action.HOLD, int(default is Action.WARN))


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize(("name", "facts", "bounds"), NO_OBJECTIONS)
def test_no_objection_in_every_setting(name: str, facts: Facts, bounds: Bounds, action: Action) -> None:
    """What a batch doesn't tell is no objection, nor is what is as it should be."""
    assert judge(facts, replace(bounds, actions=alone(name, action))) == (None, ())


def test_a_batch_that_tells_nothing_is_let_through() -> None:
    """With default settings, a batch of null fields is neither held nor warned of."""
    assert judge(Facts(Batch(batch_id=7), NOW), NO_BOUNDS) == (None, ())


def test_a_detail_stays_short() -> None:
    """A number beyond all bounds doesn't make a sentence beyond all bounds."""
    held, _ = judge(fact(analyzing_count=10**1000), NO_BOUNDS)
    assert held is not None
    assert len(held.detail) == 240


def test_the_first_that_holds_wins_and_all_warnings_are_kept() -> None:
    """Guards are asked in their order; warnings before and after the one that holds are kept."""
    facts = fact(batch_status="pending", analyzing_count=1, has_imports_with_kickout=True, bill_count=0)
    held, warnings = judge(facts, Bounds(actions={"pending": Action.WARN}))
    assert held is not None
    assert held.guard == "analyzing"
    assert [warning.guard for warning in warnings] == ["pending", "kickouts", "empty"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("action", Action)
def test_actions_that_can_be_used(name: str, action: Action) -> None:
    """Every guard takes every action, whatever the letter case."""
    assert parse_action(f"{name}={action}") == (name, action)
    assert parse_action(f" {name.upper()} = {action.upper()} ") == (name, action)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("flags", r"^guard 'flags' can't be used: write GUARD=ACTION, as flags=hold$"),
        ("", "write GUARD=ACTION"),
        ("flag=hold", r"^guard 'flag=hold' .* the guards are pending, analyzing, .*, control$"),
        ("=hold", "the guards are"),
        ("flags=stop", r"^guard 'flags=stop' .* the actions are hold, warn, ignore$"),
        ("flags=", "the actions are"),
        ("flags=hold=hold", "the actions are"),
        ("a\nb=\x1b", "^guard 'a b=.' can't"),
    ],
)
def test_actions_that_cannot_be_used(text: str, match: str) -> None:
    """Anything else is refused by name in one line, with what is known."""
    with pytest.raises(ConfigurationError, match=match):
        parse_action(text)


@pytest.mark.parametrize(
    "bounds",
    [{"max_total": Decimal("NaN")}, {"max_total": Decimal(-1)}, {"max_total": Decimal("Infinity")}]
    + [{"quiet_for_s": value} for value in (-1.0, float("nan"), float("inf"))],
)
def test_bounds_that_nothing_compares_with(bounds: dict[str, Any]) -> None:
    """A bound that could never hold anything, or always would, is refused."""
    with pytest.raises(ConfigurationError, match="can't be used: write"):
        Bounds(**bounds)


texts = (
    st.none() | st.text(max_size=30) | st.sampled_from(["open", "Pending", "CLOSED", "2026-10", "Oct 2026"])
)
counts = st.none() | st.integers() | st.integers(-1, 3)
totals = (
    st.none()
    | st.decimals(allow_nan=True, allow_infinity=True)
    | st.sampled_from([Decimal(1), Decimal("1e400")])
)
# Not validated: a guard must survive even what the API's record would not take.
batches = st.builds(
    Batch.model_construct,
    batch_id=st.just(7),
    batch_status=texts,
    bill_count=counts,
    running_total=totals,
    analyzing_count=counts,
    flag_count=counts,
    has_imports_with_kickout=st.none() | st.booleans(),
    account_period_name=texts,
    account_period_number=counts,
    account_period_year=counts,
    created_by=st.none() | st.builds(Person, full_name=texts, user_code=texts, user_id=counts),
    start_date=texts | st.datetimes().map(str),
)
facts_of_any_kind = st.builds(
    Facts,
    batch=batches,
    now=st.floats(0, 1e11),
    expected_bills=counts,
    expected_total=totals,
    before=st.none() | batches,
)
actions_of_any_kind = st.dictionaries(st.sampled_from([*NAMES, "another"]), st.sampled_from(Action))
bounds_of_any_kind = st.builds(
    Bounds,
    actions=actions_of_any_kind,
    period=st.none() | st.builds(Period, st.integers(1, 9999), st.integers(1, 12)),
    max_total=st.none() | st.decimals(0, allow_nan=False, allow_infinity=False),
    quiet_for_s=st.none() | st.floats(0, 1e12),
    user_id=counts,
    may_manage=st.none() | st.booleans(),
)


@LAW
@given(facts_of_any_kind, bounds_of_any_kind)
def test_any_batch_is_judged(facts: Facts, bounds: Bounds) -> None:
    """Nothing raises; details are short printable lines; findings keep the order and their settings."""
    held, warnings = judge(facts, bounds)
    names = [warning.guard for warning in warnings]
    assert names == [name for name in NAMES if name in names]
    for finding in (*warnings, *([held] if held else [])):
        assert finding.detail
        assert finding.detail.isprintable()
        assert len(finding.detail) <= 240
    defaults = {guard.name: guard.default for guard in GUARDS}
    actions = defaults | dict(bounds.actions)
    assert all(actions[name] is Action.WARN for name in names)
    assert held is None or actions[held.guard] is Action.HOLD


@LAW
@given(facts_of_any_kind, bounds_of_any_kind)
def test_ignoring_every_guard_lets_everything_through(facts: Facts, bounds: Bounds) -> None:
    """IGNORE switches any guard off."""
    assert judge(facts, replace(bounds, actions=dict.fromkeys(NAMES, Action.IGNORE))) == (None, ())


@LAW
@given(facts_of_any_kind, bounds_of_any_kind)
def test_holding_and_warning_hear_the_same_objections(facts: Facts, bounds: Bounds) -> None:
    """What is held when every guard holds is the first of the warnings when every guard warns."""
    held = judge(facts, replace(bounds, actions=dict.fromkeys(NAMES, Action.HOLD))).held
    warnings = judge(facts, replace(bounds, actions=dict.fromkeys(NAMES, Action.WARN))).warnings
    assert held == (warnings[0] if warnings else None)
