"""The endpoints that tests and people ask, without a key: truth, requests, ids."""

from __future__ import annotations

from collections.abc import Mapping

from worker.simulator.answers import Answer, as_json
from worker.simulator.journal import Journal
from worker.simulator.world import State, World

PREFIX = "/simulator/"
_DEFAULT_LIMIT = 1000


def control_answer(path: str, query: Mapping[str, str], world: World, journal: Journal) -> Answer:
    """``truth``; ``requests?limit=N`` (the last N); ``ids?kind=all|open|pending|closed|missing`` (now)."""
    match path.removeprefix(PREFIX):
        case "truth":
            return as_json({str(batch_id): row for batch_id, row in world.truth().items()})
        case "requests":
            return _requests(query.get("limit", str(_DEFAULT_LIMIT)), journal)
        case "ids":
            return _ids(query.get("kind", "all"), world)
    return as_json({"message": "Ask /simulator/truth, /simulator/requests or /simulator/ids."}, 404)


def _ids(kind: str, world: World) -> Answer:
    if kind != "all" and kind not in set(State):
        return as_json({"message": "kind must be all, open, pending, closed or missing"}, 400)
    ids = world.ids(None if kind == "all" else State(kind))
    return Answer(200, "".join(f"{batch_id}\n" for batch_id in ids).encode(), "text/plain; charset=utf-8")


def _requests(limit: str, journal: Journal) -> Answer:
    if not (limit.isascii() and limit.isdigit()):
        return as_json({"message": "limit must be a whole number"}, 400)
    first = max(0, len(journal) - int(limit))
    return as_json(
        {
            "count": len(journal),
            "by_route": {route.value: count for route, count in journal.by_route().items()},
            "by_fault": journal.by_fault(),
            "max_seen_per_second": journal.max_seen_per_second(),
            "average_per_s": journal.average_per_s(),
            "requests": [journal[entry]._asdict() for entry in range(first, len(journal))],
        }
    )
