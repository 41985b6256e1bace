"""What is made of the bodies of the reading calls, whatever is in them."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from worker.energycap.bodies import tidy
from worker.energycap.records import to_can_export, to_identity, to_page
from worker.words.answer import Identity, Page
from worker.words.model import MAX_BATCH_ID

from .test_bodies import WHOLE

ME: dict[str, Any] = {
    "systemUserId": 11,
    "systemUserCode": "closer",
    "fullName": "Batch Closer",
    "environment": "test",
    "permissions": {"billsAndBatches": {"view": True, "create": True, "manage": False}},
}
LAW = settings(deadline=None)  # a busy machine is no fault


def page(body: object, headers: dict[str, str] | None = None) -> Page | None:
    return to_page(body if isinstance(body, bytes) else json.dumps(body).encode(), headers or {}, 3)


def row(batch_id: object, **changed: object) -> dict[str, object]:
    return {**WHOLE, "batchId": batch_id, **changed}


def test_a_page() -> None:
    """The rows in their order, and what the headers say of the whole."""
    headers = {"PageNumber": "2", "PageSize": "2", "TotalNumberOfRecords": "9", "TotalPages": " 5 "}
    found = page([row(8), row(7)], headers)
    assert found is not None
    assert [batch.batch_id for batch in found.batches] == [8, 7]
    assert found[1:] == (2, 5, 9, 0)


@pytest.mark.parametrize("text", ["", "-1", "x", "1.0", "\u0663", "9" * 5000, "0x1", "1_0"])
def test_headers_that_say_nothing(text: str) -> None:
    """A header that is missing or no number leaves its total unknown; the number is the one asked for."""
    said = dict.fromkeys(("PageNumber", "TotalNumberOfRecords", "TotalPages"), text)
    for headers in (said, {}):
        assert page([], headers) == Page((), 3, None, None, 0)


BAD_ROWS: list[object] = [
    None,
    7,
    "x",
    [],
    {},
    row(None),
    row("x"),
    row(0),
    row(-1),
    row(MAX_BATCH_ID + 1),
    row(1.5),
]


@pytest.mark.parametrize("bad", BAD_ROWS)
def test_a_row_that_is_no_batch(bad: object) -> None:
    """It is counted, and the rows around it stand."""
    found = page([row(1), bad, row(2)])
    assert found is not None
    assert [batch.batch_id for batch in found.batches] == [1, 2]
    assert found.skipped == 1


@pytest.mark.parametrize("odd", [b'"\\ud800"', b"NaN", b"1e999", b'"\xff"', b"{}", b"[[1]]", b"1" * 400])
@pytest.mark.parametrize("name", ["note", "batchCode", "runningTotal", "createdBy", "billCount"])
def test_an_odd_field_of_a_row(name: str, odd: bytes) -> None:
    """It is left out of its row: the page and the row's state stand."""
    first = b'{"batchId":1,"batchStatus":"open","%s":%s}' % (name.encode(), odd)
    found = page(b"\xef\xbb\xbf[%s,%s]" % (first, json.dumps(row(2)).encode()))
    assert found is not None
    assert [(batch.batch_id, batch.state.value) for batch in found.batches] == [(1, "open"), (2, "closed")]


@pytest.mark.parametrize(
    "body",
    [b"{}", b"null", b"7", b'"x"', b"<html>", b"[", b"[1,]", b"[" * 100_000, b'{"data":[{"batchId":1}]}',
     json.dumps(row(1)).encode(), b"[" + b"1," * 60_000 + b"1]"],
)  # fmt: skip
def test_what_is_no_page(body: bytes) -> None:
    """Only a bare array is a page, and none of a size that no server means."""
    assert page(body) is None


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)
odd_rows = values | st.dictionaries(st.sampled_from(sorted(WHOLE)), values)


@LAW
@given(st.lists(st.tuples(st.integers(1, 9), st.none()) | st.tuples(st.none(), odd_rows), max_size=6))
def test_each_row_is_a_batch_or_counted(given_rows: list[tuple[int | None, object]]) -> None:
    """Whatever the rows are: a sound one is never lost, and the counts add up."""
    found = page([odd if number is None else row(number) for number, odd in given_rows])
    assert found is not None
    assert len(found.batches) + found.skipped == len(given_rows)
    kept = Counter(batch.batch_id for batch in found.batches)
    assert Counter(number for number, _ in given_rows if number is not None) <= kept


@LAW
@given(st.binary(max_size=200))
@example(b"[" + b"9" * 5000 + b"]")
def test_any_bytes_are_survived(body: bytes) -> None:
    """Bodies of any shape give a record or none."""
    page(body)
    to_identity(body, tidy)
    to_can_export(body, tidy)


def identity(body: object) -> Identity | None:
    return to_identity(json.dumps(body).encode(), tidy)


def test_an_identity() -> None:
    """Who the key is and what it may do; a right that is not named is not known."""
    assert identity(ME) == Identity(11, "closer", "Batch Closer", "test", True, False, True)
    assert identity({"systemUserId": 11}) == Identity(user_id=11)


@pytest.mark.parametrize("name", sorted(ME))
@pytest.mark.parametrize("value", [None, [], {}, 1.5, True, [{}], {"billsAndBatches": 5}])
def test_an_odd_field_of_an_identity(name: str, value: object) -> None:
    """It is left out, the others stand, and nothing but a true or a false is a right."""
    found = identity({**ME, name: value})
    whole = identity(ME)
    assert found is not None
    assert whole is not None
    if name == "permissions":
        assert found == whole._replace(may_create=None, may_manage=None, may_view=None)
    else:
        (changed,) = [new for old, new in zip(whole, found, strict=True) if old != new]
        assert changed is None
    rights = {"billsAndBatches": {"create": "true", "manage": 1}}
    assert identity({**ME, "permissions": rights}) == whole._replace(
        may_create=None, may_manage=None, may_view=None
    )


@pytest.mark.parametrize("body", [None, [], [ME], 7, "x", {}, {"message": "Sign in"}, {"permissions": {}}])
def test_what_is_no_identity(body: object) -> None:
    """A body that says nothing of a user is none."""
    assert identity(body) is None


@pytest.mark.parametrize("body", [{"canExport": "after batch"}, {"canExport": " after\tbatch\u202e "}])
def test_the_export_setting(body: object) -> None:
    """The API's own words, fit to be shown."""
    assert to_can_export(json.dumps(body).encode(), tidy) == "after batch"


@pytest.mark.parametrize("body", [None, [], {}, {"canExport": None}, {"canExport": True}, {"canExport": " "}])
def test_no_export_setting(body: object) -> None:
    """What is not there is not made up."""
    assert to_can_export(json.dumps(body).encode(), tidy) is None
