"""Plans: written, read again, refused, added up."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.rules.guards import Bounds, Facts, judge
from worker.rules.period import Period
from worker.rules.plan import Amount, Owner, Plan, PlanDecision, PlanEntry, PlanTally
from worker.words.errors import ConfigurationError
from worker.words.model import MAX_BATCH_ID, Batch, Person

LAW = settings(deadline=None)  # the first example pays for what is made once
CLOSE, HOLD, INVALID = PlanDecision.CLOSE, PlanDecision.HOLD, PlanDecision.INVALID
BATCH = Batch(
    batch_id=7,
    batch_status="Open",
    batch_code="UTIL-2026-10",
    bill_count=12,
    running_total=1234.5,
    analyzing_count=0,
    flag_count=2,
    account_period_name="Oct 2026",
    created_by=Person(user_id=12, full_name="Bill Import", user_code="bill.import"),
)
ENTRY = PlanEntry.of(BATCH, CLOSE, source="ids.txt", line=3, warnings=("flags",))
PLAN = Plan(
    created_at=1_790_000_000.25,
    base_url="https://app.energycap.com",
    environment="production",
    key_owner=Owner(11, "Batch Closer"),
    rate_per_s=5.0,
    can_export={"AP": "after batch", "GL": None},
    entries=(
        ENTRY,
        PlanEntry(batch_id=None, decision=INVALID, detail="seven", source="ids.txt", line=4),
    ),
)

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
counts = st.none() | st.integers(-(2**63) + 1, 2**63 - 1)
owners = st.none() | st.builds(Owner, counts, st.none() | words)
entries = st.builds(
    PlanEntry,
    batch_id=st.integers(1, MAX_BATCH_ID),
    decision=st.sampled_from([decision for decision in PlanDecision if decision is not INVALID]),
    reason=st.none() | words,
    detail=st.none() | words,
    warnings=st.lists(words, max_size=3).map(tuple),
    batch_code=st.none() | words,
    batch_status=st.none() | words,
    bill_count=counts,
    running_total=st.none() | st.decimals(-(10**30), 10**30, places=2),
    flag_count=counts,
    analyzing_count=counts,
    period=st.none() | st.builds(Period, st.integers(1, 9999), st.integers(1, 99)),
    owner=owners,
    source=words,
    line=st.integers(0, 10**9),
)
invalid_lines = st.builds(
    PlanEntry,
    batch_id=st.none(),
    decision=st.just(INVALID),
    detail=words,
    source=words,
    line=st.integers(1, 10**9),
)
plans = st.builds(
    Plan,
    created_at=st.integers(0, 4 * 10**12).map(lambda ms: ms / 1000),
    base_url=words,
    environment=st.none() | words,
    key_owner=owners,
    rate_per_s=st.floats(0, 1e6, exclude_min=True),
    can_export=st.dictionaries(words, st.none() | words, max_size=3),
    entries=st.tuples(
        st.lists(entries, unique_by=lambda entry: entry.batch_id, max_size=5),
        st.lists(invalid_lines, max_size=2),
    ).map(lambda both: (*both[0], *both[1])),
)


@LAW
@given(plans)
def test_what_is_written_is_read_again(plan: Plan) -> None:
    """Through a dict or through the pieces of plan.json, a plan comes back as it was."""
    assert Plan.from_json_dict(plan.to_json_dict()) == plan
    assert Plan.from_json(b"".join(plan.to_json())) == plan


@LAW
@given(plans)
def test_pieces_and_dict_are_the_same_document(plan: Plan) -> None:
    """plan.json is one JSON document: the dict, whichever way it is written."""
    assert json.loads(b"".join(plan.to_json())) == plan.to_json_dict()


def test_plan_json_holds_what_people_and_programs_need() -> None:
    """Its keys, its forms, and a line for each entry."""
    text = b"".join(PLAN.to_json()).decode()
    assert text.endswith("\n  ]\n}\n")
    assert [line for line in text.splitlines() if '"batch_id":7' in line] == [
        (
            '{"batch_id":7,"decision":"close","reason":null,"detail":null,"warnings":["flags"],'
            '"batch_code":"UTIL-2026-10","batch_status":"Open","bill_count":12,"running_total":"1234.50",'
            '"flag_count":2,"analyzing_count":0,"period":"2026-10",'
            '"owner":{"user_id":12,"full_name":"Bill Import"},"source":"ids.txt","line":3},'
        )
    ]
    head = json.loads(text)
    del head["entries"]
    assert head == {
        "kind": "batch-closer plan",
        "version": 1,
        "created_at": "2026-09-21T14:13:20.250Z",
        "base_url": "https://app.energycap.com",
        "environment": "production",
        "key_owner": {"user_id": 11, "full_name": "Batch Closer"},
        "rate_per_s": 5.0,
        "can_export": {"AP": "after batch", "GL": None},
    }


def test_entries_can_be_written_as_they_come() -> None:
    """The entries need not be held in memory to be written; an empty plan is one too."""
    plan = replace(PLAN, entries=())
    assert Plan.from_json(b"".join(plan.to_json(iter(PLAN.entries)))) == PLAN
    assert Plan.from_json(b"".join(plan.to_json())) == plan


def test_text_and_numbers_that_json_cannot_hold_are_mended() -> None:
    """A file's name of any bytes, and a count beyond all counts, spoil no plan."""
    odd = replace(ENTRY, source="\udcff.txt", bill_count=10**30, owner=Owner(10**30, "\ud800"))
    read = Plan.from_json(b"".join(replace(PLAN, entries=(odd,)).to_json()))
    assert read.entries == (replace(ENTRY, source="?.txt", bill_count=None, owner=Owner(None, "?")),)


def test_keys_of_later_programs_are_passed_over() -> None:
    """Names may be added freely: a key that is not known is no fault."""
    data = PLAN.to_json_dict()
    data["later"] = data["entries"][0]["later"] = data["key_owner"]["later"] = {"a": 1}
    assert Plan.from_json_dict(data) == PLAN


def spoiled(entry: dict[str, Any] | None = None, **head: Any) -> dict[str, Any]:
    data = PLAN.to_json_dict()
    if entry:
        data["entries"][0] |= entry
    return data | head


@pytest.mark.parametrize(
    "data", [None, 7, "plan", [], {}, {"version": 1, "entries": []}, spoiled(kind="terraform")]
)
def test_what_is_no_plan(data: object) -> None:
    """Another program's file is refused in one line that says what to give."""
    with pytest.raises(ConfigurationError, match=r"^p\.json is no plan: give the plan\.json that .* wrote$"):
        Plan.from_json_dict(data, "p.json")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (spoiled(version=2), "it has version 2, and this program reads version 1"),
        (spoiled(version="1"), "it has version '1'"),
        (spoiled(version=True), "it has version True"),
        (spoiled(version=None), "it has version of another kind"),
        (spoiled(created_at="soon"), "created_at: "),
        (spoiled(created_at="2026-11-03T02:00:00"), "created_at: .*zone"),
        (spoiled(created_at=5), "created_at: "),
        (spoiled(base_url=None), "base_url: "),
        (spoiled(rate_per_s=0), "rate_per_s: "),
        (spoiled(rate_per_s="5"), "rate_per_s: "),
        (spoiled(can_export=[]), "can_export: "),
        (spoiled(can_export={"A\nP": 7}), "can_export.A P: "),
        (spoiled(key_owner={"user_id": "x"}), "key_owner.user_id: "),
        (spoiled(entries=None), "entries: "),
        (spoiled(entries=[7]), "entries.0: "),
        (spoiled({"batch_id": True}), "entries.0.batch_id: "),
        (spoiled({"batch_id": "7"}), "entries.0.batch_id: "),
        (spoiled({"batch_id": 7.0}), "entries.0.batch_id: "),
        (spoiled({"batch_id": 0}), "entries.0.batch_id: "),
        (spoiled({"batch_id": MAX_BATCH_ID + 1}), "entries.0.batch_id: "),
        (spoiled({"batch_id": None}), "entries.0: only an invalid line has no batch_id"),
        (spoiled({"decision": "invalid"}), "entries.0: only an invalid line has no batch_id"),
        (spoiled({"decision": "shut"}), "entries.0.decision: "),
        (spoiled({"running_total": 1234.5}), "entries.0.running_total: .*money"),
        (spoiled({"running_total": "NaN"}), "entries.0.running_total: .*money"),
        (spoiled({"running_total": "many"}), "entries.0.running_total: .*money"),
        (spoiled({"period": "Autumn"}), "entries.0.period: .*2026-10"),
        (spoiled({"bill_count": "12"}), "entries.0.bill_count: "),
        (spoiled({"warnings": "flags"}), "entries.0.warnings: "),
        (spoiled({"source": None}), "entries.0.source: "),
        (spoiled(entries=[ENTRY.to_json_dict()] * 2), "entries.1: batch 7 stands in it twice"),
    ],
)
def test_what_is_malformed(data: dict[str, Any], why: str) -> None:
    """A plan that can't be trusted to the letter is refused in one line with place, fault and remedy."""
    with pytest.raises(
        ConfigurationError, match=rf"^p\.json can't be used: {why}.*; make it again with"
    ) as caught:
        Plan.from_json_dict(data, "p.json")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("key", ["created_at", "base_url", "rate_per_s", "entries"])
def test_what_is_missing(key: str) -> None:
    """A plan that was cut short is refused."""
    data = PLAN.to_json_dict()
    del data[key]
    with pytest.raises(ConfigurationError, match=key):
        Plan.from_json_dict(data)


@LAW
@given(st.integers(0, 1500))
def test_a_plan_cut_anywhere_is_refused(size: int) -> None:
    """Half a plan.json is no plan."""
    body = b"".join(PLAN.to_json()).rstrip()
    with pytest.raises(ConfigurationError):
        Plan.from_json(body[: min(size, len(body) - 1)])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def refusal_of(data: object) -> str:
    try:
        Plan.from_json_dict(data)
    except ConfigurationError as error:
        return str(error)
    return ""


@LAW
@given(st.sampled_from([*PLAN.to_json_dict()]), st.sampled_from([*ENTRY.to_json_dict()]), json_values)
def test_no_value_in_any_place_breaks_the_reader(head_key: str, entry_key: str, value: Any) -> None:
    """Whatever stands in a field, the plan is read or refused in one printable line."""
    for data in (spoiled(**{head_key: value}), spoiled({entry_key: value}), value):
        assert refusal_of(data).isprintable()


def test_an_entry_remembers_what_the_changed_guard_asks_for() -> None:
    """A batch that is as the plan saw it passes the guard; each thing that matters and moved is held."""
    seen = PlanEntry.of(BATCH, CLOSE, source="", line=1).seen()
    assert seen is not None
    assert judge(Facts(BATCH, 0.0, before=seen), Bounds()).held is None
    for moved in (
        {"batch_status": "pending"},
        {"bill_count": 13},
        {"running_total": Decimal(1)},
        {"flag_count": 3},
    ):
        held = judge(Facts(BATCH.model_copy(update=moved), 0.0, before=seen), Bounds()).held
        assert held is not None
    assert PLAN.entries[1].seen() is None


def tally(*some: PlanEntry) -> PlanTally:
    folded = PlanTally()
    for entry in some:
        folded.add(entry)
    return folded


def test_totals_of_a_plan() -> None:
    """What would be closed, by period and owner; what is held and warned of; what can't be summed."""
    other = replace(ENTRY, batch_id=8, bill_count=1, running_total=Decimal("-0.50"), period=None, owner=None)
    bare = replace(other, batch_id=9, bill_count=None, warnings=("empty", "flags"))
    held = replace(ENTRY, batch_id=10, decision=HOLD, reason="pending")
    folded = tally(ENTRY, other, bare, held, PLAN.entries[1])
    assert folded.to_close == Amount(3, 13, Decimal("1233.50"), unknown=1)
    assert folded.to_json_dict() == {
        "decisions": {
            "close": 3,
            "hold": 1,
            "already_closed": 0,
            "not_found": 0,
            "forbidden": 0,
            "unreadable": 0,
            "invalid": 1,
        },
        "to_close": {"batches": 3, "bills": 13, "running_total": "1233.50", "unknown": 1},
        "by_period": [
            {"period": "2026-10", "batches": 1, "bills": 12, "running_total": "1234.50", "unknown": 0},
            {"period": None, "batches": 2, "bills": 1, "running_total": "-1.00", "unknown": 1},
        ],
        "by_owner": [
            {"owner": {"user_id": 12, "full_name": "Bill Import"}}
            | {"batches": 1, "bills": 12, "running_total": "1234.50", "unknown": 0},
            {"owner": {"user_id": None, "full_name": None}}
            | {"batches": 2, "bills": 1, "running_total": "-1.00", "unknown": 1},
        ],
        "held_by": {"pending": 1},
        "warned_by": {"empty": 1, "flags": 3},
        "requests": 3,
    }


@pytest.mark.parametrize(("closes", "requests"), [(0, 0), (1, 1), (1001, 1001)])
def test_requests_and_time(closes: int, requests: int) -> None:
    """A PUT for each, a page of a thousand before and after, at the rate; nothing to close takes nothing."""
    folded = PlanTally(to_close=Amount(batches=closes))
    assert folded.requests == requests
    assert folded.seconds_at(0.5) == requests * 2


def test_sums_of_money_lose_no_cent() -> None:
    """A sum is exact however large it is."""
    large = replace(ENTRY, running_total=Decimal("1e40"))
    small = replace(ENTRY, running_total=Decimal("0.01"))
    assert tally(large, small).to_close.running_total == Decimal("1" + "0" * 40 + ".01")


def test_owners_have_one_order() -> None:
    """Owners stand by id and name, those without a name and those unknown last, whoever came first."""
    people = [Owner(2, ""), Owner(2, "b"), Owner(2), Owner(11, "a"), Owner(None, "a"), Owner()]
    some = [replace(ENTRY, owner=owner) for owner in people]
    for folded in (tally(*some), tally(*reversed(some))):
        shown = folded.to_json_dict()["by_owner"]
        assert [Owner(**each["owner"]) for each in shown] == people


@LAW
@given(st.lists(entries | invalid_lines, max_size=12), st.randoms(use_true_random=False), st.integers(0, 12))
def test_totals_know_no_order(some: list[PlanEntry], rng: Any, cut: int) -> None:
    """Any order, and any split and merge, gives the same totals, which add up to themselves."""
    mixed = list(some)
    rng.shuffle(mixed)
    folded, merged = tally(*some), tally(*mixed[:cut])
    merged.merge(tally(*mixed[cut:]))
    assert merged == folded
    assert merged.to_json_dict() == folded.to_json_dict()
    assert sum(folded.decisions.values()) == len(some)
    for parts in (folded.by_period, folded.by_owner):
        total = Amount()
        for amount in parts.values():
            total = total.plus(amount)
        assert total == folded.to_close
