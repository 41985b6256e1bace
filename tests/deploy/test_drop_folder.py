"""Lists dropped into a folder, and the script that closes them, as processes of their own."""

from __future__ import annotations

import os
import re
import runpy
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.support import ROOT
from tests.process.program import environment, until
from tests.process.truth import closed_by_us, puts_seen
from worker.simulator.options import Options, Pace, Population
from worker.simulator.running import Simulator, simulator_thread

SCRIPT = ROOT / "deploy" / "drop-folder" / "close_dropped.py"
BATCHES = 40
PATH_UNIT = ROOT / "deploy" / "systemd" / "batch-closer-drop.path"
FINE = Population(batches=BATCHES, closed=0, missing=0, pending=0, foreign=0, analyzing=0)


class Folder:
    """The folder on a machine of its own."""

    def __init__(self, folder: Path, simulator: Simulator) -> None:
        self.place = folder / "srv"
        for name in ("in", "running", "done", "failed"):
            (self.place / name).mkdir(parents=True)
        self.state = folder / "state"
        self._environ = environment(
            simulator, BATCH_CLOSER_STATE=str(self.state), BATCH_CLOSER_SNAPSHOT="1", DROP_QUIET_S="0.05"
        )

    def drop(self, name: str, text: str) -> Path:
        """Put a list there, whole from the first moment."""
        part = self.place / "in" / f"{name}.part"
        part.write_text(text, encoding="utf-8")
        return part.rename(self.place / "in" / name)

    def start(self, rate: int = 200) -> subprocess.Popen[str]:
        """Start the script."""
        command = [sys.executable, str(SCRIPT), str(self.place), "--rate", str(rate), "--burst", "5"]
        return subprocess.Popen(
            command, env=self._environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
        )

    def run(self) -> tuple[int, str]:
        """Run the script to its end: its exit code and what it said."""
        with self.start() as script:
            told, _ = script.communicate(timeout=60)
        assert "Traceback" not in told, told
        return script.returncode, told

    def jobs(self, where: str) -> dict[str, Path]:
        """What is in ``done``, ``failed`` or ``running``, by the name of the list."""
        folders = [path for path in (self.place / where).iterdir() if path.is_dir()]
        return {re.sub(r"drop-\w+Z-|-\d+$", "", path.name): path for path in folders}


def _ids(simulator: Simulator) -> str:
    return "".join(f"{batch_id}\n" for batch_id in simulator.world.ids())


def test_lists_end_in_done_or_failed_with_their_reports(tmp_path: Path) -> None:
    """What is no list, or not complete, is never closed; nothing is left behind; a name is only a name."""
    with simulator_thread(Options(population=FINE)) as simulator:
        folder, ids = Folder(tmp_path, simulator), _ids(simulator)
        folder.drop("Summary of October; rm -rf.TXT", ids)
        folder.drop("missing.csv", "batchId\n999999\n")
        folder.drop("empty.csv", "")
        (folder.place / "in" / "late.csv.part").write_text(ids, encoding="utf-8")
        (folder.place / "in" / ".hidden.csv").write_text(ids, encoding="utf-8")
        (folder.place / "in" / "folder.csv").mkdir()
        if os.name == "posix":
            (folder.place / "in" / "link.csv").symlink_to(folder.state)
            os.mkfifo(folder.place / "in" / "pipe.csv")
        code, told = folder.run()
        assert code == 3
        assert set(folder.jobs("done")) == {"Summary-of-October-rm-rf"}
        strange = {"link", "pipe"} if os.name == "posix" else set()
        assert set(folder.jobs("failed")) == {"missing", "empty", "folder", *strange}
        assert sorted(path.name for path in (folder.place / "in").iterdir()) == [
            ".hidden.csv",
            "late.csv.part",
        ]
        assert not folder.jobs("running")
        done = folder.jobs("done")["Summary-of-October-rm-rf"]
        assert {"list", "summary.txt", "summary.json", "results.csv"} <= {
            path.name for path in done.iterdir()
        }
        assert (done / "summary.txt").read_text("utf-8").startswith(f"Closed {BATCHES} batches:")
        assert "drop it again" in (folder.jobs("failed")["empty"] / "summary.txt").read_text("utf-8")
        assert "exit code 3" in told
        assert closed_by_us(simulator) == set(simulator.world.ids())


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals for it")
def test_killed_it_goes_on_and_stopped_it_waits_for_a_person(tmp_path: Path) -> None:
    """SIGKILL: the next start continues the run. SIGTERM: drained, in failed; moved back, it is continued."""
    with simulator_thread(Options(population=FINE, pace=Pace(latency_s=(0.05, 0.05)))) as simulator:
        folder = Folder(tmp_path, simulator)
        folder.drop("october.csv", "batchId\n" + _ids(simulator))
        with folder.start(rate=30) as script:
            until(lambda: len(closed_by_us(simulator)) >= 3, "closes under way")
            (worker,) = _children(script.pid)
            script.kill()
            os.kill(worker, signal.SIGKILL)
        (left,) = folder.jobs("running").values()
        with folder.start(rate=30) as script:
            until(lambda: _children(script.pid), "the run being taken up")
            before = len(closed_by_us(simulator))  # those that the killed one had under way are among them
            until(lambda: len(closed_by_us(simulator)) > before + 1, "closes going on")
            script.terminate()
            script.communicate()
        assert script.returncode == 143
        stopped = folder.jobs("failed")["october"]
        assert stopped.name == left.name
        assert "batch-closer resume" in (stopped / "summary.txt").read_text("utf-8")
        stopped.rename(folder.place / "running" / stopped.name)
        assert folder.run()[0] == 0
        assert list(folder.jobs("done")) == ["october"]
        summary = (folder.jobs("done")["october"] / "summary.json").read_text("utf-8")
        assert '"sessions": 3' in summary
        assert closed_by_us(simulator) == set(simulator.world.ids())


def _children(pid: int) -> list[int]:
    told = Path(f"/proc/{pid}/task/{pid}/children")
    if not told.exists():
        pytest.skip("this system doesn't tell a process's children")
    return [int(word) for word in told.read_text(encoding="ascii").split()]


def test_a_list_dropped_twice_and_one_written_on_after_it_was_taken(tmp_path: Path) -> None:
    """The second time nothing is sent; late lines are not passed over in silence."""
    with simulator_thread(Options(population=FINE, pace=Pace(latency_s=(0.02, 0.02)))) as simulator:
        folder = Folder(tmp_path, simulator)
        ids = _ids(simulator)
        with (
            folder.drop("first.csv", "batchId\n" + ids).open("a", encoding="utf-8") as writer,
            folder.start(rate=30) as script,
        ):
            until(lambda: closed_by_us(simulator), "closes under way")
            writer.write("2000\n")
            writer.close()
            script.communicate()
        assert script.returncode == 3
        late = folder.jobs("failed")["first"]
        assert "was changed after it was taken" in (late / "summary.txt").read_text("utf-8")
        assert (late / "dropped" / "first.csv").read_text("utf-8").endswith("2000\n")
        before = puts_seen(simulator)
        folder.drop("second.csv", "batchId\n" + ids)
        assert folder.run()[0] == 0
        assert puts_seen(simulator) == before
        assert f"{BATCHES} were closed before this run" in (
            folder.jobs("done")["second"] / "summary.txt"
        ).read_text("utf-8")


def test_the_path_unit_watches_for_the_names_that_are_taken() -> None:
    """One that the script leaves lying would start it again and again; another would lie there unseen."""
    watched = re.findall(r"^PathExistsGlob=.*/in/\*(\..+)$", PATH_UNIT.read_text("utf-8"), flags=re.MULTILINE)
    plain = {re.sub(r"\[(.)(.)\]", r"\1", glob) for glob in watched}
    assert plain == runpy.run_path(str(SCRIPT))["TAKEN"]
    assert all(re.fullmatch(r"\.(?:\[([a-z])([A-Z])\])+", glob) for glob in watched)
