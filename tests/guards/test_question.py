"""What a person is told before a close is agreed to."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.e2e.support import a_batch
from tests.guards.support import Looking, changing, open_batches, seen, world_of, written
from tests.process.program import Bench
from worker.simulator.faults import Route
from worker.simulator.running import simulator_thread
from worker.simulator.world import State

WHERE = [
    "Key       Batch Closer (11), environment simulator",
    "Releases  AP after batch (closing releases the bills); GL after batch (closing",
    "          releases the bills)",
    "A close cannot be undone, and it may release payments.",
]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals of this kind")
@pytest.mark.parametrize(
    ("asked", "told", "closed"),
    [
        (["--open"], ["About to close 4 batches: 12 bills, 493.80 in total.", "Warned of: flags 1."], 4),
        (["1001", "1004"], ["About to close 1 batch: 3 bills, 123.45 in total."], 1),
        (
            ["1001", "1002", "1003", "1004", "1005", "1007"],
            [
                "About to close 4 batches: 12 bills, 493.80 in total.",
                "Held as they are now: pending 1.",
                "Warned of: flags 1.",
                "Not seen as open or pending: 1. Each is looked at first, and closed if it is",
                "          fit.",
            ],
            4,
        ),
    ],
)
def test_the_question(tmp_path: Path, asked: list[str], told: list[str], closed: int) -> None:
    """Batches, bills, money, host, key, environment and releases; nothing is closed before the answer."""
    from tests.process.terminal import Terminal

    batches = [*open_batches(1001, 3), a_batch(1005, State.PENDING), a_batch(1004, State.CLOSED)]
    with simulator_thread(world=world_of(*batches, a_batch(1007, flags=1))) as simulator:
        bench = Bench(tmp_path, simulator)
        bench.environ.pop("BATCH_CLOSER_SNAPSHOT")
        with Terminal(bench, "close", *asked, "--rate", 500, "--burst", 50) as terminal:
            terminal.until(lambda raw: "[y/N]" in raw, "the question")
            shown, put = terminal.lines, seen(simulator, Route.PUT)
            terminal.type("y\n")
            assert terminal.exit_code() in {0, 3}
        where = [f"At        {simulator.url}", *WHERE]
        if asked == ["1001", "1004"]:
            told = [*told, "Closed already: 1."]
        assert (shown[: len(told) + len(where)], put) == ([*told, *where], 0)
        assert len(written(simulator)) == closed


@pytest.mark.parametrize("count", [1, 3])
def test_an_answer_that_took_its_time(program: Looking, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The batches are looked at anew: what was fit when the question was asked may not be so any more."""
    batch, *rest = open_batches(1001, count)
    monkeypatch.setattr("worker.cli.close.is_agreed", lambda *, yes: not yes)
    monkeypatch.setattr("worker.cli.close.LOOK_AGAIN_AFTER_S", -1.0)
    monkeypatch.setattr("worker.cli.close.ask", lambda *_: changing(batch, analyzing=1)())
    with simulator_thread(world=world_of(batch, *rest)) as simulator:
        ran = program.close(simulator, ids=range(1001, 1001 + count))
        assert sorted(map(str, written(simulator))) == [str(each.batch_id) for each in rest]
        assert ran.summary["requests"]["total"] == len(simulator.requests)
    assert ran.by_id[1001]["reason"] == "analyzing"
