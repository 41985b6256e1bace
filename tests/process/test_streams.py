"""Standard streams that are closed, full or read by nobody: never a reason to close less, or to say less."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.support import a_world
from tests.process.program import PATIENCE_S, Bench
from tests.process.truth import closed_by_us
from worker.simulator.running import simulator_thread

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full and a POSIX shell")

WORKER = ("-m", "worker")
QUIET = ("--yes", "--run-id", "run", "--log-level", "error")


def _said(bench: Bench, redirected: str, *arguments: object) -> tuple[int, str, str]:
    """The exit code, standard output and standard error of a Python that a shell starts so."""
    ran = subprocess.run(
        ["sh", "-c", f'exec "$@" {redirected}', "sh", sys.executable, *map(str, arguments)],
        env=bench.environ | {"BATCH_CLOSER_STATE": str(bench.state)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    return ran.returncode, ran.stdout, ran.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed(tmp_path: Path, closed: str) -> None:
    """A stream that the caller closed is as if it were the null device, and no file gets its number."""
    with simulator_thread(world=a_world(1)) as simulator:
        bench = Bench(tmp_path, simulator)
        code, out, err = _said(bench, closed, *WORKER, "close", 1001, *QUIET)
        assert (code, err, closed_by_us(simulator)) == (0, "", {1001})
        assert out.startswith("Closed 1 batch") is (">&-" not in closed.split())
        assert bench.summary("run")["exit_code"] == 0
        opens = "from worker.cli.streams import *; fill_missing(); sys.exit(os.open(os.devnull, 0))"
        assert _said(bench, closed, "-c", opens)[0] > 2


def test_closed_input_is_empty(tmp_path: Path) -> None:
    """Nothing is read where there is no standard input."""
    with simulator_thread(world=a_world(1)) as simulator:
        bench = Bench(tmp_path, simulator)
        code, out, err = _said(bench, "<&-", *WORKER, "close", "-", *QUIET)
        assert (code, err, len(simulator.requests)) == (0, "", 0)
        assert out.startswith("Nothing to do")


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (("close", "1001", *QUIET), "the run's files are in STATE/runs/run"),
        (("close", "1001", *QUIET, "--json"), "the run's files are in STATE/runs/run"),
        (("plan", "1001", "--log-level", "error", "--out", "PLAN"), "the plan is in PLAN"),
        (("runs", "list", "--json"), "direct it elsewhere"),
        (("--help",), "direct it elsewhere"),
    ],
)
def test_full(tmp_path: Path, arguments: tuple[str, ...], remedy: str) -> None:
    """What can't be shown is one line, and exit code 1; what was done is done and recorded all the same."""
    plan = str(tmp_path / "plan.json")
    with simulator_thread(world=a_world(1)) as simulator:
        bench = Bench(tmp_path, simulator)
        told = [argument.replace("PLAN", plan) for argument in arguments]
        code, _, err = _said(bench, ">/dev/full", *WORKER, *told)
        remedy = remedy.replace("STATE", str(bench.state)).replace("PLAN", plan)
        why = "standard output can't be written: No space left on device"
        assert (code, err) == (1, f"batch-closer: {why}; {remedy}\n")
        if "close" in arguments:
            assert closed_by_us(simulator) == {1001}
            assert bench.summary("run")["exit_code"] == 0
            code, _, err = _said(bench, ">/dev/full", *WORKER, "runs", "show", "run")
            assert (code, err) == (1, f"batch-closer: {why}; {remedy}\n")


@pytest.mark.parametrize("arguments", [("close", "1001", *QUIET), ("enqueue", "--list"), ("runs", "list")])
def test_read_by_nobody(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Whoever reads may go; it ends as if they had read on."""
    reading, writing = os.pipe()
    os.close(reading)
    with simulator_thread(world=a_world(1)) as simulator, os.fdopen(writing, "wb") as gone:
        bench = Bench(tmp_path, simulator)
        bench.run("enqueue", *range(1, 9))
        command = [sys.executable, *WORKER, *arguments, "--state", str(bench.state)]
        ran = subprocess.run(command, env=bench.environ, stdout=gone, stderr=subprocess.PIPE, text=True)
        assert (ran.returncode, ran.stderr) == (0, "")
