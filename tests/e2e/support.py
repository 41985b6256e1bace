"""Running the program within this process, and reading what it leaves behind."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from worker.cli.main import run
from worker.simulator.running import Simulator
from worker.simulator.world import SimBatch, State, World

FIRST = 1001
LONG_AGO_S = 3 * 86400.0
QUICK = (
    *("--rate", "5000", "--burst", "50", "--concurrency", "64", "--backoff", "0.001"),
    *("--max-backoff", "0.01", "--log-level", "error"),
)
"""As fast as the simulator can go; the log goes to log.jsonl, for the most part."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run of the program left: exit code, output and files."""

    code: int
    out: str
    err: str
    folder: Path

    @property
    def results(self) -> list[dict[str, Any]]:
        """The lines of results.jsonl."""
        return [orjson.loads(line) for line in (self.folder / "results.jsonl").read_bytes().splitlines()]

    @property
    def by_id(self) -> dict[int, dict[str, Any]]:
        """The lines of results.jsonl that are about a batch."""
        return {line["batch_id"]: line for line in self.results if line["batch_id"] is not None}

    @property
    def summary(self) -> dict[str, Any]:
        """summary.json."""
        found: dict[str, Any] = orjson.loads((self.folder / "summary.json").read_bytes())
        return found

    @property
    def log(self) -> list[dict[str, Any]]:
        """The events of log.jsonl."""
        return [orjson.loads(line) for line in (self.folder / "log.jsonl").read_bytes().splitlines()]

    def events(self, name: str) -> list[dict[str, Any]]:
        """The events of that name."""
        return [event for event in self.log if event["event"] == name]


class Program:
    """``batch-closer``, called as a function; its environment and standard input are the test's."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path
    ) -> None:
        self._patch = monkeypatch
        self._capsys = capsys
        self._runs = 0
        self.folder = folder
        self.state = folder / "state"

    def environment(self, **names: str | None) -> None:
        """Set environment variables, or remove those that are None."""
        for name, value in names.items():
            if value is None:
                self._patch.delenv(name, raising=False)
            else:
                self._patch.setenv(name, value)

    def raw(self, *arguments: str, stdin: bytes = b"") -> Ran:
        """Call it with just these arguments."""
        self._capsys.readouterr()
        with self._patch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
            code = run(list(arguments))
        out, err = self._capsys.readouterr()
        return Ran(code, out, err, self.state)

    def close(
        self, simulator: Simulator, *arguments: str, ids: Iterable[int] = (), stdin: bytes = b""
    ) -> Ran:
        """Close ``ids`` and whatever else the arguments name, at full speed unless they say otherwise."""
        self._runs += 1
        name = f"run-{self._runs}"
        self.environment(ENERGYCAP_API_KEY=simulator.key)
        listed = list(ids)
        targets = []
        if listed:
            file = self.folder / f"{name}.txt"
            file.write_text("".join(f"{batch_id}\n" for batch_id in listed))
            targets = [str(file)]
        told = ("--base-url", simulator.url, "--state", str(self.state), "--run-id", name, "--yes")
        ran = self.raw("close", *targets, *told, *QUICK, *arguments, stdin=stdin)
        return Ran(ran.code, ran.out, ran.err, self.state / "runs" / name)


def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away whatever of this machine's environment the program would heed."""
    for name in list(os.environ):
        if name.startswith(("BATCH_CLOSER_", "ENERGYCAP_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Close without a look beforehand, unless a test says otherwise: the PUT's answer is what is judged."""
    monkeypatch.setenv("BATCH_CLOSER_SNAPSHOT", "0")


def a_batch(batch_id: int, state: State = State.OPEN, now: float = 0.0, **given: Any) -> SimBatch:
    """A batch without trouble; a closed one was closed three days before ``now`` by someone else."""
    if state is State.CLOSED:
        given = {"closed_at": now - LONG_AGO_S, "closed_by": "them"} | given
    created: dict[str, Any] = {"code": f"UTIL-{batch_id}", "created_at": now - 10 * 86400, "bill_count": 3}
    return SimBatch(batch_id=batch_id, state=state, **(created | {"total_cents": 12_345} | given))


def a_world(states: Mapping[int, State] | int, now: float = 0.0) -> World:
    """A world of batches in these states, or of so many open ones from FIRST."""
    if isinstance(states, int):
        states = dict.fromkeys(range(FIRST, FIRST + states), State.OPEN)
    return World({i: a_batch(i, state, now) for i, state in states.items()}, list(states))
