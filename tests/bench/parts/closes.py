"""The contenders against each other: every round has each of them once, there and back again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tests.bench.contenders import Contender
from tests.bench.costs import Cost, FailedError
from tests.bench.figures import Entry
from tests.bench.stand import Amount, Stand, say

WARM_UP = 50


def measure(stand: Stand, amount: Amount, contenders: Sequence[Contender]) -> tuple[Entry, ...]:
    """An entry for each; a contender that fails once is out, and its entry says why."""
    entries = {each.key: _entry(stand, amount, each) for each in contenders}
    rounds: dict[str, list[Cost]] = {key: [] for key in entries}
    for number in range(amount.rounds + 1):  # the first warms up: files, caches, compiled modules
        for each in contenders if number % 2 else tuple(reversed(contenders)):
            entry = entries[each.key]
            if entry.skipped is not None:
                continue
            try:
                closes = entry.closes if number else min(entry.closes, WARM_UP)
                cost = stand.closing(each.command, closes, tells=each.in_python)
            except FailedError as error:
                entries[each.key] = replace(entry, skipped=f"failed: {error}")
                say(f"{each.title}: {error}")
                continue
            if number:
                rounds[each.key].append(cost)
                say(f"round {number}: {each.title}: {cost.seconds / closes * 1e6:,.0f} µs a close")
    return tuple(
        entry if entry.skipped else replace(entry, rounds=tuple(rounds[key]))
        for key, entry in entries.items()
    )


def _entry(stand: Stand, amount: Amount, contender: Contender) -> Entry:
    closes = max(int(amount.closes * contender.share), 1)
    skipped = contender.lacks()
    if skipped is None and contender.shut_in:
        skipped = stand.open_why
    return Entry(key=contender.key, title=contender.title, closes=closes, skipped=skipped)
