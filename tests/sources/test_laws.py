"""What holds for any input whatever."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable

from hypothesis import example, given
from hypothesis import strategies as st

from worker.sources import Entry, Listed
from worker.sources.ids import parse_id
from worker.sources.place import printable
from worker.words.errors import InputError
from worker.words.model import MAX_BATCH_ID, Rejected

from .support import packed, read

ids = st.integers(1, MAX_BATCH_ID)
words = st.text(st.characters(exclude_categories=["Cs", "Nd"], exclude_characters="\0"), max_size=8)


def _plain(numbers: list[int], _notes: list[str]) -> str:
    return "\n".join(map(str, numbers))


def _array(numbers: list[int], _notes: list[str]) -> str:
    return json.dumps(numbers, indent=1)


def _objects(numbers: list[int], notes: list[str]) -> str:
    rows = [{"x": [{"id": note}], "batchId": number} for number, note in zip(numbers, notes, strict=True)]
    return json.dumps(rows, ensure_ascii=False)


def _json_lines(numbers: list[int], notes: list[str]) -> str:
    return "".join(
        json.dumps({"note": note, "id": number}) + "\n" for number, note in zip(numbers, notes, strict=True)
    )


def _table(delimiter: str, sep: str = "") -> Callable[[list[int], list[str]], str]:
    def write(numbers: list[int], notes: list[str]) -> str:
        out = io.StringIO(newline="")
        writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL)
        writer.writerow(["note", "BATCHID", "x"])
        writer.writerows([note, number, ""] for number, note in zip(numbers, notes, strict=True))
        return sep + out.getvalue()

    return write


FORMATS = [
    _plain,
    _array,
    _objects,
    _json_lines,
    _table(","),
    _table(";"),
    _table("\t"),
    _table("|", "sep=|\r\n"),
]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-32"]


@given(
    numbers=st.lists(ids, max_size=20),
    notes=st.lists(words, min_size=20, max_size=20),
    write=st.sampled_from(FORMATS),
    encoding=st.sampled_from(ENCODINGS),
    packed=st.integers(0, 2),
)
def test_ids_survive_every_format_encoding_and_packing(
    numbers: list[int],
    notes: list[str],
    write: Callable[[list[int], list[str]], str],
    encoding: str,
    packed: int,
) -> None:
    """The ids that were written are read, in their order, and nothing else."""
    data = write(numbers, notes[: len(numbers)]).encode(encoding)
    if packed == 1:
        data = gzip.compress(data, 1, mtime=0)
    elif packed == 2:
        half = len(data) // 2
        data = gzip.compress(data[:half], 1, mtime=0) + gzip.compress(data[half:], 1, mtime=0)
    found = read(data)
    assert [entry[0] for entry in found if isinstance(entry, Listed)] == numbers
    assert len(found) == len(numbers)


@given(numbers=st.lists(ids, min_size=1), encoding=st.sampled_from(["utf-16-le", "utf-16-be"]))
def test_utf_16_without_a_mark(numbers: list[int], encoding: str) -> None:
    """UTF-16 is recognised by its zero bytes where it has no mark."""
    assert [entry[0] for entry in read(_plain(numbers, []).encode(encoding))] == numbers


TOKENS = ["12", "0", "id", "batchId", "1e999", "NaN", "null", "\\ud800", "sep=;", '{"id":', '{"batchId":1}']
BEGINNINGS = [b"[", b"{", b"id,x\n", b"\xff\xfe", b"\xfe\xff", b"sep=", b"\x1f\x8b"]
some_bytes = st.binary(max_size=80)
hostile = st.one_of(
    some_bytes,
    some_bytes.map(packed),
    st.tuples(st.sampled_from(BEGINNINGS), some_bytes).map(b"".join),
    st.lists(st.sampled_from([*TOKENS, *'{}[],;" \t\n\r#-.\0\ufeff\u2028', "9" * 4400]), max_size=30).map(
        lambda parts: "".join(parts).encode()
    ),
)


def _attempt(data: bytes, column: str | None) -> tuple[list[Entry], str]:
    try:
        return read(data, column), ""
    except InputError as error:
        return [], str(error)


@given(data=hostile, column=st.sampled_from([None, "id", "#"]))
@example(data=b"#", column="#")
@example(data=b"[" + b"7" * 5000, column=None)
def test_no_bytes_make_it_crash(data: bytes, column: str | None) -> None:
    """Whatever the bytes, only entries and InputError come out, each fit to be shown in one line."""
    found, error = _attempt(data, column)
    assert error == printable(error)
    for entry in found:
        assert entry.line >= 1
        if isinstance(entry, Rejected):
            assert len(entry.text) <= 200
            assert entry.text == printable(entry.text)
            assert entry.text.encode()
        else:
            assert 1 <= entry.batch_id <= MAX_BATCH_ID


line = st.one_of(ids.map(str), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0")))


@given(st.lists(line))
def test_every_line_is_accounted_for(lines: list[str]) -> None:
    """Each line that is not blank and no comment comes out exactly once, under its own number."""
    found = read("\n".join(["1", *lines]))
    counted = [
        (number, text)
        for number, text in enumerate(lines, 2)
        if text.strip(" \t") and text.strip(" \t")[0] != "#"
    ]
    assert [entry.line for entry in found[1:]] == [number for number, _ in counted]


@given(st.lists(words, min_size=1))
def test_every_row_is_accounted_for(notes: list[str]) -> None:
    """Each row of a table that is not blank comes out exactly once, good or bad."""
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([["id", "x"], *([note, "x"] for note in notes)])
    assert len(read(out.getvalue())) == len(notes)


@given(st.text())
def test_an_id_is_its_digits(text: str) -> None:
    """What is read as an id is the number that its ASCII digits write, whatever the text."""
    number = parse_id(text)
    if number is not None:
        assert text.strip(" \t").lstrip("0") == str(number)


@given(ids, st.integers(0, 30), st.text(" \t"), st.text(" \t"))
def test_zeros_and_blanks_do_not_matter(number: int, zeros: int, before: str, after: str) -> None:
    """Leading zeros and blanks around an id change nothing."""
    assert parse_id(before + "0" * zeros + str(number) + after) == number
