"""One request out, one answer back; nothing the network or the server does raises here."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from multidict import CIMultiDictProxy

from worker.energycap.bodies import LARGEST_MESSAGE, at_hand, message_of, read_capped
from worker.energycap.failures import FOREIGN, explain, in_words
from worker.energycap.limit import TimeLimit
from worker.energycap.wire import Response, Wire
from worker.rules.retry import http_date, retry_after_s
from worker.words.answer import Answer, Heard
from worker.words.model import Batch


def spellings(key: str) -> str:
    """A pattern for the key, printable ASCII, as it may stand in JSON, HTML or a URL.

    Any of its characters may be escaped there.
    """

    def ways(character: str) -> str:
        number = ord(character)
        literal = re.escape(character)
        if character in '"\\/':
            literal = rf"\\?{literal}"
        return (
            rf"(?:{literal}|\\u00(?i:{number:02x})|%(?i:{number:02x})"
            rf"|&#0*{number};|&#[xX]0*(?i:{number:x});{_NAMED.get(character, '')})"
        )

    return "".join(map(ways, key))


_NAMED = {"&": "|&amp;", "<": "|&lt;", ">": "|&gt;", '"': "|&quot;", "'": "|&apos;"}


class Body(NamedTuple):
    """The body of a 2xx, without the key in it; never empty."""

    content: bytes
    status: int
    headers: CIMultiDictProxy[str]
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
        self._key_bytes = key.encode()
        self._spelt = re.compile(spellings(key))
        self._spelt_bytes = re.compile(spellings(key).encode())
        self._wall = wall
        self._steady = steady

    async def ask(self, method: str, target: str, read: Callable[[Body], Answer], cap: int) -> Answer:
        """Send a request; the answer that ``read`` makes of a 2xx with a body of up to ``cap`` bytes.

        Of any other response its status is the answer; ``error`` says what a 2xx lacks.
        """
        sent_at, begun = self._wall(), self._steady()
        try:
            with self._limit.wait():
                answer = await self._heard(await self._send(method, target), read, cap)
        except FOREIGN as error:
            heard, word = explain(error)
            answer = Answer(heard, error=word, message=in_words(word))
        return answer.timed(sent_at, self._wall(), self._steady() - begun)

    async def _heard(self, response: Response, read: Callable[[Body], Answer], cap: int) -> Answer:
        status, lost = response.status, None
        is_good = 200 <= status < 300
        content: bytes | None = None
        try:
            most = cap if is_good else LARGEST_MESSAGE
            content = at_hand(response, most) or await read_capped(response, most)
        except FOREIGN as error:
            lost = explain(error)[1]
        finally:
            response.release()
        server_at = http_date(response.headers.get("Date"))
        if not is_good:  # whatever became of its body
            return self._refusal(response, content, server_at)
        if lost is not None:
            return Answer(Heard.LOST, status=status, error=lost, server_at=server_at)
        if not content:
            word = "too_large" if content is None else "empty"
            return Answer(Heard.ANSWER, status=status, error=word, server_at=server_at)
        return read(Body(self._without_key(content), status, response.headers, server_at))

    def _refusal(self, response: Response, body: bytes | None, server_at: float | None) -> Answer:
        return Answer(
            Heard.ANSWER,
            status=response.status,
            message=message_of(self._without_key(body), self.redact) if body else None,
            retry_after_s=retry_after_s(response.headers.get("Retry-After"), server_at, self._wall()),
            server_at=server_at,
        )

    def redact(self, text: str) -> str:
        """The text without the key in it."""
        return self._spelt.sub("***", text)

    def _without_key(self, body: bytes) -> bytes:
        """A server may echo the request's headers; the key must not get into a record that way."""
        if self._key_bytes in body:
            body = body.replace(self._key_bytes, b"***")
        has_escapes = b"\\" in body or b"%" in body or b"&" in body
        return self._spelt_bytes.sub(b"***", body) if has_escapes else body
