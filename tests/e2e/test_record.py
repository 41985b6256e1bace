"""What the run's record tells besides its totals: whose key, when it was at work, when it had to pause."""

from __future__ import annotations

from tests.e2e.support import FIRST, Program, a_world
from worker.rules.summary import at_of
from worker.simulator.options import Options
from worker.simulator.running import simulator_thread
from worker.simulator.scripts import script, scripted


def test_what_a_run_learned(program: Program) -> None:
    """The key's owner, the pause that the API asked for, the account periods and every answer's latency."""
    world = a_world(5)
    for batch in world.batches.values():
        batch.year, batch.month = 2026, 10
    faults = scripted(by_id={FIRST: script(put=["429:1"])})
    with simulator_thread(Options(faults=faults), world=world) as simulator:
        program.environment(BATCH_CLOSER_SNAPSHOT=None)
        ran = program.close(simulator, ids=world.batches)
    summary = ran.summary
    assert summary["key"] == {
        "user_id": 11,
        "user_code": "batch.closer",
        "full_name": "Batch Closer",
        "environment": "simulator",
    }
    assert summary["other_keys"] == []
    (worked,) = summary["worked"]
    assert (worked["from_at"], worked["until_at"]) == (summary["started_at"], summary["finished_at"])
    (pause,) = summary["pauses"]["longest"]
    assert summary["pauses"]["count"] == 1
    assert 0.9 <= summary["pauses"]["total_s"] <= 1.2
    assert worked["from_at"] <= pause["from_at"] < pause["until_at"] <= worked["until_at"]
    assert sum(summary["latency_buckets"].values()) == summary["requests"]["put"] == 6
    assert {line["account_period"] for line in ran.results} == {"2026-10"}
    page = (ran.folder / "report.html").read_text(encoding="utf-8")
    assert "Batch Closer (11), environment simulator" in page
    assert page.count('class="pause"') == 1


def test_two_sessions(program: Program) -> None:
    """A resumed run names both its sessions; without a look nobody asks whose the key is."""
    world = a_world(60)
    with simulator_thread(world=world) as simulator:
        slow = ("--rate", "50", "--burst", "1", "--deadline", "0.4")
        first = program.close(simulator, *slow, ids=world.batches)
        assert first.code == 4
        assert first.summary["key"] is None
        program.environment(BATCH_CLOSER_SNAPSHOT=None)
        told = ("--state", str(program.state), "--rate", "5000", "--deadline", "60", "--snapshot")
        assert program.raw("resume", *told).code == 0
    summary = first.summary
    assert summary["key"]["environment"] == "simulator"
    one, other = summary["worked"]
    assert at_of(one["until_at"]) <= at_of(other["from_at"])
    assert b">resumed</text>" in (first.folder / "report.html").read_bytes()
