"""What people read says what was closed, what wasn't and why, and what to do next, whatever the API wrote."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from worker.report.advice import took
from worker.report.markdown import render_markdown
from worker.report.text import render_text
from worker.rules.proof import Proof
from worker.rules.summary import Summary, Verified
from worker.words.model import FINE_BY_DEFAULT, Outcome, Result, Stopped

from .support import odd_results, odd_text, result, summary

FOLDER = Path("/state/runs/r1")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def test_first_lines() -> None:
    """The first line says how many batches and bills were closed and the sum; the second what wasn't."""
    results = [result(1), result(2), result(3, Outcome.ALREADY_CLOSED), result(4, Outcome.NOT_FOUND)]
    first, second, *rest = render_text(summary(results), FOLDER).splitlines()
    assert first == "Closed 2 batches: 4 bills, -21.00 in total."
    assert second == "1 was closed before this run. 1 of 4 did not end fine."
    assert any("not_found" in line for line in rest)
    assert "/state/runs/r1" in "".join(rest)


@pytest.mark.parametrize(
    ("results", "first"),
    [
        ([], "Nothing to do"),
        ([result(1, Outcome.HELD)], "Closed no batch."),
        ([result(1)], "Closed 1 batch: 2 bills,"),
    ],
)
def test_first_words(results: list[Result], first: str) -> None:
    """Closing one, none, or having nothing to do are each said in plain words."""
    assert render_text(summary(results), FOLDER).startswith(first)


@pytest.mark.parametrize("outcome", sorted(set(Outcome) - FINE_BY_DEFAULT))
def test_advice(outcome: Outcome) -> None:
    """Every outcome that is not fine gets a next step."""
    text = render_text(summary([result(1, outcome)]), FOLDER, width=200)
    retry = outcome in {Outcome.FAILED, Outcome.UNKNOWN, Outcome.NOT_ATTEMPTED}
    assert ("batch-closer runs retry r1" in text) is retry
    assert retry or f"- {outcome.value}: " in text


def test_remarks() -> None:
    """What was warned of and what the proof showed stand in both; what disagrees is not fine."""
    warned = {"flags": 2, "empty": 1}
    made = replace(summary([result(1), result(2)]), warnings=warned, verified=Verified(2, 0))
    bad = replace(made, verified=Verified(2, 1), problems=Proof(Verified(2, 1), (2,)).problems)
    for good_text, bad_text in (
        (render_text(made, FOLDER), render_text(bad, FOLDER)),
        (render_markdown(made, FINE_BY_DEFAULT), render_markdown(bad, FINE_BY_DEFAULT)),
    ):
        assert "Warned of: flags 2, empty 1." in good_text
        assert "Read again afterwards, all 2 are closed." in good_text
        assert "1 of 2 did not end fine." in bad_text
        assert "Read again afterwards, 1 of 2 is NOT closed." in bad_text
        assert "look at these in EnergyCAP" in " ".join(bad_text.split())


@pytest.mark.parametrize("stopped", Stopped)
def test_stopped(stopped: Stopped) -> None:
    """A run that was stopped says why, and how to continue it."""
    results = [result(1, Outcome.NOT_ATTEMPTED)]
    text = render_text(summary(results, stopped, "same=20"), FOLDER, width=200)
    assert "Stopped early: " in text
    assert "(same=20)" in text
    assert "batch-closer resume r1" in text
    assert "retry.txt\n" not in text


def test_stopped_by() -> None:
    """The batches that made an abort rule fire are named, the first ten of them."""
    made = replace(summary([result(1)], Stopped.ABORT, "same=20"), stopped_by_ids=tuple(range(1, 12)))
    said = "Stopped early: an abort rule fired (same=20; at batches 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ...)."
    assert said in render_text(made, FOLDER, width=200)


_CUT_OFF = result(2, Outcome.UNKNOWN)._replace(reason="interrupted")


@pytest.mark.parametrize(
    ("results", "sessions", "said", "then"),
    [
        (
            [result(1), _CUT_OFF, result(3, Outcome.NOT_ATTEMPTED), result(4, Outcome.NOT_FOUND)],
            1,
            "Unfinished: 2 of 4 are not settled. 1 of 4 did not end fine.",
            "Continue where it stopped: batch-closer resume r1",
        ),
        (
            [result(1), result(2, Outcome.NOT_ATTEMPTED)],
            2,
            "Unfinished: 1 of 2 is not settled.",
            "Continue where it stopped: batch-closer resume r1",
        ),
        (
            [result(1)],
            1,
            "Unfinished: everything is settled, and its files are still to be written.",
            "Continue where it stopped: batch-closer resume r1",
        ),
        (
            [result(1, Outcome.NOT_ATTEMPTED)],
            0,
            "Not begun: 1 of 1 is not settled.",
            "Close its input again: there is nothing to continue.",
        ),
    ],
)
def test_unfinished(results: list[Result], sessions: int, said: str, then: str) -> None:
    """A run that has not come to its end says how far it is, and how to continue it; it did not end fine."""
    made = replace(summary(results), sessions=sessions, finished_at=None, exit_code=None)
    assert Summary.from_json_dict(made.to_json_dict()).is_unfinished
    text = " ".join(render_text(made, FOLDER, files=["log.jsonl"]).split())
    marked = render_markdown(made, FINE_BY_DEFAULT).replace("`", "")
    for each in (text, marked):
        assert said in each
        assert then in each
        assert "retry" not in each
        assert "ended fine" not in each
    assert text.endswith("Files: /state/runs/r1 log.jsonl")
    assert "Files" not in render_text(made, FOLDER, files=[])


@given(
    st.lists(odd_results, max_size=6), st.none() | st.sampled_from(Stopped), odd_text, st.integers(40, 120)
)
def test_untrusted_text(results: list[Result], stopped: Stopped | None, by: str, width: int) -> None:
    """No control character gets out, no line of ours can be faked, and none is wider than asked."""
    text = render_text(summary(results, stopped, by), FOLDER, width=width)
    lines = text.splitlines()
    assert all(line.isprintable() for line in lines)
    assert all(cell_len(line) <= width or "batch-closer" in line or "Files: " in line for line in lines)
    assert sum(line.startswith("Closed ") for line in lines) <= 1


def test_untrusted_record() -> None:
    """A summary that was read back from a file is no more trusted than the API."""
    made = summary([result(1, Outcome.REJECTED, "no")])
    odd = "\x1b[2J\u202eno"
    made = replace(made, run_id=odd, problems=(replace(made.problems[0], message=odd, reason=odd),))
    assert all(line.isprintable() for line in render_text(made, Path("/state") / odd).splitlines())
    assert all(line.isprintable() for line in render_markdown(made, FINE_BY_DEFAULT).splitlines())


@given(st.lists(odd_results, max_size=4))
def test_colour_changes_nothing_else(results: list[Result]) -> None:
    """With colour the words are the same; the only escapes are ours."""
    made = summary(results)
    coloured = render_text(made, FOLDER, colour=True)
    plain = [line.rstrip() for line in COLOUR.sub("", coloured).splitlines()]
    assert plain == render_text(made, FOLDER).splitlines()


@given(st.lists(odd_results, max_size=4), odd_text)
def test_markdown(results: list[Result], by: str) -> None:
    """Outside code spans there is no HTML, no link and no extra cell."""
    text = render_markdown(summary(results, Stopped.ABORT, by), FINE_BY_DEFAULT)
    for line in text.splitlines():
        outside = re.sub(r"\\.", "", re.sub(r"(?<!\\)`[^`]*`", "", line))
        assert not set("`<>[]") & set(outside)
        assert line.count("|") in {0, 4, 5} or not line.startswith("|")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (59.94, "59.9 s"), (59.97, "1 min 00 s"), (3599.6, "1 h 00 min"), (3725, "1 h 02 min")],
)
def test_durations(seconds: float, text: str) -> None:
    """Durations are rounded to what people read."""
    assert took(seconds) == text
