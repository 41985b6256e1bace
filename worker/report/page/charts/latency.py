"""How long the answers to closes took."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from markupsafe import Markup

from worker.report.page.charts.axes import base_line, columns, levels, places
from worker.report.page.svg import across, joined, px, tag, ticks
from worker.rules.summary import LatencyMs
from worker.rules.summary.counters import WIDTH

_TOP, _BOTTOM, _HEIGHT = 52.0, 276.0, 298.0
_FEWEST: Final = 12  # columns, so that two of them don't fill the room
_LABELS: Final = (1.0, 2.0, 5.0)


def latency_chart(buckets: Mapping[float, int], latency_ms: LatencyMs) -> Markup:
    """Answers by how long they took, on a logarithmic axis, with the median and the 99th percentile.

    ``buckets`` holds how many came within so many milliseconds, but not within the bound before.
    Nothing where there is no answer.
    """
    if not sum(buckets.values()):
        return Markup("")
    bounds = sorted(buckets)
    pad = max(0, _FEWEST - len(bounds))
    lowest = bounds[0] / WIDTH ** (1 + pad // 2)
    counts = [0] * (pad // 2) + [buckets[bound] for bound in bounds] + [0] * (pad - pad // 2)
    values = ticks(max(counts), 2, whole=True)

    def share(ms: float) -> float:
        return math.log(ms / lowest) / math.log(WIDTH) / len(counts)

    def title(number: int) -> str:
        return f"{counts[number]:,} within {milliseconds(lowest * WIDTH ** (number + 1))}"

    lines = levels(values, _TOP, _BOTTOM, "answer" if values == [1.0] else "answers")
    words = _places(lowest, lowest * WIDTH ** len(counts))
    marks = [(latency_ms.p50, "median", 12.0), (latency_ms.p99, "99 % within", 28.0)]
    told = f"{sum(counts):,} answers, {_told(latency_ms)}"
    return tag(
        "svg",
        joined(lines[0::2]),
        *columns([count / values[-1] for count in counts], _TOP, _BOTTOM, "answers", title),
        joined(lines[1::2]),
        base_line(_BOTTOM),
        *[_mark(share(ms), f"{word} {milliseconds(ms)}", y) for ms, word, y in marks if ms],
        *places([(share(ms), milliseconds(ms)) for ms in words], _BOTTOM + 18),
        class_="chart",
        width="100%",
        height=px(_HEIGHT),
        role="img",
        aria_label=f"Latency of answers: {told}.",
    )


def _mark(share: float, word: str, y: float) -> Markup:
    at, right = across(share), share > 0.6
    line = tag("line", x1=at, x2=at, y1=px(y - 9), y2=px(_BOTTOM), class_="mark")
    told = {"dx": "-5" if right else "5", "text_anchor": "end" if right else "start"}
    return joined([line, tag("text", word, x=at, y=px(y), **told, class_="marked")])


def _places(lowest: float, highest: float) -> list[float]:
    decades = range(math.floor(math.log10(lowest)), math.ceil(math.log10(highest)) + 1)
    found = [10.0**decade * label for decade in decades for label in _LABELS]
    inside = [ms for ms in found if lowest * 1.1 <= ms <= highest / 1.1]
    return inside if len(inside) <= 8 else [ms for ms in inside if f"{ms:e}".startswith("1.")]


def milliseconds(ms: float) -> str:
    """A duration: ``0.5 ms``, ``44 ms``, ``1.2 s``."""
    return f"{ms / 1000:.3g} s" if ms >= 999.5 else f"{ms:.2g} ms" if ms < 10 else f"{ms:.0f} ms"


def _told(latency_ms: LatencyMs) -> str:
    told = (("median", latency_ms.p50), ("99 % within", latency_ms.p99), ("longest", latency_ms.max))
    return ", ".join(f"{word} {milliseconds(ms)}" for word, ms in told if ms)
