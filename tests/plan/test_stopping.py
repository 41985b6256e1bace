"""Plans that can't be made: one line, the exit code, nothing written."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.support import a_world
from tests.plan.support import Planner, faults, one_line
from tests.process.program import environment, until
from worker.simulator.faults import Route
from worker.simulator.options import Options, Pace
from worker.simulator.running import Simulator, simulator_thread
from worker.simulator.scripts import fault_plan


def test_a_dead_key(planner: Planner) -> None:
    """The first 401 for ``me`` is proof: exit 5, one request."""
    with simulator_thread(world=a_world(3)) as simulator:
        simulator.kill_key()
        planned = planner.plan(simulator, ids=[1001, 1002, 1003])
        assert planned.code == 5
        assert "key" in one_line(planned)
        assert len(simulator.requests) == 1


@pytest.mark.parametrize("ids", [[1001], [1001, 1002, 1003]])
def test_a_key_that_dies_meanwhile(planner: Planner, ids: list[int]) -> None:
    """At a single read or at the list: ``me`` confirms it, exit 5."""
    plan = fault_plan(at=["1001:get=key_dead"]) if len(ids) == 1 else faults(list="key_dead")
    with simulator_thread(Options(faults=plan), world=a_world(3)) as simulator:
        planned = planner.plan(simulator, ids=ids)
        assert simulator.requests.by_route()[Route.ME] == 2
    assert planned.code == 5
    one_line(planned)


def test_an_api_that_can_not_be_reached(planner: Planner) -> None:
    """Nothing listens there: exit 5 after the attempts, and the line says why."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with simulator_thread(world=a_world(1)) as simulator:
        planned = planner.plan(simulator, "--base-url", url, ids=[1001])
        assert len(simulator.requests) == 0
    assert planned.code == 5
    assert "refuses the connection" in one_line(planned)


def test_throttling_without_end_is_a_stall(planner: Planner) -> None:
    """``--stall`` ends it, exit 4."""
    options = Options(pace=Pace(rate_per_s=1e-9))
    with simulator_thread(options, world=a_world(1)) as simulator:
        planned = planner.plan(simulator, "--stall", "0.3", ids=[1001])
    assert planned.code == 4
    assert "stall=0.3" in one_line(planned)


def test_the_deadline(planner: Planner) -> None:
    """What was not read by then makes no plan, exit 4."""
    with simulator_thread(Options(pace=Pace(latency_s=(5, 5))), world=a_world(1)) as simulator:
        planned = planner.plan(simulator, "--deadline", "0.2", ids=[1001])
    assert planned.code == 4
    assert "deadline=0.2" in one_line(planned)


def test_a_disk_that_can_not_be_written_afterwards(planner: Planner, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line names the file, exit 1, and no half of a plan is left."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with simulator_thread(world=a_world(1)) as simulator:
        monkeypatch.setattr("os.fsync", full)
        planned = planner.plan(simulator, ids=[1001])
    assert planned.code == 1
    assert "plan.json can't be written: No space left" in one_line(planned)
    assert not list(Path().iterdir())


def _process(simulator: Simulator, folder: Path) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-m", "worker", "plan", "1001", "1002", "--rate", "100"]
    return subprocess.Popen(
        arguments,
        cwd=folder,
        env=environment(simulator),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(os.name == "nt", reason="sending a signal to one process needs POSIX")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_at_once(tmp_path: Path, number: signal.Signals, code: int) -> None:
    """Ctrl-C while an answer is awaited: one line, 130 (SIGTERM 143), nothing written."""
    with simulator_thread(Options(pace=Pace(latency_s=(60, 60))), world=a_world(2)) as simulator:
        process = _process(simulator, tmp_path)
        until(lambda: len(simulator.requests), "a request")
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err.count("\n")) == (code, "", 1), err
    assert "interrupted" in err
    assert not list(tmp_path.iterdir())
