"""What a worker does with its leases, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fleet.broker import Broker
from tests.fleet.fleet import ids_file
from tests.fleet.test_runs import enqueue, fleet_on, options
from tests.process.port import get
from tests.process.program import Bench, until
from tests.process.truth import check_order_of_requests, closed_by_us, puts_seen
from tests.process.within import call
from worker.simulator.running import simulator_thread
from worker.simulator.scripts import fault_plan


def test_a_drained_worker_gives_its_leases_back_at_once(tmp_path: Path, queue: str) -> None:
    """SIGTERM: what is in flight is finished, the rest is another's long before the lease would end."""
    with fleet_on(tmp_path, queue, options(12, 0.4), "--rate", 2000, "--burst", 50, "--lease", 60) as fleet:
        file = ids_file(tmp_path, fleet.simulator.world.ids())
        assert enqueue(fleet, file, "--run-id", "r")[0] == 0
        first = fleet.work("--concurrency", 6)
        until(lambda: puts_seen(fleet.simulator) >= 3, "closes in flight")
        first.signal(15)
        assert first.exit_code() == 143
        settled = len(first.events("batch.settled"))
        assert 3 <= settled < 12
        second = fleet.work("--concurrency", 12, "--once")
        assert second.exit_code() == 0, second.complaints
        assert settled + len(second.events("batch.settled")) == 12
        assert puts_seen(fleet.simulator) == 12


def test_a_close_that_was_cut_off_is_left_to_its_lease(tmp_path: Path, queue: str) -> None:
    """Nobody looks at the batch while the server may still be closing it: others have it after the lease."""
    slow = replace(options(1), faults=fault_plan(shares=("put:slow:30=100%",), seed=1))
    with fleet_on(tmp_path, queue, slow, "--rate", 2000, "--lease", 600, "--grace", 0) as fleet:
        assert enqueue(fleet, ids_file(tmp_path, fleet.simulator.world.ids()), "--run-id", "r")[0] == 0
        worker = fleet.work()
        until(lambda: puts_seen(fleet.simulator) == 1, "a close in flight")
        worker.signal(15)
        assert worker.exit_code() == 143
        with fleet.client() as client:
            (pending,) = client.xpending_range(fleet.name, "workers", "-", "+", 10)
            assert pending["consumer"] == worker.events("worker.started")[0]["worker"]
            assert client.hlen(fleet.key("run:r:intents")) == 1


def test_a_batch_that_no_worker_could_settle_is_only_looked_up(tmp_path: Path, queue: str) -> None:
    """Delivered too often: no PUT any more. Ours if we closed it, else failed, with a dead letter."""
    with fleet_on(tmp_path, queue, options(2)) as fleet:
        ours, still_open = fleet.simulator.world.ids()
        assert enqueue(fleet, ids_file(tmp_path, [ours, still_open]), "--run-id", "r")[0] == 0
        fleet.simulator.world.close(ours, 1001.0, "us")
        with fleet.client() as client:
            for mid, _ in client.xreadgroup("workers", "dead", {fleet.name: ">"})[0][1]:
                client.xclaim(fleet.name, "workers", "dead", 0, [mid], idle=10**9, retrycount=5)
            client.hset(fleet.key("run:r:intents"), str(ours), "1 1000.5")
        worker = fleet.work_within("--once")
        assert worker.code == 3
        settled = {event["batch_id"]: event for event in worker.events("batch.settled")}
        assert (settled[ours]["outcome"], settled[ours]["confirmed_by"]) == ("closed", "lookup")
        assert settled[still_open]["outcome"] == "failed"
        assert settled[still_open]["reason"] == "too_many_deliveries"
        assert [(each["batch_id"], each["reason"]) for each in fleet.dead()] == [
            (str(still_open), "too_many_deliveries")
        ]
        assert puts_seen(fleet.simulator) == 0


def test_a_queue_is_for_one_api_and_one_environment(tmp_path: Path, queue: str) -> None:
    """Who serves another base URL, or has a key of another environment, closes nothing: code 2."""
    with fleet_on(tmp_path, queue, options(1)) as fleet:
        file = ids_file(tmp_path, fleet.simulator.world.ids())
        assert enqueue(fleet, file)[0] == 0
        other = fleet.simulator.url.replace("127.0.0.1", "localhost")
        code, _, said = enqueue(fleet, file, "--base-url", other)
        assert (code, f"holds batches of {fleet.simulator.url}" in said) == (2, True)
        assert fleet.work_within("--once", "--base-url", other).code == 2
        with fleet.client() as client:
            client.hset(fleet.key("meta"), "environment", "somewhere-else")
        worker = fleet.work_within("--once")
        assert (worker.code, "somewhere-else" in worker.complaints[0]) == (2, True)
        assert puts_seen(fleet.simulator) == 0


def test_the_port_tells_how_a_worker_is(tmp_path: Path, queue: str) -> None:
    """Alive, ready until it drains, and counted for Prometheus."""
    with fleet_on(tmp_path, queue, options(3, 0.5)) as fleet:
        worker = fleet.work("--port", 0)
        until(lambda: worker.events("worker.listening"), "the port")
        url = f"http://127.0.0.1:{worker.events('worker.listening')[0]['port']}"
        assert [get(f"{url}/{path}")[0] for path in ("healthz", "readyz", "nothing")] == [200, 200, 404]
        fleet.add({"batch_id": fleet.simulator.world.ids()[0]})
        until(lambda: worker.events("batch.settled"), "a result")
        text = get(f"{url}/metrics")[1]
        for line in ('settled_total{outcome="closed"} 1.0', 'requests_total{kind="put"} 1.0', "queue_up 1.0"):
            assert f"batch_closer_{line}" in text
        fleet.add({"batch_id": fleet.simulator.world.ids()[1]})
        until(lambda: puts_seen(fleet.simulator) == 2, "a close in flight")
        worker.signal(15)
        until(lambda: get(f"{url}/readyz") == (503, "draining\n"), "draining to be told")
        assert worker.exit_code() == 143


def test_a_broker_that_lost_its_data_is_noticed_and_said(tmp_path: Path) -> None:
    """It comes back empty: whoever waits is told, code 1; the worker says so and serves what comes next."""
    with (
        Broker(tmp_path / "broker", "--appendonly", "no") as broker,
        fleet_on(tmp_path, f"{broker.url}?queue=q", options(8, 0.3), "--rate", 50, "--lease", 1) as fleet,
    ):
        worker = fleet.work("--concurrency", 1)
        ids = fleet.simulator.world.ids()
        with fleet.enqueue(ids_file(tmp_path, ids[:7]), "--run-id", "r", "--wait") as waiter:
            until(lambda: worker.events("batch.settled"), "a result")
            broker.kill()
            until(lambda: worker.events("queue.away"), "the worker to notice")
            broker.start()
            assert waiter.exit_code() == 1
        assert "lost run r" in waiter.complaints[-1]
        until(lambda: worker.events("queue.lost"), "the worker to say so")
        fleet.add({"batch_id": ids[7]})
        until(lambda: ids[7] in closed_by_us(fleet.simulator), "the next message")
        assert worker.events("queue.not_durable")
        assert not worker.complaints
        check_order_of_requests(fleet.simulator)


def test_a_password_is_never_shown(tmp_path: Path) -> None:
    """A store that refuses it, or can't be reached, is one line without it: code 1."""
    with (
        simulator_thread(options(1)) as simulator,
        Broker(tmp_path / "b", "--requirepass", "right") as broker,
    ):
        wrong = broker.url.replace("//", "//:hunter2@")
        bench = Bench(tmp_path, simulator)
        for what, said in (
            ("queue", call(bench, "enqueue", 1, "--queue", f"{wrong}?queue=q")),
            ("limiter", call(bench, "work", "--once", "--limiter", wrong)),
        ):
            assert said.code == 1
            assert f"{what} redis://" in said.complaints[0]
            assert "refuses the user or password" in said.complaints[0]
            assert "hunter2" not in said.err + said.out


@pytest.mark.parametrize("verb", [("enqueue", "1"), ("work", "--once")])
def test_a_missing_extra_names_the_install_command(verb: tuple[str, ...]) -> None:
    """Without redis-py: one line, code 2."""
    code = "import sys; sys.modules['redis'] = None; from worker.cli.main import main; main()"
    program = subprocess.run(
        [sys.executable, "-c", code, *verb, "--queue", "redis://127.0.0.1:1"],
        env={"ENERGYCAP_API_KEY": "k", "BATCH_CLOSER_BASE_URL": "http://127.0.0.1:9", "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert program.returncode == 2
    assert "pip install 'energycap-batch-closer[redis]'" in program.stderr
    assert "Traceback" not in program.stderr
