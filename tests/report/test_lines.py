"""results.jsonl: one valid line a result, and back."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given

from worker.report.lines import KEYS, line_of, parse_line
from worker.words.errors import BatchCloserError
from worker.words.model import Outcome, Result

from .support import odd_results, result


@given(odd_results)
def test_any_result_is_one_line(each: Result) -> None:
    """Whatever a result holds, its line is valid UTF-8 JSON without a raw newline, with the promised keys."""
    line = line_of(each)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    data = orjson.loads(line)
    assert list(data) == [*KEYS, *(["input"] if each.outcome is Outcome.INVALID else [])]
    assert line_of(parse_line(line)) == line


@pytest.mark.parametrize("outcome", Outcome)
def test_round_trip(outcome: Outcome) -> None:
    """A line read back is the result it was made from."""
    each = result(7, outcome, "Größe")._replace(first_attempt_at=1.7e9 + 0.125)
    assert parse_line(line_of(each)) == each
    assert json.loads(line_of(each))["running_total"] == "-10.50"


@pytest.mark.parametrize(
    "line", [b"", b"{}", b"[]", b"3", b"\xff", b'{"run_id": "r', line_of(result(1))[:-9]]
)
def test_damaged_lines(line: bytes) -> None:
    """A damaged line is one clear error."""
    with pytest.raises(BatchCloserError, match="recorded result") as caught:
        parse_line(line)
    assert "\n" not in str(caught.value)
