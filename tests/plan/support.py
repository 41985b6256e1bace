"""Planning within this process, and reading what comes of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.e2e.support import QUICK, Program
from worker.simulator.faults import FaultPlan, Route, fault
from worker.simulator.running import Simulator


@dataclass(frozen=True, slots=True)
class Planned:
    """What a plan left."""

    code: int
    out: str
    err: str
    file: Path

    @property
    def document(self) -> dict[str, Any]:
        """plan.json."""
        found: dict[str, Any] = orjson.loads(self.file.read_bytes())
        return found

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The entries of plan.json."""
        found: list[dict[str, Any]] = self.document["entries"]
        return found

    @property
    def decisions(self) -> dict[int | None, str]:
        """The decision for each batch; None is an invalid line."""
        return {entry["batch_id"]: entry["decision"] for entry in self.entries}

    def entry(self, batch_id: int) -> dict[str, Any]:
        """The entry of a batch."""
        return next(entry for entry in self.entries if entry["batch_id"] == batch_id)


class Planner:
    """``batch-closer plan``, called as a function."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path
    ) -> None:
        self.program = Program(monkeypatch, capsys, folder)
        self.folder = folder

    def plan(
        self, simulator: Simulator, *arguments: str, ids: Iterable[int] = (), stdin: bytes = b""
    ) -> Planned:
        """Plan for ``ids`` and whatever the arguments name; the server must have seen no write."""
        self.program.environment(ENERGYCAP_API_KEY=simulator.key)
        told = ("--base-url", simulator.url, *QUICK, *arguments)
        ran = self.program.raw("plan", *map(str, ids), *told, stdin=stdin)
        assert not [request for request in simulator.requests if request.method != "GET"]
        assert not self.program.state.exists()
        return Planned(ran.code, ran.out, ran.err, self.folder / "plan.json")


def faults(**by_route: str) -> FaultPlan:
    """Faults of requests that name no batch: ``faults(list="500,429:0", me="401")``."""
    return FaultPlan(
        scripts={
            (Route(route), None): tuple(map(fault, kinds.split(","))) for route, kinds in by_route.items()
        }
    )


def one_line(planned: Planned) -> str:
    """The one line on standard error; nothing was shown or written."""
    assert (planned.out, planned.err.count("\n")) == ("", 1), planned.err
    assert planned.err.startswith("batch-closer: ")
    assert not planned.file.exists()
    return planned.err
