"""The report files agree with the results they are made from."""

from __future__ import annotations

import csv
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.report.files import CSV_KEYS, csv_row, summary_json, write_reports
from worker.words.model import FINE_BY_DEFAULT, WORTH_RETRYING, Outcome, Result

from .support import odd_results, odd_text, result, summary


def test_files(tmp_path: Path) -> None:
    """results.csv is in input order, retry.txt has the ids worth retrying, summary.json the record."""
    results = [result(i, list(Outcome)[i % 10]) for i in range(1, 41)]
    write_reports(tmp_path, summary(results), iter(results), FINE_BY_DEFAULT)
    with (tmp_path / "results.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == CSV_KEYS
    assert [row["batch_id"] for row in rows] == [
        "" if r.batch_id is None else str(r.batch_id) for r in results
    ]
    assert {row["running_total"] for row in rows} == {"-10.50"}
    retry = [int(line) for line in (tmp_path / "retry.txt").read_text().splitlines()]
    assert retry == [r.batch_id for r in results if r.outcome in WORTH_RETRYING]
    assert json.loads((tmp_path / "summary.json").read_bytes())["outcomes"]["held"] == 4
    names = {"results.csv", "retry.txt", "report.html", "summary.json", "summary.md"}
    assert {path.name for path in tmp_path.iterdir()} == names


def test_nothing_to_retry(tmp_path: Path) -> None:
    """retry.txt is there even if it is empty."""
    write_reports(tmp_path, summary([]), [], FINE_BY_DEFAULT)
    assert (tmp_path / "retry.txt").read_bytes() == b""


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        *((f"{start}1+1", f"'{start}1+1") for start in "=+-@\uff1d"),
        ("\t=1", "'=1"),
        ("\r\n@1", "'@1"),
        ("a\x1b[2Jb\x9b2J", "a?[2Jb?2J"),
        ("one\ntwo", "one two"),
    ],
)
def test_no_formula_and_no_escape(text: str, cell: str) -> None:
    """Text that a spreadsheet or a terminal would run is made harmless; numbers are left alone."""
    row = dict(zip(CSV_KEYS, csv_row(result(1, Outcome.REJECTED, text)), strict=True))
    assert row["message"] == cell
    assert (row["running_total"], row["source"]) == ("-10.50", "ids.csv")


@given(st.lists(odd_results, max_size=5), st.none() | odd_text)
def test_odd_text(tmp_path_factory: pytest.TempPathFactory, results: list[Result], by: str | None) -> None:
    """No text makes a report fail: the CSV has as many rows as results, and summary.json is valid."""
    folder = tmp_path_factory.mktemp("run")
    write_reports(folder, summary(results, by=by), results, FINE_BY_DEFAULT)
    with (folder / "results.csv").open(encoding="utf-8", newline="") as file:
        assert sum(1 for _ in csv.reader(file)) == 1 + len(results)
    assert json.loads(summary_json(summary(results, by=by)))["run_id"] == "r1"


def test_memory(tmp_path: Path) -> None:
    """Results are streamed: eight thousand of them never stand in memory together."""

    def many() -> Iterator[Result]:
        return (result(i) for i in range(1, 8_001))

    made = summary([])
    write_reports(tmp_path, made, [], FINE_BY_DEFAULT)  # what is loaded once is not counted
    tracemalloc.start()
    write_reports(tmp_path, made, many(), FINE_BY_DEFAULT)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000
