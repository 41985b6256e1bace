"""The way to the host: TLS, proxy, time-outs, the pool. Verification is never turned off."""

from __future__ import annotations

import ssl
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from pydantic import SecretStr

from worker import __version__
from worker.energycap.client import EnergyCap
from worker.energycap.reader import Reader
from worker.energycap.wire import ReadingWire, Wire
from worker.words.errors import ConfigurationError

CONNECT_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where to and how. ``base_url`` is checked and has no trailing slash."""

    base_url: str
    key: SecretStr
    timeout_s: float = 100.0
    ca_file: Path | None = None


@asynccontextmanager
async def connect(connection: Connection) -> AsyncIterator[EnergyCap]:
    """A client for the host, closed on leaving.

    Raises ConfigurationError where the CA file can't be used.
    """
    async with _wire(connection, Wire) as wire:
        yield EnergyCap(wire, connection.key.get_secret_value(), connection.timeout_s)


@asynccontextmanager
async def connect_reader(connection: Connection) -> AsyncIterator[Reader]:
    """A client that can read alone, closed on leaving.

    Raises ConfigurationError where the CA file can't be used.
    """
    async with _wire(connection, ReadingWire) as wire:
        yield Reader(wire, connection.key.get_secret_value(), connection.timeout_s)


@asynccontextmanager
async def _wire(connection: Connection, kind: type[Wire]) -> AsyncIterator[Wire]:
    headers = {
        "ECI-ApiKey": connection.key.get_secret_value(),
        "Content-Type": "application/json",
        "Accept": "application/json",
        "User-Agent": f"energycap-batch-closer/{__version__}",
    }
    connect_s = min(CONNECT_TIMEOUT_S, connection.timeout_s)
    secure = connection.base_url.startswith("https:") or connection.ca_file is not None
    wire = kind(
        # No limit: there are as many connections as there are requests at once, and nobody waits for one.
        aiohttp.TCPConnector(limit=0, ssl=trust(connection.ca_file) if secure else True),
        connection.base_url,
        headers,
        aiohttp.ClientTimeout(sock_connect=connect_s),
        proxy_for(connection.base_url),
    )
    try:
        yield wire
    finally:
        await wire.close()


@lru_cache(maxsize=4)
def trust(ca_file: Path | None) -> ssl.SSLContext:
    """The system's trust roots, and those of a PEM file on top; read once, which takes its time.

    Raises ConfigurationError naming the file.
    """
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            what = error.strerror or "no certificate in PEM form"
            raise ConfigurationError(f"CA file {ca_file} can't be used: {what}") from None
    return context


def proxy_for(base_url: str) -> str | None:
    """The proxy that HTTPS_PROXY names for this host, unless NO_PROXY excepts it. Never for plain http."""
    parts = urlsplit(base_url)
    if parts.scheme != "https" or not parts.hostname:
        return None
    if urllib.request.proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    return urllib.request.getproxies().get("https")
