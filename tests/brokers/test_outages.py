"""A broker that is gone in the middle of the work, and comes back."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from tests.brokers.relay import Relay
from tests.brokers.support import Corner
from tests.brokers.test_brokers import IDS, message
from tests.process.program import PATIENCE_S, until
from worker.simulator.faults import Route


def answered(corner: Corner, ids: set[int]) -> list[dict[str, Any]]:
    """The results, once there is one of each."""
    results: list[dict[str, Any]] = []
    give_up_at = time.monotonic() + PATIENCE_S
    while {result["batch_id"] for result in results} != ids:
        assert time.monotonic() < give_up_at, "waited in vain for results"
        time.sleep(0.2)
        results += corner.results()
    return results


def test_a_broker_that_is_gone_for_a_while_loses_nothing(corner: Corner) -> None:
    """Said once, as is its return; the run goes on, each message is answered, each batch closed once."""
    simulator, peer = corner.bench.simulator, corner.peer
    with Relay(*peer.server) as relay:
        peer.send(*map(message, IDS))
        arguments = ("--queue", peer.url_by(relay.port), "--rate", "100", "--poll", "0.2", "--lease", "2")
        with corner.bench.start("work", *arguments) as worker:
            until(lambda: simulator.requests.by_route()[Route.PUT] > 5, "closes")
            relay.cut()
            until(lambda: worker.events("queue.away"), "the worker to notice")
            until(lambda: worker.events("run.finished"), "the end of the run")
            relay.mend()
            results = answered(corner, set(IDS))
            worker.signal(15)
            assert worker.exit_code() == 143
    assert worker.complaints == []
    told = [event for which in ("away", "back") for event in worker.events(f"queue.{which}")]
    assert [event["event"] for event in told] == ["queue.away", "queue.back"], told
    truth = simulator.world.truth()
    for result in results:
        assert (result["outcome"] == "closed") == bool(truth[result["batch_id"]]["closed_by_us"])
    puts = Counter(request.batch_id for request in simulator.requests if request.route is Route.PUT)
    assert max(puts.values()) == 1
    assert peer.read("ids") == []
