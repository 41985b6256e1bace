"""The port of a worker on a broker's queue."""

from __future__ import annotations

from tests.brokers.support import Corner
from tests.brokers.test_brokers import message
from tests.process.port import get
from tests.process.program import more_than, until
from worker.simulator.world import State


def test_the_port_tells_how_a_worker_is(corner: Corner) -> None:
    """Alive, ready until it is told to stop, and counted for Prometheus: looks and closes, run after run."""
    simulator = corner.bench.simulator
    arguments = ("--queue", corner.peer.url, "--poll", "0.2", "--port", "0")
    with corner.bench.start("work", *arguments) as worker:
        until(lambda: worker.events("worker.listening"), "the port")
        url = f"http://127.0.0.1:{worker.events('worker.listening')[0]['port']}"
        assert [get(f"{url}/{path}")[0] for path in ("healthz", "nothing")] == [200, 404]
        until(lambda: get(f"{url}/readyz") == (200, "ok\n"), "the queue to be found")
        for batch_id in simulator.world.ids(State.OPEN)[:2]:
            runs = len(worker.events("run.finished"))
            corner.peer.send(message(batch_id))
            until(more_than(runs, lambda: worker.events("run.finished")), "a run")
        until(lambda: "leases 0.0" in get(f"{url}/metrics")[1], "the answers")
        text = get(f"{url}/metrics")[1]
        seen = simulator.requests.by_route()
        for line in (
            'settled_total{outcome="closed"} 2.0',
            'requests_total{kind="put"} 2.0',
            "close_seconds_count 2.0",
            "queue_up 1.0",
            "rate_per_second 500.0",
        ):
            assert f"batch_closer_{line}" in text
        told = {line.split()[0]: float(line.split()[1]) for line in text.splitlines() if line[0] != "#"}
        kinds = ("put", "get", "list", "me")
        assert sum(told[f'batch_closer_requests_total{{kind="{kind}"}}'] for kind in kinds) == sum(
            seen.values()
        )
        worker.signal(15)
        assert worker.exit_code() == 143
