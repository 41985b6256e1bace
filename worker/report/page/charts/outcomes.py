"""How the batches ended, as one bar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from markupsafe import Markup

from worker.report.page.svg import across, px, tag
from worker.words.model import Outcome

_HEIGHT: Final = 14
_LEAST: Final = 0.006  # of the width, so that one batch in ten thousand is still seen


def outcome_bar(outcomes: Mapping[Outcome, int]) -> Markup:
    """A stretch for each outcome that occurred, in the order of the outcomes; nothing where there is none."""
    found = [(outcome, outcomes[outcome]) for outcome in Outcome if outcomes.get(outcome)]
    if not found:
        return Markup("")
    total = sum(count for _, count in found)
    shares = [max(count / total, _LEAST) for _, count in found]
    stretches, at = [], 0.0
    for (outcome, count), share in zip(found, shares, strict=True):
        width = share / sum(shares)
        title = tag("title", f"{outcome.value}: {count:,}")
        stretches.append(
            tag(
                "rect",
                title,
                class_=f"fill-{outcome.value}",
                x=across(at),
                width=across(width),
                height=px(_HEIGHT),
            )
        )
        at += width
    told = ", ".join(f"{count:,} {outcome.value}" for outcome, count in found)
    head = {"width": "100%", "height": px(_HEIGHT), "role": "img"}
    return tag("svg", *stretches, class_="bar", **head, aria_label=f"Outcomes: {told}")
