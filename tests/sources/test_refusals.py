"""What stops the reading: each with one line that says where and what to do."""

from __future__ import annotations

import pytest

from worker.words.errors import InputError

from .support import packed, read

LONG = 1 << 20


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PK\x03\x04\x14\0", "stdin: looks like an Excel workbook"),
        (b"%PDF-1.7\n", "stdin: looks like a PDF"),
        (b"\xd0\xcf\x11\xe0\xa1", "old Excel"),
        (b"{\\rtf1 12}", "rich text"),
        (b"\x7fELF\0\0\0\x01\x02\0", "binary"),
        (b"\0", "binary"),
        (b"\0" * 100, "binary"),
        (b"\n<!DOCTYPE html>\n<html>", "stdin, line 2: looks like a web page"),
        (packed(packed(b"12\n")), "gzip inside gzip"),
        (packed(b"12\n" * 1000)[:-9], "ends too early"),
        (packed(b"12\n")[:4], "ends too early"),
        (packed(b"12\n") + b"left over", "damaged"),
        (packed(b"12\n")[:-8] + b"\0" * 8, "damaged"),
        (b"12\n13\n\xe9\n", "stdin, line 3: not valid UTF-8; save it as UTF-8"),
        (b"id,x\r12,\xfc\r", "stdin, line 2: not valid UTF-8"),
        (b"12\n\xe2\x82", "stdin, line 2: not valid UTF-8"),
        (b"12\n" * 50_000 + b"\xff", "stdin, line 50001: not valid UTF-8"),
        ("12\n".encode("utf-16") + b"1", "stdin, line 2: not valid UTF-16-LE"),
    ],
)
def test_no_text(data: bytes, words: str) -> None:
    """A file that is no text is recognised, and the remedy named."""
    with pytest.raises(InputError) as caught:
        read(data)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("code,name\na,b\n", "line 1: no column batchId, batch_id or id; the columns are 'code', 'name'"),
        ("code,name\na,b\n", "--column"),
        ("sep=;\ncode;name\n", "line 2: no column batchId"),
        ("\n12,34\n", "line 2: has several columns but no header"),
        ("12;a\n", "no header"),
        ("batchId,BatchID\n1,2\n", "line 1: the column 'batchId' is there twice"),
        ("ID,Id\n1,2\n", "line 1: the column 'ID' is there twice"),
        ('id,x\n1,"a\n2,b\n', "line 2: a quote"),
        ('id,x\n1,"a"b\n2,c\n', "line 2: a quote"),
        ('id,x\n0,"b"\n1,"a\n2,b\n3,\n4,"\n', "line 3: a quoted cell runs on over line 4"),
        ('id,x\n1,"a\n4,"\n', "line 2: a quoted cell runs on over line 3"),
        ('"id,x\n1,2\n', "line 1: a quote"),
        ('id,x\n1,"' + "a" * 200_000 + '"\n', "line 2: a cell is far too long"),
        ("id,x\n1,a\n2," + "b" * LONG + "\n", "line 3: a row of more than"),
        ('id,x\n1,' + '"\n",' * 300_000 + "\n", "line 2: a row of more than"),
        ("id," + "b" * LONG + "\n1,2\n", "line 1: longer than"),
        ("[1, 2", "after element 2"),
        ("[1 2]", "after element 1"),
        ("[1, NaN]", "after element 1"),
        ("[1]\n[2]", "after element 1"),
        ("[012]", "not valid JSON"),
        ("[3, " + "1" * 5000 + "]", "after element 1"),
        ('[3, "' + "a" * 2 * LONG + '"]', "element 2 is longer"),
        ("[3, {" + '"a":1,' * LONG + '"id":1}]', "element 2 is longer"),
        ("[" * 100_000, "not valid JSON"),
        ("[3, " + "[" * 3 * LONG, "element 2 is longer"),
        ('{"batches": [1, 2]}', "line 1: a single JSON object is no list"),
        ('{"batches": [\n{"id": 1},\n{"id": 2}\n]}', "a single JSON object is no list"),
        ('{\n  "batchId": 12\n}\n', "a single JSON object is no list"),
        ('{"batchId": 12,\n"id": 1}\n', "a single JSON object is no list"),
        ('{"a":' * 100_000, "a single JSON object is no list"),
    ],
)  # fmt: skip
def test_no_format_that_is_known(text: str, words: str) -> None:
    """A text that can't be understood without a guess stops the reading, with the place."""
    with pytest.raises(InputError) as caught:
        read(text)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) <= 1000


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1\n2\n", "line 1: has no columns, so there is no 'parent'"),
        ("id,x\n1,2\n", "line 1: no column 'parent'; the columns are 'id', 'x'"),
        ("[1, 2]", "no object has the key 'parent'"),
        ('[{"id": 1}]', "no object has the key 'parent'"),
        ('{"id": 1}\n{"id": 2}\n', "no object has the key 'parent'"),
    ],
)
def test_a_column_that_is_not_there(text: str, words: str) -> None:
    """A column that was asked for and is missing stops the reading."""
    with pytest.raises(InputError, match=words):
        read(text, "parent")


def test_an_empty_column_name() -> None:
    """A blank column name is refused instead of meaning some column."""
    with pytest.raises(InputError, match="--column is empty"):
        read("id\n1\n", " ")


def test_a_deeply_nested_line_among_others() -> None:
    """A line nested beyond any use is rejected and the next one is read."""
    last = read('{"id": 1}\n' + '{"a":' * 50_000 + "\n" + '{"id": 2}\n')[-1]
    assert (last.line, last[0]) == (3, 2)


def test_columns_in_a_message_are_redacted() -> None:
    """A key that stands where a header should be is not repeated."""
    with pytest.raises(InputError) as caught:
        read("a,SECRET\n", redact=lambda text: text.replace("SECRET", "***"))
    assert "***" in str(caught.value)
