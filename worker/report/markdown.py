"""summary.md, from the same record and in the same words as the text summary."""

from __future__ import annotations

from collections.abc import Collection

from worker.report.advice import advice_of, counted, effort, first_ids, headline, remarks, why
from worker.report.released import whose
from worker.rules.summary import Summary, instant, printable
from worker.words.model import Outcome


def render_markdown(summary: Summary, ok: Collection[Outcome]) -> str:
    """The summary as Markdown. Untrusted text stands in code spans: no markup, HTML or links."""
    lines = [f"# Run {code(summary.run_id)}", "", " ".join(map(plain, headline(summary))), ""]
    lines += _facts(summary)
    lines += ["", "| outcome | batches | counted as fine |", "|---|--:|---|"]
    for outcome in Outcome:
        if count := summary.outcomes.get(outcome, 0):
            lines.append(f"| {outcome.value} | {count:,} | {'yes' if outcome in ok else 'no'} |")
    if summary.problems:
        lines += _problems(summary)
    if steps := advice_of(summary):
        lines += ["", "## What to do next", ""]
        lines += [f"- {plain(step.text)}{f' {code(step.command)}' if step.command else ''}" for step in steps]
    return "\n".join(lines) + "\n"


def _facts(summary: Summary) -> list[str]:
    counts = summary.input
    repeats = f"{counted(counts.duplicates, 'duplicate')}, {counts.invalid:,}"
    ended = summary.finished_at
    until = "on, and unfinished" if ended is None else f"to {instant(ended)}"
    return [
        f"- API: {code(summary.base_url)}",
        *([f"- Key: {code(whose(summary.key))}"] if summary.key else []),
        f"- From {instant(summary.started_at)} {until}; {plain(effort(summary))}.",
        f"- Input: {counted(counts.lines, 'line')}, {counted(counts.ids, 'distinct id')}, {repeats} invalid",
        *(f"- {plain(remark)}" for remark in remarks(summary)),
        f"- Exit code: {'none yet' if summary.exit_code is None else summary.exit_code}",
    ]


def _problems(summary: Summary) -> list[str]:
    lines = [
        "",
        "## Not fine, and why",
        "",
        "| batches | why | message (of one of them) | ids |",
        "|--:|---|---|---|",
    ]
    for problem in summary.problems:
        message = code(problem.message) if problem.message else ""
        lines.append(f"| {problem.count:,} | {code(why(problem))} | {message} | {first_ids(problem)} |")
    return lines


def code(text: str) -> str:
    """``text`` as a code span that also holds inside a table: what could end it is replaced."""
    inner = printable(text).replace("`", "'").replace("|", "¦").strip()
    return f"`{inner}`" if inner else ""


def plain(text: str) -> str:
    """``text`` outside a code span; only ``stopped_by`` in it is not a constant of this program."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>#|&" else char for char in printable(text, None))
