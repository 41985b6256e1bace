"""Bodies of any shape."""

from __future__ import annotations

import json
import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.energycap.bodies import LARGEST_MESSAGE, message_of, tidy, to_batch
from worker.words.model import BatchState

WHOLE = {
    "accountPeriodName": "Oct 2026",
    "accountPeriodNumber": 10,
    "accountPeriodYear": 2026,
    "analyzingCount": 0,
    "batchCode": "UTIL-2026-10-0001",
    "batchId": 1001,
    "batchStatus": "Closed",
    "billCount": 12,
    "controlCode": "",
    "createdBy": {"fullName": "A Name", "userCode": "A", "userId": 3},
    "dueDate": None,
    "endDate": "2026-11-03T02:00:00Z",
    "flagCount": 1,
    "hasImportedBills": True,
    "hasImportsWithKickout": False,
    "hasLogs": False,
    "isOpen": False,
    "runningTotal": 1234.5,
    "startDate": "2026-10-30",
}


def test_a_whole_answer() -> None:
    """Every field the program uses is read; money is exact with two places."""
    batch = to_batch(json.dumps(WHOLE).encode())
    assert batch is not None
    assert (batch.batch_id, batch.state, batch.bill_count) == (1001, BatchState.CLOSED, 12)
    assert batch.running_total == Decimal("1234.50")
    assert str(batch.running_total) == "1234.50"
    assert batch.created_by is not None
    assert batch.created_by.user_id == 3


@pytest.mark.parametrize("name", sorted(set(WHOLE) - {"batchId"}))
@pytest.mark.parametrize("value", [None, {"odd": []}, [[]], "?", 1e308, -5])
def test_an_odd_field_does_not_hide_the_others(name: str, value: object) -> None:
    """Any field but the id may be null, missing or of another type; the rest still stands."""
    for changed in ({**WHOLE, name: value}, {key: kept for key, kept in WHOLE.items() if key != name}):
        batch = to_batch(json.dumps(changed).encode())
        assert batch is not None
        assert batch.batch_id == 1001
        if name != "batchStatus":
            assert batch.state is BatchState.CLOSED


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"true",
        b"7",
        b'"closed"',
        b"{}",
        b'{"batchStatus":"closed"}',
        b'{"batchId":null,"batchStatus":"closed"}',
        b'{"batchId":"x","batchStatus":"closed"}',
        b'{"batchId":1001,"batchStatus":"closed"',
        b"<html><body>Sign in</body></html>",
        b"\xff\xfe\x00",
        b"[" * 100_000,
    ],
)
def test_what_is_no_batch(body: bytes) -> None:
    """What is no BatchResponse is never taken for one."""
    assert to_batch(body) is None


@given(st.binary(max_size=300))
def test_any_bytes_are_survived(body: bytes) -> None:
    """Whatever comes, there is an answer and no exception."""
    to_batch(body)
    message = message_of(body, str)
    assert message is None or (message.isprintable() and len(message) <= 300)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_any_json_is_survived(value: object) -> None:
    """An error body is JSON of any shape."""
    message = message_of(json.dumps(value).encode(), str)
    assert message is None or message.isprintable()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"message":"Batch is locked"}', "Batch is locked"),
        (b'{"Message":"Batch is locked"}', "Batch is locked"),
        (b'{"type":"about:blank","title":"Bad Request","detail":"Batch is locked"}', "Batch is locked"),
        (b'{"error":{"code":7,"message":"Batch is locked"}}', "Batch is locked"),
        (b'{"errors":[{"detail":"Batch is locked"}]}', "Batch is locked"),
        (b'[{"message":"Batch is locked"}]', "Batch is locked"),
        (b'"Batch is locked"', "Batch is locked"),
        (b"Batch\r\n  is locked\x1b[31m", "Batch is locked [31m"),
        (b"<html><head><title>502 Bad Gateway</title></head><body>x</body></html>", "502 Bad Gateway"),
        (b"<p>Batch <b>is</b> locked &amp; shut</p>", "Batch is locked & shut"),
        (b'{"code":7}', None),
        (b"", None),
        (b"   ", None),
    ],
)
def test_the_servers_words(body: bytes, message: str | None) -> None:
    """The words are found in a body of any shape, on one printable line."""
    assert message_of(body, str) == message


@pytest.mark.parametrize("part", [b"<title", b"<title>", b"<"])
def test_hostile_words_take_no_time(part: bytes) -> None:
    """A text of nothing but beginnings is done with at once: the event loop waits for it."""
    began = time.process_time()
    message_of(part * (LARGEST_MESSAGE // len(part)) + b">", str)
    assert time.process_time() - began < 0.2


@pytest.mark.parametrize("count", [-1, 2**31, 10**30, 7.5])
def test_a_count_that_is_none(count: float) -> None:
    """What can't be a number of bills is as if the API had not told it: it must not spoil a sum."""
    batch = to_batch(json.dumps({**WHOLE, "billCount": count}).encode())
    assert batch is not None
    assert batch.bill_count is None


def test_long_words_are_shortened() -> None:
    """A message is at most 300 characters."""
    assert len(tidy("x" * 5000) or "") == 300


def test_words_pass_through_the_redactor() -> None:
    """The key may stand in a server's words; it is taken out before anything is shortened."""
    body = json.dumps({"message": "x" * 295 + " secret-key"}).encode()
    assert "secret" not in (message_of(body, lambda text: text.replace("secret-key", "***")) or "")
