"""On a terminal that is narrow, dumb or asked to be plain, what is shown is as good to read."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("Windows has no pseudo-terminals of this kind", allow_module_level=True)

from tests.process.program import Bench
from tests.process.terminal import Terminal
from worker.simulator.options import Options, Population
from worker.simulator.running import simulator_thread

SETTINGS = ("--yes", "--run-id", "run", "--rate", 1000, "--burst", 10, "--abort", "none")


@pytest.mark.parametrize(
    ("term", "no_color", "columns", "escapes"),
    [("dumb", "", 80, False), ("xterm", "1", 80, True), ("xterm", "", 40, True)],
    ids=["dumb", "plain", "narrow"],
)
def test_a_run(tmp_path: Path, term: str, no_color: str, columns: int, escapes: bool) -> None:
    """No line of the summary is wider than the terminal; a dumb one gets no escape, NO_COLOR no colour."""
    with simulator_thread(Options(population=Population(batches=20, missing=0.1))) as simulator:
        bench = Bench(tmp_path, simulator)
        bench.environ["NO_COLOR"] = no_color
        close = ("close", *simulator.world.ids(), *SETTINGS)
        with Terminal(bench, *close, columns=columns, term=term) as terminal:
            assert terminal.exit_code() == 3
            raw, lines = terminal.raw, terminal.lines
    assert ("\x1b[" in raw) is escapes
    assert ("\x1b[1m" in raw) is (columns == 40)
    summary = lines[next(at for at, line in enumerate(lines) if line.startswith("Closed ")) :]
    told = [line for line in summary if str(tmp_path) not in line]
    assert max(map(len, told)) <= columns
    assert any("report.html" in line for line in summary)
