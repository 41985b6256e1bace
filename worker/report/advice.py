"""What a summary says in words, the same in every report: what was closed, and what to do next."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from worker.rules.summary import Problem, Summary, printable
from worker.words.model import WORTH_RETRYING, Outcome, Stopped


class Advice(NamedTuple):
    """A next step, and the command for it where there is one."""

    text: str
    command: str | None = None


_SHOWN_IDS: Final = 10
_WHY_STOPPED: Final = {
    Stopped.DEADLINE: "the deadline passed",
    Stopped.ABORT: "an abort rule fired",
    Stopped.KEY: "the API refused the key",
    Stopped.UNREACHABLE: "the API could not be reached",
    Stopped.SIGNAL: "it was told to",
    Stopped.DISK: "the ledger could not be written",
    Stopped.QUEUE: "the queue could not be used any more",
}
_BEFORE_RESUMING: Final = {
    Stopped.ABORT: "Find out what went wrong (log.jsonl has every answer), then continue:",
    Stopped.DEADLINE: "Continue, with a later --deadline if this one is too early again:",
    Stopped.KEY: "Give a valid key for this base URL (ENERGYCAP_API_KEY or the key file), then continue:",
    Stopped.UNREACHABLE: "Check the base URL, the network and the proxy settings, then continue:",
    Stopped.DISK: "Put right what kept the ledger from being written, then continue:",
    Stopped.QUEUE: "Put the queue's broker right, then continue:",
}
_PER_OUTCOME: Final = {
    Outcome.CLOSED: "look at these in EnergyCAP; they were closed, and are not when they are read again.",
    Outcome.NOT_FOUND: "check these ids; the API knows no such batch, at least not for this key.",
    Outcome.HELD: "look at these batches in EnergyCAP; a guard kept them from being closed.",
    Outcome.FORBIDDEN: "have their owner close them, or use the key of a user who may.",
    Outcome.REJECTED: "put right in EnergyCAP what the message says, then close them again.",
    Outcome.UNKNOWN: "these may be closed by now or not; run them again, or look in EnergyCAP.",
    Outcome.INVALID: "these input lines are no batch ids; results.jsonl names file and line.",
}
_BY_A_COMMAND: Final = {  # which is a step of its own
    Outcome.FAILED: "run them again; a read shows them not closed.",
    Outcome.NOT_ATTEMPTED: "continue the run, or run them again; nothing was sent for them.",
}


def counted(n: int, word: str) -> str:
    """``1 batch``, ``1,200 batches``."""
    plural = f"{word}es" if word.endswith("ch") else f"{word}s"
    return f"{n:,} {word if n == 1 else plural}"


def headline(summary: Summary, *, under_way: bool = False) -> list[str]:
    """The first sentences of any report; ``under_way``: somebody works on the run right now."""
    total, closed = sum(summary.outcomes.values()), summary.closed
    lines = []
    if closed.batches:
        what = f"{counted(closed.batches, 'batch')}: {counted(closed.bills, 'bill')}"
        lines.append(f"Closed {what}, {closed.running_total:,.2f} in total.")
        if summary.untold:
            lines.append(f"Of {counted(summary.untold, 'batch')} the API told no bills or no total.")
    else:
        lines.append("Closed no batch." if total else "Nothing to do: there is no batch to close.")
    lines += proof(summary)
    if before := summary.outcomes.get(Outcome.ALREADY_CLOSED, 0):
        lines.append(f"{before:,} {'was' if before == 1 else 'were'} closed before this run.")
    if summary.stopped is not None:
        lines.append(f"Stopped early: {stopped(summary)}.")
    left = summary.unsettled if summary.is_unfinished else 0
    if summary.is_unfinished:
        lines.append(unfinished(summary, under_way=under_way))
    if bad := sum(problem.count for problem in summary.problems) - left:
        lines.append(f"{bad:,} of {total:,} did not end fine.")
    elif total and not summary.is_unfinished:
        lines.append("Everything ended fine." if total > 1 else "It ended fine.")
    return lines


def unfinished(summary: Summary, *, under_way: bool = False) -> str:
    """How far a run is that has not come to its end."""
    left, total = summary.unsettled, sum(summary.outcomes.values())
    how = "Unfinished" if summary.sessions else "Not begun"
    if under_way or summary.queue is not None:
        how = "Under way"
    if not left:
        return f"{how}: everything is settled, and its files are still to be written."
    return f"{how}: {left:,} of {total:,} {'is' if left == 1 else 'are'} not settled."


def proof(summary: Summary) -> list[str]:
    """What reading again showed of the batches that were closed; nothing where none was read."""
    if summary.verified is None or not summary.verified.batches:
        return []
    (read, disagreeing), closed = summary.verified, summary.closed.batches
    if disagreeing:
        are = "is" if disagreeing == 1 else "are"
        return [f"Read again afterwards, {disagreeing:,} of {read:,} {are} NOT closed."]
    if read < closed:
        return [f"Read again afterwards, {read:,} of the {closed:,} are closed; the rest could not be read."]
    return [f"Read again afterwards, {'it is' if read == 1 else f'all {read:,} are'} closed."]


def stopped(summary: Summary) -> str:
    """Why a run was stopped: ``the deadline passed (deadline=60)``; nothing for one that was not."""
    return "" if summary.stopped is None else f"{_WHY_STOPPED[summary.stopped]}{_stopped_by(summary)}"


def _stopped_by(summary: Summary) -> str:
    ids, more = summary.stopped_by_ids[:10], ", ..." if len(summary.stopped_by_ids) > 10 else ""
    batches = f"at {'batch' if len(ids) == 1 else 'batches'} {', '.join(map(str, ids))}{more}" if ids else ""
    by = "; ".join(part for part in (printable(summary.stopped_by or ""), batches) if part)
    return f" ({by})" if by else ""


def remarks(summary: Summary) -> list[str]:
    """What else is worth a line: what guards warned of."""
    lines = []
    if summary.warnings:
        lines.append(f"Warned of: {by_guard(summary.warnings)}.")
    return lines


def by_guard(counts: Mapping[str, int]) -> str:
    """``flags 3, empty 1``, the most first."""
    most_first = sorted(counts.items(), key=lambda each: -each[1])
    return ", ".join(f"{printable(name, 40)} {count:,}" for name, count in most_first)


def advice_of(summary: Summary, state: Path | None = None, *, under_way: bool = False) -> list[Advice]:
    """The next steps, the most useful first; ``state`` is the state folder where commands have to name it."""
    where = "" if state is None else f" --state {quoted(str(state))}"
    troubled = {problem.outcome for problem in summary.problems}
    steps = []
    resume = f"batch-closer resume {quoted(summary.run_id)}{where}"
    if summary.is_unfinished:
        # What was cut off is looked up by then: nobody has to.
        troubled -= {Outcome.UNKNOWN}
        steps.append(_onwards(summary, resume, under_way=under_way))
    elif summary.stopped is not None:
        text = _BEFORE_RESUMING.get(summary.stopped, "Continue where it stopped:")
        if summary.queue is not None:
            resume = f"batch-closer enqueue INPUT --queue {quoted(summary.queue)} --run-id {summary.run_id}"
        steps.append(Advice(text, resume))
    elif any(summary.outcomes.get(outcome, 0) for outcome in WORTH_RETRYING):
        retry = f"batch-closer runs retry {quoted(summary.run_id)}{where}"
        if summary.queue is not None:
            retry = f"batch-closer enqueue retry.txt --queue {quoted(summary.queue)}"
        steps.append(Advice("Try those again that are worth it (they are in retry.txt):", retry))
    found = ((outcome, text) for outcome, text in _PER_OUTCOME.items() if outcome in troubled)
    return steps + [Advice(f"{outcome.value}: {text}") for outcome, text in found]


def _onwards(summary: Summary, resume: str, *, under_way: bool) -> Advice:
    if summary.queue is not None:
        follow = f"enqueue INPUT --queue {quoted(summary.queue)} --run-id {summary.run_id} --wait"
        return Advice("It goes on in the queue. Follow it to its end:", f"batch-closer {follow}")
    if under_way:
        return Advice("Wait until it has ended; if it is cut short, continue it:", resume)
    if not summary.sessions:
        return Advice("Close its input again: there is nothing to continue.")
    return Advice("Continue where it stopped:", resume)


def remedy(problem: Problem) -> str:
    """What to do about one group, as a sentence."""
    text = (_PER_OUTCOME | _BY_A_COMMAND).get(problem.outcome, "look at these batches in EnergyCAP.")
    return text[:1].upper() + text[1:]


def why(problem: Problem) -> str:
    """A problem's outcome with what is known of its cause: ``rejected, redirect, HTTP 302``."""
    status = None if problem.http_status is None else f"HTTP {problem.http_status}"
    repeats = problem.reason == f"http_{problem.http_status}"
    reason = None if problem.reason is None or repeats else printable(problem.reason, 60)
    return ", ".join(part for part in (problem.outcome.value, reason, status) if part)


def first_ids(problem: Problem) -> str:
    """``ids 3, 4, 5, ...``, or nothing for input lines."""
    return first_of(tuple(map(str, problem.first_ids[:_SHOWN_IDS])), problem.count)


def first_of(ids: tuple[str, ...], count: int) -> str:
    """The first ids of so many: ``ids 3, 4, 5, ...``; nothing where there are none."""
    more = ", ..." if count > len(ids) else ""
    return f"{'id' if count == 1 else 'ids'} {', '.join(ids)}{more}" if ids else ""


def took(seconds: float) -> str:
    """A duration for people: ``0.8 s``, ``1 min 32 s``, ``3 h 05 min``."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest:02d} s" if whole < 3600 else f"{minutes // 60:,} h {minutes % 60:02d} min"


def effort(summary: Summary) -> str:
    """How much the run asked of the API, and how quick it was."""
    requests, rate, ms = summary.requests, summary.rate, summary.latency_ms
    parts = [
        f"{counted(requests.total, 'request')} ({requests.put:,} PUT), {requests.retried:,} repeated",
        f"{rate.achieved_per_s:.4g} of {rate.limit_per_s:.4g} per second",
        f"throttled {counted(requests.throttled, 'time')}" if requests.throttled else "",
        f"answers in {ms.p50:,.0f} ms, 99 % within {ms.p99:,.0f} ms" if ms.p50 and ms.p99 else "",
    ]
    sessions = f" in {counted(summary.sessions, 'session')}" if summary.sessions > 1 else ""
    return f"took {took(summary.duration_s)}{sessions}: " + "; ".join(part for part in parts if part)


def quoted(text: str) -> str:
    """``text`` as one word of a command line, for the shell people use here."""
    text = printable(text, None)
    if os.name == "nt":
        return f'"{text}"' if " " in text else text
    return shlex.quote(text)
