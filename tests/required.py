"""Servers that tests talk to: what is not there skips its tests by name, except where CI asks for all."""

from __future__ import annotations

import os
import socket
from random import Random
from typing import Final, NoReturn

import pytest

_PORTS: Final = (15_000, 32_000)
"""Below what systems give to clients: a port from there may be taken while its server is away."""


def missing(what: str) -> NoReturn:
    """Skip for this reason; with ``REQUIRE_BROKERS`` set, fail for it."""
    if os.environ.get("REQUIRE_BROKERS"):
        pytest.fail(what)
    pytest.skip(what)


def own_port() -> int:
    """A port of this machine that a server may come back to."""
    rng = Random()
    while True:
        port = rng.randrange(*_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
