"""What a batch must be to be closed: its account period, its total, and how many batches a run may have."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.e2e.support import a_batch
from tests.guards.support import Looking, open_batches, refusal, world_of, written
from worker.simulator.options import Nulls, Options, Unknowns
from worker.simulator.running import simulator_thread

IDS = [1001, 1002, 1003]
FIT = {"year": 2026, "month": 10}


def last_month() -> dict[str, Any]:
    today = datetime.now(UTC).astimezone().date()
    before = date.fromordinal(today.replace(day=1).toordinal() - 1)
    return {"year": before.year, "month": before.month}


@pytest.mark.parametrize(
    ("told", "fit", "unfit", "reason"),
    [
        (("--period", "2026-10"), FIT, {"year": 2026, "month": 9}, "period"),
        (("--period", "2026-10"), FIT, {"year": 2025, "month": 10}, "period"),
        (("--period", "2026-10"), FIT, {"year": 2026, "month": 13}, "period"),
        (("--period", "last-month"), last_month(), {"year": 1970, "month": 1}, "period"),
        (("--max-total", "123.45"), {"total_cents": 12_345}, {"total_cents": 12_346}, "total"),
        (("--max-total", "123.45"), {"total_cents": -12_345}, {"total_cents": -12_346}, "total"),
        (("--max-total", "0"), {"total_cents": 0}, {"total_cents": 1}, "total"),
    ],
)
def test_just_what_is_asked_for(
    program: Looking,
    told: tuple[str, ...],
    fit: dict[str, Any],
    unfit: dict[str, Any],
    reason: str,
) -> None:
    """A batch at the bound is closed, one beyond it is held for it."""
    world = world_of(a_batch(1001, **fit), a_batch(1002, **unfit), a_batch(1003, **fit))
    with simulator_thread(world=world) as simulator:
        ran = program.close(simulator, *told, ids=IDS)
        assert sorted(map(str, written(simulator))) == ["1001", "1003"]
    assert (ran.code, ran.by_id[1002]["outcome"], ran.by_id[1002]["reason"]) == (3, "held", reason)


@pytest.mark.parametrize("told", [("--period", "2026-10"), ("--max-total", "1000000")])
def test_what_the_api_does_not_tell_is_held(program: Looking, told: tuple[str, str]) -> None:
    """A batch that can't be compared with what was asked for is not closed."""
    options = Options(unknowns=Unknowns(nulls=Nulls.BARE))
    with simulator_thread(options, world=world_of(*open_batches(1001, 3, **FIT))) as simulator:
        ran = program.close(simulator, *told, ids=IDS)
        assert written(simulator) == []
    assert ran.summary["outcomes"]["held"] == 3


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        (("--period", "2026-13"), "--period"),
        (("--period", "october"), "--period"),
        (("--max-total", "-1"), "--max-total"),
        (("--max-total", "1,000"), "--max-total"),
        (("--max-total", "nan"), "--max-total"),
        (("--quiet-for", "-1"), "--quiet-for"),
        (("--quiet-for", "inf"), "--quiet-for"),
        (("--wait-analyzing", "nan"), "--wait-analyzing"),
        (("--max-batches", "0"), "--max-batches"),
    ],
)
def test_a_bound_that_is_none(program: Looking, told: tuple[str, str], wrong: str) -> None:
    """One line that names the flag; nothing is sent."""
    with simulator_thread(world=world_of(*open_batches(1001, 3))) as simulator:
        assert wrong in refusal(program.close(simulator, *told, ids=IDS))
        assert not len(simulator.requests)


@pytest.mark.parametrize(("most", "code"), [(2, 2), (3, 0), (4, 0)])
def test_no_more_batches_than_meant(program: Looking, most: int, code: int) -> None:
    """A batch that is named twice counts once; a larger run is refused before anything is sent."""
    with simulator_thread(world=world_of(*open_batches(1001, 3))) as simulator:
        ran = program.close(simulator, "--max-batches", str(most), "1003", ids=IDS)
        assert (ran.code, len(written(simulator))) == (code, 0 if code else 3)
        if code:
            assert "--max-batches allows 2" in refusal(ran)
            assert not len(simulator.requests)
            assert program.close(simulator, ids=IDS).code == 0, "nothing is left of it"


@pytest.mark.parametrize("most", [1, 3])
def test_no_more_batches_than_meant_are_selected(program: Looking, most: int) -> None:
    """The bound holds for a selection as well."""
    with simulator_thread(world=world_of(*open_batches(1001, 3))) as simulator:
        ran = program.close(simulator, "--open", "--max-batches", str(most))
        assert (ran.code, len(written(simulator))) == ((0, 3) if most == 3 else (2, 0))


@pytest.mark.parametrize(
    ("told", "by"),
    [
        (("--period", "2026-10"), "flag"),
        (("--max-total", "10"), "environment"),
        (("--quiet-for", "0"), "file"),
        (("--wait-analyzing", "5"), "flag"),
    ],
)
def test_unseen_and_bounded_can_not_be_both(program: Looking, told: tuple[str, str], by: str) -> None:
    """``--no-snapshot`` with what only a look can tell: one line, and nothing is sent."""
    unseen = ["--no-snapshot"] if by == "flag" else []
    program.environment(BATCH_CLOSER_SNAPSHOT="0" if by == "environment" else None)
    if by == "file":
        (program.folder / "settings.toml").write_text("[api]\nsnapshot = false\n")
        unseen = ["--config", "settings.toml"]
    with simulator_thread(world=world_of(*open_batches(1001, 3))) as simulator:
        error = refusal(program.close(simulator, *told, *unseen, ids=IDS))
        assert not len(simulator.requests)
    assert told[0] in error
    assert "--no-snapshot" in error


def test_unseen_sends_the_closes_straight_away(program: Looking) -> None:
    """No look before, no proof after: as many requests as batches; but a selection has to look."""
    with simulator_thread(world=world_of(*open_batches(1001, 3, flags=1))) as simulator:
        assert "--open" in refusal(program.close(simulator, "--no-snapshot", "--open"))
        ran = program.close(simulator, "--no-snapshot", "--guard", "flags=hold", ids=IDS)
        assert len(written(simulator)) == len(simulator.requests) == 3
    assert (ran.code, ran.summary["verified"], ran.summary["warnings"]) == (0, None, {})
