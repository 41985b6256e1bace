"""What a person is told before a close is agreed to."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.e2e.support import a_batch
from tests.guards.support import open_batches, seen, world_of, written
from tests.process.program import Bench
from worker.simulator.faults import Route
from worker.simulator.running import simulator_thread
from worker.simulator.world import State

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals of this kind")
WHERE = [
    "Key       Batch Closer (11), environment simulator",
    "Releases  AP after batch (closing releases the bills); GL after batch (closing",
    "          releases the bills)",
    "A close cannot be undone, and it may release payments.",
]


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
