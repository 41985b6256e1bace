"""Messages of other programs: good ones are closed, the others end as ``invalid`` with a dead letter."""

from __future__ import annotations

import json
from pathlib import Path

from tests.fleet.fleet import Fleet
from tests.fleet.test_runs import fleet_on, options
from tests.process.truth import closed_by_us
from tests.process.within import call


def test_whatever_a_stranger_sends(tmp_path: Path, queue: str) -> None:
    """One worker, once: it ends, has closed what could be, and laid aside the rest with a reason."""
    with fleet_on(tmp_path, queue, options(4)) as fleet:
        ids = fleet.simulator.world.ids()
        bills = fleet.simulator.world.batches[ids[1]].bill_count
        good: list[dict[str, object]] = [
            {"batch_id": ids[0]},
            {"batch_id": ids[0]},
            {"batch_id": ids[1], "expected_bills": bills},
            {"batch_id": ids[2], "expected_bills": 999_999, "colour": "blue"},
        ]
        bad: dict[str, dict[str, object]] = {
            "no_batch_id": {"hello": "world"},
            "not_a_batch_id": {"batch_id": "' OR 1=1 --\x1b[31m"},
            "not_a_run_id": {"batch_id": ids[3], "run_id": "../../x"},
            "unknown_run": {"batch_id": ids[3], "run_id": "nobody-made-this"},
            "not_a_control_total": {"batch_id": ids[3], "expected_total": fleet.simulator.key},
            "too_large": {"batch_id": ids[3], "body": "x" * 3_000_000},
            "not_understood": {"batch_id": ids[3], "controls": "{" * 5000},
        }
        sent = [fleet.add(fields) for fields in (*bad.values(), *good)]
        assert len(sent) == len(good) + len(bad)
        worker = fleet.work_within("--once")
        assert worker.code == 3, worker.complaints
        assert sorted(letter["reason"] for letter in fleet.dead()) == sorted(bad)
        assert closed_by_us(fleet.simulator) == {ids[0], ids[1]}
        check_report(fleet, queue)
        told = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file()) + worker.err
        assert fleet.simulator.key not in told
        assert "\x1b" not in told


def check_report(fleet: Fleet, queue: str) -> None:
    told = call(fleet.bench, "runs", "list", "--queue", queue, "--json")
    assert told.code == 0
    (run,) = json.loads(told.out)
    assert run["run_id"].startswith("standing-")
    reported = call(fleet.bench, "runs", "report", run["run_id"], "--queue", queue, "--json")
    assert reported.code == 0
    summary = json.loads(reported.out)
    outcomes = {outcome: count for outcome, count in summary["outcomes"].items() if count}
    assert outcomes == {"closed": 2, "held": 1, "invalid": 7}
    assert summary["input"] == {"lines": 11, "ids": 3, "duplicates": 1, "invalid": 7}
