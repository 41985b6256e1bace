"""Where a queue is, and its name: ``redis://HOST:PORT/DB?queue=NAME``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from worker.words.errors import ConfigurationError

SCHEMES: Final = ("redis", "rediss", "valkey", "valkeys", "unix", "redis+unix", "valkey+unix")
DEFAULT_NAME: Final = "batch-closer"
_TO_REDIS: Final = {"valkey": "redis", "valkeys": "rediss", "redis+unix": "unix", "valkey+unix": "unix"}
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
_PASSED_ON: Final = frozenset({"db", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile"})


@dataclass(frozen=True, slots=True)
class Address:
    """A store, and the queue's name in it."""

    url: str = field(repr=False)  # as redis-py takes it; it may hold a password
    name: str
    shown: str  # without user and password
    what: str = "queue"  # or limiter: what the store is here for, as errors and the log call it


def parse_address(text: str, what: str = "queue") -> Address:
    """Read the address of a queue or limiter. Raises ConfigurationError, never with a password in it."""
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        raise ConfigurationError(f"the {what}'s address can't be used: it is no URL") from None
    scheme = parts.scheme.casefold()
    host = parts.netloc.rpartition("@")[2]
    shown = f"{scheme}://{host}{parts.path}"
    if scheme not in SCHEMES:
        raise ConfigurationError(f"{what} {shown} can't be used: write redis://HOST:PORT/DB")
    if not parts.path if "unix" in scheme else not parts.hostname:
        raise ConfigurationError(
            f"{what} {shown} can't be used: it names no {'socket' if not host else 'host'}"
        )
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    name = given.pop("queue", DEFAULT_NAME) if what == "queue" else DEFAULT_NAME
    if _NAME.fullmatch(name) is None:
        raise ConfigurationError(
            f"{what} {shown} can't be used: its name is up to 100 letters, digits, '.', '_' and '-'"
        )
    if unknown := sorted(set(given) - _PASSED_ON):
        raise ConfigurationError(
            f"{what} {shown} can't be used: parameter {unknown[0]!r} is not known; "
            f"known are {', '.join([*(['queue'] if what == 'queue' else []), *sorted(_PASSED_ON)])}"
        )
    if "unix" not in scheme and parts.path.strip("/") and not parts.path.strip("/").isdigit():
        named = ", and the queue's name is a parameter: redis://HOST/0?queue=NAME" if what == "queue" else ""
        raise ConfigurationError(
            f"{what} {shown} can't be used: after the host comes a database's number{named}"
        )
    del port  # asked for only to see whether it is one
    url = urlunsplit((_TO_REDIS.get(scheme, scheme), parts.netloc, parts.path, urlencode(given), ""))
    return Address(url, name, shown if name == DEFAULT_NAME else f"{shown}?queue={name}", what)
