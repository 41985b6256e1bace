"""When to give a run up: the grammar of --abort and the count behind each rule."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from worker.words.errors import ConfigurationError
from worker.words.model import Outcome

DEFAULT_RULES = ("failed=20%/50", "same=20")
GRAMMAR = "failed=N, failed=P%/MIN, not_found=N, not_found=P%/MIN, same=N or none"
REMEMBERED = 20
"""So many batch ids are remembered for each kind of rule."""
_RULE = re.compile(r"(failed|not_found|same)=(?:([0-9]{1,9})|([0-9]{1,3}(?:\.[0-9]+)?)%/([0-9]{1,9}))")
_COUNTED = {
    "failed": frozenset({Outcome.FAILED, Outcome.UNKNOWN, Outcome.REJECTED, Outcome.FORBIDDEN}),
    "not_found": frozenset({Outcome.NOT_FOUND}),
}


_KINDS = {
    outcome: tuple(kind for kind, outcomes in _COUNTED.items() if outcome in outcomes) for outcome in Outcome
}


class AbortRule(NamedTuple):
    """One rule: a number, or a share in percent once so many are settled."""

    text: str
    kind: str  # failed, not_found or same
    number: int | None = None
    percent: float | None = None
    minimum: int = 0


def parse_rules(texts: Iterable[str]) -> tuple[AbortRule, ...]:
    """Read --abort rules; ``none`` stands alone and means no rule.

    Raises ConfigurationError, naming the rule and the grammar.
    """
    words = [text.strip() for text in texts]
    if words == ["none"]:
        return ()
    return tuple(_parse(word) for word in words)


def _parse(text: str) -> AbortRule:
    match = _RULE.fullmatch(text)
    if match is None:
        mend = "none stands alone" if text == "none" else f"write {GRAMMAR}"
        raise ConfigurationError(f"abort rule {text!r} can't be used: {mend}")
    kind, count, percent, minimum = match.groups()
    if count is not None:
        if int(count) == 0:
            raise ConfigurationError(f"abort rule {text!r} can't be used: N is 1 or more")
        return AbortRule(text, kind, number=int(count))
    if kind == "same" or float(percent) > 100:
        raise ConfigurationError(f"abort rule {text!r} can't be used: write {GRAMMAR}, P at most 100")
    return AbortRule(text, kind, percent=float(percent), minimum=max(int(minimum), 1))


class Fired(NamedTuple):
    """The rule that fired, and the last batches that made it fire."""

    rule: str
    batch_ids: tuple[int, ...]


class Counts(NamedTuple):
    """What the rules look at; a held batch counts for nothing."""

    settled: int = 0
    failed: int = 0  # failed, unknown, rejected or forbidden
    not_found: int = 0
    in_a_row: int = 0  # with the same outcome and reason, none of them fine


def kinds_of(outcome: Outcome) -> tuple[str, ...]:
    """The kinds of rules, apart from ``same``, that count this outcome."""
    return _KINDS[outcome]


def firing(rules: Iterable[AbortRule], counts: Counts) -> AbortRule | None:
    """The first rule that fires at these counts, whoever counted."""
    return next((rule for rule in rules if _fires(rule, counts)), None)


def _fires(rule: AbortRule, counts: Counts) -> bool:
    if rule.kind == "same":
        return rule.number is not None and counts.in_a_row >= rule.number
    counted = counts.failed if rule.kind == "failed" else counts.not_found
    if rule.number is not None:
        return counted >= rule.number
    percent = rule.percent or 0.0
    return counts.settled >= rule.minimum and counted > 0 and counted * 100 >= percent * counts.settled


@dataclass(slots=True)
class AbortWatch:
    """Counts settled batches against the rules. One per run; its counts are small and its own."""

    rules: tuple[AbortRule, ...]
    ok: frozenset[Outcome]
    settled: int = 0
    _counts: dict[str, int] = field(default_factory=lambda: {"failed": 0, "not_found": 0})
    _ids: dict[str, list[int]] = field(default_factory=lambda: {"failed": [], "not_found": [], "same": []})
    _last: tuple[Outcome, str | None] | None = None
    _in_a_row: int = 0

    def settle(self, batch_id: int, outcome: Outcome, reason: str | None) -> Fired | None:
        """Count one settled batch, in the order they settle; the rule that now fires, if any.

        A held batch counts for nothing: that the run keeps its own rules is no sign of trouble.
        """
        if outcome is Outcome.HELD:
            return None
        self.settled += 1
        for kind in kinds_of(outcome):
            self._counts[kind] += 1
            self._remember(kind, batch_id)
        self._count_row(batch_id, outcome, reason)
        if not self._in_a_row and not any(self._counts.values()):
            return None
        counts = Counts(self.settled, self._counts["failed"], self._counts["not_found"], self._in_a_row)
        rule = firing(self.rules, counts)
        return None if rule is None else Fired(rule.text, tuple(self._ids[rule.kind]))

    def _count_row(self, batch_id: int, outcome: Outcome, reason: str | None) -> None:
        if outcome in self.ok:
            if self._in_a_row:
                self._last, self._in_a_row = None, 0
            return
        if (outcome, reason) != self._last:
            self._last, self._in_a_row = (outcome, reason), 0
            self._ids["same"].clear()
        self._in_a_row += 1
        self._remember("same", batch_id)

    def _remember(self, kind: str, batch_id: int) -> None:
        ids = self._ids[kind]
        ids.append(batch_id)
        del ids[:-REMEMBERED]
