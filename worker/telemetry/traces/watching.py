"""Watches what passes between the engine and its edges, and tells spans of it, unknown to the engine.

A batch's requests are kept until it is settled, and told together with it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final, Literal, NamedTuple, Protocol

from worker.engine.ports import Api, Hindrance, RunMemory
from worker.engine.run import Edges
from worker.words.answer import Answer, Heard, Identity, Page
from worker.words.model import Planned, Result

CUT_OFF: Final = "cut_off"
Kind = Literal["attempt", "look_up", "me"]


class Request(NamedTuple):
    """A request that was sent."""

    kind: Kind
    began_at: float
    ended_at: float
    attempt: int | None = None  # which of the batch's, where it is one
    http_status: int | None = None
    trouble: str | None = None  # a stable word, where no clear answer came


class Spans(Protocol):
    """Where spans go. Never raises, never blocks."""

    def batch(self, result: Result, requests: Sequence[Request]) -> None:
        """Tell of a batch that was settled, and the requests that were sent for it."""
        ...

    def request(self, request: Request) -> None:
        """Tell of a request that belongs to no batch."""
        ...


def watched(edges: Edges, spans: Spans, clock: Callable[[], float] = time.time) -> Edges:
    """The edges, with every request and every result told to ``spans``."""
    seen = _Seen(spans, clock)
    return replace(edges, api=_Api(edges.api, seen), memory=_Memory(edges.memory, seen))


class _Seen:
    """The requests of batches that are not settled."""

    def __init__(self, spans: Spans, clock: Callable[[], float]) -> None:
        self.spans = spans
        self.attempts: dict[int, int] = {}
        self._clock = clock
        self._requests: dict[int, list[Request]] = {}

    async def of_batch(self, kind: Kind, batch_id: int, sending: Awaitable[Answer]) -> Answer:
        """Send a request for a batch, and keep it."""
        answer, request = await self._sent(kind, sending, self._kept(batch_id))
        self._kept(batch_id)(request)
        return answer

    async def of_none(self, kind: Kind, sending: Awaitable[Answer]) -> Answer:
        """Send a request that belongs to no batch, and tell it."""
        answer, request = await self._sent(kind, sending, self.spans.request)
        self.spans.request(request)
        return answer

    async def _sent(
        self, kind: Kind, sending: Awaitable[Answer], cut_off: Callable[[Request], None]
    ) -> tuple[Answer, Request]:
        began_at = self._clock()
        try:
            answer = await sending
        except asyncio.CancelledError:
            cut_off(Request(kind, began_at, self._clock(), trouble=CUT_OFF))
            raise
        request = Request(kind, began_at, self._clock(), http_status=answer.status)
        return answer, request._replace(trouble=None if _is_clear(answer) else answer.reason)

    def _kept(self, batch_id: int) -> Callable[[Request], None]:
        def keep(request: Request) -> None:
            number = self.attempts.get(batch_id) if request.kind == "attempt" else None
            self._requests.setdefault(batch_id, []).append(request._replace(attempt=number))

        return keep

    def settled(self, result: Result) -> None:
        """Tell a batch with its requests, and forget them."""
        if result.batch_id is not None:
            self.attempts.pop(result.batch_id, None)
            self.spans.batch(result, self._requests.pop(result.batch_id, ()))


def _is_clear(answer: Answer) -> bool:
    return answer.heard is Heard.ANSWER and answer.error is None and (answer.status or 0) < 400


class _Api:
    """The API, watched."""

    def __init__(self, api: Api, seen: _Seen) -> None:
        self._api = api
        self._seen = seen

    async def close(self, batch_id: int) -> Answer:
        return await self._seen.of_batch("attempt", batch_id, self._api.close(batch_id))

    async def look_up(self, batch_id: int) -> Answer:
        return await self._seen.of_batch("look_up", batch_id, self._api.look_up(batch_id))

    async def me(self) -> Answer:
        return await self._seen.of_none("me", self._api.me())

    async def identity(self) -> tuple[Answer, Identity | None]:
        return await self._api.identity()

    async def page(self, number: int, size: int, text: str | None, /) -> tuple[Answer, Page | None]:
        return await self._api.page(number, size, text)

    async def can_export(self, mode: Literal["AP", "GL"], /) -> tuple[Answer, str | None]:
        return await self._api.can_export(mode)


class _Memory:
    """The memory, watched."""

    def __init__(self, memory: RunMemory, seen: _Seen) -> None:
        self._seen = seen
        self._memory = memory
        self.pending = memory.pending
        self.is_held = memory.is_held

    def intend(self, planned: Planned, attempts: int, first_attempt_at: float) -> Awaitable[Hindrance | None]:
        self._seen.attempts[planned.batch_id] = attempts
        return self._memory.intend(planned, attempts, first_attempt_at)

    def settle(self, planned: Planned, result: Result, *, final: bool) -> None:
        self._seen.settled(result)
        self._memory.settle(planned, result, final=final)
