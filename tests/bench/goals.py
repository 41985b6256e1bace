"""The goals, each beside what was measured of it: met, not met, or not measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tests.bench.contenders import BARE, OURS, REQUESTS, SDK, WITHOUT_LEDGER
from tests.bench.figures import Entry, Kept, Ratio, Size, Start, ratio_of, start_times
from tests.bench.parts.starts import CLICK, HELP, LIBRARIES, ONE, ONE_LOOKED_AT

MILLION = 1_000_000


class Check(NamedTuple):
    """A goal and the figure; ``met`` is None where it was not measured."""

    goal: str
    figure: str
    met: bool | None

    def __str__(self) -> str:
        verdict = {True: "met", False: "**not met**", None: "not measured"}[self.met]
        return f"{self.goal}: {self.figure}{', ' if self.figure else ''}{verdict}"


def at_most(goal: str, most: float, figure: float | None, unit: str = " times") -> Check:
    """A figure that must not be larger."""
    return Check(goal, "", None) if figure is None else Check(goal, f"{figure:.2f}{unit}", figure <= most)


def at_least(goal: str, least: float, figure: float | None, unit: str = " times") -> Check:
    """A figure that must not be smaller."""
    return Check(goal, "", None) if figure is None else Check(goal, f"{figure:.2f}{unit}", figure >= least)


def of_closes(entries: Sequence[Entry]) -> Iterator[Check]:
    """Everything on, against the bare pool and against what people use."""
    measured = {entry.key: entry for entry in entries if entry.rounds}

    def against(key: str, other: str) -> Ratio | None:
        return ratio_of(measured[key], measured[other]) if {key, other} <= set(measured) else None

    def fastest(keys: Iterable[str]) -> Ratio | None:
        return min((ratio for key in keys if (ratio := against(key, OURS)) is not None), default=None)

    yield _most("everything on takes at most 1.25 times the bare aiohttp pool", 1.25, against(OURS, BARE))
    yield _least("at least 10 times as fast as the official SDK, the faster way", 10, fastest(SDK))
    yield _least("at least 5 times as fast as requests in threads", 5, against(REQUESTS, OURS))
    yield _most("the ledger makes it at most 1.15 times", 1.15, against(OURS, WITHOUT_LEDGER))


def _most(goal: str, most: float, ratio: Ratio | None) -> Check:
    return at_most(goal, most, ratio and ratio.time, f" times{_more(ratio)}")


def _least(goal: str, least: float, ratio: Ratio | None) -> Check:
    return at_least(goal, least, ratio and ratio.time, f" times{_more(ratio)}")


def _more(ratio: Ratio | None) -> str:
    if ratio is None:
        return ""
    quickest = "" if ratio.quickest is None else f", {ratio.quickest:.2f} between the quickest rounds"
    return f" ({ratio.cpu:.2f} in CPU{quickest})"


def of_sizes(sizes: Sequence[Size]) -> Iterator[Check]:
    """A million ids against fewer."""
    by_ids = {size.ids: size for size in sizes}
    one, thousand, ten_thousand = (by_ids.get(ids) for ids in (1, 1_000, 10_000))
    million = by_ids.get(MILLION)
    slower = peak = more = None
    if million and one and thousand:
        slower = Ratio(
            million.each_s(one) / thousand.each_s(one), million.each_cpu_s(one) / thousand.each_cpu_s(one)
        )
    if million:
        peak = million.peak_mib
    if million and ten_thousand:
        more = million.peak_mib - ten_thousand.peak_mib
    yield _most("a close of a million takes at most 1.1 times one of a thousand", 1.1, slower)
    yield at_most("a million ids take under 120 MiB", 120, peak, " MiB")
    yield at_most("and at most 30 MiB more than 10,000", 30, more, " MiB")


def of_rates(rates: Sequence[Kept]) -> Iterator[Check]:
    """Rates reached, and never exceeded."""
    slow = [kept for kept in rates if kept.rate_per_s <= 200]
    by_rate = {kept.rate_per_s: kept for kept in rates}
    used = min((kept.used for kept in slow), default=None)
    fast, fifty = by_rate.get(1000.0), by_rate.get(50.0)
    yield at_least("up to 200 a second at least 99.5 % used", 99.5, _percent(used), " %")
    yield at_least("at 1000 a second at least 99 %", 99, _percent(fast.used if fast else None), " %")
    over = [kept for kept in rates if kept.busiest > kept.allowed]
    told = ", ".join(f"{kept.busiest} at {kept.rate_per_s:g}" for kept in over) or "never more"
    yield Check(
        "never more than rate and burst, and 1 %, in a second",
        told if rates else "",
        not over if rates else None,
    )
    yield at_most("at 50 a second under 8 % of a core", 8, _percent(fifty.cpu if fifty else None), " %")


def of_starts(starts: Sequence[Start]) -> Iterator[Check]:
    """The help and a run of one batch."""
    by_key = {start.key: start for start in starts}

    def against(key: str, base: str) -> float | None:
        return start_times(by_key[key], by_key[base]) if {key, base} <= set(by_key) else None

    yield at_most("`--help` within 2 times of importing click", 2, against(HELP, CLICK))
    one, looked_at = against(ONE, LIBRARIES), against(ONE_LOOKED_AT, LIBRARIES)
    yield at_most("a run of one batch under 3 times of importing aiohttp and pydantic", 3, one)
    yield at_most("the same, looked at before and after", 3, looked_at)


def _percent(share: float | None) -> float | None:
    return None if share is None else share * 100
