"""``work --once``: a run of all that waits, performed as ``close`` would."""

from __future__ import annotations

import time
from pathlib import Path

import orjson
import pytest

from tests.e2e.support import QUICK, a_batch, a_world
from tests.guards.support import world_of
from tests.queue.support import ELSEWHERE, Queueing, closes
from worker.cli.close import new_run
from worker.cli.options import settings_from
from worker.ledger import Store, open_ledger
from worker.simulator.running import Simulator, simulator_thread
from worker.simulator.world import State


def _take(store: Store, simulator: Simulator, name: str, **flags: object) -> None:
    """What a worker does that is killed before it does anything else."""
    settings = settings_from({"api__base_url": simulator.url, **flags}, None)
    assert store.queue(simulator.url).take(new_run(name, settings), at=time.time()) == name


def test_the_day_becomes_one_run(program: Queueing) -> None:
    """Each id closed once, held where a guard or any line's control total says so, all lines counted."""
    batches = [a_batch(batch_id, now=time.time()) for batch_id in (1001, 1002, 1003)]
    pending = a_batch(1004, State.PENDING, now=time.time())
    (program.folder / "noon.csv").write_text("id,expected_bills\n1001,3\n1002,3\n", encoding="utf-8")
    (program.folder / "tea.csv").write_text("id,expected_bills\n1002,4\nx,1\n1004,\n", encoding="utf-8")
    with simulator_thread(world=world_of(*batches, pending)) as simulator:
        for file in ("noon.csv", "tea.csv"):
            program.enqueue(simulator, str(program.folder / file))
        program.enqueue(simulator, ids=[1003, 1001])
        ran = program.work(simulator, run_id="tonight")
        assert ran.code == 3
        assert sorted(map(str, closes(simulator))) == ["1001", "1003"]
        assert {i: (line["outcome"], line["reason"]) for i, line in ran.by_id.items()} == {
            1001: ("closed", None),
            1002: ("held", "control"),
            1003: ("closed", None),
            1004: ("held", "pending"),
        }
        assert ran.summary["input"] == {"lines": 7, "ids": 4, "duplicates": 2, "invalid": 1}
        assert ran.summary["verified"] == {"batches": 2, "disagreeing": 0}
        assert sum(ran.summary["outcomes"].values()) == 5
        assert ran.by_id[1003]["source"] == "arguments"
        assert ran.out.startswith("Closed 2 batches")
        names = {path.name for path in ran.folder.iterdir()}
        assert names >= {"results.jsonl", "results.csv", "summary.json", "summary.md", "log.jsonl"}
        assert [(row["run_id"], row["state"], row["exit_code"]) for row in program.runs()] == [
            ("tonight", "finished", 3)
        ]
        again = program.work(simulator)
        assert (again.code, again.out) == (0, f"Nothing waits for {simulator.url}.\n")
        assert len(program.runs()) == 1


def test_what_waits_for_another_base_url_is_left_alone(program: Queueing) -> None:
    """And said, for somebody may have meant this one."""
    with simulator_thread(world=a_world(1)) as simulator:
        told = ("--base-url", ELSEWHERE, "--state", str(program.state))
        assert program.raw("enqueue", "1001", "1002", *told).code == 0
        ran = program.work(simulator)
        assert ran.code == 0
        assert ran.out.splitlines() == [
            f"Nothing waits for {simulator.url}.",
            f"2 batches for {ELSEWHERE} left alone.",
        ]
        assert closes(simulator) == []
        silent = program.work(simulator, "--json")
        assert silent.out == ""
        assert "Nothing waits" in silent.err


def test_a_run_that_was_taken_and_not_begun_is_continued(program: Queueing) -> None:
    """Nobody forgets it meanwhile; its own settings hold; what waits since comes after it."""
    with simulator_thread(world=a_world(4)) as simulator:
        program.enqueue(simulator, ids=[1001, 1002])
        with open_ledger(program.state) as store:
            _take(store, simulator, "killed", bounds__max_total="100")
        program.enqueue(simulator, ids=[1003])
        assert program.close(simulator, ids=[1004]).code == 0
        ran = program.work(simulator, run_id="after")
        assert ran.code == 3
        rows = program.runs()
        assert [row["run_id"] for row in rows] == ["killed", "run-1", "after"]
        assert {row["state"] for row in rows} == {"finished"}
        assert list(ran.by_id) == [1003]
        held = orjson.loads((program.state / "runs" / "killed" / "summary.json").read_bytes())
        assert held["outcomes"]["held"] == 2
        assert sorted(map(str, closes(simulator))) == ["1003", "1004"]


def test_a_run_that_an_abort_rule_ended_is_left_to_a_person(program: Queueing) -> None:
    """Said each time, with the command; new ids are closed all the same, and resume takes it up."""
    gone = range(2001, 2041)
    with simulator_thread(world=a_world(2)) as simulator:
        program.enqueue(simulator, ids=gone)
        stopped = program.work(simulator, "--abort", "not_found=10", "--concurrency", "1", run_id="bad")
        assert stopped.code == 4
        asked = len(simulator.requests)
        idle = program.work(simulator, "--log-level", "warning")
        assert idle.code == 0
        assert "Nothing waits" in idle.out
        (told,) = [orjson.loads(line) for line in idle.err.splitlines()]
        assert (told["event"], told["run_id"]) == ("work.run_left", "bad")
        assert "`batch-closer resume bad" in told["remedy"]
        assert len(simulator.requests) == asked
        program.enqueue(simulator, ids=[1001])
        assert program.work(simulator, run_id="good").code == 0
        resumed = program.raw("resume", "bad", "--state", str(program.state), "--abort", "none", *QUICK)
        assert resumed.code == 3
        assert {row["state"] for row in program.runs()} == {"finished"}


@pytest.mark.parametrize("stopped", ["key", "deadline"])
def test_a_run_that_was_cut_short_is_continued_the_next_time(program: Queueing, stopped: str) -> None:
    """A dead key, a deadline: nothing is wrong with the batches. Nothing new is taken in the same breath."""
    with simulator_thread(world=a_world(30)) as simulator:
        program.enqueue(simulator, ids=range(1001, 1031))
        if stopped == "key":
            simulator.kill_key()
            first = program.work(simulator, run_id="one")
            simulator.revive_key()
        else:
            first = program.work(simulator, "--rate", "20", "--burst", "1", "--deadline", "0.3", run_id="one")
        assert first.code == (5 if stopped == "key" else 4)
        program.enqueue(simulator, ids=[1001])
        assert [row["settled"] for row in program.runs()] != [30]
        second = program.work(simulator, "--deadline", "60", run_id="two")
        assert second.code == 0
        assert [(row["run_id"], row["settled"], row["exit_code"]) for row in program.runs()] == [
            ("one", 30, 0),
            ("two", 1, 0),
        ]
        assert sorted(map(str, closes(simulator))) == [str(i) for i in range(1001, 1031)]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--max-batches", "1"), "2 batches wait, and --max-batches allows 1"),
        (("--no-snapshot",), "what an input expects of its batches needs a look"),
        (("--no-snapshot", "--period", "2026-10"), "--period needs a look"),
        (("--run-id", "../x"), "run id '../x' can't be used"),
        (("--run-id", "run-1"), "run id 'run-1' is taken"),
        (("--queue", "kafka://host/topic"), "'kafka://host/topic' can't be used"),
        (("--poll", "0"), "queue.poll_s = '0' (from --poll)"),
        (("--limiter", "http://host/0"), "limiter http://host/0 can't be used: write redis://HOST:PORT/DB"),
        (("--limiter", "redis://host/0?queue=x"), "parameter 'queue' is not known"),
        (("--limiter", "redis://host/0", "--queue", "redis://host/0"), "--limiter is for other queues"),
        (("--expect-environment", "other"), "environment 'other' is expected"),  # nor is it taken
    ],
)
def test_what_is_refused(program: Queueing, arguments: tuple[str, ...], told: str) -> None:
    """One line, exit 2, nothing closed; and it still waits, or is a run that is continued."""
    (program.folder / "ids.csv").write_text("id,expected_bills\n1001,3\n1002,3\n", encoding="utf-8")
    with simulator_thread(world=a_world(3)) as simulator:
        program.close(simulator, ids=[1003])
        program.enqueue(simulator, str(program.folder / "ids.csv"))
        ran = program.work(simulator, *arguments)
        assert ran.code == 2, ran.err
        (line,) = ran.err.splitlines()
        assert told in line
        assert closes(simulator) == [1003]
        assert program.work(simulator).code == 0
        assert len(closes(simulator)) == 3


def test_a_name_is_for_one_run(program: Queueing) -> None:
    """A worker that goes on makes many, so it takes none."""
    told = ("--base-url", ELSEWHERE, "--state", str(program.state))
    program.environment(ENERGYCAP_API_KEY="some-key")
    ran = program.raw("work", "--run-id", "tonight", *told)
    assert ran.code == 2
    assert "--run-id names one run: give --once with it" in ran.err


def test_the_ledger_keeps_no_address_of_a_queue(program: Queueing, tmp_path: Path) -> None:
    """It may hold a password; and a close needs none, so it says nothing about one that can't be used."""
    program.environment(BATCH_CLOSER_QUEUE="kafka://u:pass-word@host/0")
    with simulator_thread(world=a_world(1)) as simulator:
        assert program.close(simulator, ids=[1001]).code == 0
        ran = program.work(simulator)
        assert ran.code == 2
        assert "pass-word" not in ran.err
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"pass-word" not in path.read_bytes(), path
