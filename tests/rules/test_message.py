"""What a message of a queue asks for, or why it can't be used."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.rules.message import (
    LARGEST,
    Message,
    Unfit,
    is_run_id,
    of_fields,
    of_json,
    own_controls,
    standing_run,
)
from worker.words.model import MAX_BATCH_ID, MIN_BATCH_ID, Control

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"batch_id": "1001"}, Message(1001)),
        ({"batch_id": " 0042 ", "other": "x"}, Message(42)),
        ({"batch_id": str(MAX_BATCH_ID), "run_id": "r-1"}, Message(MAX_BATCH_ID, "r-1")),
        ({"batch_id": "7", "expected_bills": "12"}, Message(7, None, (Control(12, None),))),
        (
            {"batch_id": "7", "expected_total": "-10.5", "run_id": ""},
            Message(7, None, (Control(None, Decimal("-10.50")),)),
        ),
        (
            {"batch_id": "7", "run_id": "r", "source": "a.csv", "line": "3", "seq": "9"},
            Message(7, "r", (), "a.csv", 3, 9),
        ),
    ],
)
def test_messages_that_ask_for_a_batch(fields: dict[str, str], expected: Message) -> None:
    """Flat text fields, as documented; what else is there is left alone."""
    assert of_fields(fields) == expected


@pytest.mark.parametrize(
    ("fields", "reason", "run_id"),
    [
        ({}, "no_batch_id", None),
        ({"batch_id": ""}, "no_batch_id", None),
        ({"batchId": "5"}, "no_batch_id", None),
        ({"batch_id": "abc", "run_id": "r"}, "not_a_batch_id", "r"),
        ({"batch_id": "0"}, "not_a_batch_id", None),
        ({"batch_id": "-5"}, "not_a_batch_id", None),
        ({"batch_id": "5.0"}, "not_a_batch_id", None),
        ({"batch_id": "٣"}, "not_a_batch_id", None),
        ({"batch_id": str(MAX_BATCH_ID + 1)}, "not_a_batch_id", None),
        ({"batch_id": "9" * 5000}, "not_a_batch_id", None),
        ({"batch_id": "5", "run_id": "../etc"}, "not_a_run_id", None),
        ({"batch_id": "5", "expected_bills": "many"}, "not_a_control_total", None),
        ({"batch_id": "5", "expected_total": "1,000.00"}, "not_a_control_total", None),
        ({"batch_id": "5", "line": "x"}, "not_understood", None),
        ({"batch_id": "5", "controls": "[1"}, "not_understood", None),
        ({"batch_id": "5", "controls": "[[1]]"}, "not_understood", None),
    ],
)
def test_messages_that_ask_for_nothing(fields: dict[str, str], reason: str, run_id: str | None) -> None:
    """Each is told by a word, and belongs to the run that it names, if that can be one."""
    found = of_fields(fields)
    assert isinstance(found, Unfit)
    assert (found.reason, found.run_id) == (reason, run_id)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"batch_id": 1001}', Message(1001)),
        (b'{"batch_id": 7, "run_id": null, "expected_bills": 3}', Message(7, None, (Control(3, None),))),
        (b'{"batch_id": 7, "expected_total": 10.10}', Message(7, None, (Control(None, Decimal("10.10")),))),
        (b"", "not_json"),
        (b"1001", "not_an_object"),
        (b"[1001]", "not_an_object"),
        (b"\xff\xfe", "not_json"),
        (b"[" * 60_000, "not_json"),
        (b'{"batch_id": ' + b"9" * 10_000 + b"}", "not_json"),
        (b"{}", "no_batch_id"),
        (b'{"batch_id": "1001"}', "not_a_batch_id"),
        (b'{"batch_id": true}', "not_a_batch_id"),
        (b'{"batch_id": 5.0}', "not_a_batch_id"),
        (b'{"batch_id": [5]}', "not_a_batch_id"),
        (b'{"batch_id": 0}', "not_a_batch_id"),
        (b'{"batch_id": 5, "run_id": 7}', "not_a_run_id"),
        (b'{"batch_id": 5, "run_id": ["r"]}', "not_a_run_id"),
        (b'{"batch_id": 5, "expected_bills": true}', "not_a_control_total"),
        (b'{"batch_id": 5, "expected_bills": {}}', "not_a_control_total"),
        (b'{"batch_id": 5, "expected_total": NaN}', "not_a_control_total"),
        (b'{"batch_id": 5}' + b" " * LARGEST, "too_large"),
    ],
)
def test_bodies_in_json(body: bytes, expected: Message | str) -> None:
    """The same in a JSON object; here an id is a number."""
    found = of_json(body)
    assert (found.reason if isinstance(found, Unfit) else found) == expected


@given(st.dictionaries(st.sampled_from(["batch_id", "run_id", "controls", "line", "seq"]) | TEXT, TEXT))
def test_no_fields_are_too_odd(fields: dict[str, str]) -> None:
    """Whatever a stranger sends is a batch that can be, or is told why not, in printable words."""
    check(of_fields(fields))


@given(st.binary(max_size=100) | st.builds(lambda value: json.dumps(value).encode(), JSON))
def test_no_body_is_too_odd(body: bytes) -> None:
    """The same for JSON, and for what is none."""
    check(of_json(body))


@given(st.dictionaries(st.sampled_from(["batch_id", "run_id", "expected_bills", "expected_total"]), JSON))
def test_no_value_is_too_odd(value: dict[str, object]) -> None:
    """The same for the right keys with any value."""
    check(of_json(json.dumps(value).encode()))


def check(found: Message | Unfit) -> None:
    if isinstance(found, Message):
        assert MIN_BATCH_ID <= found.batch_id <= MAX_BATCH_ID
        assert found.run_id is None or is_run_id(found.run_id)
    else:
        assert found.text.isprintable()
        assert len(found.text) <= 200


@given(
    st.lists(
        st.builds(
            Control, st.none() | st.integers(0, 10**9), st.none() | st.decimals(-1e9, 1e9, places=2)
        ).filter(lambda control: control != Control()),
        max_size=3,
    )
)
def test_own_controls_come_back(controls: list[Control]) -> None:
    """What the input expects of a batch survives the way through the queue."""
    found = of_fields({"batch_id": "5"} | own_controls(tuple(controls)))
    assert isinstance(found, Message)
    assert found.controls == tuple(controls)


def test_a_standing_run_is_of_a_day_in_utc() -> None:
    """Messages without a run belong to the day they were sent, wherever the worker is."""
    assert standing_run(1_795_651_199.9) == "standing-2026-11-25"
    assert standing_run(1_795_651_200.0) == "standing-2026-11-26"
