"""One request to somewhere outside, tried a few times; nothing raises for what comes of it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp
from yarl import URL

from worker import __version__
from worker.notify.aside import Resolver

_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_WORDS: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (TimeoutError, "timeout"),
    (aiohttp.ClientSSLError, "tls"),
    (aiohttp.ClientConnectorDNSError, "dns"),
    (aiohttp.ClientConnectorError, "connect"),
    (aiohttp.ClientError, "lost"),
    (OSError, "lost"),
    (ValueError, "bad_url"),
)
"""What can go wrong, in a word each. The errors' own text may hold the URL, so it goes nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often and how long to try. The waits between double."""

    tries: int = 3
    timeout_s: float = 5.0
    wait_s: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """The way out: trust roots, and the proxy for a URL where there is one."""

    trust: ssl.SSLContext
    proxy_for: Callable[[str], str | None]
    patience: Patience = Patience()

    async def send(
        self,
        method: str,
        url: str,
        body: bytes,
        headers: Callable[[], Mapping[str, str]],
    ) -> str | None:
        """Send until it is taken (2xx) or no try is left; why it was not, in a word.

        ``headers`` is asked before each try. Redirects are not followed, TLS is verified.
        """
        for tried in range(1, self.patience.tries + 1):
            status, word = await self._try(method, url, body, headers())
            if word is None or tried == self.patience.tries or (status is not None and status not in _AGAIN):
                return word
            await asyncio.sleep(self.patience.wait_s * 2 ** (tried - 1))
        return None

    async def _try(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int | None, str | None]:
        timeout = aiohttp.ClientTimeout(total=self.patience.timeout_s)
        try:
            connector = aiohttp.TCPConnector(ssl=self.trust, resolver=Resolver())
            async with (
                aiohttp.ClientSession(
                    connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
                ) as session,
                session.request(
                    method,
                    URL(url, encoded=True),
                    data=body,
                    headers={"User-Agent": f"energycap-batch-closer/{__version__}", **headers},
                    allow_redirects=False,
                    proxy=self.proxy_for(url),
                ) as response,
            ):
                status = response.status
        except tuple(kind for kind, _ in _WORDS) as error:
            return None, next(word for kind, word in _WORDS if isinstance(error, kind))
        if 200 <= status < 300:
            return status, None
        return status, "redirect" if 300 <= status < 400 else f"http_{status}"
