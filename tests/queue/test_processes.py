"""Real processes on one queue: killed, stopped, two at once, and waiting for each other."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.e2e.support import FIRST, a_world
from tests.ledger.support import listed
from tests.process.port import get
from tests.process.program import Bench, until
from tests.process.truth import check_report, closed_by_us, puts_seen
from tests.process.within import call
from worker.cli.here import host_of
from worker.ledger import Holder, RunLock, open_ledger
from worker.simulator.faults import FaultPlan
from worker.simulator.options import Options, Pace, Population
from worker.simulator.running import Simulator, simulator_thread
from worker.simulator.scripts import script, scripted

FAST = ("--rate", 500, "--burst", 10, "--concurrency", 4, "--abort", "none", "--poll", 0.05)
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows can't send these signals")


def _open(
    batches: int, latency_s: float, faults: FaultPlan | None = None
) -> AbstractContextManager[Simulator]:
    """An API with batches without any trouble but the faults named."""
    options = Options(pace=Pace(latency_s=(latency_s, latency_s)), faults=faults or FaultPlan())
    return simulator_thread(options, world=a_world(batches, now=time.time()))


def _bench(folder: Path, simulator: Simulator) -> Bench:
    """A bench whose workers look before they close."""
    bench = Bench(folder, simulator)
    bench.environ["BATCH_CLOSER_SNAPSHOT"] = "1"
    return bench


def _waiting(bench: Bench) -> list[int | None]:
    """The ids that wait."""
    with open_ledger(bench.state) as store:
        return [entry.batch_id for entry in store.queue(bench.simulator.url).entries()]


def _put_in(bench: Bench, *ids: int) -> None:
    """Have ids wait, without a process of its own."""
    with open_ledger(bench.state) as store:
        store.queue(bench.simulator.url).add(listed(ids), at=time.time(), who="ops@server")


def _nobody_closes(bench: Bench) -> bool:
    """Whether no run is under way; one that is said to be finished may have yet to let go of its lock."""
    holder = Holder(pid=os.getpid(), host="here", run="", since=time.time())
    return RunLock(bench.state, host_of(bench.simulator.url), holder).is_free()


def _puts(simulator: Simulator) -> dict[int | None, int]:
    return {batch_id: batch.puts for batch_id, batch in simulator.world.batches.items()}


def test_killed_in_the_middle(tmp_path: Path) -> None:
    """The next worker finishes that run first, then closes what arrived since: none lost, none twice."""
    with _open(80, latency_s=0.02) as simulator:
        bench, ids = _bench(tmp_path, simulator), simulator.world.ids()
        _put_in(bench, *ids[:60])
        with bench.start("work", "--once", "--run-id", "one", *FAST) as killed:
            until(lambda: puts_seen(simulator) >= 15, "closes under way")
            killed.kill()
        assert len(closed_by_us(simulator)) < 60
        _put_in(bench, *ids[50:])
        assert len(_waiting(bench)) == 30
        assert call(bench, "work", "--once", "--run-id", "two", *FAST).code == 0
        assert closed_by_us(simulator) == set(ids)
        assert max(_puts(simulator).values()) == 1
        check_report(simulator, bench.lines("one"), bench.summary("one"))
        assert bench.summary("one")["outcomes"]["closed"] == 60
        assert bench.summary("one")["sessions"] == 2
        two = bench.summary("two")["outcomes"]
        assert (two["closed"], two["already_closed"]) == (20, 10)


@posix
def test_a_worker_through_the_day(tmp_path: Path) -> None:
    """It closes whatever arrives, a run each time; nobody else is kept from anything; SIGTERM ends it."""
    slow = scripted(by_id={FIRST: script(put=["slow:2"])})
    with _open(40, latency_s=0.02, faults=slow) as simulator:
        bench, ids = _bench(tmp_path, simulator), simulator.world.ids()
        with bench.start("work", "--port", 0, *FAST) as worker:
            until(lambda: worker.events("work.started"), "the worker")
            url = f"http://127.0.0.1:{worker.events('worker.listening')[0]['port']}"
            assert get(f"{url}/readyz") == (200, "ok\n")
            assert call(bench, "enqueue", *ids[:30]).code == 0
            until(lambda: puts_seen(simulator) >= 5, "closes under way")
            assert call(bench, "enqueue", *ids[30:35]).code == 0
            until(lambda: len(worker.events("run.finished")) == 2, "a second run")
            other = call(bench, "work", "--once", *FAST)
            text = get(f"{url}/metrics")[1]
            until(lambda: _nobody_closes(bench), "the end of the second run")
            by_hand = call(bench, "close", *ids[35:], "--yes", "--run-id", "by-hand", *FAST[:-2])
            worker.signal(signal.SIGTERM)
            assert worker.exit_code() == 143
        assert 'batch_closer_settled_total{outcome="closed"} 35.0' in text
        assert "batch_closer_queue_messages 0.0" in text
        assert other.code == 75
        (line,) = other.complaints
        assert f"another worker on 127.0.0.1:{simulator.url.rsplit(':', 1)[1]} holds" in line
        assert f"pid {worker.process.pid} on " in line
        assert by_hand.code == 0
        assert closed_by_us(simulator) == set(ids)
        assert max(_puts(simulator).values()) == 1
        assert worker.stdout.count("Everything ended fine.") == 2
        runs = bench.json("runs", "list")
        assert [(run["settled"], run["state"]) for run in runs] == [
            (30, "finished"),
            (5, "finished"),
            (5, "finished"),
        ]


@posix
def test_told_to_stop_in_the_middle(tmp_path: Path) -> None:
    """What is in flight is finished, the report is written, exit 143; the next worker does the rest."""
    with _open(40, latency_s=0.05) as simulator:
        bench = _bench(tmp_path, simulator)
        _put_in(bench, *simulator.world.ids())
        with bench.start("work", *FAST) as worker:
            until(lambda: puts_seen(simulator) >= 5, "closes under way")
            worker.signal(signal.SIGTERM)
            assert worker.exit_code() == 143
        assert "Stopped early" in worker.stdout
        (name,) = (path.name for path in (bench.state / "runs").iterdir())
        summary = bench.summary(name)
        assert (summary["stopped"], summary["stopped_by"], summary["exit_code"]) == ("signal", "SIGTERM", 143)
        assert 0 < summary["outcomes"]["closed"] < 40
        assert call(bench, "work", "--once", *FAST).code == 0
        check_report(simulator, bench.lines(name), bench.summary(name))
        assert closed_by_us(simulator) == set(simulator.world.ids())
        assert max(_puts(simulator).values()) == 1


def test_waiting_for_the_worker(tmp_path: Path) -> None:
    """It says that none is there; then shows how far the run is, and ends with its summary and code."""
    options = Options(population=Population(batches=30), pace=Pace(latency_s=(0.03, 0.03)))
    with simulator_thread(options) as simulator:
        bench = _bench(tmp_path, simulator)
        with bench.start("enqueue", "--wait", "--json", *simulator.world.ids()) as waiting:
            until(lambda: waiting.events("queue.no_worker"), "a word about the missing worker")
            assert "`batch-closer work" in waiting.events("queue.no_worker")[0]["remedy"]
            slow = ("--rate", 20, "--burst", 1)  # a waiter that looks now and then sees it under way
            worker = call(bench, "work", "--once", "--run-id", "run", *FAST, *slow)
            assert waiting.exit_code() == worker.code == 3
        assert json.loads(waiting.stdout) == bench.summary("run")
        assert waiting.events("queue.added")[0]["added"] == 30
        assert len(waiting.events("queue.no_worker")) == 1
        progress = waiting.events("run.progress")
        assert progress[-1]["done"] == progress[-1]["total"] == 30


@posix
def test_waiting_no_longer(tmp_path: Path) -> None:
    """Who is told to stop waiting leaves the queue as it is."""
    with _open(2, latency_s=0.0) as simulator:
        bench = Bench(tmp_path, simulator)
        with bench.start("enqueue", "--wait", *simulator.world.ids()) as waiting:
            until(lambda: waiting.events("queue.no_worker"), "it waiting")
            waiting.signal(signal.SIGINT)
            assert waiting.exit_code() == 130
        assert "stopped waiting (SIGINT); what was added stays in the queue" in waiting.complaints[-1]
        assert _waiting(bench) == simulator.world.ids()


@posix
@pytest.mark.parametrize(("keys", "code", "left"), [("y\n", 0, 3), ("n\n", 2, 1), ("\x04", 2, 1)])
def test_at_a_terminal(keys: str, code: int, left: int, tmp_path: Path) -> None:
    """It asks, since nobody does afterwards; no adds nothing."""
    from tests.process.terminal import Terminal

    with _open(3, latency_s=0.0) as simulator:
        bench, ids = Bench(tmp_path, simulator), simulator.world.ids()
        _put_in(bench, ids[0])
        with Terminal(bench, "enqueue", *ids) as terminal:
            terminal.until(lambda raw: "Put them into the queue?" in raw, "the question")
            shown = " ".join(terminal.lines)
            assert f"About to put 2 batches into the queue for {simulator.url}." in shown
            assert "1 duplicate and 0 invalid lines" in shown
            assert "A close cannot be undone" in shown
            terminal.type(keys)
            assert terminal.exit_code() == code
        assert len(_waiting(bench)) == left
