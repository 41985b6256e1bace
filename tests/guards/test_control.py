"""Control totals: what the input says that a batch must hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.support import a_batch
from tests.guards.support import Looking, refusal, world_of, written
from worker.simulator.options import Nulls, Options, Unknowns
from worker.simulator.running import simulator_thread

HELD, CLOSED = "held", "closed"


@pytest.mark.parametrize(
    ("expected", "outcome", "words"),
    [
        (["3,123.45"], CLOSED, []),
        (["3,"], CLOSED, []),
        ([",123.45"], CLOSED, []),
        ([",123.450"], "invalid", []),
        ([","], CLOSED, []),
        (["2,123.45"], HELD, ["bill count is 3, expected 2"]),
        (["3,123.46"], HELD, ["running total is 123.45, expected 123.46"]),
        (["0,0"], HELD, ["bill count is 3, expected 0", "expected 0.00"]),
        (["3,-123.45"], HELD, ["expected -123.45"]),
        (["3,123.45", "3,123.45"], CLOSED, []),
        (["3,", ",123.45"], CLOSED, []),
        (["3,123.45", "4,123.45"], HELD, ["bill count is 3, expected 4"]),
        (["4,123.45", "3,123.45"], HELD, ["bill count is 3, expected 4"]),
        ([",", "3,1.00"], HELD, ["running total is 123.45, expected 1.00"]),
        (["three,"], "invalid", []),
    ],
)
def test_what_is_expected(program: Looking, expected: list[str], outcome: str, words: list[str]) -> None:
    """A batch is closed only if every line that names it is right about it."""
    others = [1002, 1003] if len(expected) == 1 else []  # the list shows it, or a read
    lines = ["id,expected_bills,expected_total", *(f"1001,{each}" for each in expected)]
    Path("input.csv").write_text("\n".join([*lines, *(f"{each},3,123.45" for each in others), ""]))
    world = world_of(*(a_batch(batch_id) for batch_id in (1001, *others)))
    with simulator_thread(world=world) as simulator:
        ran = program.close(simulator, "input.csv")
        assert set(written(simulator)) == {*([1001] if outcome == CLOSED else []), *others}
    (line,) = [line for line in ran.results if line["line"] == 2]
    assert line["outcome"] == outcome, line
    assert line["reason"] == {"held": "control", "invalid": "not_a_batch_id"}.get(outcome)
    assert all(each in line["message"] for each in words)


@pytest.mark.parametrize(("expects", "code"), [("4", 3), ("3", 3), ("", 0)])
def test_a_batch_that_does_not_tell(program: Looking, expects: str, code: int) -> None:
    """What is expected and can't be compared is held; what nothing is expected of is closed."""
    Path("input.csv").write_text(f"id,expected_bills\n1001,{expects}\n")
    options = Options(unknowns=Unknowns(nulls=Nulls.BARE))
    with simulator_thread(options, world=world_of(a_batch(1001))) as simulator:
        ran = program.close(simulator, "input.csv")
        assert len(written(simulator)) == (0 if code else 1)
    assert ran.code == code


def test_expected_and_unseen_can_not_be_both(program: Looking) -> None:
    """Control totals with ``--no-snapshot`` are refused, for nobody would compare them; nothing is sent."""
    Path("input.csv").write_text("id,expected_bills\n1001,3\n")
    with simulator_thread(world=world_of(a_batch(1001))) as simulator:
        assert "--no-snapshot" in refusal(program.close(simulator, "input.csv", "--no-snapshot"))
        assert not len(simulator.requests)
