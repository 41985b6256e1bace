"""Close the batches of every list that is dropped into a folder; each list ends in done or failed.

    close_dropped.py FOLDER [FLAG_OF_CLOSE...]

Run it with the Python that batch-closer is installed in. README.md beside it says what it does, and why.
"""

from __future__ import annotations

import filecmp
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from filelock import FileLock, Timeout

TAKEN = {".csv", ".tsv", ".txt", ".json", ".jsonl", ".gz", ".xls", ".xlsx"}  # the path unit names the same
QUIET_S = float(os.environ.get("DROP_QUIET_S", "10"))  # unchanged for so long, a list is complete
BUSY_S = float(os.environ.get("DROP_BUSY_S", "30"))  # between two tries while another run is under way
STATE = os.environ.get("BATCH_CLOSER_STATE")
REPORTS = ("report.html", "summary.md", "summary.json", "results.csv", "retry.txt")
USAGE, UNFIT, LOCKED = 2, 3, 75

Looks = tuple[int, int, int, int]


def looks(status: os.stat_result) -> Looks:
    """What changes when a file does."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


@dataclass(frozen=True, slots=True)
class Job:
    """A list that was taken: a folder of its own that moves from running to done or failed."""

    folder: Path

    @property
    def original(self) -> Path:
        """What was dropped. Whoever still has it open can write to it."""
        (dropped,) = (self.folder / "dropped").iterdir()
        return dropped

    @property
    def list(self) -> Path:
        """The copy that is closed, to which nobody else can write."""
        return self.folder / "list" / self.original.name

    @property
    def told(self) -> Path:
        """What the command said."""
        return self.folder / "summary.txt"

    def copy(self) -> str | None:
        """Make the copy, whole or not at all; why it can't be had, if so. Raises OSError."""
        harmless = (getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
        with os.fdopen(os.open(self.original, os.O_RDONLY | sum(harmless)), "rb") as source:
            before = os.fstat(source.fileno())
            if not stat.S_ISREG(before.st_mode):
                return "is no file"
            if before.st_size == 0:
                return "is empty"
            draft = self.folder / "copy.part"
            with draft.open("wb") as target:
                shutil.copyfileobj(source, target)
                target.flush()
                os.fsync(target.fileno())
            if looks(os.fstat(source.fileno())) != looks(before):
                return "was still being written"
        self.list.parent.mkdir(exist_ok=True)
        draft.rename(self.list)
        return None

    def end(self, code: int) -> int:
        """Lay the reports beside the list and move it all to where it belongs."""
        reports = Path(STATE, "runs", self.folder.name) if STATE else self.folder
        for name in REPORTS:
            if reports != self.folder and (reports / name).is_file():
                shutil.copyfile(reports / name, self.folder / name)
        with self.told.open("a", encoding="utf-8") as told:
            told.write(f"exit code {code}\n")
        place = self.folder.parents[1] / ("done" if code == 0 else "failed") / self.folder.name
        self.folder.rename(place)
        if code == 0:
            shutil.rmtree(place / "dropped")  # the copy says the same
        with suppress(OSError):  # nobody may be listening any more
            sys.stdout.write(
                f"{place.parent.name}/{place.name}\n{(place / self.told.name).read_text('utf-8')}"
            )
            sys.stdout.flush()
        return code


class Closer:
    """Brings jobs to their end. A SIGTERM is handed on to the command; after it no job is begun."""

    def __init__(self, flags: list[str]) -> None:
        self.stopped = False
        self._flags = flags
        self._child: subprocess.Popen[bytes] | None = None
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to the command as well

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopped = True
        if self._child is not None:
            self._child.terminate()

    def finish(self, job: Job) -> int:
        """Bring a job to its end, wherever it stands."""
        name = job.original.name
        try:
            trouble = None if job.list.exists() else job.copy()
        except OSError as error:
            trouble = f"can't be read: {error.strerror}"
        if trouble is not None:
            job.told.write_text(f"{name} {trouble}.\nNothing was closed: drop it again, complete.\n", "utf-8")
            return job.end(USAGE)
        code = self._close(job)
        if code == 0 and not filecmp.cmp(job.original, job.list, shallow=False):
            with job.told.open("a", encoding="utf-8") as told:
                told.write(
                    f"{name} was changed after it was taken: dropped/{name} has more than was closed.\n"
                )
            return job.end(UNFIT)
        return job.end(code)

    def _close(self, job: Job) -> int:
        words = ["--yes", "--run-id", job.folder.name, "--resume", "--log-level", "error", *self._flags]
        command = [sys.executable, "-m", "worker", "close", str(job.list), *words]
        while True:
            with job.told.open("wb") as told:
                child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=told, stderr=told)  # noqa: S603 - no shell
                self._child = child
                if self.stopped:
                    child.terminate()
                code = child.wait()
            if code != LOCKED or self.stopped:
                return code if code >= 0 else 128 - code
            time.sleep(BUSY_S)


def take(place: Path, waiting: Path) -> Job:
    """Move what waits into a job of its own; nobody else can take it then. Raises OSError."""
    stem = re.sub(r"[^A-Za-z0-9]+", "-", waiting.stem).strip("-")[:40] or "list"
    name = f"drop-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{stem}"
    taken = {path.name for where in ("running", "done", "failed") for path in (place / where).iterdir()}
    number = next(n for n in range(1, 10_000) if f"{name}-{n}" not in taken)
    job = Job(place / "running" / f"{name}-{number}")
    (job.folder / "dropped").mkdir(parents=True)
    waiting.rename(job.folder / "dropped" / waiting.name)
    return job


def left(place: Path) -> list[Job]:
    """The jobs that a killed run left."""
    jobs = [Job(folder) for folder in sorted((place / "running").iterdir()) if folder.is_dir()]
    for job in jobs:
        if not list((job.folder / "dropped").glob("*")):  # killed before the list was in it
            shutil.rmtree(job.folder)
    return [job for job in jobs if job.folder.exists()]


def waiting(place: Path) -> dict[Path, Looks]:
    """What waits, by name."""
    names = sorted(entry.name for entry in os.scandir(place / "in") if not entry.name.startswith("."))
    paths = [place / "in" / name for name in names if Path(name).suffix.lower() in TAKEN]
    return {path: looks(path.lstat()) for path in paths if path.is_symlink() or path.exists()}


def run(place: Path, closer: Closer) -> int:
    """Finish what a killed run left, then close what waits until nothing does; the largest exit code."""
    worst = max((closer.finish(job) for job in left(place) if not closer.stopped), default=0)
    while (before := waiting(place)) and not closer.stopped:
        time.sleep(QUIET_S)
        for path, now in waiting(place).items():
            if before.get(path) == now and not closer.stopped:
                worst = max(worst, closer.finish(take(place, path)))
    return worst


def main(arguments: list[str]) -> int:
    """Do all there is to do, if nobody else is at it; the largest exit code of the lists."""
    if not arguments or arguments[0].startswith("-"):
        sys.stderr.write(__doc__ or "")
        return USAGE
    place, closer = Path(arguments[0]).absolute(), Closer(arguments[1:])
    try:
        with FileLock(place / "running" / ".lock", timeout=0):
            return run(place, closer)
    except Timeout:
        return 0  # whoever is at it takes what waits
    except OSError as error:
        sys.stderr.write(f"{error.filename or place}: {error.strerror}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
