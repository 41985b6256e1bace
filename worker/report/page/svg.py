"""Pieces of inline SVG. A chart is drawn in percent across and pixels down, so that its text never scales."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from markupsafe import Markup, escape

_NICE: Final = (1.0, 2.0, 2.5, 5.0, 10.0)


def tag(name: str, *inside: str, **attributes: object) -> Markup:
    """An element. Everything handed in is escaped, unless it is Markup; ``_`` in a name stands for ``-``."""
    told = ((key.strip("_").replace("_", "-"), value) for key, value in attributes.items())
    head = "".join(f' {key}="{escape(value)}"' for key, value in told if value is not None)
    return Markup(f"<{name}{head}>{joined(inside)}</{name}>")  # noqa: S704 - its parts are escaped


def joined(parts: Iterable[str]) -> Markup:
    """Parts, one after another."""
    return Markup("").join(parts)


def across(share: float) -> str:
    """A place or a width across the chart, from 0 to 1."""
    return f"{min(max(share, 0.0), 1.0) * 100:.2f}%"


def px(value: float) -> str:
    """A length in pixels, as short as it can be written."""
    return f"{value:.1f}".rstrip("0").rstrip(".")


def nice_step(highest: float, most: int) -> float:
    """A round step, of which at most ``most`` reach ``highest``."""
    if not highest > 0 or math.isinf(highest):
        return 1.0
    rough = highest / most
    decade = 10.0 ** math.floor(math.log10(rough))
    return next((decade * nice for nice in _NICE if decade * nice >= rough * 0.999_999), decade * 10)


def ticks(highest: float, most: int, *, whole: bool = False) -> list[float]:
    """Round values above 0, the last one not below ``highest``; ``whole``: without fractions."""
    step = nice_step(highest, most)
    step = max(1.0, math.ceil(step)) if whole else step
    return [step * n for n in range(1, max(1, math.ceil(highest / step - 1e-9)) + 1)]
