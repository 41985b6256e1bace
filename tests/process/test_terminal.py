"""At a terminal: the question before a close, and the bar while it runs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("Windows has no pseudo-terminals of this kind", allow_module_level=True)

from tests.process.program import Bench
from tests.process.terminal import COLUMNS, Terminal, screen
from tests.process.truth import check_report, closed_by_us, puts_seen
from worker.simulator.options import Options, Pace, Population
from worker.simulator.running import simulator_thread
from worker.simulator.scripts import fault_plan

OPTIONS = Options(population=Population(batches=12, missing=0.0, pending=0.0))
SETTINGS = ("--run-id", "run", "--rate", 1000, "--burst", 10, "--abort", "none", "--backoff", 0.01)


def _is_asked(raw: str) -> bool:
    return "Close them?" in raw


def test_agreed_to(tmp_path: Path) -> None:
    """The question says how many and where; y closes them."""
    with simulator_thread(OPTIONS) as simulator:
        bench = Bench(tmp_path, simulator)
        with Terminal(bench, "close", *simulator.world.ids(), *SETTINGS) as terminal:
            terminal.until(_is_asked, "the question")
            assert terminal.lines[:2] == ["About to close 12 batches.", f"At        {simulator.url}"]
            assert "Key       Batch Closer (11), environment simulator" in terminal.lines
            assert max(map(len, terminal.lines)) <= COLUMNS
            assert not puts_seen(simulator)
            terminal.type("y\n")
            assert terminal.exit_code() == 0
        check_report(simulator, bench.lines("run"), bench.summary("run"))


@pytest.mark.parametrize(("keys", "code"), [("n\n", 2), ("\n", 2), ("\x04", 2), ("\x03", 130)])
def test_not_agreed_to(keys: str, code: int, tmp_path: Path) -> None:
    """n, Enter alone, the end of input and ctrl-C send nothing and leave no run behind."""
    with simulator_thread(OPTIONS) as simulator:
        bench = Bench(tmp_path, simulator)
        with Terminal(bench, "close", *simulator.world.ids(), *SETTINGS) as terminal:
            terminal.until(_is_asked, "the question")
            terminal.type(keys)
            assert terminal.exit_code() == code
            said = [line for line in terminal.lines if "batch-closer: " in line]
            why = "not agreed to" if code == 2 else "interrupted"
            assert said == [f"batch-closer: {why}; nothing was closed"]
        assert not puts_seen(simulator)
        assert bench.json("runs", "list") == []
        assert list((bench.state / "runs").glob("*")) == []


def test_killed_at_the_question(tmp_path: Path) -> None:
    """A run that was never agreed to is not resumed, and not in the way of a new one."""
    with simulator_thread(OPTIONS) as simulator:
        bench = Bench(tmp_path, simulator)
        close = ["close", *simulator.world.ids(), *SETTINGS]
        with Terminal(bench, *close) as terminal:
            terminal.until(_is_asked, "the question")
            terminal.process.kill()
            terminal.exit_code()
        (row,) = bench.json("runs", "list")
        assert (row["started_at"], row["state"]) == (None, "not begun")
        for arguments in (["resume"], ["resume", "run"]):
            refused = bench.run(*arguments)
            assert refused.process.returncode == 2
            assert len(refused.complaints) == 1
        assert not puts_seen(simulator)
        again = bench.run(*close, "--yes", "--run-id", "second")
        assert again.process.returncode == 0, again.complaints
        check_report(simulator, bench.lines("second"), bench.summary("second"))


def _bars(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith(("━", "╸", "╺"))]


def test_the_bar_leaves_no_garbage(tmp_path: Path) -> None:
    """Warnings go above the bar, the bar stays one line, and at the end it stands there once, complete."""
    faults = fault_plan(shares=["500=10%", "put:drop_after=5%"], seed=2)
    options = Options(population=Population(batches=150), pace=Pace(latency_s=(0.01, 0.05)), faults=faults)
    with simulator_thread(options) as simulator:
        bench = Bench(tmp_path, simulator)
        with Terminal(bench, "close", *simulator.world.ids(), *SETTINGS, "--yes") as terminal:
            assert terminal.exit_code() == 3
            raw, lines = terminal.raw, terminal.lines
        (bar,) = _bars(lines)
        assert "150/150" in bar
        assert max(map(len, lines)) <= COLUMNS
        assert any("batch.retry_scheduled" in line for line in lines[: lines.index(bar)])
        assert raw.count("\x1b[?25l") == raw.count("\x1b[?25h") == 1
        drawn = [part for part in raw.split("\x1b[2K") if "━" in part]
        assert len(drawn) > 2
        assert all(len(_bars(screen(part))) == 1 for part in drawn)
        assert max(len(_bars(screen(part))[0]) for part in drawn) <= COLUMNS - len("^C")
        check_report(simulator, bench.lines("run"), bench.summary("run"))


def test_interrupted_under_the_bar(tmp_path: Path) -> None:
    """Ctrl-C while the bar is shown stops in order, and gives the cursor back."""
    options = Options(population=Population(batches=200), pace=Pace(latency_s=(0.05, 0.05)))
    with simulator_thread(options) as simulator:
        bench = Bench(tmp_path, simulator)
        with Terminal(bench, "close", *simulator.world.ids(), *SETTINGS, "--yes") as terminal:
            terminal.until(lambda _: len(closed_by_us(simulator)) >= 20, "closes under way")
            terminal.type("\x03")
            assert terminal.exit_code() == 130
            assert len(_bars(terminal.lines)) == 1
            assert terminal.raw.rfind("\x1b[?25h") > terminal.raw.rfind("\x1b[?25l")
        assert puts_seen(simulator) < 200
        check_report(simulator, bench.lines("run"), bench.summary("run"))
