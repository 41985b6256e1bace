"""The files, keys, outputs and exit codes that users and other programs rely on."""

from __future__ import annotations

import csv
import json
import os
import re
import stat
import subprocess
import sys

import orjson
import pytest

from tests.e2e.laws import check_laws, check_truth
from tests.e2e.support import FIRST, Program, a_world
from worker.simulator.options import Options
from worker.simulator.running import simulator_thread
from worker.simulator.scripts import script, scripted
from worker.simulator.world import State

FILES = (
    *("results.jsonl", "results.csv", "summary.json", "summary.md", "report.html", "log.jsonl", "retry.txt"),
)
RESULT_KEYS = (
    *("run_id", "batch_id", "outcome", "confirmed_by", "reason", "message", "http_status", "attempts"),
    *("batch_code", "bill_count", "running_total", "end_date", "first_attempt_at", "settled_at"),
    *("elapsed_s", "source", "line", "warnings", "account_period"),
)
SUMMARY_KEYS = (
    *("run_id", "started_at", "finished_at", "duration_s", "base_url", "exit_code", "stopped"),
    *("stopped_by", "input", "outcomes", "confirmed_by", "closed", "requests", "rate", "latency_ms"),
    *("problems", "key", "other_keys", "worked", "pauses", "latency_buckets"),
)
SUMMARY_PARTS = {
    "input": "lines, ids, duplicates, invalid",
    "outcomes": (
        "closed, already_closed, not_found, held, forbidden, rejected, failed, unknown, "
        "not_attempted, invalid"
    ),
    "confirmed_by": "response, lookup",
    "closed": "batches, bills, running_total",
    "requests": "put, get, list, me, total, retried, throttled",
    "rate": "limit_per_s, achieved_per_s",
    "latency_ms": "p50, p90, p99, max",
    "pauses": "count, total_s, longest",
}
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def test_the_files_and_their_keys(program: Program) -> None:
    """results.jsonl, results.csv, summary.json and the log have the promised names, and agree."""
    world = a_world({FIRST: State.OPEN, FIRST + 1: State.CLOSED, FIRST + 2: State.MISSING})
    faults = scripted(by_id={FIRST: script(put=["500"])})
    with simulator_thread(Options(faults=faults), world=world) as simulator:
        ran = program.close(simulator, "--log-level", "info", ids=world.batches)
        check_laws(simulator, ran)
        check_truth(simulator, ran)
    assert {path.name for path in ran.folder.iterdir()} == set(FILES)
    assert all(tuple(line) == RESULT_KEYS for line in ran.results)
    line = ran.by_id[FIRST]
    assert (line["running_total"], line["bill_count"], line["batch_code"]) == ("123.45", 3, f"UTIL-{FIRST}")
    assert all(INSTANT.fullmatch(line[key]) for key in ("first_attempt_at", "settled_at"))
    summary = ran.summary
    assert tuple(key for key in summary if key in SUMMARY_KEYS) == SUMMARY_KEYS
    assert all([*summary[part]] == keys.split(", ") for part, keys in SUMMARY_PARTS.items())
    assert all(INSTANT.fullmatch(summary[key]) for key in ("started_at", "finished_at"))
    assert summary["base_url"] == simulator.url
    with (ran.folder / "results.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["batch_id"]) for row in rows] == list(world.batches)
    assert {row["batch_id"]: row["outcome"] for row in rows} == {
        str(each["batch_id"]): each["outcome"] for each in ran.results
    }
    settled = ran.events("batch.settled")
    assert all(set(RESULT_KEYS) <= set(event) for event in settled)
    assert len(settled) == 3
    assert {"run.started", "run.finished", "batch.retry_scheduled", "batch.looked_up"} <= {
        event["event"] for event in ran.log
    }
    assert ran.out.startswith("Closed 1 batch: 3 bills, 123.45 in total.")


@pytest.mark.skipif(os.name == "nt", reason="there are no such modes on Windows")
def test_the_files_are_the_owners_alone(program: Program) -> None:
    """Files are 0600 and folders 0700, whatever the umask."""
    before = os.umask(0)
    try:
        with simulator_thread(world=a_world(2)) as simulator:
            program.close(simulator, ids=[FIRST, FIRST + 1])
    finally:
        os.umask(before)
    modes = {
        path: (path.is_dir(), stat.S_IMODE(path.stat().st_mode))
        for path in (program.state, *program.state.rglob("*"))
    }
    assert len(modes) > 8
    assert {path: mode for path, mode in modes.items() if mode not in {(True, 0o700), (False, 0o600)}} == {}


def test_json_is_the_summary(program: Program) -> None:
    """--json prints the very bytes of summary.json, and nothing else."""
    with simulator_thread(world=a_world(3)) as simulator:
        ran = program.close(simulator, "--json", "5", ids=range(FIRST, FIRST + 3))
    assert ran.code == 3
    assert ran.out == (ran.folder / "summary.json").read_text(encoding="utf-8")


def test_more_outcomes_may_count_as_fine(program: Program) -> None:
    """--ok adds to closed and already_closed; twice adds both."""
    world = a_world({FIRST: State.OPEN, FIRST + 1: State.MISSING, FIRST + 2: State.PENDING})
    codes = []
    for flags in ((), ("--ok", "not_found"), ("--ok", "not_found", "--ok", "rejected")):
        with simulator_thread(world=world) as simulator:
            codes.append(program.close(simulator, *flags, ids=world.batches).code)
    assert codes == [3, 3, 0]


def test_no_proxy_for_loopback(program: Program) -> None:
    """A proxy in the environment, where nobody listens, is not asked for a loopback host."""
    nowhere = "http://127.0.0.1:9"
    program.environment(HTTP_PROXY=nowhere, http_proxy=nowhere, HTTPS_PROXY=nowhere, ALL_PROXY=nowhere)
    with simulator_thread(world=a_world(2)) as simulator:
        assert program.close(simulator, ids=[FIRST, FIRST + 1]).code == 0


def test_a_process_of_its_own(program: Program) -> None:
    """``python -m worker`` reads standard input, keeps the two streams apart and gives the exit code."""
    world = a_world({FIRST: State.OPEN, FIRST + 1: State.MISSING})
    with simulator_thread(world=world) as simulator:
        ended = subprocess.run(
            [
                *(sys.executable, "-m", "worker", "close", "-", "--base-url", simulator.url, "--json"),
                *("--state", str(program.state), "--run-id", "mine", "--rate", "100"),
            ],
            input=f"{FIRST}\n{FIRST + 1}\n".encode(),
            env={**os.environ, "ENERGYCAP_API_KEY": simulator.key, "BATCH_CLOSER_YES": "1"},
            capture_output=True,
            timeout=60,
        )
        assert simulator.world.truth()[FIRST]["closed_by_us"]
    assert ended.returncode == 3, ended.stderr
    assert ended.stdout == (program.state / "runs/mine/summary.json").read_bytes()
    assert orjson.loads(ended.stdout)["outcomes"]["not_found"] == 1
    events = [json.loads(line) for line in ended.stderr.splitlines()]
    assert {"run.started", "batch.settled", "run.finished"} <= {event["event"] for event in events}


def test_a_broken_pipe(program: Program) -> None:
    """Nobody reads the summary: no traceback, and the run's files are there all the same."""
    with simulator_thread(world=a_world(1)) as simulator:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "worker", "close", str(FIRST), "--base-url", simulator.url, "--yes"),
                *("--state", str(program.state), "--run-id", "mine", "--log-level", "error"),
            ],
            env={**os.environ, "ENERGYCAP_API_KEY": simulator.key},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()
        process.stderr.close()
        process.wait(60)
    assert b"Traceback" not in err
    assert orjson.loads((program.state / "runs/mine/summary.json").read_bytes())["outcomes"]["closed"] == 1
