"""The program as a process of its own, and waiting for what it does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sized
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.process.forked import Forked, can_fork
from worker.simulator.running import Simulator

PATIENCE_S = 60.0
_OURS = ("BATCH_CLOSER_", "ENERGYCAP_")


def until(condition: Callable[[], object], what: str) -> None:
    """Poll until something is so; fail, saying what was waited for, when it takes too long."""
    give_up_at = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < give_up_at, f"waited in vain for {what}"
        time.sleep(0.002)


def more_than(count: int, things: Callable[[], Sized]) -> Callable[[], bool]:
    """A condition to wait for: there are more than so many."""
    return lambda: len(things()) > count


def environment(simulator: Simulator, **more: str) -> dict[str, str]:
    """This process's environment with nothing in it for the program but what is given here."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    given = {
        "ENERGYCAP_API_KEY": simulator.key,
        "BATCH_CLOSER_BASE_URL": simulator.url,
        "BATCH_CLOSER_SNAPSHOT": "0",  # unless a test says otherwise: then the PUT's own answer is judged
    }
    return kept | given | more


class Program:
    """``batch-closer`` under way, its output in files; killed by its pid when the block ends."""

    def __init__(
        self,
        *arguments: object,
        outputs: Path,
        environ: Mapping[str, str],
        stdin: int = subprocess.DEVNULL,
    ) -> None:
        outputs.mkdir(parents=True, exist_ok=True)
        name = f"{len(list(outputs.iterdir())):04}"
        self._stdout, self._stderr = outputs / f"{name}.out", outputs / f"{name}.err"
        told = [*map(str, arguments)]
        with self._stdout.open("wb") as stdout, self._stderr.open("wb") as stderr:
            if stdin == subprocess.DEVNULL and can_fork(environ):
                self.process: Forked | subprocess.Popen[bytes] = Forked(
                    told, environ, self._stdout, self._stderr
                )
            else:
                self.process = subprocess.Popen(
                    [sys.executable, "-m", "worker", *told],
                    env=dict(environ),
                    stdin=stdin,
                    stdout=stdout,
                    stderr=stderr,
                )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        if self.process.stdin is not None:
            self.process.stdin.close()

    @property
    def ended(self) -> bool:
        """Whether it has exited."""
        return self.process.poll() is not None

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """Kill it with no chance to say a word."""
        self.process.kill()
        self.process.wait()

    def exit_code(self) -> int:
        """Wait until it exits."""
        code = self.process.wait(PATIENCE_S)
        assert "Traceback" not in self.stderr, self.complaints
        return code

    @property
    def stdout(self) -> str:
        """What it has written to standard output."""
        return self._stdout.read_text(encoding="utf-8")

    @property
    def stderr(self) -> str:
        """What it has written to standard error."""
        return self._stderr.read_text(encoding="utf-8")

    @property
    def complaints(self) -> list[str]:
        """Its lines on standard error that are no log events."""
        return [line for line in self.stderr.splitlines() if line and not line.startswith("{")]

    def events(self, name: str) -> list[dict[str, Any]]:
        """The log events of that name that it has written to standard error."""
        lines = self.stderr.splitlines(keepends=True)
        whole = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]
        return [event for event in whole if event["event"] == name]


class Bench:
    """A state folder, an API, and the program run on them again and again."""

    def __init__(self, folder: Path, simulator: Simulator, state: Path | None = None) -> None:
        self.simulator = simulator
        self.state = state or folder / "state"
        self._outputs = folder / "outputs"
        self.environ = environment(simulator)

    def start(self, *arguments: object, stdin: int = subprocess.DEVNULL) -> Program:
        """Start the program with the bench's state folder."""
        return Program(
            *arguments, "--state", self.state, outputs=self._outputs, environ=self.environ, stdin=stdin
        )

    def run(self, *arguments: object) -> Program:
        """Run the program to its end, whatever that is."""
        with self.start(*arguments) as program:
            program.exit_code()
        return program

    def json(self, *arguments: object) -> Any:
        """What the program prints as JSON; it must succeed."""
        program = self.run(*arguments, "--json")
        assert program.process.returncode == 0, program.complaints
        return json.loads(program.stdout)

    def folder(self, run_id: str) -> Path:
        """The folder of a run's files."""
        return self.state / "runs" / run_id

    def lines(self, run_id: str) -> list[dict[str, Any]]:
        """The lines of results.jsonl."""
        text = (self.folder(run_id) / "results.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def summary(self, run_id: str) -> dict[str, Any]:
        """summary.json."""
        data: dict[str, Any] = json.loads((self.folder(run_id) / "summary.json").read_bytes())
        return data
