"""How an end is told elsewhere: a subject, and a line for logs."""

from __future__ import annotations

from worker.rules.summary import Summary, printable
from worker.words.model import Outcome


def subject_of(api_host: str, summary: Summary, exit_code: int) -> str:
    """The subject of a message about a run, without money: subjects are seen by many."""
    return f"batch-closer at {printable(api_host)}: {line_of_end(summary, exit_code)}"


def line_of_end(summary: Summary, exit_code: int) -> str:
    """``3 closed, 1 not fine, exit code 3 (run october)``."""
    parts = [f"{summary.closed.batches:,} closed"]
    if before := summary.outcomes.get(Outcome.ALREADY_CLOSED, 0):
        parts.append(f"{before:,} closed before")
    if bad := sum(problem.count for problem in summary.problems):
        parts.append(f"{bad:,} not fine")
    if summary.stopped is not None:
        parts.append(f"stopped early ({summary.stopped})")
    return f"{', '.join(parts)}, exit code {exit_code} (run {printable(summary.run_id)})"
