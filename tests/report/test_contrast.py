"""The page's words can be read, in light and in dark."""

from __future__ import annotations

import re
from importlib import resources

import pytest

CSS = resources.files("worker.report.page").joinpath("assets", "page.css").read_text(encoding="utf-8")
THEMES = [
    dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))
    for block in re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
]


def luminance(colour: str) -> float:
    """As WCAG 2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The ratio between two colours, from 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES, ids=["light", "dark"])
def test_contrast(theme: dict[str, str]) -> None:
    """Text has 4.5 to 1 on every ground; an outcome's dot has 1.5 to 1, for its name stands beside it."""
    for word in ("ink", "soft", "accent", "bad", "doubt"):
        for ground in ("paper", "raised"):
            assert contrast(theme[word], theme[ground]) >= 4.5, (word, ground)
    outcomes = ("closed", "already_closed", "not_found", "held", "forbidden", "rejected", "failed", "unknown")
    for outcome in (*outcomes, "not_attempted", "invalid"):
        assert contrast(theme[outcome], theme["paper"]) >= 1.5, outcome
