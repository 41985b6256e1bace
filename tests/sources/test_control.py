"""Control totals beside the ids: read exactly, or the line is rejected."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.sources import Listed
from worker.sources.control import control_of
from worker.words.errors import InputError
from worker.words.model import Rejected

from .support import read

LAW = settings(deadline=None)  # a busy machine is no fault


def _totals(text: str) -> list[tuple[int, int | None, str | None] | tuple[int, str]]:
    """Shorten entries to id and totals, or line and text."""
    return [
        (e.batch_id, e.expected_bills, None if e.expected_total is None else str(e.expected_total))
        if isinstance(e, Listed)
        else (e.line, e.text)
        for e in read(text)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("batchId,expected_bills,expected_total\n1,12,1234.5\n2,,\n3, ,-0.50\n", [
            (1, 12, "1234.50"), (2, None, None), (3, None, "-0.50"),
        ]),
        ("Expected_Total;x;BATCHID\n1000;a;7\n", [(7, None, "1000.00")]),
        ("id\texpectedBills\n7\t0012\n", [(7, 12, None)]),
        (" ExpectedTotal , id\n 5 ,7\n", [(7, None, "5.00")]),
        ("id,expected_bills\n7,12.0\n", [(7, 12, None)]),
        ("id,expected,bills_expected\n7,x,y\n", [(7, None, None)]),
        ('[{"id": 1, "expectedBills": 12, "expected_total": 1234.5}, {"id": 2}, 3]', [
            (1, 12, "1234.50"), (2, None, None), (3, None, None),
        ]),
        ('[{"id": 1, "EXPECTED_TOTAL": null, "x": {"expected_total": 4}}]', [(1, None, None)]),
        ('{"id": 1, "expected_bills": 0, "expectedTotal": 0.10}\n2\n', [(1, 0, "0.10"), (2, None, None)]),
        ('{"id": 1, "expected_total": "1234.50"}\n', [(1, None, "1234.50")]),
        ('{"id": 1, "expected_total": 900719925474099.93}\n', [(1, None, "900719925474099.93")]),
        ('[{"id": 1, "expected_total": 900719925474099.93}]', [(1, None, "900719925474099.93")]),
    ],
)  # fmt: skip
def test_control_totals_that_can_be_read(text: str, expected: object) -> None:
    """The columns and keys are known in any letter case; empty means that none was given."""
    assert _totals(text) == expected


CELLS = ["1,234.50", "1.234,50", "12,5", "1 234", "12.345", "$5", "5-", "(5)", "+5", ".5", "5.", "1e3", "--5",
         "\uff15", "x", "NaN", "1" * 16]  # fmt: skip


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("name", ["expected_bills", "expectedTotal"])
def test_a_cell_that_is_no_plain_number(name: str, cell: str) -> None:
    """A control total that can't be read rejects its line and is shown; the next line stands."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([["id", name], [7, cell], [8, "5"]])
    bad, good = read(out.getvalue())
    assert bad == Rejected("stdin", 2, f"{name}: {cell}")
    assert isinstance(good, Listed)
    for text in (f"[{_object(name, cell)}]", _object(name, cell)):
        assert read(text) == [Rejected("stdin", 1, f"{name}: {cell}")]


def _object(name: str, value: object) -> str:
    return json.dumps({"id": 7, name: value})


@pytest.mark.parametrize("cell", ["-1", "1.5"])
def test_a_count_of_bills_is_whole(cell: str) -> None:
    """Bills are counted: there is no half and no negative one."""
    assert read(f"id,expected_bills\n7,{cell}\n") == [Rejected("stdin", 2, f"expected_bills: {cell}")]


@pytest.mark.parametrize("value", [True, [], {}, [5], {"id": 5}, [[["x"]]]])
@pytest.mark.parametrize("write", ["[%s]", "%s"])
def test_a_json_value_that_is_no_number(value: object, write: str) -> None:
    """What is neither number, text nor null is never taken for an empty cell."""
    (found,) = read(write % _object("expected_total", value))
    assert isinstance(found, Rejected)
    shown = "true" if value is True else "a list or an object"
    assert found.text == f"expected_total: {shown}"


@pytest.mark.parametrize(
    ("row", "text"), [("7,12", "7,12"), ("7,a,1,234.50", "7,a,1,234.50"), ("7", "7"), (",a,5", ",a,5")]
)
def test_a_row_whose_cells_may_have_moved(row: str, text: str) -> None:
    """A row with a cell too few or too many may show another cell as the control total: it is rejected."""
    assert read(f"id,x,expected_total\n{row}\n8,a,5\n")[0] == Rejected("stdin", 2, text)


def test_two_columns_of_one_kind() -> None:
    """Which of two columns is meant can't be told: the reading stops at the header, an object is rejected."""
    with pytest.raises(InputError, match=r"line 1: the column 'expectedBills' is there twice; rename one"):
        read("id,expected_bills,expectedBills\n1,2,2\n")
    both = '{"id": 1, "expectedBills": null, "expected_bills": 2}'
    for text in (f"[{both}]", f"5\n{both}"):
        assert read(text)[-1][2] == "expected_bills: there twice"


def test_a_secret_in_the_place_of_a_total() -> None:
    """The rejected cell passes through the redactor as all text does."""
    (found,) = read("id,expected_total\n7,SECRET\n", redact=lambda text: text.replace("SECRET", "***"))
    assert found == Rejected("stdin", 2, "expected_total: ***")


def _table(rows: list[tuple[int, int, Decimal]]) -> str:
    body = "".join(f"{bills},{total},{number}\n" for number, bills, total in rows)
    return "expected_bills,expected_total,id\n" + body


def _json_lines(rows: list[tuple[int, int, Decimal]]) -> str:
    return "".join(
        f'{{"id": {number}, "expected_bills": {bills}, "expected_total": {total}}}\n'
        for number, bills, total in rows
    )


def _array(rows: list[tuple[int, int, Decimal]]) -> str:
    return f"[{','.join(_json_lines([row]).strip() for row in rows)}]"


money = st.integers(-(10**17) + 1, 10**17 - 1).map(lambda cents: Decimal(cents).scaleb(-2))


@LAW
@given(
    st.lists(st.tuples(st.integers(1, 99), st.integers(0, 10**9), money), min_size=1, max_size=8),
    st.sampled_from([_table, _json_lines, _array]),
)
def test_totals_are_exact(
    rows: list[tuple[int, int, Decimal]], write: Callable[[list[tuple[int, int, Decimal]]], str]
) -> None:
    """What was written is what is read, to the cent, in every format."""
    found = [entry for entry in read(write(rows)) if isinstance(entry, Listed)]
    assert [(e.batch_id, e.expected_bills, e.expected_total) for e in found] == rows


@LAW
@given(st.text(max_size=12) | st.from_regex(r"[-0-9., ]{1,12}"))
def test_a_total_is_a_plain_number_or_none_or_refused(text: str) -> None:
    """Any text: a number that is written just so, nothing for a blank, or unreadable."""
    control = control_of([("expected_total", text)])
    if control.total is not None:
        assert Decimal(text.strip(" \t")) == control.total
        assert control.unreadable is None
    else:
        assert (control.unreadable is None) == (text.strip(" \t") == "")
