"""How money, instants and untrusted text are written, wherever they are shown."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache
from typing import Final

WIDE: Final = Context(prec=80, rounding=ROUND_HALF_EVEN)
"""Wide enough that no sum of running totals is ever rounded."""

_CENT: Final = Decimal("0.01")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def two_places(value: Decimal | None) -> Decimal | None:
    """``value`` with two places; None for what is no sum of money (infinite, NaN, beyond 78 digits)."""
    if value is None:
        return None
    try:
        return value.quantize(_CENT, context=WIDE) if value.is_finite() else None
    except ArithmeticError:
        return None


@lru_cache(maxsize=256)
def _second(unix_s: int) -> str:
    return (_EPOCH + timedelta(seconds=unix_s)).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")


@lru_cache(maxsize=256)
def _in_ms(unix_ms: int) -> str:
    second, ms = divmod(unix_ms, 1000)
    return f"{_second(second)}.{ms:03d}Z"


def instant(at: float) -> str:
    """A Unix time as RFC 3339 in UTC with milliseconds: ``2026-10-01T12:00:00.000Z``."""
    return _in_ms(math.floor(at * 1000 + 0.5))


def at_of(text: str) -> float:
    """The Unix time of an RFC 3339 instant. Raises ValueError if it is none."""
    return datetime.fromisoformat(text).timestamp()


def printable(text: str, limit: int | None = 200) -> str:
    """Untrusted text on one line, fit for a terminal: no control, bidi or surrogate character is left.

    White space of any kind becomes one blank, anything else that can't be printed a question mark.
    """
    line = " ".join(text.split())
    if not line.isprintable():
        line = "".join(char if char.isprintable() else "?" for char in line)
    return line if limit is None or len(line) <= limit else line[: limit - 3] + "..."
