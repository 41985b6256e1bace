"""One request out, one answer back; nothing the network or the server does raises here."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

from worker.energycap.bodies import LARGEST_MESSAGE, message_of, read_capped
from worker.energycap.failures import FOREIGN, explain, in_words
from worker.energycap.limit import TimeLimit
from worker.energycap.wire import Response, Wire
from worker.rules.retry import http_date, retry_after_s
from worker.words.answer import Answer, Heard
from worker.words.model import Batch

T = TypeVar("T")
Reading = Callable[[Response], Awaitable[Answer]]
"""What is made of a response."""
ReadingMore = Callable[[Response], Awaitable[tuple[Answer, T]]]
"""The same where something was asked for that an answer doesn't hold: None where it isn't there."""


def in_json(key: str) -> re.Pattern[bytes]:
    """The key, printable ASCII, as it may stand in JSON: any of its characters may be escaped there."""

    def ways(character: str) -> str:
        escaped = rf"\\u00(?i:{ord(character):02x})"
        literal = re.escape(character)
        if character in '"\\/':
            literal = rf"\\?{literal}"
        return f"(?:{literal}|{escaped})"

    return re.compile("".join(map(ways, key)).encode())


class Body(NamedTuple):
    """The body of a 2xx, without the key in it."""

    content: bytes
    status: int
    server_at: float | None

    def answer(self, batch: Batch | None = None, error: str | None = None) -> Answer:
        """The answer that is made of it."""
        return Answer(Heard.ANSWER, self.status, batch, None, error, None, self.server_at)


class Exchange:
    """Turns what comes of a request into our own words, and keeps the key out of them."""

    def __init__(
        self,
        wire: Wire,
        key: str,
        timeout_s: float,
        wall: Callable[[], float],
        steady: Callable[[], float],
    ) -> None:
        self._send = wire.send
        self._limit = TimeLimit(timeout_s)
        self._key = key
        self._key_bytes = key.encode()
        self._key_in_json = in_json(key)
        self._wall = wall
        self._steady = steady

    async def ask(self, method: str, target: str, read: Reading) -> Answer:
        """Send a request and read its response."""
        sent_at, begun = self._wall(), self._steady()
        try:
            with self._limit.wait():
                response = await self._send(method, target)
                try:
                    answer = await read(response)
                finally:
                    response.release()
        except FOREIGN as error:
            heard, word = explain(error)
            answer = Answer(heard, error=word, message=in_words(word))
        return answer.timed(sent_at, self._wall(), self._steady() - begun)

    async def ask_for(self, method: str, target: str, read: ReadingMore[T]) -> tuple[Answer, T | None]:
        """Send a request and read its response, for what an answer doesn't hold."""
        value: T | None = None

        async def reading(response: Response) -> Answer:
            nonlocal value
            answer, value = await read(response)
            return answer

        return await self.ask(method, target, reading), value

    async def body_of(self, response: Response, cap: int) -> Body | Answer:
        """The body of a 2xx, or the answer where there is none of use; its status or ``error`` says why."""
        status, server_at = response.status, http_date(response.headers.get("Date"))
        if not 200 <= status < 300:
            return await self._refusal(response, server_at)
        try:
            content = await read_capped(response, cap)
        except FOREIGN as error:
            _, word = explain(error)
            return Answer(Heard.LOST, status=status, error=word, server_at=server_at)
        if not content:
            word = "too_large" if content is None else "empty"
            return Answer(Heard.ANSWER, status=status, error=word, server_at=server_at)
        return Body(self._without_key(content), status, server_at)

    async def _refusal(self, response: Response, server_at: float | None) -> Answer:
        try:
            body = await read_capped(response, LARGEST_MESSAGE)
        except FOREIGN:
            body = None  # the status is the answer
        return Answer(
            Heard.ANSWER,
            status=response.status,
            message=message_of(self._without_key(body), self.redact) if body else None,
            retry_after_s=retry_after_s(response.headers.get("Retry-After"), server_at, self._wall()),
            server_at=server_at,
        )

    def redact(self, text: str) -> str:
        """The text without the key in it."""
        return text.replace(self._key, "***")

    def _without_key(self, body: bytes) -> bytes:
        """A server may echo the request's headers; the key must not get into a record that way."""
        if self._key_bytes in body:
            body = body.replace(self._key_bytes, b"***")
        return self._key_in_json.sub(b"***", body) if b"\\" in body else body
