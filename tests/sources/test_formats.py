"""Every format, and what counts as an id in it."""

from __future__ import annotations

import pytest

from .support import brief, read


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n\n\t\n", []),
        ("# nothing here\n", []),
        ("12", [(1, 12)]),
        ("12\r\n13\r14\n", [(1, 12), (2, 13), (3, 14)]),
        ("\n# a comment, with; delimiters\n\n  # another\n12\n", [(5, 12)]),
        (" 12\t\n\t0013 \n", [(1, 12), (2, 13)]),
        ("2147483647\n2147483648\n0\n-1\n", [(1, 2147483647), (2, "2147483648"), (3, "0"), (4, "-1")]),
        ("5\n12 # x\n12.0\n+12\n1e3\n1_000\n1,2\n", [
            (1, 5), (2, "12 # x"), (3, "12.0"), (4, "+12"), (5, "1e3"), (6, "1_000"), (7, "1,2"),
        ]),
        ("5\n\uff11\uff12\n\u0661\n\u00b2\n\u00a05\n", [
            (1, 5), (2, "\uff11\uff12"), (3, "\u0661"), (4, "\u00b2"), (5, "\u00a05"),
        ]),
        ("Batch Number\n5\n", [(1, "Batch Number"), (2, 5)]),
        ("0" * 5000 + "7\n" + "9" * 150 + "\n", [(1, 7), (2, "9" * 150)]),
        ("5\n5\n", [(1, 5), (2, 5)]),
    ],
)  # fmt: skip
def test_one_id_a_line(text: str, expected: list[tuple[int, int | str]]) -> None:
    """An id is ASCII digits from 1 to 2147483647; blanks, comments and blank lines do not count."""
    assert brief(read(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("batchId\n12\n13\n", [(2, 12), (3, 13)]),
        ("BATCHID,x\n12,a\n", [(2, 12)]),
        ("x;Batch_Id\na;12\n", [(2, 12)]),
        ("x\tID\na\t12\n", [(2, 12)]),
        ("\n\tid\n7\t12\n", [(3, 12)]),
        ("id,batch_id,batchId\n1,2,3\n", [(2, 3)]),
        ("id,batch_id\n1,2\n", [(2, 2)]),
        ('"batchId" , "x y"\n12,"a, b"\n"13",c\n', [(2, 12), (3, 13)]),
        ('"x;1"; batchId \n"a;b"; 0012 \n', [(2, 12)]),
        ("sep=;\nbatchId;x,y\n12;a\n", [(3, 12)]),
        ('"sep=\t"\nbatchId\tx\n12\ta\n', [(3, 12)]),
        ("SEP=|\nx|id\na|12\n", [(3, 12)]),
        ("# exported\n\nid,x\n12,a\n", [(4, 12)]),
        ("#,batchId\n1,12\n2,13\n", [(2, 12), (3, 13)]),
        ('batchId,"Bill\nCount"\n12,1\n', [(3, 12)]),
        ('x,id\n"a\nb",12\nc,13\n', [(2, 12), (4, 13)]),
        ("id,x\n\n,\n \t, \n12,a\n", [(5, 12)]),
        ("id,x\nz,1\n12.0,1\n,1\n12,\n", [(2, "z"), (3, "12.0"), (4, ",1"), (5, 12)]),
        ("a,b,id\n1,2\n1,2,3\n", [(2, "1,2"), (3, 3)]),
        ("code,id\na,1,22\nb,3\n", [(2, "a,1,22"), (3, 3)]),
        ("id,note\n12,hello, world\n", [(2, 12)]),
        ("id\n12,34\n", [(2, "12,34")]),
        ("id,x\n12,a\n# total,1\n", [(2, 12), (3, "# total")]),
    ],
)
def test_tables(text: str, expected: list[tuple[int, int | str]]) -> None:
    """The id's column is found by its name; a row whose cells may have moved is never guessed at."""
    assert brief(read(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[]", []),
        ("[1, 2\n,3]", [(1, 1), (2, 2), (3, 3)]),
        (" \n[\n1]\n", [(1, 1)]),
        ('["12", true, 12.0, 1e3, null, -1, 0]', [
            (1, '"12"'), (2, "true"), (3, "12.0"), (4, "1E+3"), (5, "null"), (6, "-1"), (7, "0"),
        ]),
        ('[{"batchId": 1}, {"BATCH_ID": 2}, {"id": 3}]', [(1, 1), (2, 2), (3, 3)]),
        ('[{"id": 1, "batchId": 2}, {"batchId": null, "id": 3}]', [(1, 2), (2, '{"batchId":null,"id":3}')]),
        ('[{"x": {"id": 5}, "y": [{"id": 6}], "id": 7}]', [(1, 7)]),
        ('[{"x": [{"id": 5}, "a"], "y": {}}]', [(1, '{"x":[{"id":5},"a"],"y":{}}')]),
        ('[[1], {}, {"id": "5"}]', [(1, "[1]"), (2, "{}"), (3, '{"id":"5"}')]),
        ('[{"id": 1, "id": 2}, {"id": [3]}, {"id": true}]', [
            (1, '{"id":1,"id":2}'), (2, '{"id":[3]}'), (3, '{"id":true}'),
        ]),
        ('[{"id": 4294967297}, 99999999999999999999]', [(1, '{"id":4294967297}'), (2, "9" * 20)]),
    ],
)  # fmt: skip
def test_json_arrays(text: str, expected: list[tuple[int, int | str]]) -> None:
    """Only a JSON integer is an id, alone or directly under the object's key."""
    assert brief(read(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"batchId": 1}', [(1, 1)]),
        ('{"batchId": 1}\n2\n\n{"id": 3, "x": {"id": 4}}\n', [(1, 1), (2, 2), (4, 3)]),
        ('{"batchId": "1"}\n{"id": 2.0}\n{"x": 1}\n{"id": 3}', [
            (1, '{"batchId": "1"}'), (2, '{"id": 2.0}'), (3, '{"x": 1}'), (4, 3),
        ]),
        ('{"id": 1\n{"id": 2}\n{"id": 5, "x": NaN}\n{"id": 3},\n"4"\n', [
            (1, '{"id": 1'), (2, 2), (3, '{"id": 5, "x": NaN}'), (4, '{"id": 3},'), (5, '"4"'),
        ]),
        ('{"id": 1, "ID": 2}\n{"Id": 3, "ID": 4}\n', [(1, '{"id": 1, "ID": 2}'), (2, '{"Id": 3, "ID": 4}')]),
    ],
)  # fmt: skip
def test_json_lines(text: str, expected: list[tuple[int, int | str]]) -> None:
    """A broken line is reported and the others are read; two possible ids are not guessed at."""
    assert brief(read(text)) == expected


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("batchId,Parent No\n1,2\n", "parent no", [(2, 2)]),
        ("Parent\n2\n", "parent", [(2, 2)]),
        ("id,ID\n1,2\n", "ID", [(2, 2)]),
        ('[{"id": 1, "parent": 2}, 3, {"id": 4}]', "Parent", [(1, 2), (2, "3"), (3, '{"id":4}')]),
        ('{"id": 1, "parent": 2}\n3\n', "parent", [(1, 2), (2, "3")]),
        ("[]", "parent", []),
        ("", "parent", []),
    ],
)
def test_a_column_that_was_asked_for(text: str, column: str, expected: list[tuple[int, int | str]]) -> None:
    """With a column asked for, nothing outside it is taken for an id."""
    assert brief(read(text, column)) == expected


def test_text_that_is_no_id_is_made_fit_to_be_shown() -> None:
    """Control, direction and separator characters are replaced, and at most 200 characters are kept."""
    text = "5\n\x1b[31mred\x7f\x85\u202e\u2028\n" + "x" * 500 + "\n"
    _, red, long = brief(read(text))
    assert red == (2, "\ufffd[31mred\ufffd\ufffd\ufffd\ufffd")
    assert long == (3, "x" * 199 + "\u2026")


def test_a_lone_surrogate_can_be_encoded_afterwards() -> None:
    """An escaped half of a character in JSON does not come out as text that no file can hold."""
    for text in ('["\\ud800"]', '{"\\ud800": 1}\n{"id": 1}'):
        assert str(brief(read(text))).encode()


@pytest.mark.parametrize(
    "text", ["5\nkey SECRET\n", 'id,x\n"key SECRET",1\n', '["key SECRET"]', '{"x":"SECRET"}\n5']
)
def test_a_secret_is_hidden_in_every_format(text: str) -> None:
    """What is redacted does not come out, wherever it stood."""
    shown = str(read(text, redact=lambda found: found.replace("SECRET", "***")))
    assert "***" in shown
    assert "SECRET" not in shown


def test_a_secret_is_hidden_before_the_text_is_shortened() -> None:
    """No half of a key is left at the place where the text was cut."""
    shown = str(
        read("5\n" + "x" * 190 + "0123456789" * 4, redact=lambda found: found.replace("0123456789" * 4, "*"))
    )
    assert "0123" not in shown
