"""Every request of a run goes through here: the reads, and the one write."""

from __future__ import annotations

from collections.abc import Callable

from worker.engine.ports import Api, Clocks, Pacing, Tallies
from worker.engine.reads import Reads, RetryPolicy
from worker.rules.retry import RetryBudget
from worker.words.answer import Answer, Heard

__all__ = ["Requests", "RetryPolicy"]


class Requests(Reads):
    """The reads of a run and its closes, at one pace."""

    def __init__(
        self,
        *,
        api: Api,
        pacer: Pacing,
        policy: RetryPolicy,
        budget: RetryBudget,
        tallies: Tallies,
        on_latency: Callable[[float], None],
        clocks: Clocks,
    ) -> None:
        super().__init__(api=api, pacer=pacer, policy=policy, budget=budget, tallies=tallies, clocks=clocks)
        self._writing = api
        self._on_latency = on_latency

    async def close(self, batch_id: int) -> Answer:
        """Send the PUT; the caller has taken its slot, so that it knows the very moment of sending."""
        self.tallies.put += 1
        begun = self._clocks.steady()
        answer = await self._writing.close(batch_id)
        self._weigh(answer, begun)
        if answer.heard is Heard.ANSWER:
            self._on_latency(answer.elapsed_s)
        return answer
