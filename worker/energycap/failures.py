"""Foreign exceptions become ours here, in one table: the most special class first.

What matters is whether the request can have reached the server. A test fails when aiohttp
grows an exception that this table does not name.
"""

from __future__ import annotations

import ssl

import aiohttp
from aiohttp.http import HttpProcessingError

from worker.words.answer import Heard

TABLE: tuple[tuple[type[BaseException], Heard, str], ...] = (
    (aiohttp.ConnectionTimeoutError, Heard.NOT_SENT, "connect_timeout"),
    (aiohttp.SocketTimeoutError, Heard.LOST, "timeout"),
    (aiohttp.ServerTimeoutError, Heard.LOST, "timeout"),
    (aiohttp.ServerFingerprintMismatch, Heard.NOT_SENT, "tls_certificate"),
    (aiohttp.ServerDisconnectedError, Heard.LOST, "disconnected"),
    (aiohttp.ServerConnectionError, Heard.LOST, "disconnected"),
    (aiohttp.ClientProxyConnectionError, Heard.NOT_SENT, "proxy_unreachable"),
    (aiohttp.ClientHttpProxyError, Heard.NOT_SENT, "proxy_refused"),
    (aiohttp.ClientConnectorDNSError, Heard.NOT_SENT, "dns"),
    (aiohttp.ClientConnectorCertificateError, Heard.NOT_SENT, "tls_certificate"),
    (aiohttp.ClientConnectorSSLError, Heard.NOT_SENT, "tls"),
    (aiohttp.ClientSSLError, Heard.NOT_SENT, "tls"),
    (aiohttp.ClientConnectorError, Heard.NOT_SENT, "connect"),
    (aiohttp.ClientConnectionResetError, Heard.LOST, "connection_reset"),
    (aiohttp.ClientOSError, Heard.LOST, "connection_reset"),
    (aiohttp.ClientConnectionError, Heard.LOST, "disconnected"),
    (aiohttp.ClientPayloadError, Heard.LOST, "truncated"),
    (aiohttp.InvalidURL, Heard.NOT_SENT, "bad_url"),
    (aiohttp.ClientResponseError, Heard.LOST, "bad_http"),
    (HttpProcessingError, Heard.LOST, "bad_http"),
    (aiohttp.ClientError, Heard.LOST, "lost"),
    (TimeoutError, Heard.LOST, "timeout"),
    (ssl.SSLError, Heard.LOST, "tls"),
    (OSError, Heard.LOST, "connection_reset"),
)
FOREIGN = (aiohttp.ClientError, HttpProcessingError, TimeoutError, OSError)
"""All that sending a request may raise."""


def explain(error: BaseException) -> tuple[Heard, str]:
    """How far the request got, and a stable word for what happened."""
    for kind, heard, word in TABLE:
        if isinstance(error, kind):
            if isinstance(error, aiohttp.ClientConnectorError) and isinstance(
                error.os_error, ConnectionRefusedError
            ):
                return heard, "connection_refused"
            return heard, word
    return Heard.LOST, "lost"


_IN_WORDS = {
    "dns": "the host name can't be resolved",
    "connect": "no connection to the host",
    "connection_refused": "the host refuses the connection",
    "connect_timeout": "no connection within the time-out",
    "tls": "TLS can't be set up",
    "tls_certificate": "the host's certificate is not trusted; --ca-file adds a trust root",
    "proxy_unreachable": "the proxy can't be reached",
    "proxy_refused": "the proxy refuses the connection",
}


def in_words(word: str) -> str | None:
    """A failed connection in words for people. Never the exception's own text: it may hold the headers."""
    return _IN_WORDS.get(word)
