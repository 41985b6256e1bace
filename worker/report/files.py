"""The report files of a run, written in one pass over its results."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, Final, TextIO

import orjson

from worker.report.lines import KEYS, fields_of, mend
from worker.report.markdown import render_markdown
from worker.report.results import replaced
from worker.rules.summary import Summary, printable
from worker.words.model import WORTH_RETRYING, Outcome, Result

LOG: Final = "log.jsonl"
FILES: Final = (
    *("report.html", "results.csv", "results.jsonl", "retry.txt", "summary.json", "summary.md"),
    LOG,
)
"""What the folder of a run holds at its end, in the order it is told in."""

CSV_KEYS: Final = (*KEYS, "input")
_FORMULA_STARTS: Final = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
_TOTAL: Final = CSV_KEYS.index("running_total")


def write_reports(folder: Path, summary: Summary, results: Iterable[Result], ok: Collection[Outcome]) -> None:
    """Write results.csv, retry.txt, report.html, summary.json and summary.md, each whole or not at all.

    ``results`` are read once, in input order, and never held together in memory.
    Raises BatchCloserError if a file can't be written.
    """
    from worker.report.page import render_page  # what it needs takes its time to load

    with ExitStack() as files:
        table = files.enter_context(replaced(folder / "results.csv"))
        retry = files.enter_context(replaced(folder / "retry.txt"))
        page = files.enter_context(replaced(folder / "report.html"))
        text = io.TextIOWrapper(table, encoding="utf-8", errors="replace", newline="", write_through=False)
        files.callback(text.detach)  # flushes, and leaves the file itself to ``replaced``
        page.writelines(render_page(_as_written(summary), _written(results, text, retry), ok))
    with replaced(folder / "summary.json") as file:
        file.write(summary_json(summary))
    with replaced(folder / "summary.md") as file:
        file.write(render_markdown(summary, ok).encode("utf-8", "replace"))


def _as_written(summary: Summary) -> Summary:
    """The summary as it is read back, so that a page made again later is the same to the last byte."""
    try:
        return Summary.from_json_dict(orjson.loads(summary_json(summary)))
    except ValueError:  # a number that no reader of JSON can hold
        return summary


def _written(results: Iterable[Result], table: TextIO, retry: BinaryIO) -> Iterator[Result]:
    """Write each result as a row of results.csv, and its id into retry.txt, on its way to the page."""
    rows = csv.writer(table)
    rows.writerow(CSV_KEYS)
    for result in results:
        rows.writerow(csv_row(result))
        if result.outcome in WORTH_RETRYING and result.batch_id is not None:
            retry.write(b"%d\n" % result.batch_id)
        yield result


def summary_json(summary: Summary) -> bytes:
    """summary.json, also what ``--json`` prints; ends with a newline."""
    option = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(mend(summary.to_json_dict()), option=option)


def csv_row(result: Result) -> list[Any]:
    """A result's cells. Text that a spreadsheet would run as a formula gets a leading apostrophe.

    It stands on one line and holds only what can be shown, for the file may be read on a terminal.
    """
    fields = fields_of(result) | {"warnings": " ".join(result.warnings) or None, "input": result.input}
    cells = [_inert(value) if isinstance(value, str) else value for value in fields.values()]
    cells[_TOTAL] = fields["running_total"]  # a number: a credit begins with a minus
    return cells


def _inert(value: str) -> str:
    text = value if value.isprintable() else printable(value, None)
    return f"'{text}" if text[:1] in _FORMULA_STARTS else text
