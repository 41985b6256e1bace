"""The record as a page of Markdown: a table for each part, and the goals beneath it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from statistics import median

from tests.bench import goals
from tests.bench.contenders import BARE
from tests.bench.figures import Asked, Entry, Kept, Record, Size, Start, ratio_of, start_times
from tests.bench.goals import Check
from tests.bench.parts.starts import LIBRARIES

TITLE = "# What a close costs, measured"
INTRODUCTION = """\
Written by `make bench` (`python -m tests.bench`). Ratios within this page last; the figures are of one
machine on one day. Each contender is a process of its own on one core, the server has the other. Rounds
are interleaved; figures are medians, ratios the median of the rounds' own, and goals are judged by them. Of a
library the closes are timed without its start, of a command with it. CPU and peak memory are what the
operating system counted; where the machine was not quiet, the CPU of a close says more than its time, and the
quickest rounds say more than the median."""

SIZES = """\
`batch-closer close FILE --no-snapshot` from its start to its end, reports and all. What a run of one
id takes is taken off before anything is divided among the ids. Figures are means: a large run is stopped
every 20 s for small ones, so that the good and the bad minutes of the machine are in all of them;
± is the standard error, of the million's one run unknown."""


def page(record: Record) -> str:
    """The whole of it; parts that were not measured are left out."""
    parts = [TITLE, INTRODUCTION, _machine(record)]
    if record.closes:
        parts += ["## Closing the same batches", _closes(record.closes, record.floor_mib)]
        parts += [*_skipped(record.closes), _list(goals.of_closes(record.closes))]
    if record.sizes:
        parts += ["## From one id to a million", SIZES, _sizes(record.sizes)]
        parts += [_list(goals.of_sizes(record.sizes))]
    if record.rates:
        parts += ["## Rates", _rates(record.rates), _list(goals.of_rates(record.rates))]
    if record.asked:
        parts += ["## Requests for a close", _asked(record.asked)]
    if record.starts:
        parts += ["## Starting", _starts(record.starts), _list(goals.of_starts(record.starts))]
    parts += [f"Not measured: {part}. {why}" for part, why in record.failed.items()]
    return "\n\n".join(parts) + "\n"


def _machine(record: Record) -> str:
    return "\n".join(f"- {name}: {what}" for name, what in record.machine.items())


def _closes(entries: Sequence[Entry], floor_mib: float) -> str:
    measured = [entry for entry in entries if entry.rounds]
    bare = next((entry for entry in measured if entry.key == BARE), None)
    heads = (
        "contender",
        "closes",
        "µs a close",
        "lowest to highest",
        "to bare aiohttp",
        "CPU µs",
        "peak MiB",
    )
    return _table(
        heads,
        (
            (
                entry.title,
                f"{entry.closes:,}",
                f"{median(entry.each_s) * 1e6:,.0f}",
                f"{min(entry.each_s) * 1e6:,.0f} to {max(entry.each_s) * 1e6:,.0f}",
                f"{ratio_of(entry, bare).time:.2f}" if bare else "",
                f"{median(entry.each_cpu_s) * 1e6:,.0f}",
                _mib(median(cost.peak_mib for cost in entry.rounds), floor_mib),
            )
            for entry in measured
        ),
    )


def _mib(peak: float, floor_mib: float) -> str:
    """A process begins as a copy of the harness: what is no larger than that may be smaller."""
    return f"{peak:.0f}" if peak > floor_mib + 0.5 else f"at most {peak:.0f}"


def _skipped(entries: Sequence[Entry]) -> Iterator[str]:
    skipped = [f"- {entry.title}: {entry.skipped}" for entry in entries if entry.skipped]
    if skipped:
        yield "\n".join(["Left out:", "", *skipped])


def _sizes(sizes: Sequence[Size]) -> str:
    one = next((size for size in sizes if size.ids == 1), None)
    heads = ("ids", "rounds", "whole process, s", "µs an id", "CPU s", "CPU µs an id", "peak MiB")
    return _table(
        heads,
        (
            (
                f"{size.ids:,}",
                str(len(size.rounds)),
                f"{size.whole_s:.2f}",
                _each(size, one) if one and size.ids > 1 else "",
                f"{size.cpu_s:.2f}",
                f"{size.each_cpu_s(one) * 1e6:,.0f}" if one and size.ids > 1 else "",
                f"{size.peak_mib:.0f}",
            )
            for size in sizes
        ),
    )


def _each(size: Size, one: Size) -> str:
    error_s = size.each_error_s(one)
    return f"{size.each_s(one) * 1e6:,.0f}" + ("" if error_s is None else f" ± {error_s * 1e6:,.0f}")


def _rates(rates: Sequence[Kept]) -> str:
    heads = (
        "asked a second",
        "requests",
        "reached",
        "of it",
        "busiest second",
        "allowed",
        "of a core",
        "CPU s, start included",
    )
    return _table(
        heads,
        (
            (
                f"{kept.rate_per_s:g}",
                f"{kept.requests:,}",
                f"{kept.reached_per_s:.2f}",
                f"{kept.used:.2%}",
                str(kept.busiest),
                str(kept.allowed),
                f"{kept.cpu:.1%}",
                f"{kept.cpu_s:.2f}",
            )
            for kept in rates
        ),
    )


def _asked(asked: Sequence[Asked]) -> str:
    routes = sorted({route for each in asked for route in each.by_route})
    return _table(
        ("batches", "looked at", *routes, "requests a close"),
        (
            (
                f"{each.batches:,}",
                "before and after" if each.snapshot else "no",
                *(f"{each.by_route.get(route, 0):,}" for route in routes),
                f"{each.each:.3f}",
            )
            for each in asked
        ),
    )


def _starts(starts: Sequence[Start]) -> str:
    libraries = next(start for start in starts if start.key == LIBRARIES)
    return _table(
        ("command", "ms", "to aiohttp and pydantic", "modules loaded"),
        (
            (
                start.title,
                f"{start.seconds * 1000:.0f}",
                f"{start_times(start, libraries):.2f}",
                str(start.modules),
            )
            for start in starts
        ),
    )


def _list(checks: Iterable[Check]) -> str:
    return "\n".join(["Goals:", "", *(f"- {check}" for check in checks)])


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table that is as good to read before it is rendered: columns aligned, numbers to the right."""
    body = [tuple(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(heads, *body, strict=True)]
    lines = [_line(heads, widths), f"|-{'-|-'.join('-' * width for width in widths)}-|"]
    return "\n".join(lines + [_line(row, widths) for row in body])


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (
        cell.rjust(width) if number and cell[:1].isdigit() else cell.ljust(width)
        for number, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return f"| {' | '.join(cells)} |"
