"""How far the run had come, and how quick it was, over its working time."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from typing import Final

from markupsafe import Markup

from worker.report.page.charts.axes import base_line, columns, levels, places
from worker.report.page.svg import across, joined, px, tag, ticks
from worker.report.page.timeline import Timeline
from worker.rules.summary import Span

_TOP, _MIDDLE, _RATE_TOP, _BOTTOM, _HEIGHT = 18.0, 176.0, 206.0, 276.0, 298.0
_TIMES_S: Final = (
    *(0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0),
    *(7200.0, 10_800.0, 21_600.0, 43_200.0, 86_400.0),
)
_MOST_TIMES: Final = 8


def progress_chart(timeline: Timeline, total: int, pauses: Iterable[Span]) -> Markup:
    """Batches settled so far (a line) and per second (columns); pauses are shaded, new sessions marked.

    ``total`` is how many batches there are. Nothing where none has settled.
    """
    settled = timeline.settled
    if not settled:
        return Markup("")
    shaded = [_pause(timeline, span) for span in pauses]
    begun = [_session(start_s / timeline.span_s) for start_s in timeline.working.starts_s[1:-1]]
    took = clock(timeline.working.total_s)
    told = f"{settled:,} of {total:,} settled in {took}; {len(shaded)} pauses are shaded"
    return tag(
        "svg",
        *shaded,
        *_so_far(timeline, max(total, settled)),
        *_per_second(timeline),
        *begun,
        *places(_times(timeline), _BOTTOM + 18),
        class_="chart",
        width="100%",
        height=px(_HEIGHT),
        role="img",
        aria_label=f"Progress and rate over time: {told}.",
    )


def _so_far(timeline: Timeline, total: int) -> list[Markup]:
    values = ticks(total, 2, whole=True)
    steps = list(accumulate(timeline.counts, initial=0))
    places_ = [
        (n / len(timeline.counts) * 1000, 100 - count / values[-1] * 100) for n, count in enumerate(steps)
    ]
    line = "L".join(f"{px(x)} {y:.2f}" for x, y in places_)
    curve = (
        tag("path", d=f"M{line}L1000 100L0 100Z", class_="area"),
        tag("path", d=f"M{line}", vector_effect="non-scaling-stroke", class_="curve"),
    )
    room = {"x": "0", "width": "100%", "y": px(_TOP), "height": px(_MIDDLE - _TOP)}
    drawn = tag("svg", *curve, **room, viewBox="0 0 1000 100", preserveAspectRatio="none")
    lines = levels(values, _TOP, _MIDDLE, "settled")
    return [joined(lines[0::2]), drawn, joined(lines[1::2]), base_line(_MIDDLE)]


def _per_second(timeline: Timeline) -> list[Markup]:
    rates = [count / timeline.width_s for count in timeline.counts]
    values = ticks(max(rates), 1)
    found = columns(
        [rate / values[-1] for rate in rates],
        _RATE_TOP,
        _BOTTOM,
        "rate",
        lambda n: f"{clock(n * timeline.width_s)}: {rates[n]:,.4g} per second",
    )
    return [*levels(values, _RATE_TOP, _BOTTOM, "per second"), *found, base_line(_BOTTOM)]


def _pause(timeline: Timeline, span: Span) -> Markup:
    from_s, until_s = timeline.working.at(span.from_at), timeline.working.at(span.until_at)
    title = tag("title", f"Paused for {span.length_s:,.3g} s, {clock(from_s)} after the start")
    return tag(
        "rect",
        title,
        class_="pause",
        x=across(from_s / timeline.span_s),
        width=across(max((until_s - from_s) / timeline.span_s, 0.003)),
        y=px(_TOP - 8),
        height=px(_BOTTOM - _TOP + 8),
    )


def _session(share: float) -> Markup:
    at = across(share)
    line = tag("line", x1=at, x2=at, y1=px(_TOP - 8), y2=px(_BOTTOM), class_="session")
    return joined([line, tag("text", "resumed", x=at, y=px(_TOP - 2), dx="4", class_="value")])


def _times(timeline: Timeline) -> list[tuple[float, str]]:
    step_s = next((step for step in _TIMES_S if timeline.span_s / step <= _MOST_TIMES), timeline.span_s / 4)
    return [
        (n * step_s / timeline.span_s, clock(n * step_s))
        for n in range(int(timeline.span_s / step_s + 1e-9) + 1)
    ]


def clock(seconds: float) -> str:
    """A time after the start: ``0.5 s`` below ten seconds, ``1:05``, ``2:03:04``."""
    if seconds < 9.95:
        return f"{seconds:.3g} s" if seconds else "0"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}" if minutes < 60 else f"{minutes // 60:,}:{minutes % 60:02d}:{rest:02d}"
