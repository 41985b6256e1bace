"""One request out, one answer back; nothing the network or the server does raises here."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

import aiohttp
from aiohttp.client_middlewares import ClientHandlerType

from worker.energycap.bodies import LARGEST_MESSAGE, message_of, read_capped
from worker.energycap.failures import FOREIGN, HiddenResend, explain, in_words
from worker.rules.retry import http_date, retry_after_s
from worker.words.answer import Answer, Heard

T = TypeVar("T")
Reading = Callable[[aiohttp.ClientResponse], Awaitable[tuple[Answer, T]]]
"""What is made of a response: the answer, and what was asked for if it is in there."""


def in_json(key: str) -> re.Pattern[bytes]:
    """The key, printable ASCII, as it may stand in JSON: any of its characters may be escaped there."""

    def ways(character: str) -> str:
        escaped = rf"\\u00(?i:{ord(character):02x})"
        literal = re.escape(character)
        if character in '"\\/':
            literal = rf"\\?{literal}"
        return f"(?:{literal}|{escaped})"

    return re.compile("".join(map(ways, key)).encode())


class SendOnce:
    """A client middleware that lets a request out once.

    aiohttp re-sends a PUT by itself when a kept-alive connection drops before the answer
    (aio-libs/aiohttp#10790), which would turn our own close into "already closed". It runs
    the middleware once per hidden attempt.
    """

    __slots__ = ("_sent",)

    def __init__(self) -> None:
        self._sent = False

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Pass the first attempt on, refuse any other."""
        if self._sent:
            raise HiddenResend
        self._sent = True
        return await handler(request)


class Exchange:
    """Turns what comes of a request into our own words, and keeps the key out of them."""

    def __init__(self, key: str, wall: Callable[[], float], steady: Callable[[], float]) -> None:
        self._key = key
        self._key_bytes = key.encode()
        self._key_in_json = in_json(key)
        self._wall = wall
        self._steady = steady

    async def ask(
        self, request: AbstractAsyncContextManager[aiohttp.ClientResponse], read: Reading[T]
    ) -> tuple[Answer, T | None]:
        """Send a prepared request and read its response."""
        sent_at, begun = self._wall(), self._steady()
        value: T | None = None
        try:
            async with request as response:
                answer, value = await read(response)
        except FOREIGN as error:
            heard, word = explain(error)
            answer, value = Answer(heard, error=word, message=in_words(word)), None
        timed = answer._replace(sent_at=sent_at, received_at=self._wall(), elapsed_s=self._steady() - begun)
        return timed, value

    async def body_of(self, response: aiohttp.ClientResponse, cap: int) -> tuple[Answer, bytes]:
        """The answer so far, and the body of a 2xx without the key in it.

        No bytes where there is none of use: then the status, or the answer's ``error``, says why.
        """
        status, server_at = response.status, http_date(response.headers.get("Date"))
        if not 200 <= status < 300:
            return await self._refusal(response, server_at), b""
        try:
            body = await read_capped(response, cap)
        except FOREIGN as error:
            _, word = explain(error)
            return Answer(Heard.LOST, status=status, error=word, server_at=server_at), b""
        answer = Answer(Heard.ANSWER, status=status, server_at=server_at)
        if not body:
            return answer._replace(error="too_large" if body is None else "empty"), b""
        return answer, self._without_key(body)

    async def _refusal(self, response: aiohttp.ClientResponse, server_at: float | None) -> Answer:
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
