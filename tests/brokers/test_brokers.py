"""Ids in, results out: each message is answered once its result is durable, and never lost."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from tests.brokers.support import Corner
from tests.process.program import more_than, until
from worker.simulator.faults import Route
from worker.simulator.world import State

IDS = range(1001, 1041)
HASTE = ("--poll", "0.2", "--lease", "2")

STRANGE = {
    b"close everything": "not_json",
    b"[1001]": "not_an_object",
    b'{"batch_id": "1001"}': "not_a_batch_id",
    b'{"batch_id": 0}': "not_a_batch_id",
    b'{"batch_id": 1001.0}': "not_a_batch_id",
    b'{"batch_id": true}': "not_a_batch_id",
    b'{"id": 1001}': "no_batch_id",
    b'{"batch_id": 1001, "expected_total": "much"}': "not_a_control_total",
    b'{"batch_id": 1001, "pad": "' + b"x" * 70_000 + b'"}': "too_large",
}


def message(batch_id: int, **more: object) -> bytes:
    """A message as it is documented."""
    return json.dumps({"batch_id": batch_id, **more}).encode()


def outcomes(results: list[dict[str, Any]]) -> Counter[str]:
    """How many ended how."""
    return Counter(result["outcome"] for result in results)


def test_each_message_is_answered_with_its_result(corner: Corner) -> None:
    """Every id has one result, which is the server's truth, and the queue is empty."""
    corner.peer.send(*map(message, IDS), message(1001))
    code, _ = corner.work()
    results = corner.results()
    world = corner.bench.simulator.world
    assert code == 3  # some are missing
    assert Counter(result["batch_id"] for result in results) == Counter([*IDS, 1001])
    for result in results:
        assert (result["outcome"] in {"closed", "already_closed"}) == (
            world.find(result["batch_id"]).state is State.CLOSED
        )
    assert corner.peer.read("ids") == []
    assert corner.peer.read("dead") == []


def test_what_a_message_expects_holds(corner: Corner) -> None:
    """A batch that differs from what its message expects is held."""
    fit = next(each for each in corner.bench.simulator.world.ids(State.OPEN))
    corner.peer.send(message(fit, expected_bills=10_000, run_id="october"))
    corner.work()
    (result,) = corner.results()
    assert (result["outcome"], result["reason"], result["message_run_id"]) == ("held", "control", "october")


def test_a_message_that_is_none_is_laid_aside(corner: Corner) -> None:
    """Whatever a stranger sends ends as invalid with a dead letter, and the others are closed."""
    corner.peer.send(*STRANGE, message(1002))
    code, said = corner.work()
    results = corner.results()
    assert code == 3
    assert "Traceback" not in said
    assert Counter(result["reason"] for result in results if result["outcome"] == "invalid") == Counter(
        STRANGE.values()
    )
    assert len(corner.peer.read("dead")) == len(STRANGE)
    assert [result["batch_id"] for result in results if result["outcome"] != "invalid"] == [1002]


def test_a_killed_worker_loses_nothing(corner: Corner) -> None:
    """Killed again and again, every message is answered, and what the worker closed is called so."""
    simulator = corner.bench.simulator
    corner.peer.send(*map(message, IDS))
    for kill in range(2):
        seen = len(simulator.requests)
        with corner.bench.start("work", "--queue", corner.peer.url, "--rate", "60", *HASTE) as program:
            until(more_than(seen + 6 + kill, lambda: simulator.requests), "requests")
            program.kill()
    code, _ = corner.work(*HASTE)
    results = {result["batch_id"]: result for result in corner.results()}
    assert code in {0, 3}
    assert set(results) == set(IDS)
    truth = simulator.world.truth()
    assert {each for each in IDS if results[each]["outcome"] == "closed"} == {
        each for each in IDS if truth[each]["closed_by_us"]
    }
    puts = Counter(request.batch_id for request in simulator.requests if request.route is Route.PUT)
    assert max(puts.values()) == 1
