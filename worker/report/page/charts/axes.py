"""What charts have in common: lines with their values, and the places under the horizontal axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import Markup

from worker.report.page.svg import across, px, tag


def levels(values: Sequence[float], top: float, bottom: float, unit: str) -> list[Markup]:
    """A thin line across at each value, the value above it; the last one is the top, and says the unit."""
    found: list[Markup] = []
    for value in values:
        y = bottom - value / values[-1] * (bottom - top)
        word = f"{value:,.10g}{f' {unit}' if value == values[-1] else ''}"
        found.append(tag("line", x1="0", x2="100%", y1=px(y), y2=px(y), class_="grid"))
        found.append(tag("text", word, x="0", y=px(y - 4), class_="value"))
    return found


def base_line(y: float) -> Markup:
    """The horizontal axis."""
    return tag("line", x1="0", x2="100%", y1=px(y), y2=px(y), class_="axis")


def places(shares: Sequence[tuple[float, str]], y: float) -> list[Markup]:
    """Words under the axis, each at its share of the width; every second one gives way where it is narrow."""
    found = []
    for number, (share, word) in enumerate(shares):
        anchor = "start" if share < 0.03 else "end" if share > 0.97 else "middle"
        kind = "place minor" if number % 2 else "place"
        found.append(tag("text", word, x=across(share), y=px(y), text_anchor=anchor, class_=kind))
    return found


def columns(
    heights: Sequence[float], top: float, bottom: float, kind: str, title: Callable[[int], str]
) -> list[Markup]:
    """Columns side by side over the whole width; ``heights`` are shares of the room, from 0 to 1."""
    width, found = 1 / max(1, len(heights)), []
    for number, height in enumerate(heights):
        if height <= 0:
            continue
        tall = max(1.0, height * (bottom - top))
        found.append(
            tag(
                "rect",
                tag("title", title(number)),
                class_=kind,
                x=across(number * width),
                width=across(width * 0.86),
                y=px(bottom - tall),
                height=px(tall),
            )
        )
    return found
