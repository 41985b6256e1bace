"""Every reading request goes through here: a slot, the request, and what its answer means for everyone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Literal, TypeVar

from worker.engine.ports import Clocks, Pacing, ReadingApi, Tallies
from worker.rules.retry import RetryBudget, backoff_s
from worker.rules.verdict import asks_to_wait, is_trouble
from worker.words.answer import Answer, Heard, Identity, Page

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how soon to try again."""

    max_attempts: int = 5
    backoff_s: float = 0.5
    max_backoff_s: float = 30.0

    def wait_s(self, failures: int, chance: float) -> float:
        """Full-jitter backoff in seconds after so many failures."""
        return backoff_s(failures, self.backoff_s, self.max_backoff_s, chance)


class Reads:
    """Sends reading requests one slot each, and lets all of them feel throttling and outages."""

    def __init__(
        self,
        *,
        api: ReadingApi,
        pacer: Pacing,
        policy: RetryPolicy,
        budget: RetryBudget,
        tallies: Tallies,
        clocks: Clocks,
    ) -> None:
        self.pacer = pacer
        self.policy = policy
        self.tallies = tallies
        self.reached = False  # whether any request may have reached the API
        self.last_error: str | None = None
        self._api = api
        self._budget = budget
        self._clocks = clocks
        self._throttles = 0  # in a row

    async def look_up(self, batch_id: int) -> Answer:
        """Read one batch."""
        await self.pacer.slot()
        self.tallies.get += 1
        return await self.heard(self._api.look_up(batch_id))

    async def me(self) -> Answer:
        """Ask whether the key works."""
        await self.pacer.slot()
        self.tallies.me += 1
        return await self.heard(self._api.me())

    async def identity(self) -> tuple[Answer, Identity | None]:
        """Ask whose the key is."""
        await self.pacer.slot()
        self.tallies.me += 1
        return await self._heard_with(self._api.identity())

    async def page(self, number: int, size: int, text: str) -> tuple[Answer, Page | None]:
        """Read a page of the batches that a filter lets through."""
        await self.pacer.slot()
        self.tallies.list += 1
        return await self._heard_with(self._api.page(number, size, text))

    async def can_export(self, mode: Literal["AP", "GL"]) -> tuple[Answer, str | None]:
        """Ask when bills may be exported."""
        await self.pacer.slot()
        self.tallies.get += 1
        return await self._heard_with(self._api.can_export(mode))

    async def heard(self, sending: Awaitable[Answer]) -> Answer:
        """Perform one request and let its answer count for everyone."""
        begun = self._clocks.steady()
        answer = await sending
        self._weigh(answer, begun)
        return answer

    async def _heard_with(self, sending: Awaitable[tuple[Answer, T]]) -> tuple[Answer, T]:
        begun = self._clocks.steady()
        answer, value = await sending
        self._weigh(answer, begun)
        return answer, value

    async def back_off(self, failures: int) -> None:
        """Wait out a full-jitter backoff."""
        await asyncio.sleep(self.policy.wait_s(failures, self._clocks.chance()))

    def _weigh(self, answer: Answer, begun: float) -> None:
        if answer.heard is not Heard.NOT_SENT:
            self.reached = True
        if answer.status == 200 and answer.heard is Heard.ANSWER:
            self._throttles = 0
            self._budget = self._budget.succeeded()
        elif asks_to_wait(answer):
            self._throttled(answer, begun)
        elif is_trouble(answer):
            self._trouble(answer)
        else:
            self._throttles = 0
            self._budget = self._budget.succeeded()

    def _throttled(self, answer: Answer, begun: float) -> None:
        self.tallies.throttled += 1
        self._throttles += 1
        wait_s = answer.retry_after_s
        if wait_s is None:
            doubled = self.policy.backoff_s * 2.0 ** min(self._throttles, 30)
            wait_s = min(self.policy.max_backoff_s, doubled)
        self.pacer.throttled(begun, wait_s, answer.reason)

    def _trouble(self, answer: Answer) -> None:
        self.last_error = answer.message or answer.reason
        self._budget = self._budget.failed()
        if self._budget.spent:
            self.pacer.pause(self.policy.wait_s(self._budget.outages + 1, self._clocks.chance()), "outage")
            self._budget = self._budget.paused()
