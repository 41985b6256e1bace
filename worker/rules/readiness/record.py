"""A check and what all of them mean together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from worker.rules.summary.forms import instant, printable

_MOST_SERIOUS_FIRST: Final = (2, 5, 75, 1, 3)


class CheckState(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"  # a close can be begun, but somebody should look at this
    FAILED = "failed"
    SKIPPED = "skipped"  # it can't be made, mostly because an earlier one failed


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. All of its text is fit to be shown."""

    name: str  # a stable snake_case word
    state: CheckState
    found: str
    remedy: str | None = None
    exit_code: int = 0  # what the command ends with where this failed, as far as it goes


def ok(name: str, found: str) -> Check:
    """All is well."""
    return Check(name, CheckState.OK, printable(found, None))


def warning(name: str, found: str, remedy: str) -> Check:
    """Worth a look."""
    return Check(name, CheckState.WARNING, printable(found, None), printable(remedy, None))


def failed(name: str, found: str, remedy: str, exit_code: int = 3) -> Check:
    """A close should not be begun."""
    return Check(name, CheckState.FAILED, printable(found, None), printable(remedy, None), exit_code)


def skipped(name: str, found: str) -> Check:
    """Not looked at; ``found`` says why."""
    return Check(name, CheckState.SKIPPED, printable(found, None))


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """All checks, in the order in which they build on each other."""

    base_url: str
    checked_at: float
    checks: tuple[Check, ...]

    @property
    def exit_code(self) -> int:
        """0 where nothing failed, else that of the most serious failure: configuration, API, lock, disk."""
        codes = {check.exit_code for check in self.checks if check.state is CheckState.FAILED}
        return next((code for code in _MOST_SERIOUS_FIRST if code in codes), 0)

    @property
    def counts(self) -> dict[CheckState, int]:
        """How many checks ended in each state, zeros left out."""
        counted = Counter(check.state for check in self.checks)
        return {state: counted[state] for state in CheckState if counted[state]}

    def to_json_dict(self) -> dict[str, Any]:
        """As ``check --json`` prints it."""
        return {
            "base_url": self.base_url,
            "checked_at": instant(self.checked_at),
            "exit_code": self.exit_code,
            "checks": [
                {"name": each.name, "state": each.state.value, "found": each.found, "remedy": each.remedy}
                for each in self.checks
            ],
        }
