"""The disk under the state folder: full, read-only, gone. Never a close that nothing remembers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.program import Bench, Program, until
from tests.process.truth import check_report, closed_by_us, puts_seen
from worker.ledger import open_ledger
from worker.simulator.faults import Route
from worker.simulator.options import Options, Pace, Population
from worker.simulator.running import simulator_thread
from worker.words.model import Planned

BATCHES = 300
SIZE = "12m"
OPTIONS = Options(population=Population(batches=BATCHES), pace=Pace(latency_s=(0.01, 0.03)))
SETTINGS = ("--yes", "--run-id", "run", "--rate", 400, "--burst", 5, "--concurrency", 8, "--abort", "none")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root on Linux can mount a tmpfs")
    where = tmp_path / "disk"
    where.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(where)]
    made = subprocess.run(mount, capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"a tmpfs can't be mounted here: {made.stderr.strip()}")
    yield where
    subprocess.run(["umount", str(where)], check=True)


def _start(bench: Bench) -> Program:
    return bench.start("close", *bench.simulator.world.ids(), *SETTINGS)


def _fill(disk: Path) -> Path:
    """Use up all room that is left."""
    path = disk / "other-peoples-data"
    with path.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                continue
    return path


def _check_stopped(program: Program, bench: Bench) -> None:
    """Assert one clear line, exit 1, and a ledger that knows of every close the server saw."""
    assert program.exit_code() == 1
    assert program.events("run.stopping")[0]["stopped"] == "disk"
    (line,) = program.complaints
    assert "resume" in line
    assert 0 < puts_seen(bench.simulator) < BATCHES
    assert closed_by_us(bench.simulator) <= _remembered(bench)
    seen = {request.batch_id for request in bench.simulator.requests if request.route is Route.PUT}
    assert seen <= _remembered(bench)


def _remembered(bench: Bench) -> set[int]:
    """The batches of which the ledger has an intent or a result."""
    with open_ledger(bench.state) as store:
        run = store.run("run")
        assert run is not None
        return {
            line.entry.batch_id
            for line in store.results(run)
            if isinstance(line.entry, Planned) and (line.final or line.entry.first_attempt_at is not None)
        }


def _check_resumed(bench: Bench) -> None:
    resumed = bench.run("resume", "run")
    assert resumed.process.returncode == 3, resumed.complaints
    check_report(bench.simulator, bench.lines("run"), bench.summary("run"))
    assert bench.summary("run")["stopped"] is None


def test_full(disk: Path, tmp_path: Path) -> None:
    """The disk fills up in the middle of a run: it stops in time, and goes on when there is room."""
    with simulator_thread(OPTIONS) as simulator:
        bench = Bench(tmp_path, simulator, disk / "state")
        with _start(bench) as program:
            until(lambda: puts_seen(simulator) >= 30, "closes under way")
            data = _fill(disk)
            program.exit_code()
        assert "no room" in program.complaints[0]
        data.unlink()
        _check_stopped(program, bench)
        _check_resumed(bench)


def test_full_from_the_start(disk: Path, tmp_path: Path) -> None:
    """Without room for what a run may need, nothing is sent."""
    with simulator_thread(OPTIONS) as simulator:
        bench = Bench(tmp_path, simulator, disk / "state")
        data = _fill(disk)
        with _start(bench) as program:
            assert program.exit_code() in {1, 2}
        assert len(program.complaints) == 1
        assert not len(simulator.requests)
        data.unlink()
        with _start(bench) as program:
            assert program.exit_code() == 3
        check_report(simulator, bench.lines("run"), bench.summary("run"))


def test_resume_on_a_full_disk(disk: Path, tmp_path: Path) -> None:
    """A resume that finds the disk still full sends no close, and loses nothing."""
    with simulator_thread(OPTIONS) as simulator:
        bench = Bench(tmp_path, simulator, disk / "state")
        with _start(bench) as program:
            until(lambda: puts_seen(simulator) >= 30, "closes under way")
            program.kill()
        data = _fill(disk)
        (disk / "state" / "ledger.ballast").unlink(missing_ok=True)
        _fill(disk)
        before = puts_seen(simulator)
        resumed = bench.run("resume")
        assert resumed.process.returncode in {1, 2}
        assert len(resumed.complaints) == 1
        assert puts_seen(simulator) == before
        data.unlink()
        _check_resumed(bench)


def test_full_without_the_room_kept_aside(disk: Path, tmp_path: Path) -> None:
    """Where even the last results can't be recorded, their intents are there, and resume looks them up."""
    with simulator_thread(OPTIONS) as simulator:
        bench = Bench(tmp_path, simulator, disk / "state")
        with _start(bench) as program:
            until(lambda: puts_seen(simulator) >= 30, "closes under way")
            (bench.state / "ledger.ballast").unlink()
            data = _fill(disk)
            program.exit_code()
        data.unlink()
        _check_stopped(program, bench)
        _check_resumed(bench)


def test_read_only(disk: Path, tmp_path: Path) -> None:
    """A resume on a file system that is read-only says so in one line; nothing is sent."""
    with simulator_thread(OPTIONS) as simulator:
        bench = Bench(tmp_path, simulator, disk / "state")
        with _start(bench) as program:
            until(lambda: puts_seen(simulator) >= 30, "closes under way")
            program.kill()
        before = puts_seen(simulator)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        refused = bench.run("resume")
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        assert refused.process.returncode in {1, 2}
        (line,) = refused.complaints
        assert "can't be written" in line
        assert puts_seen(simulator) == before
        _check_resumed(bench)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps open files from being moved")
def test_vanished(tmp_path: Path) -> None:
    """The state folder is moved away in the middle of a run: it stops; put back, it goes on."""
    with simulator_thread(OPTIONS) as simulator:
        bench = Bench(tmp_path, simulator)
        with _start(bench) as program:
            until(lambda: puts_seen(simulator) >= 30, "closes under way")
            bench.state.rename(tmp_path / "elsewhere")
            program.exit_code()
        if bench.state.exists():
            shutil.rmtree(bench.state)
        (tmp_path / "elsewhere").rename(bench.state)
        _check_stopped(program, bench)
        _check_resumed(bench)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps open files from being deleted")
def test_deleted(tmp_path: Path) -> None:
    """Somebody deletes the state folder in the middle of a run: no close is begun that nothing remembers."""
    with simulator_thread(OPTIONS) as simulator:
        bench = Bench(tmp_path, simulator)
        with _start(bench) as program:
            until(lambda: puts_seen(simulator) >= 30, "closes under way")
            shutil.rmtree(bench.state, ignore_errors=True)
            at = puts_seen(simulator)
            assert program.exit_code() == 1
        assert puts_seen(simulator) <= at + 16
        (complaint,) = program.complaints
        assert "while in use" in complaint
