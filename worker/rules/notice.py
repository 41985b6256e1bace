"""Whether anyone is told how a run ended: a decision from how it ended, and how the one before it did."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from worker.rules.summary import Summary
from worker.words.model import Outcome


class When(StrEnum):
    """When people are told of an end."""

    FAILURE = "failure"  # the exit code is not 0
    ALWAYS = "always"
    CHANGE = "change"  # the exit code or the outcomes are others than those of the run before


class End(NamedTuple):
    """How a run ended: its exit code, and which outcomes there were, whatever their counts."""

    exit_code: int
    outcomes: frozenset[Outcome] = frozenset()

    @classmethod
    def of(cls, summary: Summary, exit_code: int) -> End:
        """The end that a summary tells of."""
        return cls(exit_code, frozenset(outcome for outcome, count in summary.outcomes.items() if count))


def is_due(when: When, now: End, before: End | None) -> bool:
    """Whether the end ``now`` is to be told; ``before`` is None where nothing ended before it.

    The first end of all is a change, so that whoever sets it up sees that it works.
    """
    match when:
        case When.ALWAYS:
            return True
        case When.FAILURE:
            return now.exit_code != 0
        case When.CHANGE:
            return now != before
