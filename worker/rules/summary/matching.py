"""Which problem of a summary a result was counted in."""

from __future__ import annotations

from collections.abc import Sequence

from worker.rules.summary.forms import printable
from worker.rules.summary.problems import Kind, Problem, kind_of, shape_of
from worker.words.model import Outcome, Result


class Matcher:
    """Finds the place in ``problems`` of the group that a result belongs to.

    A closed batch that was not closed when it was read again is found by its id, so only among the first.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self._by_kind: dict[Kind, dict[str, int]] = {}
        self._disproved: dict[int, int] = {}
        for place, problem in enumerate(problems):
            if problem.outcome is Outcome.CLOSED:
                self._disproved |= dict.fromkeys(problem.first_ids, place)
                continue
            shapes = self._by_kind.setdefault(_kind(problem), {})
            shapes[shape_of(problem.outcome, problem.message)] = place

    def place_of(self, result: Result) -> int | None:
        """The place of the result's group; None where the result ended fine."""
        if result.outcome is Outcome.CLOSED:
            return self._disproved.get(result.batch_id or 0)
        shapes = self._by_kind.get(kind_of(result.outcome, result.reason, result.http_status))
        if shapes is None:
            return None
        if len(shapes) == 1:  # also where there were too many shapes to be told apart
            return next(iter(shapes.values()))
        message = printable(result.message) if result.message else None
        return shapes.get(shape_of(result.outcome, message))


def _kind(problem: Problem) -> Kind:
    return kind_of(problem.outcome, problem.reason, problem.http_status)
