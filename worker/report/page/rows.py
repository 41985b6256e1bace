"""A result as a row of the report's table: JSON that can't break out of the page it stands in."""

from __future__ import annotations

from typing import Any, Final

import orjson
from markupsafe import Markup

from worker.report.lines import mend
from worker.rules.summary import printable, two_places
from worker.words.model import Outcome, Result

COLUMNS: Final = (
    *(
        "id",
        "outcome",
        "code",
        "period",
        "bills",
        "total",
        "status",
        "attempts",
        "settled",
        "reason",
        "message",
    ),
    *("confirmed", "ended", "first", "elapsed", "source", "line", "warnings", "problem", "input"),
)
"""What stands where in a row. The script takes the places from here; nulls at the end are left out."""

_PLACE: Final = {outcome: place for place, outcome in enumerate(Outcome)}
_ESCAPES: Final = ((b"<", b"\\u003c"), (b">", b"\\u003e"), (b"&", b"\\u0026"))


def row_of(result: Result, problem: int | None, base_ms: int) -> list[Any]:
    """A result's values in the order of COLUMNS.

    Instants are milliseconds after ``base_ms`` (Unix time); ``problem`` is its group's place in the summary.
    """
    total, first = two_places(result.running_total), result.first_attempt_at
    values: list[Any] = [
        result.batch_id,
        _PLACE[result.outcome],
        _text(result.batch_code),
        _text(result.account_period),
        result.bill_count,
        None if total is None else str(total),
        result.http_status,
        result.attempts,
        round(result.settled_at * 1000) - base_ms,
        _text(result.reason),
        _text(result.message),
        result.confirmed_by,
        _text(result.end_date),
        None if first is None else round(first * 1000) - base_ms,
        round(result.elapsed_s, 3),
        _text(result.source),
        result.line,
        [_text(warning) for warning in result.warnings] or None,
        problem,
        _text(result.input),
    ]
    while values[-1] is None:
        values.pop()
    return values


def _text(text: str | None) -> str | None:
    return None if text is None else printable(text, None)


def json_for_page(value: Any) -> Markup:
    """JSON that is safe inside a script element: ``</script>`` and ``<!--`` can't be written in it."""
    try:
        text = orjson.dumps(value)
    except TypeError:  # a number beyond 64 bits
        text = orjson.dumps(mend(value))
    for plain, escaped in _ESCAPES:
        text = text.replace(plain, escaped)
    return Markup(text.decode())  # noqa: S704 - nothing in it can begin a tag
