"""The verbs of the queue, called as functions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from tests.e2e.support import QUICK, Program, Ran
from worker.ledger import open_ledger
from worker.simulator.faults import Route
from worker.simulator.running import Simulator

ELSEWHERE = "https://elsewhere.example.com"


class Queueing(Program):
    """``enqueue`` and ``work`` on one state folder."""

    def enqueue(
        self, simulator: Simulator, *arguments: str, ids: Iterable[int] = (), stdin: bytes = b""
    ) -> Ran:
        """Enqueue ``ids`` and whatever else the arguments name; no key is at hand."""
        self.environment(ENERGYCAP_API_KEY=None)
        told = ("--base-url", simulator.url, "--state", str(self.state))
        return self.raw("enqueue", *map(str, ids), *arguments, *told, stdin=stdin)

    def work(self, simulator: Simulator, *arguments: str, run_id: str | None = None) -> Ran:
        """Work until nothing waits; the result's folder is that of the run named."""
        self.environment(ENERGYCAP_API_KEY=simulator.key)
        named = () if run_id is None else ("--run-id", run_id)
        told = ("--base-url", simulator.url, "--state", str(self.state), *QUICK)
        ran = self.raw("work", "--once", *named, *told, *arguments)
        return Ran(ran.code, ran.out, ran.err, self.state / "runs" / (run_id or ""))

    def waiting(self, base_url: str) -> list[int | str | None]:
        """What waits: ids, and the texts of lines that are none."""
        with open_ledger(self.state) as store:
            return [entry.batch_id or entry.text for entry in store.queue(base_url).entries()]

    def runs(self) -> list[dict[str, Any]]:
        """What ``runs list`` tells."""
        found: list[dict[str, Any]] = orjson.loads(
            self.raw("runs", "list", "--json", "--state", str(self.state)).out
        )
        return found


def closes(simulator: Simulator) -> list[int | None]:
    """The batches that the server saw a close of, in order."""
    return [request.batch_id for request in simulator.requests if request.route is Route.PUT]
