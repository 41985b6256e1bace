"""The real process killed at random moments, resumed until finished, and compared with the server's truth."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import orjson

from tests.crash.figures import Figures
from tests.process.program import Bench, Program, until
from tests.process.truth import check_report, closed_by_us, of_outcome, puts_seen
from worker.simulator.faults import Route
from worker.simulator.options import Options, Pace, Population
from worker.simulator.running import Simulator, simulator_thread
from worker.simulator.scripts import fault_plan

BATCHES = 60
CONCURRENCY = 8
MOST_KILLS = 4
RUN_S = 1.6  # about what a run takes from start to exit
UNCOUNTED_S = 1.0  # a killed session keeps its counts with each commit, and a busy machine delays those
FAULTS = ("500=4%", "put:close_then_500=4%", "drop_before=3%", "put:drop_after=4%", "slow:0.1=3%")
SETTINGS = ("--concurrency", CONCURRENCY, "--backoff", 0.02)
PACES = (("--rate", 150, "--burst", 5), ("--rate", 60, "--burst", 1), ("--rate", 2000, "--burst", 50))
"""Closers that wait for the rate share commits, and so do those that all wait for one."""


def test_crash(seed: int, tmp_path: Path, figures: Figures) -> None:
    """However often and whenever a run is killed, in the end its report is the truth."""
    rng = Random(seed)
    options = Options(
        population=Population(batches=BATCHES, seed=seed, closed=0.15, missing=0.05, pending=0.05),
        pace=Pace(latency_s=(0.002, 0.03)),
        faults=fault_plan(shares=[*FAULTS, "put:429:0=3%"], seed=seed),
    )
    with simulator_thread(options) as simulator:
        bench = Bench(tmp_path, simulator)
        bench.environ["BATCH_CLOSER_SNAPSHOT"] = str(seed % 2)
        story = Story(bench, simulator, rng, PACES[seed % len(PACES)])
        story.tell()
        story.check()
        story.count(figures)


class Kill(NamedTuple):
    """When a process was killed, and how many requests had been seen."""

    at: float
    seen: int


@dataclass
class Story:
    """One run from its first session to its last."""

    bench: Bench
    simulator: Simulator
    rng: Random
    pace: tuple[object, ...]
    name: str = ""
    names: int = 0
    started: int = 0  # processes started for the run
    kills: list[Kill] = field(default_factory=list)

    def tell(self) -> None:
        """Begin, be killed, go on, until a process says that the run is finished."""
        ids = [str(batch_id) for batch_id in self.simulator.world.ids()]
        (self.bench.state.parent / "ids.txt").write_text("\n".join([*ids, ids[0], "n/a"]) + "\n")
        ended = self._live("close", *self._new())
        while not ended:
            ended = self._live("resume", self.name)

    def _new(self) -> list[object]:
        assert puts_seen(self.simulator) == 0, "a run was lost after its first PUT"
        self.names += 1
        self.started = 0
        self.name = f"run-{self.names}"
        target = self.bench.state.parent / "ids.txt"
        return [target, "--yes", "--run-id", self.name, "--abort", "none", *SETTINGS, *self.pace]

    def _live(self, *arguments: object) -> bool:
        """One process, to its end or until its time has come; whether the run is finished."""
        self.started += 1
        with self.bench.start(*arguments) as program:
            if self._is_killed(program):
                return False
            code = program.exit_code()
        if code == 2 and "is finished" not in program.stderr:
            assert re.search("there is no run|never begun", program.stderr), program.complaints
            return self._live("close", *self._new())
        assert code in {0, 2, 3}, program.complaints
        return True

    def _is_killed(self, program: Program) -> bool:
        spared = self.kills and self.rng.random() < 0.3
        if spared or len(self.kills) >= MOST_KILLS:
            return False
        is_time = self._moment()
        until(lambda: is_time() or program.ended, "the moment to kill")
        if program.ended:
            return False
        program.kill()
        self.kills.append(Kill(time.time(), len(self.simulator.requests)))
        return True

    def _moment(self) -> Callable[[], bool]:
        """After so many more requests, or after so long: half of those while it still begins."""
        if self.rng.random() < 0.7:
            seen = len(self.simulator.requests) + self.rng.randint(1, BATCHES)
            return lambda: len(self.simulator.requests) >= seen
        end = time.monotonic() + self.rng.choice([0.1, RUN_S]) * self.rng.random()
        return lambda: time.monotonic() >= end

    def check(self) -> None:
        """Assert that the files, and what the ledger says, are true."""
        lines, summary = self.bench.lines(self.name), self.bench.summary(self.name)
        check_report(self.simulator, lines, summary)
        assert {line["batch_id"] for line in lines} == {*self.simulator.world.ids(), None}
        assert of_outcome(lines, "closed") == closed_by_us(self.simulator) - of_outcome(lines, "unknown")
        assert not of_outcome(lines, "not_attempted")
        assert summary["stopped"] is None
        self._check_count_of_puts(summary["requests"]["put"])
        self._check_sessions(summary)
        assert self.bench.json("runs", "show", self.name) == summary

    def _check_count_of_puts(self, told: int) -> None:
        """Only what a killed session had in flight, or had not yet kept, may be missing or too much."""
        in_flight = CONCURRENCY * len(self.kills)
        puts = [request.at for request in self.simulator.requests if request.route is Route.PUT]
        uncounted = sum(kill.at - UNCOUNTED_S < at <= kill.at for kill in self.kills for at in puts)
        assert len(puts) - uncounted - in_flight <= told <= len(puts) + in_flight

    def _check_sessions(self, summary: dict[str, Any]) -> None:
        log = (self.bench.folder(self.name) / "log.jsonl").read_bytes()
        events = [orjson.loads(line)["event"] for line in log.splitlines()]
        assert events.count("run.started") <= summary["sessions"] <= self.started
        assert events.count("run.finished") <= 1

    def count(self, figures: Figures) -> None:
        """Add this run to the figures."""
        figures.runs += 1
        figures.kills += len(self.kills)
        figures.kills_after_requests += sum(kill.seen > 0 for kill in self.kills)
        figures.kills_per_run[len(self.kills)] += 1
        figures.begun_anew += self.names - 1
        figures.batches += BATCHES
        figures.requests += len(self.simulator.requests)
        told = self.bench.summary(self.name)["requests"]["put"]
        figures.puts_told_minus_seen[told - puts_seen(self.simulator)] += 1
        figures.outcomes.update(self.bench.summary(self.name)["outcomes"])
